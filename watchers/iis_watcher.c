/* SPDX-License-Identifier: MIT */
#include "iis_watcher.h"

#include "base/memory.h"
#include "iis_look.h"
#include "overdue.h"

#include <stdio.h>
#include <string.h>

/* A look costs some 50 µs, and finds what no event tells: a folder renamed on Windows, or one above
 * it; a share whose events are lost. Until then a new site's port could be given away. */
#define POLL_MS 2000u
#define POLL_BLIND_MS 1000u
#define FAILING_MS 30000u /* such a look may read and refuse a large file */
#define SETTLE_MS 20u
#define RETRY_FIRST_MS 50u
#define RETRY_MAX_MS 5000u
#define NS_A_MS 1000000u
#define FILE_LIMIT_BYTES (64u * 1024 * 1024)

struct iis_watcher;

/* A folder under watch. It lives until its handle is closed. */
struct folder_watch {
    uv_fs_event_t handle;
    struct iis_watcher *owner;
    struct berth_iis_folder folder;
};

struct iis_watcher {
    struct berth_watcher base; /* first: the contract's face */
    uv_loop_t *loop;
    char *path;
    bool optional;
    uint32_t settle_ms;
    size_t file_limit_bytes;
    struct berth_iis_pace pace;

    uv_timer_t timer; /* when to look next; while one is under way, when that is overdue */
    uint64_t begun_ns;
    uv_work_t work;
    bool busy;       /* a look is in the thread pool: `look` and `current` are its own */
    bool again;      /* something happened meanwhile: look once more */
    bool by_content; /* the next look does not trust sizes and times */
    struct berth_iis_look look;
    struct berth_iis_config current;
    bool delivered; /* `current` holds what was reported last */
    unsigned failures;
    uint64_t spaced_until_ns; /* no event makes a look before: the last one failed */

    struct folder_watch *watches[BERTH_IIS_FOLDERS_MAX];
    size_t watch_count;
    struct berth_error blind; /* why a folder cannot be watched; code OK: all are */
    enum berth_source_state said_state;
    char said_reason[sizeof((struct berth_error *)0)->detail];

    unsigned open_handles; /* closing ones included */
    bool stopping;
    void (*stopped)(struct berth_watcher *watcher);
};

static struct iis_watcher *of_base(struct berth_watcher *watcher)
{
    return BERTH_CONTAINER_OF(watcher, struct iis_watcher, base);
}

/* ---- stopping ---- */

