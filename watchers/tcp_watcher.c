/* SPDX-License-Identifier: MIT */
#include "tcp_watcher.h"

#include "allocator/port_set.h"
#include "base/memory.h"
#include "tcp_schedule.h"

#include <string.h>

#define NS_PER_MS 1000000u

/* Listeners and bound sockets, the first two parts: what holds a port before a connection does. */
#define HOLDERS 2

/* What one visit to the thread pool is asked for and brings back. Between uv_queue_work() and its
 * end only the pool's thread touches it, and the table. */
struct visit {
    unsigned scopes;
    enum berth_code code;
    struct berth_error err;
    struct berth_tcp_claims claims;
    struct berth_port_set ports[HOLDERS]; /* of each in its last good read */
    struct berth_port_set seen[HOLDERS];  /* the same with this visit */
};

struct tcp_watcher {
    struct berth_watcher base;
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_work_t work;
    struct berth_tcp_schedule schedule;
    struct berth_tcp_table *table; /* NULL until the first visit that could open it */
    struct visit visit;
    bool timer_open;
    bool visiting;
    bool stopping;
    bool good; /* every feed has had its first snapshot */
    void (*stopped)(struct berth_watcher *watcher);
};

static struct tcp_watcher *from_base(struct berth_watcher *base)
{
    return BERTH_CONTAINER_OF(base, struct tcp_watcher, base);
}

/* --- on the pool ---------------------------------------------------------------------------- */

/* The ports of a part as it was just read; of a part that was not, as they were. */
static void note_ports(struct visit *visit, unsigned part)
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

/* Whether a port was held by a listener or bound socket and is so no longer. */
static bool any_gone(const struct visit *visit)
{
    for (size_t i = 0; i < BERTH_PORT_SET_WORDS; i++) {
        uint64_t before = visit->ports[0].words[i] | visit->ports[1].words[i];
        uint64_t now = visit->seen[0].words[i] | visit->seen[1].words[i];
        if ((before & ~now) != 0) {
            return true;
        }
    }
    return false;
}

static enum berth_code read_once(struct tcp_watcher *watcher)
{
    struct visit *visit = &watcher->visit;
    enum berth_code code =
        berth_tcp_table_read(watcher->table, visit->scopes, &visit->claims, &visit->err);

    for (unsigned part = 0; code == BERTH_OK && part < HOLDERS; part++) {
        note_ports(visit, part);
    }
    return code;
}

static enum berth_code visit_table(struct tcp_watcher *watcher)
{
    struct visit *visit = &watcher->visit;
    enum berth_code code = BERTH_OK;

    if (watcher->table == NULL) {
        code = berth_tcp_table_open(&watcher->table, &visit->err);
    }
    if (code == BERTH_OK) {
        code = read_once(watcher);
    }
    if (code == BERTH_OK && visit->scopes != BERTH_TCP_EVERYTHING && any_gone(visit)) {
        visit->scopes = BERTH_TCP_EVERYTHING;
        code = read_once(watcher);
    }
    if (code == BERTH_OK) {
        memcpy(visit->ports, visit->seen, sizeof visit->ports);
    }
    return code;
}

static void work_cb(uv_work_t *work)
{
    struct tcp_watcher *watcher = work->data;

    watcher->visit.code = visit_table(watcher);
}

/* --- reports -------------------------------------------------------------------------------- */

static void report_part(struct tcp_watcher *watcher, enum berth_tcp_part part)
{
    const struct berth_tcp_list *list = &watcher->visit.claims.parts[part];
    const struct berth_snapshot snapshot = {.claims = list->claims, .claim_count = list->count};

    if ((watcher->visit.scopes & 1u << part) != 0) {
        watcher->base.sink->snapshot(&watcher->base, (unsigned)part, &snapshot);
    }
}

static void report_good(struct tcp_watcher *watcher)
{
    const struct berth_tcp_capabilities *capabilities =
        berth_tcp_table_capabilities(watcher->table);

    /* against the way of a socket from bound through listening to connected, so that its port is
     * held by the next feed before the last one lets it go */
    report_part(watcher, BERTH_TCP_PART_CONNECTIONS);
    report_part(watcher, BERTH_TCP_PART_LISTENERS);
    report_part(watcher, BERTH_TCP_PART_BOUND);
    watcher->good = true;
    if (capabilities->lists_bound) {
        watcher->base.sink->state(&watcher->base, BERTH_STATE_READY, NULL);
    } else {
        watcher->base.sink->state(&watcher->base, BERTH_STATE_DEGRADED, capabilities->detail);
    }
}

static void report_failure(struct tcp_watcher *watcher)
{
    watcher->base.sink->state(&watcher->base,
                              watcher->good ? BERTH_STATE_STALE : BERTH_STATE_WAITING,
                              watcher->visit.err.detail);
}

/* --- on the loop ---------------------------------------------------------------------------- */

static void work_done_cb(uv_work_t *work, int status);
static void timer_cb(uv_timer_t *timer);

static int begin_visit(struct tcp_watcher *watcher, unsigned scopes)
{
    watcher->visit.scopes = scopes;
    watcher->work.data = watcher;
    int status = uv_queue_work(watcher->loop, &watcher->work, work_cb, work_done_cb);
    if (status == 0) {
        watcher->visiting = true;
        berth_tcp_schedule_begin(&watcher->schedule, scopes, uv_hrtime());
    }
    return status;
}

