/* SPDX-License-Identifier: MIT */
#include "tcp_watcher_private.h"

#include "overdue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- on the pool ---------------------------------------------------------------------------- */

/* The ports of a part as it was just read; of a part that was not, as they were. */
static void note_ports(struct berth_tcp_visit *visit, unsigned part)
{
    const struct berth_tcp_list *list = &visit->claims.parts[part];

    if ((visit->scopes & 1u << part) == 0) {
        visit->seen[part] = visit->ports[part];
        return;
    }
    berth_port_set_init(&visit->seen[part]);
    for (size_t i = 0; i < list->count; i++) {
        (void)berth_port_set_add(&visit->seen[part], list->claims[i].port);
    }
}

/* Gives one word of the ports that were held by a listener or bound socket, or were said to be, and
 * are so no longer. */
static uint64_t gone_word(const struct berth_tcp_visit *visit, size_t i)
{
    uint64_t before = visit->ports[0].words[i] | visit->ports[1].words[i] | visit->marked.words[i];
    uint64_t now = visit->seen[0].words[i] | visit->seen[1].words[i];

    return before & ~now;
}

/* Whether any of those may be used by what was not read. */
static bool any_gone(const struct berth_tcp_visit *visit)
{
    for (size_t i = 0; i < BERTH_PORT_SET_WORDS; i++) {
        if ((gone_word(visit, i) & ~visit->provable[i]) != 0) {
            return true;
        }
    }
    return false;
}

static enum berth_code read_once(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_visit *visit = &watcher->visit;
    unsigned scopes = visit->scopes | (visit->quick ? (unsigned)BERTH_TCP_QUICK : 0u);
    enum berth_code code =
        berth_tcp_table_read(watcher->table, scopes, &visit->claims, &visit->err);

    for (unsigned part = 0; code == BERTH_OK && part < BERTH_TCP_PART_COUNT; part++) {
        note_ports(visit, part);
    }
    return code;
}

static void suggest_processes(struct berth_tcp_watcher *watcher)
{
    for (size_t i = 0; i < watcher->visit.suggested_count; i++) {
        berth_tcp_table_suggest(watcher->table, watcher->visit.suggested[i]);
    }
    watcher->visit.suggested_count = 0;
}

static enum berth_code visit_table(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_visit *visit = &watcher->visit;
    enum berth_code code = BERTH_OK;

    if (watcher->table == NULL) {
        code = berth_tcp_table_open(&watcher->table, &visit->err);
    }
    if (code == BERTH_OK) {
        suggest_processes(watcher);
        code = read_once(watcher);
    }
    if (code == BERTH_OK && visit->scopes != BERTH_TCP_EVERYTHING && any_gone(visit)) {
        visit->scopes = BERTH_TCP_EVERYTHING;
        code = read_once(watcher);
    }
    return code;
}

static void work_cb(uv_work_t *work)
{
    struct berth_tcp_watcher *watcher = work->data;

    watcher->visit.code = visit_table(watcher);
}

/* --- reports -------------------------------------------------------------------------------- */

/* Reports a part together with the marks on it that the reading could not decide. */
static enum berth_code report_with_marks(struct berth_tcp_watcher *watcher,
                                         enum berth_tcp_part part, size_t marks)
{
    struct berth_tcp_visit *visit = &watcher->visit;
    const struct berth_tcp_list *list = &visit->claims.parts[part];
    struct berth_claim *claims = berth_resize(NULL, list->count + marks, sizeof *claims);

    if (claims == NULL) {
        return berth_fail_memory(&visit->err, "TCP ports that events told of");
    }
    if (list->count != 0) {
        memcpy(claims, list->claims, list->count * sizeof *claims);
    }
    (void)berth_tcp_marks_claims(&watcher->events.marks, part, &visit->seen[part],
                                 claims + list->count);
    const struct berth_snapshot snapshot = {.claims = claims, .claim_count = list->count + marks};
    enum berth_code code =
        watcher->base.sink->snapshot(&watcher->base, (unsigned)part, &snapshot, &visit->err);
    berth_free(claims);
    return code;
}

/* A listener on its way out is bound for a moment. Where a reading may have seen just that, it is
 * looked at again. */
