/* SPDX-License-Identifier: MIT */
#include "watchers/windows/etw_tcp_source.h"

#include "base/memory.h"
#include "watchers/tcp_event_queue.h"
#include "watchers/windows/etw_calibration.h"
#include "watchers/windows/etw_volume.h"

#include <stdio.h>
#include <string.h>

#define TICK_MS 250u
#define AGAIN_NS UINT64_C(60000000000)

#define REASON_SIZE 200u

static const char no_trial[] = "no port of loopback can be opened to try Windows's events of TCP";
static const char too_many[] =
    "there are more than 2000 events of TCP a second: those of single connections are left out";

static const char opened_again[] =
    "the tracing session " BERTH_ETW_TCP_NAME " was opened again and is being tried";

/* What has been learned of the system's events. */
struct lessons {
    enum berth_etw_port_order order;
    bool knows_own;    /* who takes a port */
    bool process_told; /* by the data of 1123 */
};

struct berth_etw_tcp_source {
    struct berth_etw_tcp_options options;
    uint64_t (*now_ns)(void);
    uv_loop_t *loop;
    struct berth_tcp_event_queue *queue;
    struct berth_etw_session *session;
    uv_timer_t tick;
    uv_work_t trial;

    uv_mutex_t lock; /* of what follows up to the next blank line */
    bool trying;     /* events are looked through for those of our port */
    bool passes;     /* events go to the queue */
    struct berth_etw_calibration calibration;
    struct lessons lessons;
    struct berth_etw_volume volume;

