/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include "base/memory.h"
#include "clock.h"
#include "log.h"
#include "places.h"
#include "watch_hints.h"
#include "watchers/default_watchers.h"
#include "watchers/iis_watcher.h"
#include "watchers/tcp_watcher.h"

#include <string.h>

#define TCP_TABLE "TCP table"
#define ABSENT_IIS "applicationHost.config" /* the name of a default source that is not there */

/** One source, with the watcher that it comes from. */
struct watched {
    struct watched *next;
    struct berth_watch *set;
    struct berth_watcher *watcher; /* NULL: a source that this machine lacks */
    enum berth_source source;
    unsigned number; /* the allocator's */
    char *name;
    bool stopping;
};

struct berth_watch {
    uv_loop_t *loop;
    struct berth_allocator *allocator;
    struct berth_watch_observer observer;
    struct watched *first;
    struct berth_watch_hints *hints;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- reports ---- */

static void log_warnings(const struct watched *watched)
{
    const struct berth_source_entry *entry = &watched->set->allocator->sources.at[watched->number];

    for (size_t i = 0; i < entry->warning_count; i++) {
        berth_log(BERTH_LOG_WARNING, "%s: %s", watched->name, entry->warnings[i]);
    }
}

static void note_state(struct watched *watched, enum berth_source_state state, const char *reason)
{
    const struct berth_watch *set = watched->set;
    struct berth_allocator *allocator = set->allocator;
    enum berth_source_state before = allocator->sources.at[watched->number].state;

    if (!berth_allocator_report_state(allocator, watched->number, state, reason,
                                      berth_clock_now())) {
        return;
    }
    /* another reason at each try, or each loss counted, is told once */
    enum berth_log_level level = before == state                        ? BERTH_LOG_DEBUG
                                 : berth_source_state_is_current(state) ? BERTH_LOG_INFO
                                                                        : BERTH_LOG_WARNING;
    berth_log(level, "source %s (%s) is %s%s%s", berth_source_name(watched->source), watched->name,
              berth_source_state_name(state), reason != NULL ? ": " : "",
              reason != NULL ? reason : "");
    if (before != state) {
        set->observer.source(set->observer.ctx, &allocator->sources.at[watched->number]);
    }
}

static enum berth_code on_snapshot(struct berth_watcher *from, unsigned feed,
                                   const struct berth_snapshot *snapshot, struct berth_error *err)
{
    const struct watched *watched = from->owner;
    struct berth_allocator *allocator = watched->set->allocator;
    enum berth_code code =
        berth_allocator_report(allocator, watched->number, feed, snapshot->claims,
                               snapshot->claim_count, berth_clock_now(), err);

    if (code == BERTH_OK &&
        berth_sources_set_warnings(&allocator->sources, watched->number, feed, snapshot->warnings,
                                   snapshot->warning_count)) {
        log_warnings(watched);
    }
    return code;
}

static void on_state(struct berth_watcher *from, enum berth_source_state state, const char *reason)
{
    struct watched *watched = from->owner;

    note_state(watched, state, reason);
}

static void on_busy(struct berth_watcher *from, unsigned feed, const struct berth_claim *claim)
{
    struct watched *watched = from->owner;

    /* what memory is lacking for, the look that is under way tells again */
    (void)berth_allocator_report_busy(watched->set->allocator, watched->number, feed, claim,
                                      berth_clock_now(), NULL);
}

static const struct berth_watcher_sink sink = {on_snapshot, on_state, on_busy};

/* ---- stopping ---- */

static void finish_close(struct berth_watch *set)
{
    void (*closed)(void *ctx) = set->closed;
    void *ctx = set->closed_ctx;

    berth_free(set);
    closed(ctx);
}

static void forget(struct watched *watched)
{
    struct berth_watch *set = watched->set;
    struct watched **at = &set->first;

    while (*at != watched) {
        at = &(*at)->next;
    }
    *at = watched->next;
    berth_free(watched->name);
    berth_free(watched);
    if (set->closing && set->first == NULL) {
        finish_close(set);
    }
}

static void on_stopped(struct berth_watcher *watcher)
{
    struct watched *watched = watcher->owner;

    watcher->ops->destroy(watcher);
    forget(watched);
}

/* Stops a watcher; `watched` may be gone afterwards. */
static void stop(struct watched *watched)
{
    if (watched->watcher == NULL) {
        forget(watched);
    } else if (!watched->stopping) {
        watched->stopping = true;
        watched->watcher->ops->stop(watched->watcher, on_stopped);
    }
}

static void remove_source(struct watched *watched)
{
    const struct berth_watch *set = watched->set;

    berth_log(BERTH_LOG_INFO, "source %s (%s) is no longer watched",
              berth_source_name(watched->source), watched->name);
    set->observer.removed(set->observer.ctx, &set->allocator->sources.at[watched->number]);
    berth_allocator_remove_source(set->allocator, watched->number, berth_clock_now());
    stop(watched);
}

/* ---- starting ---- */

/* Adds a source to the set; NULL: no memory. */
static struct watched *add_watched(struct berth_watch *set, enum berth_source source,
                                   const char *name)
{
    struct watched *watched = berth_alloc(1, sizeof *watched);
    char *copy = berth_copy(name);

    if (watched == NULL || copy == NULL) {
        berth_free(watched);
        berth_free(copy);
        return NULL;
    }
    watched->name = copy;
    watched->set = set;
    watched->source = source;
    watched->next = set->first;
    set->first = watched;
    return watched;
}

/* Gives a source its place in the allocator and starts its watcher, which it then owns. */
static enum berth_code start(struct watched *watched, struct berth_watcher *watcher,
                             struct berth_error *err)
{
    enum berth_code code = berth_allocator_add_source(
        watched->set->allocator, watched->source, watched->name, watcher->ops->feeds,
        watcher->ops->feed_count, berth_clock_now(), &watched->number, err);