static void look_at_late_releases(struct berth_tcp_watcher *watcher)
{
    const struct berth_tcp_visit *visit = &watcher->visit;

    for (size_t i = 0; i < BERTH_PORT_SET_WORDS; i++) {
        uint64_t listened = watcher->known[BERTH_TCP_PART_LISTENERS].words[i] &
                            ~visit->seen[BERTH_TCP_PART_LISTENERS].words[i];
        if ((listened & visit->seen[BERTH_TCP_PART_BOUND].words[i]) != 0) {
            berth_tcp_schedule_look_at(&watcher->schedule, BERTH_TCP_BOUND,
                                       uv_hrtime() + BERTH_TCP_MARK_GRACE_NS);
            return;
        }
    }
}

static enum berth_code report_part(struct berth_tcp_watcher *watcher, enum berth_tcp_part part)
{
    struct berth_tcp_visit *visit = &watcher->visit;
    const struct berth_tcp_list *list = &visit->claims.parts[part];
    const struct berth_snapshot snapshot = {.claims = list->claims, .claim_count = list->count};
    struct berth_tcp_marks *marks = &watcher->events.marks;

    if ((visit->scopes & 1u << part) == 0) {
        return BERTH_OK;
    }
    berth_tcp_marks_settle(marks, part, &visit->seen[part], visit->begun_ns);
    size_t left = berth_tcp_marks_claims(marks, part, &visit->seen[part], NULL);
    enum berth_code code;
    if (left != 0) {
        code = report_with_marks(watcher, part, left);
    } else {
        code = watcher->base.sink->snapshot(&watcher->base, (unsigned)part, &snapshot, &visit->err);
    }
    if (code == BERTH_OK) {
        watcher->known[part] = visit->seen[part];
    }
    return code;
}

/* Adds a sentence to those that say why the source is degraded. */
static void add_reason(struct berth_tcp_watcher *watcher, const char *sentence)
{
    size_t length = strlen(watcher->state_reason);

    (void)snprintf(watcher->state_reason + length, sizeof watcher->state_reason - length, "%s%s",
                   length != 0 ? "; " : "", sentence);
}

/* Why events do not do what they should; NULL: they do, or are not wanted. */
static const char *event_trouble(const struct berth_tcp_event_side *events)
{
    if (events->wanted == BERTH_TCP_WATCH_EVENTS_OFF ||
        (events->unsupported && events->wanted == BERTH_TCP_WATCH_EVENTS_AUTO)) {
        return NULL;
    }
    if (events->refused || (events->mode_known && events->mode != BERTH_TCP_EVENTS_FULL &&
                            events->mode != BERTH_TCP_EVENTS_LOW_VOLUME)) {
        return events->reason;
    }
    return NULL;
}

static void report_state(struct berth_tcp_watcher *watcher)
{
    const struct berth_tcp_capabilities *capabilities =
        berth_tcp_table_capabilities(watcher->table);
    const char *trouble = event_trouble(&watcher->events);
    char lost[160];

    watcher->state_reason[0] = '\0';
    if (!capabilities->lists_bound) {
        add_reason(watcher, capabilities->detail);
    }
    if (trouble != NULL) {
        add_reason(watcher, trouble);
    }
    if (watcher->events.rest_until_ns != 0) {
        (void)snprintf(lost, sizeof lost,
                       "%" PRIu64 " or more events of the system were lost: everything is read at "
                       "every poll for %u s",
                       watcher->events.lost_lately, BERTH_TCP_LOSS_REST_MS / 1000u);
        add_reason(watcher, lost);
    }
    if (watcher->state_reason[0] != '\0') {
        watcher->base.sink->state(&watcher->base, BERTH_STATE_DEGRADED, watcher->state_reason);
    } else {
        watcher->base.sink->state(&watcher->base, BERTH_STATE_READY, NULL);
    }
}

/* What a reading could not decide, another one must. */
static void look_at_marks(struct berth_tcp_watcher *watcher)
{
    uint64_t when_ns = berth_tcp_marks_decided_ns(&watcher->events.marks, BERTH_TCP_PART_LISTENERS);

    if (when_ns != 0) {
        berth_tcp_schedule_look_at(&watcher->schedule, BERTH_TCP_LISTENERS, when_ns);
    }
}

