/* SPDX-License-Identifier: MIT */
#include "watchers/source_hints.h"

#include "base/memory.h"
#include "source_hints_script.h"
#include "watchers/hint_queue.h"

#include <stdio.h>
#include <stdlib.h>

struct berth_source_hints {
    struct berth_hint_queue *queue;
    unsigned groups;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static struct {
    uv_mutex_t lock;
    struct berth_source_hints *hints; /* NULL: none are open */
    enum berth_code refusal;
    char reason[200];
} script;

static uv_once_t script_once = UV_ONCE_INIT;

static void make_lock(void)
{
    if (uv_mutex_init(&script.lock) != 0) {
        abort();
    }
}

static void lock(void)
{
    uv_once(&script_once, make_lock);
    uv_mutex_lock(&script.lock);
}

static void unlock(void)
{
    uv_mutex_unlock(&script.lock);
}

/* ---- the script ---- */

void berth_fake_hints_reset(void)
{
    berth_fake_hints_refuse(BERTH_OK, "");
}

void berth_fake_hints_refuse(enum berth_code code, const char *reason)
{
    lock();
    script.refusal = code;
    (void)snprintf(script.reason, sizeof script.reason, "%s", reason);
    unlock();
}

void berth_fake_hints_state(enum berth_hint_facility facility, bool works, const char *reason)
{
    lock();
    if (script.hints != NULL) {
        berth_hint_queue_state(script.hints->queue, facility, works, reason);
    }
    unlock();
}

void berth_fake_hints_tell(enum berth_hint_facility facility, unsigned sources)
{
    lock();
    if (script.hints != NULL) {
        berth_hint_queue_put(script.hints->queue, facility, sources);
    }
    unlock();
}

unsigned berth_fake_hints_open_groups(void)
{
    lock();
    unsigned groups = script.hints != NULL ? script.hints->groups : BERTH_HINTS_NONE;
    unlock();
    return groups;
}

/* ---- the contract ---- */

static enum berth_code open_hints(struct berth_source_hints *hints, uv_loop_t *loop,
                                  const struct berth_source_hints_sink *sink,
                                  struct berth_error *err)
{
    enum berth_code code = BERTH_OK;

    lock();
    if (script.refusal != BERTH_OK) {
        code = berth_fail(err, script.refusal, 0, "%s", script.reason);
    }
    if (code == BERTH_OK) {
        code = berth_hint_queue_open(&hints->queue, loop, sink, err);
    }
    if (code == BERTH_OK) {
        script.hints = hints;
    }
    unlock();
    return code;
}

enum berth_code berth_source_hints_open(struct berth_source_hints **out, uv_loop_t *loop,
                                        unsigned groups, const struct berth_source_hints_sink *sink,
                                        struct berth_error *err)
{
    struct berth_source_hints *hints = berth_alloc(1, sizeof *hints);

    if (hints == NULL) {
        return berth_fail_memory(err, "hints");
    }
    hints->groups = groups;
    enum berth_code code = open_hints(hints, loop, sink, err);
    if (code != BERTH_OK) {
        berth_free(hints);
        return code;
    }
    for (unsigned i = 0; i < BERTH_HINT_FACILITY_COUNT; i++) {
        if ((groups & (unsigned)berth_hint_facility_group((enum berth_hint_facility)i)) != 0) {
            berth_hint_queue_state(hints->queue, (enum berth_hint_facility)i, true, NULL);
        }
    }
    *out = hints;
    return BERTH_OK;
}

void berth_source_hints_status(const struct berth_source_hints *hints,
                               enum berth_hint_facility facility, struct berth_hint_status *out)
{
    berth_hint_queue_status(hints->queue, facility, out);
}

static void queue_closed(void *ctx)
{
    struct berth_source_hints *hints = ctx;
    void (*closed)(void *closed_ctx) = hints->closed;
    void *closed_ctx = hints->closed_ctx;

    berth_free(hints);
    closed(closed_ctx);
}

void berth_source_hints_close(struct berth_source_hints *hints, void (*closed)(void *ctx),
                              void *ctx)
{
    lock();
    script.hints = NULL;
    unlock();
    hints->closed = closed;
    hints->closed_ctx = ctx;
    berth_hint_queue_close(hints->queue, queue_closed, hints);
}