    if (code == BERTH_OK) {
        watcher->sink = &sink;
        watcher->owner = watched;
        code = watcher->ops->start(watcher, err);
        if (code != BERTH_OK) {
            berth_allocator_remove_source(watched->set->allocator, watched->number,
                                          berth_clock_now());
        }
    }
    if (code != BERTH_OK) {
        watcher->ops->destroy(watcher);
        forget(watched);
        return code;
    }
    watched->watcher = watcher;
    return BERTH_OK;
}

/* Adds a source for a watcher that was just made, and starts it; owns the watcher in any case. */
static enum berth_code start_new(struct berth_watch *set, const char *name,
                                 struct berth_watcher *watcher, struct berth_error *err)
{
    struct watched *watched = add_watched(set, watcher->ops->source, name);

    if (watched == NULL) {
        watcher->ops->destroy(watcher);
        return berth_fail_memory(err, "a source");
    }
    return start(watched, watcher, err);
}

static enum berth_code start_iis(struct berth_watch *set, const char *path, bool optional,
                                 struct berth_error *err)
{
    const struct berth_iis_watcher_options options = {.path = path, .optional = optional};
    struct berth_watcher *watcher;
    enum berth_code code = berth_iis_watcher_create(&watcher, set->loop, &options, err);

    return code == BERTH_OK ? start_new(set, path, watcher, err) : code;
}

/* A machine that lacks a default source still shows it, as absent. */
static enum berth_code add_absent_iis(struct berth_watch *set, const char *reason,
                                      struct berth_error *err)
{
    static const char *const feeds[] = {"sites"};
    struct watched *watched = add_watched(set, BERTH_SOURCE_IIS, ABSENT_IIS);

    if (watched == NULL) {
        return berth_fail_memory(err, "a source");
    }
    enum berth_code code =
        berth_allocator_add_source(set->allocator, BERTH_SOURCE_IIS, watched->name, feeds, 1,
                                   berth_clock_now(), &watched->number, err);
    if (code != BERTH_OK) {
        forget(watched);
        return code;
    }
    note_state(watched, BERTH_STATE_ABSENT, reason);
    return BERTH_OK;
}

static struct watched *find_running(const struct berth_watch *set, enum berth_source source,
                                    const char *name)
{
    for (struct watched *watched = set->first; watched != NULL; watched = watched->next) {
        if (watched->source == source && !watched->stopping && strcmp(watched->name, name) == 0) {
            return watched;
        }
    }
    return NULL;
}

/* Where an <iis> element points, for berth_free(); NULL and the reason in `err`: nowhere here.
 * `optional`: the file may be missing. */
static char *place_of(const struct berth_iis_settings *iis, bool *optional, struct berth_error *err)
{
    char *place = NULL;
    bool lacking = true;

    if (iis->path != NULL) {
        place = berth_copy(iis->path);
        if (place == NULL) {
            (void)berth_fail_memory(err, "a path");
        }
    } else if (berth_place_iis_config(&place, &lacking, err) != BERTH_OK) {
        place = NULL;
    }
    *optional = iis->optional && lacking;
    return place;
}

static enum berth_code apply_iis(struct berth_watch *set, const struct berth_iis_settings *iis,
                                 struct berth_error *err)
{
    struct berth_error no_place;
    bool optional;
    char *place = place_of(iis, &optional, &no_place);
    enum berth_code code = BERTH_OK;