static void finish_stop(struct iis_watcher *watcher)
{
    if (watcher->stopping && watcher->open_handles == 0 && !watcher->busy) {
        watcher->stopped(&watcher->base);
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct iis_watcher *watcher = handle->data;

    watcher->open_handles--;
    finish_stop(watcher);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct folder_watch *watch = handle->data;
    struct iis_watcher *watcher = watch->owner;

    berth_free(watch->folder.path);
    berth_free(watch);
    watcher->open_handles--;
    finish_stop(watcher);
}

static void close_watch(struct iis_watcher *watcher, size_t index)
{
    uv_close((uv_handle_t *)&watcher->watches[index]->handle, on_watch_closed);
    watcher->watches[index] = watcher->watches[--watcher->watch_count];
}

/* ---- looking ---- */

static void begin_look(struct iis_watcher *watcher);

static void on_timer(uv_timer_t *timer)
{
    begin_look(timer->data);
}

/* Looks in `delay_ms` at the latest. */
static void look_within(struct iis_watcher *watcher, uint64_t delay_ms)
{
    if (watcher->stopping) {
        return;
    }
    if (watcher->busy) {
        watcher->again = true;
        return;
    }
    if (uv_is_active((uv_handle_t *)&watcher->timer) &&
        uv_timer_get_due_in(&watcher->timer) <= delay_ms) {
        return;
    }
    /* cannot fail: the handle is not closing, the callback not NULL */
    (void)uv_timer_start(&watcher->timer, on_timer, delay_ms, 0);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Looks as soon as an event may make it. */
static void look_for_event(struct iis_watcher *watcher, uint64_t delay_ms)
{
    uint64_t now_ns = uv_hrtime();
    uint64_t left_ns = watcher->spaced_until_ns > now_ns ? watcher->spaced_until_ns - now_ns : 0;

    look_within(watcher, later(delay_ms, left_ns / NS_A_MS));
}

/* ---- watching folders ---- */

/* An event says that something happened, never what: names may be missing, short or late. */
static void on_folder_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    struct folder_watch *watch = handle->data;
    struct iis_watcher *watcher = watch->owner;

    (void)name;
    (void)events;
    watcher->failures = 0; /* what failed before may have been mended: retry soon again */
    if (status < 0) {
        /* the next look finds the folder without a watch, and opens one */
        watch->folder.inode = 0;
        watch->folder.device = 0;
    }
    look_for_event(watcher, status < 0 ? watcher->pace.poll_blind_ms : watcher->settle_ms);
}

static enum berth_code open_watch(struct iis_watcher *watcher,
                                  const struct berth_iis_folder *folder, struct berth_error *err)
{
    struct folder_watch *watch = berth_alloc(1, sizeof *watch);
    char *path = berth_copy(folder->path);

    if (watch == NULL || path == NULL) {
        berth_free(watch);
        berth_free(path);
        return berth_fail_memory(err, "watching a folder");
    }
    watch->owner = watcher;
    watch->folder = *folder;
    watch->folder.path = path;
    int result = uv_fs_event_init(watcher->loop, &watch->handle);
    if (result != 0) {
        berth_free(path);
        berth_free(watch);
        return berth_fail(err, BERTH_IO, result, "cannot watch folders: %s", uv_strerror(result));
    }
    watch->handle.data = watch;
    watcher->open_handles++;
    result = uv_fs_event_start(&watch->handle, on_folder_event, path, 0);
    if (result != 0) {
        enum berth_code code =
            berth_fail(err, BERTH_IO, result, "cannot watch %s: %s", path, uv_strerror(result));
        uv_close((uv_handle_t *)&watch->handle, on_watch_closed);
        return code;
    }
    watcher->watches[watcher->watch_count++] = watch;
    return BERTH_OK;
}

static bool plan_has(const struct berth_iis_watch_plan *plan, const struct berth_iis_folder *folder)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (berth_iis_folder_is_same(&plan->folders[i], folder)) {
            return true;
        }
    }
    return false;
}

static bool is_watched(const struct iis_watcher *watcher, const struct berth_iis_folder *folder)
{
    for (size_t i = 0; i < watcher->watch_count; i++) {
        if (berth_iis_folder_is_same(&watcher->watches[i]->folder, folder)) {
            return true;
        }
    }
    return false;
}

/* Makes the watches those of the plan. Gives whether one was opened: then what happened between the
 * look and now went unseen. */
static bool follow_plan(struct iis_watcher *watcher, const struct berth_iis_watch_plan *plan)
{
    bool opened = false;

    if (plan->count == 0) {
        return false;
    }
    /* the old ones go first: they may be what keeps a new one from being opened */
    for (size_t i = watcher->watch_count; i-- > 0;) {
        if (!plan_has(plan, &watcher->watches[i]->folder)) {
            close_watch(watcher, i);
        }
    }
    watcher->blind = (struct berth_error){0};
    for (size_t i = 0; i < plan->count; i++) {
        if (!is_watched(watcher, &plan->folders[i])) {
            opened |= open_watch(watcher, &plan->folders[i], &watcher->blind) == BERTH_OK;
        }
    }
    return opened;
}

/* ---- reporting ---- */

/* Reports a state, unless it is what was said last. */
static void say(struct iis_watcher *watcher, enum berth_source_state state, const char *reason)
{
    const char *words = reason != NULL ? reason : "";

    if (watcher->said_state == state && strcmp(watcher->said_reason, words) == 0) {
        return;
    }
    watcher->said_state = state;
    (void)snprintf(watcher->said_reason, sizeof watcher->said_reason, "%s", words);
    watcher->base.sink->state(&watcher->base, state, reason != NULL ? watcher->said_reason : NULL);
}

static void say_state(struct iis_watcher *watcher, const struct berth_iis_look *look)
{
    if (look->result == BERTH_IIS_LOOK_ABSENT) {
        say(watcher, BERTH_STATE_ABSENT, look->error.detail);
    } else if (look->result == BERTH_IIS_LOOK_FAILED) {
        say(watcher, watcher->delivered ? BERTH_STATE_STALE : BERTH_STATE_WAITING,
            look->error.detail);
    } else if (watcher->blind.code != BERTH_OK) {
        say(watcher, BERTH_STATE_DEGRADED, watcher->blind.detail);
    } else {
        say(watcher, BERTH_STATE_READY, NULL);
    }
}

