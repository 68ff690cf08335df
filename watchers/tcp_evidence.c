/* SPDX-License-Identifier: MIT */
#include "tcp_evidence.h"

static const struct berth_tcp_end *find_end(const struct berth_tcp_evidence *evidence,
                                            uint16_t port)
{
    for (size_t i = 0; i < BERTH_TCP_ENDS_MAX; i++) {
        if (evidence->ends[i].port == port) {
            return &evidence->ends[i];
        }
    }
    return NULL;
}

/* The place of a port's end among the others, made if there is none. */
static struct berth_tcp_end *place_end(struct berth_tcp_evidence *evidence, uint16_t port)
{
    const struct berth_tcp_end *found = find_end(evidence, port);
    size_t at = found != NULL ? (size_t)(found - evidence->ends) : evidence->next_end;

    if (found == NULL) {
        evidence->next_end = (evidence->next_end + 1) % BERTH_TCP_ENDS_MAX;
        evidence->ends[at] = (struct berth_tcp_end){.port = port};
    }
    return &evidence->ends[at];
}

static void note_end(struct berth_tcp_evidence *evidence, uint16_t port, uint64_t now_ns)
{
    struct berth_tcp_end *end = place_end(evidence, port);

    if (now_ns - end->since_ns >= BERTH_TCP_END_MEMORY_NS) {
        end->ended = 0;
        end->gone = 0;
    }
    end->ended++;
    end->since_ns = now_ns;
}

static void note_gone(struct berth_tcp_evidence *evidence, uint16_t port)
{
    /* one that never listened, or whose end is forgotten, proves nothing */
    if (find_end(evidence, port) != NULL) {
        struct berth_tcp_end *end = place_end(evidence, port);
        end->gone += end->gone < end->ended;
    }
}

static void note_connection(struct berth_tcp_evidence *evidence, uint16_t port)
{
    (void)berth_port_set_add(&evidence->spoken_of, port);
    (void)berth_port_set_add(&evidence->meanwhile, port);
}

void berth_tcp_evidence_event(struct berth_tcp_evidence *evidence,
                              const struct berth_tcp_event *event, uint64_t now_ns)
{
    if (event->port == 0) {
        return;
    }
    switch ((enum berth_tcp_event_what)event->what) {
    case BERTH_TCP_EVENT_RELEASE:
        note_end(evidence, event->port, now_ns);
        break;
    case BERTH_TCP_EVENT_GONE:
        note_gone(evidence, event->port);
        break;
    case BERTH_TCP_EVENT_LISTEN:
        break;
    default:
        note_connection(evidence, event->port);
        break;
    }
}

void berth_tcp_evidence_lost(struct berth_tcp_evidence *evidence)
{
    evidence->sure = false;
    evidence->sure_meanwhile = false;
}

void berth_tcp_evidence_begin(struct berth_tcp_evidence *evidence)
{
    evidence->sure_meanwhile = true;
    berth_port_set_init(&evidence->meanwhile);
}

void berth_tcp_evidence_end(struct berth_tcp_evidence *evidence, bool connections, unsigned told)
{
    if ((told & BERTH_TCP_TOLD_CONNECTIONS) == 0) {
        berth_tcp_evidence_lost(evidence);
    }
    evidence->ends_told = (told & BERTH_TCP_TOLD_ENDS) != 0;
    if (connections) {
        evidence->sure = evidence->sure_meanwhile;
        evidence->spoken_of = evidence->meanwhile;
    }
}

void berth_tcp_evidence_provable(const struct berth_tcp_evidence *evidence,
                                 const struct berth_port_set known[BERTH_TCP_PART_COUNT],
                                 uint64_t out[BERTH_PORT_SET_WORDS])
{
    const struct berth_port_set *bound = &known[BERTH_TCP_PART_BOUND];
    const struct berth_port_set *connections = &known[BERTH_TCP_PART_CONNECTIONS];

    for (size_t i = 0; i < BERTH_PORT_SET_WORDS; i++) {
        uint64_t used = bound->words[i] | connections->words[i] | evidence->spoken_of.words[i];
        out[i] = evidence->sure ? ~used : 0;
    }
}

enum berth_tcp_proof berth_tcp_evidence_of(const struct berth_tcp_evidence *evidence, uint16_t port,
                                           uint64_t now_ns)
{
    const struct berth_tcp_end *end = find_end(evidence, port);

    if (!evidence->ends_told || end == NULL) {
        return BERTH_TCP_UNPROVEN;
    }
    if (end->gone == end->ended) {
        return BERTH_TCP_UNUSED;
    }
    return now_ns - end->since_ns < BERTH_TCP_END_PATIENCE_NS ? BERTH_TCP_PENDING
                                                              : BERTH_TCP_UNPROVEN;
}
