/* SPDX-License-Identifier: MIT */
#include "fake_watcher.h"

#include "base/memory.h"
#include "watchers/iis_strings.h"

#include <stdio.h>
#include <string.h>

#define RETRY_MS 50

struct fake_feed {
    struct berth_claim *claims;
    size_t claim_count;
    const char **warnings;
    size_t warning_count;
    struct berth_iis_strings strings;
};

struct fake_watcher {
    struct berth_watcher base;
    struct berth_watcher_ops ops; /* its own: source and feeds differ */
    uv_loop_t *loop;
    uv_timer_t timer; /* a look that is under way */
    bool open;
    bool delivered; /* a look's snapshots were all taken */
    struct fake_feed feeds[BERTH_FAKE_FEEDS_MAX];
    enum berth_source_state state;
    char reason[200];
    unsigned looks;
    enum berth_code start_failure;
    void (*stopped)(struct berth_watcher *watcher);
};

static struct fake_watcher *of_base(struct berth_watcher *watcher)
{
    return BERTH_CONTAINER_OF(watcher, struct fake_watcher, base);
}

static void fini_feed(struct fake_feed *feed)
{
    berth_free(feed->claims);
    berth_free((void *)feed->warnings);
    berth_iis_strings_fini(&feed->strings);
    *feed = (struct fake_feed){0};
}

/* Makes *text a copy; false: no memory. */
static bool keep(struct fake_feed *feed, const char **text)
{
    if (*text != NULL) {
        *text = berth_iis_strings_copy(&feed->strings, *text, strlen(*text));
        return *text != NULL;
    }
    return true;
}

static bool copy_snapshot(struct fake_feed *feed, const struct berth_snapshot *snapshot)
{
    feed->claims = berth_alloc(snapshot->claim_count, sizeof *feed->claims);
    feed->warnings = berth_alloc(snapshot->warning_count, sizeof *feed->warnings);
    if (feed->claims == NULL || feed->warnings == NULL) {
        return false;
    }
    for (; feed->claim_count < snapshot->claim_count; feed->claim_count++) {
        struct berth_claim *claim = &feed->claims[feed->claim_count];
        *claim = snapshot->claims[feed->claim_count];
        if (!keep(feed, &claim->holder) || !keep(feed, &claim->host) ||
            !keep(feed, &claim->detail)) {
            return false;
        }
    }
    for (; feed->warning_count < snapshot->warning_count; feed->warning_count++) {
        feed->warnings[feed->warning_count] = snapshot->warnings[feed->warning_count];
        if (!keep(feed, &feed->warnings[feed->warning_count])) {
            return false;
        }
    }
    return true;
}

static enum berth_code report_feed(struct fake_watcher *watcher, unsigned index,
                                   struct berth_error *err)
{
    const struct fake_feed *feed = &watcher->feeds[index];
    struct berth_snapshot snapshot = {
        .claims = feed->claims,
        .claim_count = feed->claim_count,
        .warnings = feed->warnings,
        .warning_count = feed->warning_count,
    };

    return watcher->base.sink->snapshot(&watcher->base, index, &snapshot, err);
}

static void on_timer(uv_timer_t *timer);

static void report(struct fake_watcher *watcher)
{
    enum berth_source_state state = watcher->state;

    watcher->looks++;
    if (state == BERTH_STATE_READY || state == BERTH_STATE_DEGRADED) {
        struct berth_error err;
        enum berth_code code = BERTH_OK;
        for (unsigned i = 0; i < watcher->ops.feed_count && code == BERTH_OK; i++) {
            code = report_feed(watcher, i, &err);
        }
        if (code != BERTH_OK) {
            watcher->base.sink->state(&watcher->base,
                                      watcher->delivered ? BERTH_STATE_STALE : BERTH_STATE_WAITING,
                                      err.detail);
            (void)uv_timer_start(&watcher->timer, on_timer, RETRY_MS, 0); /* cannot fail */
            return;
        }
        watcher->delivered = true;
    }
    watcher->base.sink->state(&watcher->base, state,
                              state == BERTH_STATE_READY ? NULL : watcher->reason);
}

