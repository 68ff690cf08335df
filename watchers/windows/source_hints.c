/* SPDX-License-Identifier: MIT */
/* The hints of Windows: events of ETW and of WMI. */
#include "watchers/source_hints.h"

#include "base/memory.h"
#include "watchers/hint_queue.h"
#include "watchers/windows/hint_session.h"
#include "watchers/windows/wmi_calls.h"

struct berth_source_hints {
    struct berth_hint_queue *queue;
    struct berth_hint_session *session; /* NULL: not wanted, or closed */
    struct berth_wmi_events *wmi;       /* the same */
    void (*closed)(void *ctx);          /* NULL: the opening failed */
    void *closed_ctx;
};

/* ---- reports, on other threads ---- */

static void take_hint(void *ctx, enum berth_hint_facility facility, unsigned sources)
{
    struct berth_source_hints *hints = ctx;

    berth_hint_queue_put(hints->queue, facility, sources);
}

static void take_state(void *ctx, enum berth_hint_facility facility, bool works, const char *reason)
{
    struct berth_source_hints *hints = ctx;

    berth_hint_queue_state(hints->queue, facility, works, reason);
}

/* ---- the end: what puts something into the queue, then the queue ---- */

static void queue_closed(void *ctx)
{
    struct berth_source_hints *hints = ctx;
    void (*closed)(void *closed_ctx) = hints->closed;
    void *closed_ctx = hints->closed_ctx;

    berth_free(hints);
    if (closed != NULL) {
        closed(closed_ctx);
    }
}

static void close_queue(struct berth_source_hints *hints)
{
    if (hints->session == NULL && hints->wmi == NULL) {
        berth_hint_queue_close(hints->queue, queue_closed, hints);
    }
}

static void session_closed(void *ctx)
{
    struct berth_source_hints *hints = ctx;

    hints->session = NULL;
    close_queue(hints);
}

static void wmi_closed(void *ctx)
{
    struct berth_source_hints *hints = ctx;

    hints->wmi = NULL;
    close_queue(hints);
}

static void close_all(struct berth_source_hints *hints)
{
    bool nothing_runs = hints->session == NULL && hints->wmi == NULL;

    berth_hint_queue_silence(hints->queue);
    if (hints->session != NULL) {
        berth_hint_session_close(hints->session, session_closed, hints);
    }
    if (hints->wmi != NULL) {
        berth_wmi_events_close(hints->wmi, wmi_closed, hints);
    }
    if (nothing_runs) {
        close_queue(hints);
    }
}

/* ---- the contract ---- */

static enum berth_code open_wmi(struct berth_source_hints *hints, uv_loop_t *loop,
                                struct berth_error *err)
{
    const struct berth_wmi_sink sink = {take_hint, take_state, hints};
    struct berth_wmi_options options = {.calls = &berth_wmi_calls};

    options.queries = berth_wmi_queries(&options.count);
    return berth_wmi_events_open(&hints->wmi, loop, &options, &sink, err);
}

enum berth_code berth_source_hints_open(struct berth_source_hints **out, uv_loop_t *loop,
                                        unsigned groups, const struct berth_source_hints_sink *sink,
                                        struct berth_error *err)
{
    struct berth_source_hints *hints = berth_alloc(1, sizeof *hints);

    if (hints == NULL) {
        return berth_fail_memory(err, "hints");
    }
    enum berth_code code = berth_hint_queue_open(&hints->queue, loop, sink, err);
    if (code != BERTH_OK) {
        berth_free(hints);
        return code;
    }
    if ((groups & BERTH_HINTS_ETW) != 0) {
        const struct berth_etw_calls calls = berth_etw_calls_real();
        code = berth_hint_session_open(&hints->session, loop, &calls, NULL, hints->queue, err);
    }
    if (code == BERTH_OK && (groups & BERTH_HINTS_WMI) != 0) {
        code = open_wmi(hints, loop, err);
    }
    if (code != BERTH_OK) {
        close_all(hints);
        return code;
    }
    *out = hints;
    return BERTH_OK;
}

void berth_source_hints_status(const struct berth_source_hints *hints,
                               enum berth_hint_facility facility, struct berth_hint_status *out)
{
    berth_hint_queue_status(hints->queue, facility, out);
}

void berth_source_hints_close(struct berth_source_hints *hints, void (*closed)(void *ctx),
                              void *ctx)
{
    hints->closed = closed;
    hints->closed_ctx = ctx;
    close_all(hints);
}