/* Reports the claims of a successful load, which are the current ones once they were taken. */
static enum berth_code deliver(struct iis_watcher *watcher, struct berth_iis_look *look)
{
    const struct berth_snapshot snapshot = {
        .claims = look->loaded.claims,
        .claim_count = look->loaded.claim_count,
        .warnings = look->loaded.warnings,
        .warning_count = look->loaded.warning_count,
    };
    enum berth_code code = watcher->base.sink->snapshot(&watcher->base, 0, &snapshot, &look->error);

    if (code == BERTH_OK) {
        berth_iis_config_fini(&watcher->current);
        watcher->current = look->loaded;
        look->loaded = (struct berth_iis_config){0};
        berth_iis_config_release_claims(&watcher->current); /* the ledger has its own */
        watcher->delivered = true;
    }
    return code;
}

/* Where there is no IIS, and was none since the start, there are no bindings: what was known from
 * before lingers from now on. */
static enum berth_code deliver_nothing(struct iis_watcher *watcher, struct berth_iis_look *look)
{
    const struct berth_snapshot nothing = {.claim_count = 0};
    struct berth_error refusal;

    if (watcher->said_state == BERTH_STATE_ABSENT) {
        return BERTH_OK;
    }
    enum berth_code code = watcher->base.sink->snapshot(&watcher->base, 0, &nothing, &refusal);
    if (code != BERTH_OK) {
        look->error = refusal; /* else it goes on saying what is missing */
    }
    return code;
}

/* Reports what a look found. One whose claims are not taken is no better than one that failed. */
static void report(struct iis_watcher *watcher, struct berth_iis_look *look)
{
    enum berth_code code = BERTH_OK;

    if (look->result == BERTH_IIS_LOOK_LOADED) {
        code = deliver(watcher, look);
    } else if (look->result == BERTH_IIS_LOOK_ABSENT && !watcher->delivered) {
        code = deliver_nothing(watcher, look);
    }
    if (code != BERTH_OK) {
        look->result = BERTH_IIS_LOOK_FAILED;
    }
    watcher->failures = look->result == BERTH_IIS_LOOK_FAILED ? watcher->failures + 1 : 0;
    say_state(watcher, look);
}

/* A look does not come back: what it would find is not known. */
static void on_overdue(uv_timer_t *timer)
{
    struct iis_watcher *watcher = timer->data;
    char reason[sizeof watcher->said_reason];

    say(watcher, watcher->delivered ? BERTH_STATE_STALE : BERTH_STATE_WAITING,
        berth_overdue_reason(reason, sizeof reason, watcher->path, watcher->begun_ns));
}

/* Plans the next look. Where a large file is refused, what else happens in its folder must not have
 * it read again and again. */
static void plan_next(struct iis_watcher *watcher, bool again, uint64_t took_ns)
{
    uint32_t spacing_ms =
        watcher->failures != 0 ? berth_iis_pace_spacing_ms(&watcher->pace, took_ns) : 0;
    uint32_t delay_ms = again ? watcher->settle_ms
                              : berth_iis_pace_next_ms(&watcher->pace, watcher->failures,
                                                       watcher->blind.code != BERTH_OK);

    watcher->spaced_until_ns = uv_hrtime() + (uint64_t)spacing_ms * NS_A_MS;
    look_within(watcher, later(delay_ms, spacing_ms));
}

/* Does what follows from a look that is over. */
static void end_look(struct iis_watcher *watcher)
{
    struct berth_iis_look *look = &watcher->look;
    uint64_t took_ns = uv_hrtime() - watcher->begun_ns;
    bool again = watcher->again;

    (void)uv_timer_stop(&watcher->timer);
    watcher->again = false;
    if (follow_plan(watcher, &look->plan)) {
        again = true;
    }
    report(watcher, look);
    berth_iis_look_fini(look);
    plan_next(watcher, again, took_ns);
}

static void on_look(uv_work_t *work)
{
    struct iis_watcher *watcher = work->data;

    berth_iis_look_run(&watcher->look);
}