static void on_timer(uv_timer_t *timer)
{
    report(timer->data);
}

static void look(struct berth_watcher *base)
{
    struct fake_watcher *watcher = of_base(base);

    if (watcher->open && !uv_is_closing((uv_handle_t *)&watcher->timer)) {
        (void)uv_timer_start(&watcher->timer, on_timer, 0, 0); /* cannot fail */
    }
}

static enum berth_code start(struct berth_watcher *base, struct berth_error *err)
{
    struct fake_watcher *watcher = of_base(base);

    if (watcher->start_failure != BERTH_OK) {
        return berth_fail(err, watcher->start_failure, 0, "the fake watcher was told not to start");
    }
    (void)uv_timer_init(watcher->loop, &watcher->timer); /* cannot fail */
    watcher->timer.data = watcher;
    watcher->open = true;
    look(base);
    return BERTH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct fake_watcher *watcher = handle->data;

    watcher->open = false;
    watcher->stopped(&watcher->base);
}

static void stop(struct berth_watcher *base, void (*stopped)(struct berth_watcher *watcher))
{
    struct fake_watcher *watcher = of_base(base);

    watcher->stopped = stopped;
    if (watcher->open) {
        uv_close((uv_handle_t *)&watcher->timer, on_closed);
    } else {
        stopped(base);
    }
}

static void destroy(struct berth_watcher *base)
{
    struct fake_watcher *watcher = of_base(base);

    for (unsigned i = 0; i < BERTH_FAKE_FEEDS_MAX; i++) {
        fini_feed(&watcher->feeds[i]);
    }
    berth_free(watcher);
}

enum berth_code berth_fake_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                          enum berth_source source, const char *const *feeds,
                                          unsigned feed_count, struct berth_error *err)
{
    if (feed_count == 0 || feed_count > BERTH_FAKE_FEEDS_MAX) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "a watcher has 1 to %d feeds",
                          BERTH_FAKE_FEEDS_MAX);
    }
    struct fake_watcher *watcher = berth_alloc(1, sizeof *watcher);
    if (watcher == NULL) {
        return berth_fail_memory(err, "a watcher");
    }
    watcher->ops = (struct berth_watcher_ops){
        .source = source,
        .feeds = feeds,
        .feed_count = feed_count,
        .start = start,
        .look = look,
        .stop = stop,
        .destroy = destroy,
    };
    watcher->base.ops = &watcher->ops;
    watcher->loop = loop;
    berth_fake_watcher_set_state(&watcher->base, BERTH_STATE_WAITING, "nothing set yet");
    *out = &watcher->base;
    return BERTH_OK;
}

enum berth_code berth_fake_watcher_set_snapshot(struct berth_watcher *base, unsigned feed,
                                                const struct berth_snapshot *snapshot,
                                                struct berth_error *err)
{
    struct fake_watcher *watcher = of_base(base);
    struct fake_feed fresh = {0};

    if (!copy_snapshot(&fresh, snapshot)) {
        fini_feed(&fresh);
        return berth_fail_memory(err, "a snapshot");
    }
    fini_feed(&watcher->feeds[feed]);
    watcher->feeds[feed] = fresh;
    return BERTH_OK;
}

void berth_fake_watcher_set_state(struct berth_watcher *base, enum berth_source_state state,
                                  const char *reason)
{
    struct fake_watcher *watcher = of_base(base);

    watcher->state = state;
    (void)snprintf(watcher->reason, sizeof watcher->reason, "%s",
                   reason != NULL && *reason != '\0' ? reason : "no reason given");
}

void berth_fake_watcher_fail_start(struct berth_watcher *base, enum berth_code code)
{
    of_base(base)->start_failure = code;
}

unsigned berth_fake_watcher_looks(struct berth_watcher *base)
{
    return of_base(base)->looks;
}
