/* SPDX-License-Identifier: MIT */
#include "poll_watcher.h"

#include "base/memory.h"
#include "overdue.h"

#include <string.h>

struct poll_watcher {
    struct berth_watcher base; /* first: the contract's face */
    struct berth_watcher_ops ops;
    const char *feeds[1];
    const struct berth_poll_reader *reader;
    void *context;
    uv_loop_t *loop;
    uint64_t poll_ms;

    uv_timer_t timer; /* when to look next; while one is under way, when that is overdue */
    uint64_t begun_ns;
    uv_work_t work;
    bool timer_open;
    bool busy;      /* a look is in the thread pool: what follows is its own */
    bool demanded;  /* this look */
    bool again;     /* somebody asked for another look meanwhile */
    bool delivered; /* a snapshot was reported */
    bool stopping;
    unsigned failures; /* in a row */
    struct berth_poll_answer answer;
    enum berth_code code;
    struct berth_error err;
    void (*stopped)(struct berth_watcher *watcher);
};

static struct poll_watcher *of_base(struct berth_watcher *base)
{
    return BERTH_CONTAINER_OF(base, struct poll_watcher, base);
}

/* ---- reports ---- */

static enum berth_code report_answer(struct poll_watcher *watcher)
{
    const struct berth_poll_answer *answer = &watcher->answer;
    const struct berth_snapshot snapshot = {
        .claims = answer->list.claims,
        .claim_count = answer->list.count,
        .warnings = answer->list.warnings,
        .warning_count = answer->list.warning_count,
    };

    /* what has become absent gives up what it claimed before */
    if (answer->state != BERTH_STATE_ABSENT || watcher->delivered) {
        enum berth_code code =
            watcher->base.sink->snapshot(&watcher->base, 0, &snapshot, &watcher->err);
        if (code != BERTH_OK) {
            return code;
        }
        watcher->delivered = true;
    }
    watcher->base.sink->state(&watcher->base, answer->state,
                              answer->state == BERTH_STATE_READY ? NULL : answer->reason);
    return BERTH_OK;
}

static void report_trouble(struct poll_watcher *watcher, const char *reason)
{
    watcher->base.sink->state(&watcher->base,
                              watcher->delivered ? BERTH_STATE_STALE : BERTH_STATE_WAITING, reason);
}

static void report(struct poll_watcher *watcher)
{
    if (watcher->code == BERTH_OK && report_answer(watcher) == BERTH_OK) {
        watcher->failures = 0;
        return;
    }
    watcher->failures++;
    report_trouble(watcher, watcher->err.detail);
}

/* A look does not come back: what it would find is not known. */
static void on_overdue(uv_timer_t *timer)
{
    struct poll_watcher *watcher = timer->data;
    char reason[200];

    report_trouble(watcher, berth_overdue_reason(reason, sizeof reason, watcher->reader->what,
                                                 watcher->begun_ns));
}

/* ---- looking ---- */

static void begin_look(struct poll_watcher *watcher, bool demanded);

static void on_timer(uv_timer_t *timer)
{
    struct poll_watcher *watcher = timer->data;

    begin_look(watcher, watcher->again);
}

static uint64_t pause_ms(const struct poll_watcher *watcher)
{
    uint64_t pause = BERTH_POLL_RETRY_MS;

    if (watcher->failures == 0) {
        return watcher->poll_ms;
    }
    for (unsigned i = 1; i < watcher->failures && pause < watcher->poll_ms; i++) {
        pause *= 2;
    }
    return pause < watcher->poll_ms ? pause : watcher->poll_ms;
}

static void finish_stop(struct poll_watcher *watcher)
{
    if (!watcher->busy && !watcher->timer_open) {
        watcher->stopped(&watcher->base);
    }
}