    if (place == NULL && no_place.code != BERTH_NOT_FOUND) {
        return berth_fail(err, no_place.code, no_place.os_code, "%s", no_place.detail);
    }
    if (find_running(set, BERTH_SOURCE_IIS, place != NULL ? place : ABSENT_IIS) == NULL) {
        code = place != NULL ? start_iis(set, place, optional, err)
                             : add_absent_iis(set, no_place.detail, err);
    }
    berth_free(place);
    return code;
}

static enum berth_tcp_watch_events events_of(const struct berth_settings *settings)
{
    switch ((enum berth_choice)settings->tcp.events) {
    case BERTH_CHOICE_ON:
        return BERTH_TCP_WATCH_EVENTS_ON;
    case BERTH_CHOICE_OFF:
        return BERTH_TCP_WATCH_EVENTS_OFF;
    default:
        return BERTH_TCP_WATCH_EVENTS_AUTO;
    }
}

static enum berth_code apply_tcp(struct berth_watch *set, const struct berth_settings *settings,
                                 struct berth_error *err)
{
    const struct berth_tcp_watcher_options options = {settings->tcp.poll_ms, settings->tcp.full_ms,
                                                      events_of(settings)};
    struct watched *watched = find_running(set, BERTH_SOURCE_TCP, TCP_TABLE);
    struct berth_watcher *watcher;

    if (watched != NULL) {
        berth_tcp_watcher_set_times(watched->watcher, options.poll_ms, options.full_ms);
        berth_tcp_watcher_set_events(watched->watcher, options.events);
        return BERTH_OK;
    }
    enum berth_code code = berth_tcp_watcher_create(&watcher, set->loop, &options, err);
    return code == BERTH_OK ? start_new(set, TCP_TABLE, watcher, err) : code;
}

/* Starts what this system has besides; no setting names it. */
static enum berth_code apply_default(struct berth_watch *set,
                                     const struct berth_default_watcher *row,
                                     struct berth_error *err)
{
    struct berth_watcher *watcher;

    if (find_running(set, row->source, row->name) != NULL) {
        return BERTH_OK;
    }
    enum berth_code code = row->create(&watcher, set->loop, err);
    return code == BERTH_OK ? start_new(set, row->name, watcher, err) : code;
}

/* Tells whether the settings still name an iis source. */
static bool is_wanted(const struct watched *watched, const struct berth_settings *settings)
{
    for (size_t i = 0; i < settings->iis_count; i++) {
        struct berth_error ignored;
        bool optional;
        char *place = place_of(&settings->iis[i], &optional, &ignored);
        bool same = strcmp(place != NULL ? place : ABSENT_IIS, watched->name) == 0;
        berth_free(place);
        if (same) {
            return true;
        }
    }
    return watched->source != BERTH_SOURCE_IIS;
}

/* Stops what the settings no longer name. */
static void remove_unwanted(struct berth_watch *set, const struct berth_settings *settings)
{
    struct watched *next;

    for (struct watched *watched = set->first; watched != NULL; watched = next) {
        next = watched->next;
        if (!watched->stopping && !is_wanted(watched, settings)) {
            remove_source(watched);
        }
    }
}

/* What the system tells of sources is of use while one is watched, which the TCP table always is.
 */
static unsigned hint_groups(const struct berth_settings *settings)
{
    unsigned groups = BERTH_HINTS_NONE;

    if (settings->hints.etw != BERTH_CHOICE_OFF) {
        groups |= BERTH_HINTS_ETW;
    }
    if (settings->hints.wmi != BERTH_CHOICE_OFF) {
        groups |= BERTH_HINTS_WMI;
    }
    return groups;
}

enum berth_code berth_watch_apply(struct berth_watch *set, const struct berth_settings *settings,
                                  struct berth_error *err)
{
    struct berth_error ignored;
    enum berth_code first = BERTH_OK;
    size_t default_count;
    const struct berth_default_watcher *defaults = berth_default_watchers(&default_count);