/* What is known of the ports of one word that are gone: the worst of it. */
static enum berth_tcp_proof prove_word(struct berth_tcp_watcher *watcher, size_t i, uint64_t now_ns)
{
    const struct berth_tcp_visit *visit = &watcher->visit;
    uint64_t gone = gone_word(visit, i);
    enum berth_tcp_proof worst = BERTH_TCP_UNUSED;

    if ((gone & ~visit->provable[i]) != 0) {
        return BERTH_TCP_UNPROVEN;
    }
    for (unsigned bit = 0; gone != 0; bit++, gone >>= 1) {
        if ((gone & 1u) != 0) {
            enum berth_tcp_proof proof =
                berth_tcp_evidence_of(&watcher->events.evidence, (uint16_t)(64 * i + bit), now_ns);
            worst = proof > worst ? proof : worst;
        }
    }
    return worst;
}

/* Whether all ports that are gone are known to be unused, by the reading or by the events. What is
 * a matter of moments is waited for: with its event comes a look, and without it a later one. */
static bool is_settled(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_visit *visit = &watcher->visit;
    enum berth_tcp_proof worst = BERTH_TCP_UNUSED;

    if (visit->scopes == BERTH_TCP_EVERYTHING) {
        watcher->events.unproven = false;
        return true;
    }
    berth_tcp_evidence_provable(&watcher->events.evidence, watcher->known, visit->provable);
    uint64_t now_ns = uv_hrtime();
    for (size_t i = 0; i < BERTH_PORT_SET_WORDS; i++) {
        enum berth_tcp_proof proof = prove_word(watcher, i, now_ns);
        worst = proof > worst ? proof : worst;
    }
    /* what this reading showed besides is withheld with it, and wanted again */
    if (worst == BERTH_TCP_UNPROVEN) {
        watcher->events.unproven = true;
        berth_tcp_schedule_look(&watcher->schedule, visit->scopes);
    } else if (worst == BERTH_TCP_PENDING) {
        berth_tcp_schedule_look_at(&watcher->schedule, visit->scopes,
                                   now_ns + BERTH_TCP_END_PATIENCE_NS);
    }
    return worst == BERTH_TCP_UNUSED;
}

/* Reports all that was read: against the way of a socket from bound through listening to connected,
 * so that its port is held by the next feed before the last one lets it go. For the same reason
 * none lets go after one that was not taken. */
static enum berth_code report_parts(struct berth_tcp_watcher *watcher)
{
    enum berth_code code = report_part(watcher, BERTH_TCP_PART_CONNECTIONS);

    if (code == BERTH_OK) {
        code = report_part(watcher, BERTH_TCP_PART_LISTENERS);
    }
    if (code == BERTH_OK) {
        code = report_part(watcher, BERTH_TCP_PART_BOUND);
    }
    return code;
}

static enum berth_code report_good(struct berth_tcp_watcher *watcher)
{
    enum berth_code code = report_parts(watcher);

    if (code != BERTH_OK) {
        /* what events prove, they prove against a reading that is in force */
        berth_tcp_evidence_lost(&watcher->events.evidence);
        return code;
    }
    memcpy(watcher->visit.ports, watcher->visit.seen, sizeof watcher->visit.ports);
    look_at_marks(watcher);
    watcher->good = true;
    watcher->failing = false;
    report_state(watcher);
    return BERTH_OK;
}

static void report_trouble(struct berth_tcp_watcher *watcher, const char *reason)
{
    watcher->base.sink->state(&watcher->base,
                              watcher->good ? BERTH_STATE_STALE : BERTH_STATE_WAITING, reason);
}

static void report_failure(struct berth_tcp_watcher *watcher)
{
    watcher->failing = true;
    report_trouble(watcher, watcher->visit.err.detail);
}

/* A reading does not come back: what it would find is not known. */
static void overdue_cb(uv_timer_t *timer)
{
    struct berth_tcp_watcher *watcher = timer->data;
    char reason[200];

    report_trouble(watcher, berth_overdue_reason(reason, sizeof reason, "the TCP table",
                                                 watcher->visit.begun_ns));
}

/* Says how things stand, unless there is something more important to say. */
void berth_tcp_watch_tell_again(struct berth_tcp_watcher *watcher)
{
    if (watcher->good && !watcher->failing && !watcher->visiting) {
        report_state(watcher);
    }
}

/* --- on the loop ---------------------------------------------------------------------------- */