static void end_look(struct poll_watcher *watcher)
{
    watcher->busy = false;
    if (!watcher->stopping) {
        report(watcher);
    }
    berth_claim_list_fini(&watcher->answer.list);
    if (watcher->stopping) {
        finish_stop(watcher);
        return;
    }
    uv_update_time(watcher->loop);
    (void)uv_timer_start(&watcher->timer, on_timer, watcher->again ? 0 : pause_ms(watcher), 0);
}

static void on_look(uv_work_t *work)
{
    struct poll_watcher *watcher = work->data;

    watcher->code =
        watcher->reader->read(watcher->context, watcher->demanded, &watcher->answer, &watcher->err);
}

static void on_look_over(uv_work_t *work, int status)
{
    (void)status; /* cancelled only by stop, which looks at nothing else */
    end_look(work->data);
}

static void begin_look(struct poll_watcher *watcher, bool demanded)
{
    watcher->answer = (struct berth_poll_answer){.state = BERTH_STATE_READY};
    watcher->demanded = demanded;
    watcher->again = false;
    watcher->busy = true;
    watcher->begun_ns = uv_hrtime();
    watcher->work.data = watcher;
    /* neither can fail: the callbacks are not NULL */
    (void)uv_timer_start(&watcher->timer, on_overdue, berth_overdue_ms(), berth_overdue_ms());
    (void)uv_queue_work(watcher->loop, &watcher->work, on_look, on_look_over);
}

/* ---- the contract ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct poll_watcher *watcher = handle->data;

    watcher->timer_open = false;
    finish_stop(watcher);
}

static enum berth_code start(struct berth_watcher *base, struct berth_error *err)
{
    struct poll_watcher *watcher = of_base(base);

    (void)err;
    (void)uv_timer_init(watcher->loop, &watcher->timer); /* cannot fail */
    watcher->timer.data = watcher;
    watcher->timer_open = true;
    begin_look(watcher, true);
    return BERTH_OK;
}

static void look(struct berth_watcher *base)
{
    struct poll_watcher *watcher = of_base(base);

    if (!watcher->timer_open || watcher->stopping) {
        return;
    }
    watcher->again = true;
    if (!watcher->busy) {
        /* not at once: a burst of looks is one look, and a report may have called */
        (void)uv_timer_start(&watcher->timer, on_timer, 0, 0);
    }
}

static void stop(struct berth_watcher *base, void (*stopped)(struct berth_watcher *watcher))
{
    struct poll_watcher *watcher = of_base(base);

    watcher->stopping = true;
    watcher->stopped = stopped;
    if (!watcher->timer_open) {
        finish_stop(watcher);
        return;
    }
    if (watcher->busy) {
        (void)uv_cancel((uv_req_t *)&watcher->work); /* too late when it runs: then it ends first */
    }
    uv_close((uv_handle_t *)&watcher->timer, on_timer_closed);
}

static void destroy(struct berth_watcher *base)
{
    struct poll_watcher *watcher = of_base(base);

    watcher->reader->close(watcher->context);
    berth_free(watcher);
}

enum berth_code berth_poll_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                          const struct berth_poll_reader *reader, void *context,
                                          uint64_t poll_ms, struct berth_error *err)
{
    if (poll_ms == 0) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "%s cannot be read every 0 ms",
                          reader->feed);
    }
    struct poll_watcher *watcher = berth_alloc(1, sizeof *watcher);
    if (watcher == NULL) {
        return berth_fail_memory(err, "a watcher");
    }
    watcher->feeds[0] = reader->feed;
    watcher->ops = (struct berth_watcher_ops){
        .source = reader->source,
        .feeds = watcher->feeds,
        .feed_count = 1,
        .start = start,
        .look = look,
        .stop = stop,
        .destroy = destroy,
    };
    watcher->base.ops = &watcher->ops;
    watcher->reader = reader;
    watcher->context = context;
    watcher->loop = loop;
    watcher->poll_ms = poll_ms;
    *out = &watcher->base;
    return BERTH_OK;
}