    /* the loop's */
    bool runs;           /* the session */
    bool trial_queued;   /* the pool has it */
    bool trial_used;     /* what it brings back: the port was used */
    bool trial_outdated; /* the session was opened again meanwhile */
    uint64_t again_ns;   /* when to try once more; 0: need not be */
    bool full_due;       /* asked for, to be tried once the providers know */
    bool told;           /* a mode */
    enum berth_tcp_events_mode mode;
    char reason[REASON_SIZE];
    unsigned parts; /* that are not closed: queue, session, timer, trial */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* --- on the session's thread ---------------------------------------------------------------- */

/* Whether an event is one of ours: a bind that tried a port, a trial. */
static bool is_own(const struct berth_etw_tcp_source *source, const struct berth_etw_event *event,
                   const struct berth_tcp_event *read)
{
    uint32_t own = source->options.trial.process_id;

    return event->process_id == own || read->process_id == own;
}

/* Takes back what the system's events have been seen not to tell truly. */
static void apply_lessons(const struct lessons *lessons, struct berth_tcp_event *event)
{
    if (event->what == BERTH_TCP_EVENT_CONNECT && !lessons->knows_own) {
        *event = (struct berth_tcp_event){
            .what = BERTH_TCP_EVENT_OTHER, .process_id = BERTH_ID_NONE, .time_ns = event->time_ns};
    }
    if (!lessons->process_told) {
        event->process_id = BERTH_ID_NONE;
    }
}

static void take_event(void *ctx, const struct berth_etw_event *event)
{
    struct berth_etw_tcp_source *source = ctx;
    struct berth_tcp_event read;

    uv_mutex_lock(&source->lock);
    if (source->trying) {
        berth_etw_calibration_note(&source->calibration, event);
    }
    berth_etw_volume_note(&source->volume, 1);
    bool passes = source->passes;
    struct lessons lessons = source->lessons;
    uv_mutex_unlock(&source->lock);
    if (passes && berth_etw_tcpip_decode(event, lessons.order, &read) &&
        !is_own(source, event, &read)) {
        apply_lessons(&lessons, &read);
        berth_tcp_event_queue_put(source->queue, &read, 1);
    }
}

static void take_lost(void *ctx, uint64_t count)
{
    struct berth_etw_tcp_source *source = ctx;

    uv_mutex_lock(&source->lock);
    bool passes = source->passes;
    uv_mutex_unlock(&source->lock);
    if (passes) {
        berth_tcp_event_queue_lose(source->queue, count);
    }
}

/* --- the mode ------------------------------------------------------------------------------- */

static void tell_mode(struct berth_etw_tcp_source *source, enum berth_tcp_events_mode mode,
                      const char *reason)
{
    if (source->told && source->mode == mode && strcmp(source->reason, reason) == 0) {
        return;
    }
    source->told = true;
    source->mode = mode;
    (void)snprintf(source->reason, sizeof source->reason, "%s", reason);
    berth_tcp_event_queue_mode(source->queue, mode,
                               mode == BERTH_TCP_EVENTS_FULL ? NULL : source->reason);
}

static bool is_low(struct berth_etw_tcp_source *source)
{
    uv_mutex_lock(&source->lock);
    bool low = source->volume.low;
    uv_mutex_unlock(&source->lock);
    return low;
}

static void tell_whole(struct berth_etw_tcp_source *source)
{
    if (is_low(source)) {
        tell_mode(source, BERTH_TCP_EVENTS_LOW_VOLUME, too_many);
    } else {
        tell_mode(source, BERTH_TCP_EVENTS_FULL, "");
    }
}

static void set_passes(struct berth_etw_tcp_source *source, bool passes)
{
    uv_mutex_lock(&source->lock);
    source->passes = passes;
    source->trying = source->trying && passes;
    uv_mutex_unlock(&source->lock);
}

/* --- trying --------------------------------------------------------------------------------- */

/* On the pool. The port is known to the session's thread before anything can be told of it. */
static void trial_cb(uv_work_t *work)
{
    struct berth_etw_tcp_source *source = work->data;
    const struct berth_etw_trial_calls *calls = &source->options.trial;
    uint16_t port = calls->choose(calls->context);

    uv_mutex_lock(&source->lock);
    berth_etw_calibration_begin(&source->calibration, port, calls->process_id, source->volume.low);
    source->trying = port != 0;
    uv_mutex_unlock(&source->lock);
    source->trial_used = port != 0 && calls->use(calls->context, port);
    uv_mutex_lock(&source->lock);
    source->trying = source->trial_used;
    berth_etw_calibration_used(&source->calibration, source->now_ns());
    uv_mutex_unlock(&source->lock);
}

static void trial_done_cb(uv_work_t *work, int status);

static void try_port(struct berth_etw_tcp_source *source)
{
    source->again_ns = 0;
    if (source->trial_queued) {
        source->trial_outdated = true;
        return;
    }
    source->trial_outdated = false;
    source->trial.data = source;
    if (uv_queue_work(source->loop, &source->trial, trial_cb, trial_done_cb) == 0) {
        source->trial_queued = true;
        source->parts++;
    } else {
        source->again_ns = source->now_ns() + AGAIN_NS;
    }
}

/* Keeps what a trial has shown. Which bytes come first is the same in every opening, and not to be
 * seen in low volume. */
static void learn(struct berth_etw_tcp_source *source)
{
    const struct berth_etw_calibration *calibration = &source->calibration;

    uv_mutex_lock(&source->lock);
    enum berth_etw_port_order order = berth_etw_calibration_order(calibration);
    if (order != BERTH_ETW_ORDER_UNKNOWN) {
        source->lessons.order = order;
    }
    source->lessons.knows_own = berth_etw_calibration_knows_own(calibration);
    source->lessons.process_told = calibration->process_told;
    source->trying = false;
    source->passes = true;
    uv_mutex_unlock(&source->lock);
}

static void settle(struct berth_etw_tcp_source *source, enum berth_etw_verdict verdict,
                   const char *reason)
{
    if (verdict == BERTH_ETW_SILENT) {
        set_passes(source, false);
        berth_etw_session_restart(source->session, reason);
        return;
    }
    learn(source);
    if (verdict == BERTH_ETW_WHOLE) {
        tell_whole(source);
    } else {
        source->again_ns = source->now_ns() + AGAIN_NS;
        tell_mode(source, BERTH_TCP_EVENTS_PARTIAL, reason);
    }
}

static void judge(struct berth_etw_tcp_source *source)
{
    char reason[BERTH_ETW_CALIBRATION_REASON_SIZE];

    uv_mutex_lock(&source->lock);
    enum berth_etw_verdict verdict = BERTH_ETW_PENDING;
    if (source->trying) {
        verdict = berth_etw_calibration_judge(&source->calibration, source->now_ns(), reason);
    }
    uv_mutex_unlock(&source->lock);
    if (verdict != BERTH_ETW_PENDING) {
        settle(source, verdict, reason);
    }
}

static void close_part(struct berth_etw_tcp_source *source);

static void end_trial(struct berth_etw_tcp_source *source)
{
    source->trial_queued = false;
    if (source->closing || !source->runs) {
        set_passes(source, false);
    } else if (source->trial_outdated) {
        set_passes(source, false);
        try_port(source);
    } else if (!source->trial_used) {
        settle(source, BERTH_ETW_PARTIAL, no_trial);
    }
    close_part(source);
}

static void trial_done_cb(uv_work_t *work, int status)
{
    (void)status;
    end_trial(work->data);
}

/* --- the loop ------------------------------------------------------------------------------- */

static void take_state(void *ctx, uint32_t openings, const char *reason)
{
    struct berth_etw_tcp_source *source = ctx;

    (void)openings; /* each word that it runs is of another one */
    source->runs = reason == NULL;
    source->full_due = false;
    source->again_ns = 0;
    set_passes(source, false);
    if (reason != NULL) {
        tell_mode(source, BERTH_TCP_EVENTS_NONE, reason);
    } else if (source->told && source->mode != BERTH_TCP_EVENTS_NONE) {
        tell_mode(source, BERTH_TCP_EVENTS_NONE, opened_again);
    }
    if (source->runs) {
        try_port(source);
    }
}

/* What is asked for changes a moment after it was asked, and what was learned in low volume says
 * nothing of the rest: full is tried a tick or more later, and told when that is judged. */
static void weigh_volume(struct berth_etw_tcp_source *source)
{
    if (source->full_due && berth_etw_session_has_asked(source->session)) {
        source->full_due = false;
        try_port(source);
    }
    uv_mutex_lock(&source->lock);
    bool changed = berth_etw_volume_decide(&source->volume, source->now_ns());
    bool low = source->volume.low;
    uv_mutex_unlock(&source->lock);
    if (!changed) {
        return;
    }
    berth_etw_session_request(source->session, berth_etw_tcpip_request(low), 1);
    source->full_due = !low;
    if (low && source->mode == BERTH_TCP_EVENTS_FULL) {
        tell_whole(source);
    }
}

static void tick(struct berth_etw_tcp_source *source)
{
    if (!source->runs) {
        return;
    }
    judge(source);
    if (source->again_ns != 0 && source->now_ns() >= source->again_ns) {
        try_port(source);
    }
    if (source->told && source->mode != BERTH_TCP_EVENTS_NONE) {
        weigh_volume(source);
    }
}

static void tick_cb(uv_timer_t *timer)
{
    tick(timer->data);
}

/* --- the contract --------------------------------------------------------------------------- */

static void close_part(struct berth_etw_tcp_source *source)
{
    void (*closed)(void *ctx) = source->closed;
    void *ctx = source->closed_ctx;

    source->parts--;
    if (!source->closing || source->parts != 0) {
        return;
    }
    uv_mutex_destroy(&source->lock);
    berth_free(source);
    if (closed != NULL) {
        closed(ctx);
    }
}

static void queue_closed(void *ctx)
{
    close_part(ctx);
}

static void session_closed(void *ctx)
{
    close_part(ctx);
}

static void tick_closed_cb(uv_handle_t *handle)
{
    close_part(handle->data);
}

static enum berth_code open_session(struct berth_etw_tcp_source *source, struct berth_error *err)
{
    const struct berth_etw_options options = {
        .name = BERTH_ETW_TCP_NAME,
        .requests = berth_etw_tcpip_request(false),
        .request_count = 1,
        .times = source->options.times,
    };
    const struct berth_etw_sink sink = {take_event, take_lost, take_state, source};