static void work_done_cb(uv_work_t *work, int status);
static void timer_cb(uv_timer_t *timer);
static bool end_visit(struct berth_tcp_watcher *watcher);

/* Searching for owners takes milliseconds, in which no event can be looked after: visits that
 * events ask for leave it to the one of the next poll. */
static void prepare_owners(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_event_side *events = &watcher->events;
    struct berth_tcp_visit *visit = &watcher->visit;

    visit->quick = events->whole_visit_ns != 0 &&
                   visit->begun_ns - events->whole_visit_ns < watcher->schedule.poll_ns;
    if (!visit->quick) {
        events->whole_visit_ns = visit->begun_ns;
    }
    memcpy(visit->suggested, events->suggested, sizeof visit->suggested);
    visit->suggested_count = events->suggested_count;
    events->suggested_count = 0;
}

/* What events can prove need not be read. */
static void prepare_proof(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_visit *visit = &watcher->visit;

    if (watcher->events.unproven) {
        memset(visit->provable, 0, sizeof visit->provable);
    } else {
        berth_tcp_evidence_provable(&watcher->events.evidence, watcher->known, visit->provable);
    }
}

/* The timer has nothing else to do while a visit is under way. */
static void start_patience(struct berth_tcp_watcher *watcher)
{
    (void)uv_timer_start(&watcher->timer, overdue_cb, berth_overdue_ms(), berth_overdue_ms());
}

static void prepare_visit(struct berth_tcp_watcher *watcher, unsigned scopes)
{
    watcher->visit.scopes = scopes;
    watcher->visit.begun_ns = uv_hrtime();
    prepare_owners(watcher);
    berth_tcp_evidence_begin(&watcher->events.evidence);
    prepare_proof(watcher);
    berth_tcp_marks_ending(&watcher->events.marks, BERTH_TCP_PART_LISTENERS,
                           watcher->visit.begun_ns, &watcher->visit.marked);
}

static void note_begun(struct berth_tcp_watcher *watcher, unsigned scopes, uint64_t begun_ns)
{
    watcher->visiting = true;
    berth_tcp_schedule_begin(&watcher->schedule, scopes, begun_ns);
}

static int queue_visit(struct berth_tcp_watcher *watcher)
{
    /* once it is queued all of the visit is the pool's */
    const unsigned scopes = watcher->visit.scopes;
    const uint64_t begun_ns = watcher->visit.begun_ns;

    watcher->work.data = watcher;
    int status = uv_queue_work(watcher->loop, &watcher->work, work_cb, work_done_cb);
    if (status == 0) {
        note_begun(watcher, scopes, begun_ns);
    }
    return status;
}

/* A reading of listeners alone, by which a port may be let go, is mostly over before a thread of
 * the pool would have begun it: it is made here. Not where a listener is new, whose port is busy by
 * word of its event, and not where it turns out that more must be read. */
static bool read_briefly(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_visit *visit = &watcher->visit;
    uint64_t usual_ns = watcher->schedule.parts[BERTH_TCP_PART_LISTENERS].duration_ns;
    bool awaited = watcher->events.letting_go;

    watcher->events.letting_go = false;
    if (visit->scopes != BERTH_TCP_LISTENERS || !visit->quick || !awaited || !watcher->good ||
        usual_ns > BERTH_TCP_WATCH_BRIEF_NS) {
        return false;
    }
    suggest_processes(watcher);
    visit->code = read_once(watcher);
    return visit->code == BERTH_OK && !any_gone(visit);
}

/* Begins a visit, and ends it where that is brief.  @return false: none could be begun */
static bool visit_now(struct berth_tcp_watcher *watcher, unsigned scopes)
{
    prepare_visit(watcher, scopes);
    if (read_briefly(watcher)) {
        note_begun(watcher, scopes, watcher->visit.begun_ns);
        if (end_visit(watcher)) {
            berth_tcp_watch_go_on_soon(watcher); /* not at once: a storm must not keep the loop */
        }
        return true;
    }
    if (queue_visit(watcher) != 0) {
        return false;
    }
    start_patience(watcher);
    return true;
}

