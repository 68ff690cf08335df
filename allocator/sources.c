/* SPDX-License-Identifier: MIT */
#include "sources.h"

#include "base/memory.h"

#include <string.h>

static const char *const state_names[BERTH_STATE_COUNT] = {
    [BERTH_STATE_WAITING] = "waiting", [BERTH_STATE_READY] = "ready",
    [BERTH_STATE_STALE] = "stale",     [BERTH_STATE_DEGRADED] = "degraded",
    [BERTH_STATE_ABSENT] = "absent",
};

const char *berth_source_state_name(enum berth_source_state state)
{
    return state_names[state];
}

bool berth_source_state_is_current(enum berth_source_state state)
{
    return state == BERTH_STATE_READY || state == BERTH_STATE_DEGRADED ||
           state == BERTH_STATE_ABSENT;
}

static void drop_warnings(struct berth_source_entry *entry)
{
    for (size_t i = 0; i < entry->warning_count; i++) {
        berth_free(entry->warnings[i]);
    }
    berth_free(entry->warnings);
    entry->warnings = NULL;
    entry->warning_count = 0;
}

enum berth_code berth_sources_add(struct berth_sources *sources, enum berth_source source,
                                  const char *name, int64_t unix_ms, unsigned *out,
                                  struct berth_error *err)
{
    unsigned number = 0;

    while (number < BERTH_SOURCES_MAX && sources->at[number].in_use) {
        number++;
    }
    if (number == BERTH_SOURCES_MAX) {
        return berth_fail(err, BERTH_LIMIT_REACHED, 0, "there are %u sources already", number);
    }
    char *copy = berth_copy(name);
    if (copy == NULL) {
        return berth_fail_memory(err, "a source");
    }
    sources->at[number] = (struct berth_source_entry){
        .in_use = true, .source = source, .name = copy, .since_unix_ms = unix_ms};
    *out = number;
    return BERTH_OK;
}

void berth_sources_remove(struct berth_sources *sources, unsigned number)
{
    struct berth_source_entry *entry = &sources->at[number];

    drop_warnings(entry);
    berth_free(entry->name);
    berth_free(entry->reason);
    *entry = (struct berth_source_entry){.in_use = false};
}

void berth_sources_fini(struct berth_sources *sources)
{
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        berth_sources_remove(sources, i);
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool berth_sources_set_state(struct berth_sources *sources, unsigned number,
                             enum berth_source_state state, const char *reason, int64_t unix_ms)
{
    struct berth_source_entry *entry = &sources->at[number];

    if (entry->state == state && same_text(entry->reason, reason)) {
        return false;
    }
    if (entry->state != state) {
        entry->since_unix_ms = unix_ms;
    }
    entry->state = state;
    berth_free(entry->reason);
    entry->reason = berth_copy(reason);
    return true;
}

static bool same_warnings(const struct berth_source_entry *entry, const char *const *warnings,
                          size_t count)
{
    if (entry->warning_count != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!same_text(entry->warnings[i], warnings[i])) {
            return false;
        }
    }
    return true;
}

bool berth_sources_set_warnings(struct berth_sources *sources, unsigned number, unsigned feed,
                                const char *const *warnings, size_t count)
{
    struct berth_source_entry *entry = &sources->at[number];

    count = count < BERTH_SOURCE_WARNINGS_MAX ? count : BERTH_SOURCE_WARNINGS_MAX;
    if (count == 0 && entry->warnings_feed != feed) {
        return false;
    }
    if (same_warnings(entry, warnings, count)) {
        return false;
    }
    drop_warnings(entry);
    entry->warnings_feed = (uint8_t)feed;
    entry->warnings = count > 0 ? berth_alloc(count, sizeof *entry->warnings) : NULL;
    for (size_t i = 0; entry->warnings != NULL && i < count; i++) {
        char *copy = berth_copy(warnings[i]);
        if (copy != NULL) {
            entry->warnings[entry->warning_count++] = copy;
        }
    }
    return true;
}

bool berth_sources_all_current(const struct berth_sources *sources)
{
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        if (sources->at[i].in_use && !berth_source_state_is_current(sources->at[i].state)) {
            return false;
        }
    }
    return true;
}

const struct berth_source_entry *berth_sources_waiting(const struct berth_sources *sources)
{
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        if (sources->at[i].in_use && sources->at[i].state == BERTH_STATE_WAITING) {
            return &sources->at[i];
        }
    }
    return NULL;
}
