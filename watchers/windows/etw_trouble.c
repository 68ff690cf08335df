/* SPDX-License-Identifier: MIT */
#include "watchers/windows/etw_trouble.h"

#include <inttypes.h>
#include <stdio.h>

#define NOT_ENOUGH_MEMORY 8u
#define OUTOFMEMORY 14u

static const char *const doing[BERTH_ETW_STEP_COUNT] = {
    [BERTH_ETW_STEP_HOLD] = "take the name of",   [BERTH_ETW_STEP_START] = "start",
    [BERTH_ETW_STEP_ENABLE] = "get events for",   [BERTH_ETW_STEP_OPEN] = "read from",
    [BERTH_ETW_STEP_THREAD] = "run a thread for", [BERTH_ETW_STEP_READ] = "go on reading from",
    [BERTH_ETW_STEP_KEEP] = "look after",
};

/* Whether the session is there no longer: stopped by another program. */
static int is_taken_away(enum berth_etw_step step, uint32_t code)
{
    if (step == BERTH_ETW_STEP_READ && code == 0) {
        return 1;
    }
    return step >= BERTH_ETW_STEP_ENABLE && step != BERTH_ETW_STEP_THREAD &&
           (code == BERTH_ETW_INSTANCE_NOT_FOUND ||
            (code == BERTH_ETW_INVALID_HANDLE && step == BERTH_ETW_STEP_KEEP));
}

/* What can be said of it beyond its number; %s: the session's name.  @return NULL: nothing */
static const char *known_trouble(enum berth_etw_step step, uint32_t code)
{
    if (is_taken_away(step, code)) {
        return "the tracing session %s was stopped by another program; it is started again";
    }
    if (step == BERTH_ETW_STEP_THREAD) {
        return NULL;
    }
    switch (code) {
    case BERTH_ETW_ACCESS_DENIED:
        return step == BERTH_ETW_STEP_HOLD
                   ? "another account's program has the name of the tracing session %s"
                   : "Windows denies Berth the tracing session %s (error 5): its account must be a "
                     "member of Performance Log Users, or an administrator";
    case BERTH_ETW_ALREADY_EXISTS:
        return step == BERTH_ETW_STEP_HOLD
                   ? "another berthd of this machine has the tracing session %s"
                   : "a tracing session %s is there already and does not end: logman stop %s -ets";
    case BERTH_ETW_NO_SYSTEM_RESOURCES:
        return step == BERTH_ETW_STEP_ENABLE
                   ? "Windows has no room for %s (error 1450): eight tracing sessions, the most, "
                     "listen to that provider already; logman query -ets lists them"
                   : "Windows has no room for %s (error 1450): all tracing sessions are taken, 64 "
                     "unless EtwMaxLoggers says otherwise; logman query -ets lists them";
    case NOT_ENOUGH_MEMORY:
    case OUTOFMEMORY:
        return "Windows has no memory for the tracing session %s";
    default:
        return NULL;
    }
}

/* Puts the name wherever the words want it: a printf format must not come from a table. */
static void fill(char *out, size_t size, const char *words, const char *name)
{
    size_t length = 0;

    for (const char *at = words; *at != '\0' && length + 1 < size; at++) {
        if (at[0] == '%' && at[1] == 's') {
            int added = snprintf(out + length, size - length, "%s", name);
            length += added > 0 ? (size_t)added : 0;
            length = length < size ? length : size - 1;
            at++;
        } else {
            out[length++] = *at;
        }
    }
    out[length] = '\0';
}

void berth_etw_trouble(enum berth_etw_step step, uint32_t code, const char *name,
                       char out[BERTH_ETW_TROUBLE_SIZE])
{
    const char *words = known_trouble(step, code);

    if (words != NULL) {
        fill(out, BERTH_ETW_TROUBLE_SIZE, words, name);
    } else {
        (void)snprintf(out, BERTH_ETW_TROUBLE_SIZE,
                       "cannot %s the tracing session %s: error %" PRId32, doing[step], name,
                       (int32_t)code);
    }
}