    remove_unwanted(set, settings);
    for (size_t i = 0; i < settings->iis_count; i++) {
        enum berth_code code =
            apply_iis(set, &settings->iis[i], first == BERTH_OK ? err : &ignored);
        first = first == BERTH_OK ? code : first;
    }
    enum berth_code code = apply_tcp(set, settings, first == BERTH_OK ? err : &ignored);
    first = first == BERTH_OK ? code : first;
    for (size_t i = 0; i < default_count; i++) {
        code = apply_default(set, &defaults[i], first == BERTH_OK ? err : &ignored);
        first = first == BERTH_OK ? code : first;
    }
    berth_watch_hints_apply(set->hints, hint_groups(settings));
    return first;
}

/* Whether events of its own tell the TCP table's watcher of everything. */
static bool tcp_is_told(struct berth_watch *set)
{
    struct berth_tcp_events_status status;

    return berth_watch_events(set, &status) && status.used && status.mode == BERTH_TCP_EVENTS_FULL;
}

static void on_hint(void *ctx, enum berth_source source)
{
    /* a process that ends must not have all connections read where its sockets told already */
    if (source != BERTH_SOURCE_TCP || !tcp_is_told(ctx)) {
        berth_watch_look(ctx, source);
    }
}

enum berth_code berth_watch_create(struct berth_watch **out, uv_loop_t *loop,
                                   struct berth_allocator *allocator,
                                   const struct berth_watch_observer *observer,
                                   struct berth_error *err)
{
    struct berth_watch *set = berth_alloc(1, sizeof *set);

    if (set == NULL) {
        return berth_fail_memory(err, "the watchers");
    }
    set->loop = loop;
    set->allocator = allocator;
    set->observer = *observer;
    enum berth_code code = berth_watch_hints_create(&set->hints, loop, on_hint, set, err);
    if (code != BERTH_OK) {
        berth_free(set);
        return code;
    }
    *out = set;
    return BERTH_OK;
}

void berth_watch_retry(struct berth_watch *set)
{
    berth_watch_hints_retry(set->hints);
}

void berth_watch_look(struct berth_watch *set, enum berth_source source)
{
    for (struct watched *watched = set->first; watched != NULL; watched = watched->next) {
        if (watched->source == source && watched->watcher != NULL && !watched->stopping) {
            watched->watcher->ops->look(watched->watcher);
        }
    }
}

bool berth_watch_events(struct berth_watch *set, struct berth_tcp_events_status *out)
{
    const struct watched *watched = find_running(set, BERTH_SOURCE_TCP, TCP_TABLE);

    if (watched != NULL) {
        berth_tcp_watcher_events(watched->watcher, out);
    }
    return watched != NULL;
}

bool berth_watch_hint(const struct berth_watch *set, enum berth_hint_facility facility,
                      struct berth_hint_status *out)
{
    return berth_watch_hints_status(set->hints, facility, out);
}

void berth_watch_close(struct berth_watch *set, void (*closed)(void *ctx), void *ctx)
{
    struct watched *next;

    set->closed = closed;
    set->closed_ctx = ctx;
    berth_watch_hints_close(set->hints); /* no look is asked for from now on */
    set->hints = NULL;
    if (set->first == NULL) {
        finish_close(set);
        return;
    }
    set->closing = true;
    /* `set` goes with its last source: what comes next is read before */
    for (struct watched *watched = set->first; watched != NULL; watched = next) {
        next = watched->next;
        stop(watched);
    }
}

size_t berth_watch_log_unfinished(const struct berth_watch *set)
{
    size_t count = 0;

    for (const struct watched *watched = set->first; watched != NULL; watched = watched->next) {
        if (watched->stopping) {
            berth_log(BERTH_LOG_WARNING, "a look at source %s (%s) does not come back",
                      berth_source_name(watched->source), watched->name);
            count++;
        }
    }
    return count;
}