/* Sets the timer to what is due next, or begins at once. */
static void go_on(struct tcp_watcher *watcher)
{
    if (watcher->stopping || watcher->visiting) {
        return;
    }
    uint64_t now = uv_hrtime();
    uint64_t next = berth_tcp_schedule_next(&watcher->schedule);
    unsigned due = berth_tcp_schedule_due(&watcher->schedule, now);
    if (due != 0 && begin_visit(watcher, due) == 0) {
        return;
    }
    uint64_t wait_ms = next > now ? (next - now + NS_PER_MS - 1) / NS_PER_MS : 1;
    uv_update_time(watcher->loop);
    (void)uv_timer_start(&watcher->timer, timer_cb, wait_ms, 0);
}

static void timer_cb(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void finish_stop(struct tcp_watcher *watcher)
{
    if (!watcher->visiting && !watcher->timer_open) {
        berth_tcp_table_close(watcher->table);
        watcher->table = NULL;
        watcher->stopped(&watcher->base);
    }
}

static void end_visit(struct tcp_watcher *watcher)
{
    struct visit *visit = &watcher->visit;

    watcher->visiting = false;
    if (watcher->stopping) {
        finish_stop(watcher);
        return;
    }
    if (visit->code == BERTH_OK) {
        berth_tcp_schedule_done(&watcher->schedule, visit->scopes, &visit->claims, uv_hrtime());
        report_good(watcher);
    } else {
        berth_tcp_schedule_failed(&watcher->schedule, uv_hrtime());
        report_failure(watcher);
    }
    go_on(watcher);
}

static void work_done_cb(uv_work_t *work, int status)
{
    (void)status; /* cancelled only by stop, which looks at nothing else */
    end_visit(work->data);
}

static void timer_closed_cb(uv_handle_t *handle)
{
    struct tcp_watcher *watcher = handle->data;

    watcher->timer_open = false;
    finish_stop(watcher);
}

/* --- the contract --------------------------------------------------------------------------- */

static enum berth_code tcp_start(struct berth_watcher *base, struct berth_error *err)
{
    struct tcp_watcher *watcher = from_base(base);
    int status = begin_visit(watcher, BERTH_TCP_EVERYTHING);

    if (status != 0) {
        return berth_fail(err, BERTH_INTERNAL, status, "the thread pool: %s", uv_strerror(status));
    }
    (void)uv_timer_init(watcher->loop, &watcher->timer); /* always 0 */
    watcher->timer.data = watcher;
    watcher->timer_open = true;
    return BERTH_OK;
}

static void tcp_look(struct berth_watcher *base)
{
    struct tcp_watcher *watcher = from_base(base);

    berth_tcp_schedule_look(&watcher->schedule);
    if (watcher->timer_open && !watcher->stopping && !watcher->visiting) {
        /* not at once: a burst of looks is one look, and a report may have called */
        uint64_t now = uv_hrtime();
        uint64_t next = berth_tcp_schedule_next(&watcher->schedule);
        uint64_t wait_ms = next > now ? (next - now + NS_PER_MS - 1) / NS_PER_MS : 0;
        uv_update_time(watcher->loop);
        (void)uv_timer_start(&watcher->timer, timer_cb, wait_ms, 0);
    }
}

static void tcp_stop(struct berth_watcher *base, void (*stopped)(struct berth_watcher *watcher))
{
    struct tcp_watcher *watcher = from_base(base);

    watcher->stopping = true;
    watcher->stopped = stopped;
    if (watcher->visiting) {
        (void)uv_cancel((uv_req_t *)&watcher->work); /* too late for one that is being read */
    }
    if (watcher->timer_open) {
        uv_close((uv_handle_t *)&watcher->timer, timer_closed_cb);
    } else {
        finish_stop(watcher);
    }
}

static void tcp_destroy(struct berth_watcher *base)
{
    berth_free(from_base(base));
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
    struct tcp_watcher *watcher;

    if (options->poll_ms == 0 || options->full_ms == 0) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "the TCP table cannot be read every 0 ms");
    }
    watcher = berth_alloc(1, sizeof *watcher);
    if (watcher == NULL) {
        return berth_fail_memory(err, "the TCP watcher");
    }
    watcher->base.ops = &tcp_watcher_ops;
    watcher->loop = loop;
    berth_tcp_schedule_init(&watcher->schedule, options->poll_ms, options->full_ms,
                            options->events_on);
    *out = &watcher->base;
    return BERTH_OK;
}

void berth_tcp_watcher_set_times(struct berth_watcher *base, uint64_t poll_ms, uint64_t full_ms)
{
    struct tcp_watcher *watcher = from_base(base);

    watcher->schedule.poll_ns = poll_ms * NS_PER_MS;
    watcher->schedule.full_ns = full_ms * NS_PER_MS;
    if (!watcher->visiting && watcher->timer_open) {
        go_on(watcher);
    }
}

void berth_tcp_watcher_set_events(struct berth_watcher *base, bool events_on)
{
    struct tcp_watcher *watcher = from_base(base);

    watcher->schedule.events = events_on;
    if (!watcher->visiting && watcher->timer_open) {
        go_on(watcher);
    }
}
