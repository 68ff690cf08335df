/* SPDX-License-Identifier: MIT */
#include "watch_hints.h"

#include "base/memory.h"
#include "log.h"

struct berth_watch_hints {
    uv_loop_t *loop;
    void (*look)(void *ctx, enum berth_source source);
    void *ctx;
    struct berth_source_hints *hints; /* NULL: none are open */
    unsigned groups;                  /* that they were opened for */
    unsigned wanted;
    bool unsupported; /* and will always be */
    bool refused;     /* that they cannot be opened was told in the log */
    bool closing;     /* they are being closed */
    bool ended;
    bool told[BERTH_HINT_FACILITY_COUNT]; /* in the log, since they were opened */
    bool worked[BERTH_HINT_FACILITY_COUNT];
};

static void on_look(void *ctx, enum berth_source source)
{
    const struct berth_watch_hints *hints = ctx;

    hints->look(hints->ctx, source);
}

static void on_state(void *ctx, enum berth_hint_facility facility, bool works, const char *reason)
{
    struct berth_watch_hints *hints = ctx;
    /* one that fails with another reason at each try is told once, not at each */
    bool news = !hints->told[facility] || hints->worked[facility] != works;

    hints->told[facility] = true;
    hints->worked[facility] = works;
    berth_log(news ? BERTH_LOG_INFO : BERTH_LOG_DEBUG, "hints by %s %s%s",
              berth_hint_facility_name(facility),
              works ? "are listened to" : "are not to be had: ", works ? "" : reason);
}

static void settle(struct berth_watch_hints *hints);

static void on_closed(void *ctx)
{
    struct berth_watch_hints *hints = ctx;

    hints->hints = NULL;
    hints->closing = false;
    if (hints->ended) {
        berth_free(hints);
    } else {
        settle(hints);
    }
}

static void open_hints(struct berth_watch_hints *hints)
{
    const struct berth_source_hints_sink sink = {on_look, on_state, hints};
    struct berth_error err;
    enum berth_code code =
        berth_source_hints_open(&hints->hints, hints->loop, hints->wanted, &sink, &err);

    hints->unsupported = code == BERTH_NOT_SUPPORTED;
    if (code == BERTH_OK) {
        hints->refused = false;
        hints->groups = hints->wanted;
        for (unsigned i = 0; i < BERTH_HINT_FACILITY_COUNT; i++) {
            hints->told[i] = false;
        }
        return;
    }
    hints->hints = NULL;
    berth_log(hints->unsupported || hints->refused ? BERTH_LOG_DEBUG : BERTH_LOG_WARNING,
              "no hints: %s", err.detail);
    hints->refused = !hints->unsupported;
}

/* Makes what is open what is wanted; where that takes a closing, goes on when it is over. */
static void settle(struct berth_watch_hints *hints)
{
    if (hints->closing) {
        return;
    }
    if (hints->hints != NULL && hints->groups != hints->wanted) {
        hints->closing = true;
        berth_source_hints_close(hints->hints, on_closed, hints);
    } else if (hints->hints == NULL && hints->wanted != BERTH_HINTS_NONE) {
        open_hints(hints);
    }
}

void berth_watch_hints_apply(struct berth_watch_hints *hints, unsigned groups)
{
    hints->wanted = groups;
    settle(hints);
}

void berth_watch_hints_retry(struct berth_watch_hints *hints)
{
    if (!hints->unsupported) {
        settle(hints);
    }
}

bool berth_watch_hints_status(const struct berth_watch_hints *hints,
                              enum berth_hint_facility facility, struct berth_hint_status *out)
{
    struct berth_hint_status status = {.told = false};

    if (hints->hints != NULL && !hints->closing) {
        berth_source_hints_status(hints->hints, facility, &status);
    }
    if (status.told) {
        *out = status;
    }
    return status.told;
}

enum berth_code berth_watch_hints_create(struct berth_watch_hints **out, uv_loop_t *loop,
                                         void (*look)(void *ctx, enum berth_source source),
                                         void *ctx, struct berth_error *err)
{
    struct berth_watch_hints *hints = berth_alloc(1, sizeof *hints);

    if (hints == NULL) {
        return berth_fail_memory(err, "hints");
    }
    hints->loop = loop;
    hints->look = look;
    hints->ctx = ctx;
    *out = hints;
    return BERTH_OK;
}

void berth_watch_hints_close(struct berth_watch_hints *hints)
{
    if (hints == NULL) {
        return;
    }
    hints->ended = true;
    hints->wanted = BERTH_HINTS_NONE;
    settle(hints);
    if (hints->hints == NULL) {
        berth_free(hints);
    }
}