/* Sets the timer to what is due next, or begins at once. */
void berth_tcp_watch_go_on(struct berth_tcp_watcher *watcher)
{
    if (watcher->stopping || watcher->visiting) {
        return;
    }
    uint64_t now = uv_hrtime();
    uint64_t next = berth_tcp_schedule_next(&watcher->schedule);
    unsigned due = berth_tcp_schedule_due(&watcher->schedule, now);
    if ((due & BERTH_TCP_CONNECTIONS) != 0 && watcher->schedule.events) {
        due = BERTH_TCP_EVERYTHING; /* a connection that ended may have left its socket bound */
    }
    if (due != 0 && visit_now(watcher, due)) {
        return;
    }
    uint64_t wait_ms =
        next > now ? (next - now + BERTH_TCP_WATCH_NS_PER_MS - 1) / BERTH_TCP_WATCH_NS_PER_MS : 1;
    uv_update_time(watcher->loop);
    (void)uv_timer_start(&watcher->timer, timer_cb, wait_ms, 0);
}

static void timer_cb(uv_timer_t *timer)
{
    berth_tcp_watch_go_on(timer->data);
}

void berth_tcp_watch_go_on_soon(struct berth_tcp_watcher *watcher)
{
    if (watcher->timer_open && !watcher->stopping && !watcher->visiting) {
        (void)uv_timer_start(&watcher->timer, timer_cb, 0, 0);
    }
}

void berth_tcp_watch_finish_stop(struct berth_tcp_watcher *watcher)
{
    if (watcher->stopping && !watcher->visiting && !watcher->timer_open &&
        watcher->events.closing == 0) {
        berth_tcp_table_close(watcher->table);
        watcher->table = NULL;
        berth_tcp_marks_fini(&watcher->events.marks);
        watcher->stopped(&watcher->base);
    }
}

/* What ended while the reading was under way may be in it still. */
static void look_again(struct berth_tcp_watcher *watcher)
{
    unsigned scopes = watcher->events.after_visit & watcher->visit.scopes;

    watcher->events.after_visit = 0;
    if (scopes != 0) {
        berth_tcp_schedule_look_at(&watcher->schedule, scopes,
                                   uv_hrtime() + BERTH_TCP_MARK_GRACE_NS);
    }
}

/* Takes in what has been told until now, so that it can be held against the reading. */
static void complete_evidence(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_event_side *events = &watcher->events;
    const struct berth_tcp_visit *visit = &watcher->visit;
    unsigned told = events->source != NULL ? berth_tcp_events_drain(events->source) : 0;

    /* a reading of less may be withheld, and its connections would be in neither list */
    berth_tcp_evidence_end(&events->evidence,
                           visit->code == BERTH_OK && visit->scopes == BERTH_TCP_EVERYTHING, told);
}

/* Does what follows from a reading, good or not. One that is not taken is a failure too. */
static void use_reading(struct berth_tcp_watcher *watcher)
{
    const struct berth_tcp_visit *visit = &watcher->visit;
    uint64_t now_ns = uv_hrtime();
    enum berth_code code = visit->code;

    if (code == BERTH_OK) {
        look_at_late_releases(watcher);
        berth_tcp_watch_look_at_late_ends(watcher);
        code = is_settled(watcher) ? report_good(watcher) : BERTH_OK;
    }
    if (code == BERTH_OK) {
        berth_tcp_schedule_done(&watcher->schedule, visit->scopes, &visit->claims, now_ns);
    } else {
        berth_tcp_schedule_failed(&watcher->schedule, uv_hrtime());
        report_failure(watcher);
    }
}

/* @return false: the watcher has stopped, and may be gone */
static bool end_visit(struct berth_tcp_watcher *watcher)
{
    if (!watcher->stopping) {
        complete_evidence(watcher);
        look_again(watcher);
    }
    watcher->visiting = false;
    if (watcher->stopping) {
        berth_tcp_watch_finish_stop(watcher);
        return false;
    }
    berth_tcp_watch_open_events(watcher); /* where the last opening failed */
    berth_tcp_watch_end_rest(watcher);
    use_reading(watcher);
    return true;
}

static void work_done_cb(uv_work_t *work, int status)
{
    (void)status; /* cancelled only by stop, which looks at nothing else */
    struct berth_tcp_watcher *watcher = work->data;

    if (end_visit(watcher)) {
        berth_tcp_watch_go_on(watcher);
    }
}

static void timer_closed_cb(uv_handle_t *handle)
{
    struct berth_tcp_watcher *watcher = handle->data;

    watcher->timer_open = false;
    berth_tcp_watch_finish_stop(watcher);
}