static void on_look_over(uv_work_t *work, int status)
{
    struct iis_watcher *watcher = work->data;

    watcher->busy = false;
    if (!watcher->stopping) {
        end_look(watcher);
        return;
    }
    if (status == 0) {
        berth_iis_look_fini(&watcher->look);
    }
    finish_stop(watcher);
}

static void begin_look(struct iis_watcher *watcher)
{
    watcher->look = (struct berth_iis_look){
        .path = watcher->path,
        .file_limit_bytes = watcher->file_limit_bytes,
        .optional = watcher->optional,
        .by_content = watcher->by_content,
        .current = watcher->delivered ? &watcher->current : NULL,
    };
    watcher->by_content = false;
    watcher->busy = true;
    watcher->begun_ns = uv_hrtime();
    /* neither can fail: the callbacks are not NULL */
    (void)uv_timer_start(&watcher->timer, on_overdue, berth_overdue_ms(), berth_overdue_ms());
    (void)uv_queue_work(watcher->loop, &watcher->work, on_look, on_look_over);
}

/* ---- the contract ---- */

static enum berth_code start(struct berth_watcher *base, struct berth_error *err)
{
    struct iis_watcher *watcher = of_base(base);

    (void)err;
    (void)uv_timer_init(watcher->loop, &watcher->timer); /* cannot fail */
    watcher->timer.data = watcher;
    watcher->work.data = watcher;
    watcher->open_handles = 1;
    begin_look(watcher);
    return BERTH_OK;
}

static void look(struct berth_watcher *base)
{
    struct iis_watcher *watcher = of_base(base);

    if (watcher->open_handles != 0) {
        watcher->by_content = true;
        look_within(watcher, 0);
    }
}

static void stop(struct berth_watcher *base, void (*stopped)(struct berth_watcher *watcher))
{
    struct iis_watcher *watcher = of_base(base);

    watcher->stopping = true;
    watcher->stopped = stopped;
    if (watcher->open_handles == 0) {
        finish_stop(watcher);
        return;
    }
    while (watcher->watch_count > 0) {
        close_watch(watcher, watcher->watch_count - 1);
    }
    uv_close((uv_handle_t *)&watcher->timer, on_timer_closed);
    if (watcher->busy) {
        (void)uv_cancel((uv_req_t *)&watcher->work); /* too late when it runs: then it ends first */
    }
}

static void destroy(struct berth_watcher *base)
{
    struct iis_watcher *watcher = of_base(base);

    berth_iis_config_fini(&watcher->current);
    berth_free(watcher->path);
    berth_free(watcher);
}

static const char *const feeds[] = {"sites"};

static const struct berth_watcher_ops ops = {
    .source = BERTH_SOURCE_IIS,
    .feeds = feeds,
    .feed_count = 1,
    .start = start,
    .look = look,
    .stop = stop,
    .destroy = destroy,
};

static uint32_t given_or(uint32_t given, uint32_t otherwise)
{
    return given != 0 ? given : otherwise;
}

enum berth_code berth_iis_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                         const struct berth_iis_watcher_options *options,
                                         struct berth_error *err)
{
    if (options->path == NULL || *options->path == '\0') {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "no path of an applicationHost.config");
    }
    struct iis_watcher *watcher = berth_alloc(1, sizeof *watcher);
    char *path = berth_copy(options->path);
    if (watcher == NULL || path == NULL) {
        berth_free(watcher);
        berth_free(path);
        return berth_fail_memory(err, "a watcher");
    }
    watcher->base.ops = &ops;
    watcher->loop = loop;
    watcher->path = path;
    watcher->optional = options->optional;
    watcher->settle_ms = given_or(options->settle_ms, SETTLE_MS);
    watcher->file_limit_bytes =
        options->file_limit_bytes != 0 ? options->file_limit_bytes : FILE_LIMIT_BYTES;
    watcher->pace = (struct berth_iis_pace){
        .poll_ms = given_or(options->poll_ms, POLL_MS),
        .poll_blind_ms = POLL_BLIND_MS,
        .retry_first_ms = given_or(options->retry_first_ms, RETRY_FIRST_MS),
        .retry_max_ms = given_or(options->retry_max_ms, RETRY_MAX_MS),
        .failing_ms = given_or(options->poll_ms, FAILING_MS),
    };
    watcher->said_state = BERTH_STATE_WAITING;
    *out = &watcher->base;
    return BERTH_OK;
}