    return berth_etw_session_open(&source->session, source->loop, &options,
                                  &source->options.session, &sink, err);
}

static void start_tick(struct berth_etw_tcp_source *source)
{
    uint32_t tick_ms = source->options.tick_ms != 0 ? source->options.tick_ms : TICK_MS;

    (void)uv_timer_init(source->loop, &source->tick); /* always 0 */
    source->tick.data = source;
    (void)uv_timer_start(&source->tick, tick_cb, tick_ms, tick_ms);
    source->parts += 2; /* with the session */
}

enum berth_code berth_etw_tcp_source_open(struct berth_etw_tcp_source **out, uv_loop_t *loop,
                                          const struct berth_tcp_events_sink *sink,
                                          const struct berth_etw_tcp_options *options,
                                          struct berth_error *err)
{
    struct berth_etw_tcp_source *source = berth_alloc(1, sizeof *source);

    if (source == NULL) {
        return berth_fail_memory(err, "the source of TCP events");
    }
    source->options = *options;
    source->now_ns = options->now_ns != NULL ? options->now_ns : uv_hrtime;
    source->loop = loop;
    int status = uv_mutex_init(&source->lock);
    if (status != 0) {
        berth_free(source);
        return berth_fail(err, BERTH_INTERNAL, status, "the source of TCP events: %s",
                          uv_strerror(status));
    }
    enum berth_code code = berth_tcp_event_queue_open(&source->queue, loop, sink, err);
    if (code != BERTH_OK) {
        uv_mutex_destroy(&source->lock);
        berth_free(source);
        return code;
    }
    source->parts = 1;
    code = open_session(source, err);
    if (code != BERTH_OK) {
        source->closing = true;
        berth_tcp_event_queue_close(source->queue, queue_closed, source);
        return code;
    }
    start_tick(source);
    *out = source;
    return BERTH_OK;
}

void berth_etw_tcp_source_drain(struct berth_etw_tcp_source *source)
{
    berth_tcp_event_queue_flush(source->queue);
}

void berth_etw_tcp_source_close(struct berth_etw_tcp_source *source, void (*closed)(void *ctx),
                                void *ctx)
{
    source->closing = true;
    source->closed = closed;
    source->closed_ctx = ctx;
    berth_etw_session_close(source->session, session_closed, source);
    /* the session tells nothing from here on; what waits in the queue must not be told either */
    berth_tcp_event_queue_close(source->queue, queue_closed, source);
    uv_close((uv_handle_t *)&source->tick, tick_closed_cb);
    if (source->trial_queued) {
        (void)uv_cancel((uv_req_t *)&source->trial); /* too late for one that runs */
    }
}