/* --- the contract --------------------------------------------------------------------------- */

static enum berth_code tcp_start(struct berth_watcher *base, struct berth_error *err)
{
    struct berth_tcp_watcher *watcher = berth_tcp_watcher_of(base);

    prepare_visit(watcher, BERTH_TCP_EVERYTHING);
    int status = queue_visit(watcher);

    if (status != 0) {
        return berth_fail(err, BERTH_INTERNAL, status, "the thread pool: %s", uv_strerror(status));
    }
    (void)uv_timer_init(watcher->loop, &watcher->timer); /* always 0 */
    watcher->timer.data = watcher;
    watcher->timer_open = true;
    start_patience(watcher);
    berth_tcp_watch_open_events(watcher);
    return BERTH_OK;
}

static void tcp_look(struct berth_watcher *base)
{
    struct berth_tcp_watcher *watcher = berth_tcp_watcher_of(base);

    berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_EVERYTHING);
    if (watcher->timer_open && !watcher->stopping && !watcher->visiting) {
        /* not at once: a burst of looks is one look, and a report may have called */
        uint64_t now = uv_hrtime();
        uint64_t next = berth_tcp_schedule_next(&watcher->schedule);
        uint64_t wait_ms =
            next > now ? (next - now + BERTH_TCP_WATCH_NS_PER_MS - 1) / BERTH_TCP_WATCH_NS_PER_MS
                       : 0;
        uv_update_time(watcher->loop);
        (void)uv_timer_start(&watcher->timer, timer_cb, wait_ms, 0);
    }
}

static void tcp_stop(struct berth_watcher *base, void (*stopped)(struct berth_watcher *watcher))
{
    struct berth_tcp_watcher *watcher = berth_tcp_watcher_of(base);

    watcher->stopping = true;
    watcher->stopped = stopped;
    berth_tcp_watch_close_events(watcher);
    if (watcher->visiting) {
        (void)uv_cancel((uv_req_t *)&watcher->work); /* too late for one that is being read */
    }
    if (watcher->timer_open) {
        uv_close((uv_handle_t *)&watcher->timer, timer_closed_cb);
    } else {
        berth_tcp_watch_finish_stop(watcher);
    }
}

static void tcp_destroy(struct berth_watcher *base)
{
    berth_free(berth_tcp_watcher_of(base));
}

static const char *const feed_names[BERTH_TCP_FEED_COUNT] = {
    [BERTH_TCP_FEED_LISTENERS] = "listeners",
    [BERTH_TCP_FEED_BOUND] = "bound",
    [BERTH_TCP_FEED_CONNECTIONS] = "connections",
};

static const struct berth_watcher_ops tcp_watcher_ops = {
    .source = BERTH_SOURCE_TCP,
    .feeds = feed_names,
    .feed_count = BERTH_TCP_FEED_COUNT,
    .start = tcp_start,
    .look = tcp_look,
    .stop = tcp_stop,
    .destroy = tcp_destroy,
};

enum berth_code berth_tcp_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                         const struct berth_tcp_watcher_options *options,
                                         struct berth_error *err)
{
    struct berth_tcp_watcher *watcher;

    if (options->poll_ms == 0 || options->full_ms == 0) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "the TCP table cannot be read every 0 ms");
    }
    watcher = berth_alloc(1, sizeof *watcher);
    if (watcher == NULL) {
        return berth_fail_memory(err, "the TCP watcher");
    }
    watcher->base.ops = &tcp_watcher_ops;
    watcher->loop = loop;
    watcher->events.wanted = options->events;
    berth_tcp_schedule_init(&watcher->schedule, options->poll_ms, options->full_ms, false);
    *out = &watcher->base;
    return BERTH_OK;
}

void berth_tcp_watcher_set_times(struct berth_watcher *base, uint64_t poll_ms, uint64_t full_ms)
{
    struct berth_tcp_watcher *watcher = berth_tcp_watcher_of(base);

    watcher->schedule.poll_ns = poll_ms * BERTH_TCP_WATCH_NS_PER_MS;
    watcher->schedule.full_ns = full_ms * BERTH_TCP_WATCH_NS_PER_MS;
    if (!watcher->visiting && watcher->timer_open) {
        berth_tcp_watch_go_on(watcher);
    }
}
