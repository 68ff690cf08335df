/* SPDX-License-Identifier: MIT */
#include "tcp_marks.h"

#include "base/memory.h"

#define PORTS 65536u

void berth_tcp_marks_fini(struct berth_tcp_marks *marks)
{
    berth_free(marks->items);
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        berth_free(marks->places[part]);
    }
    *marks = (struct berth_tcp_marks){0};
}

static struct berth_tcp_mark *find(const struct berth_tcp_marks *marks, enum berth_tcp_part part,
                                   uint16_t port)
{
    uint16_t place = marks->places[part] != NULL ? marks->places[part][port] : 0;

    return place != 0 ? &marks->items[place - 1] : NULL;
}

/* Makes room for one more mark of a part. */
static enum berth_code reserve(struct berth_tcp_marks *marks, enum berth_tcp_part part)
{
    if (marks->count == BERTH_TCP_MARKS_MAX) {
        return BERTH_LIMIT_REACHED;
    }
    if (marks->places[part] == NULL) {
        marks->places[part] = berth_alloc(PORTS, sizeof *marks->places[part]);
        if (marks->places[part] == NULL) {
            return BERTH_NO_MEMORY;
        }
    }
    if (marks->count == marks->capacity) {
        size_t capacity = marks->capacity != 0 ? 2 * marks->capacity : 64;
        void *items = berth_resize(marks->items, capacity, sizeof *marks->items);
        if (items == NULL) {
            return BERTH_NO_MEMORY;
        }
        marks->items = items;
        marks->capacity = capacity;
    }
    return BERTH_OK;
}

enum berth_code berth_tcp_marks_add(struct berth_tcp_marks *marks,
                                    const struct berth_tcp_mark *mark)
{
    struct berth_tcp_mark *known = find(marks, (enum berth_tcp_part)mark->part, mark->port);

    if (known != NULL) {
        known->time_ns = mark->time_ns;
        return BERTH_OK;
    }
    enum berth_code code = reserve(marks, (enum berth_tcp_part)mark->part);
    if (code == BERTH_OK) {
        marks->items[marks->count++] = *mark;
        marks->places[mark->part][mark->port] = (uint16_t)marks->count;
    }
    return code;
}

bool berth_tcp_marks_has(const struct berth_tcp_marks *marks, enum berth_tcp_part part,
                         uint16_t port)
{
    return find(marks, part, port) != NULL;
}

/* The last one takes its place. */
static void remove_at(struct berth_tcp_marks *marks, size_t at)
{
    const struct berth_tcp_mark *last = &marks->items[marks->count - 1];

    marks->places[marks->items[at].part][marks->items[at].port] = 0;
    if (at != marks->count - 1) {
        marks->places[last->part][last->port] = (uint16_t)(at + 1);
        marks->items[at] = *last;
    }
    marks->count--;
}

void berth_tcp_marks_settle(struct berth_tcp_marks *marks, enum berth_tcp_part part,
                            const struct berth_port_set *seen, uint64_t begun_ns)
{
    for (size_t i = marks->count; i != 0; i--) {
        const struct berth_tcp_mark *mark = &marks->items[i - 1];
        uint64_t decided_ns = mark->time_ns;
        if (mark->part != part) {
            continue;
        }
        if (!berth_port_set_has(seen, mark->port)) {
            decided_ns += BERTH_TCP_MARK_GRACE_NS;
        }
        if (begun_ns >= decided_ns) {
            remove_at(marks, i - 1);
        }
    }
}

size_t berth_tcp_marks_claims(const struct berth_tcp_marks *marks, enum berth_tcp_part part,
                              const struct berth_port_set *seen, struct berth_claim *out)
{
    size_t count = 0;

    for (size_t i = 0; i < marks->count; i++) {
        const struct berth_tcp_mark *mark = &marks->items[i];
        if (mark->part == part && !berth_port_set_has(seen, mark->port)) {
            if (out != NULL) {
                out[count] = berth_tcp_mark_claim(mark);
            }
            count++;
        }
    }
    return count;
}

uint64_t berth_tcp_marks_decided_ns(const struct berth_tcp_marks *marks, enum berth_tcp_part part)
{
    uint64_t last_ns = 0;

    for (size_t i = 0; i < marks->count; i++) {
        uint64_t decided_ns = marks->items[i].time_ns + BERTH_TCP_MARK_GRACE_NS;
        if (marks->items[i].part == part && decided_ns > last_ns) {
            last_ns = decided_ns;
        }
    }
    return last_ns;
}

void berth_tcp_marks_ending(const struct berth_tcp_marks *marks, enum berth_tcp_part part,
                            uint64_t begun_ns, struct berth_port_set *out)
{
    berth_port_set_init(out);
    for (size_t i = 0; i < marks->count; i++) {
        const struct berth_tcp_mark *mark = &marks->items[i];
        if (mark->part == part && begun_ns >= mark->time_ns + BERTH_TCP_MARK_GRACE_NS) {
            (void)berth_port_set_add(out, mark->port);
        }
    }
}

struct berth_claim berth_tcp_mark_claim(const struct berth_tcp_mark *mark)
{
    bool listens = mark->part == BERTH_TCP_PART_LISTENERS;
    struct berth_claim claim =
        berth_claim_make(mark->port, listens ? BERTH_CLAIM_LISTENER : BERTH_CLAIM_CONNECTION);

    claim.protocol = BERTH_PROTOCOL_TCP;
    /* as in the table: connections add up to one claim of a port, of no address and process */
    if (listens) {
        claim.address = mark->address;
        claim.process_id = mark->process_id;
    }
    return claim;
}
