/* SPDX-License-Identifier: MIT */
#include "hint_pace.h"

#include "source_hints.h"

/* A look at http.sys and at excluded ranges starts netsh once or twice, some 50 ms of a core each
 * time; the TCP table takes a call that costs milliseconds where it is large; a look at IIS's files
 * asks for their sizes and times. */
static const struct {
    uint64_t distance_ms;
    bool again; /* the system may tell before its lists show it */
} paces[BERTH_SOURCE_COUNT] = {
    [BERTH_SOURCE_IIS] = {100, false}, /* its watcher looks at a young file again by itself */
    [BERTH_SOURCE_TCP] = {500, true},
    [BERTH_SOURCE_HTTPSYS] = {5000, true},
    [BERTH_SOURCE_EXCLUDED] = {5000, true},
};

uint64_t berth_hint_pace_distance_ms(enum berth_source source)
{
    return paces[source].distance_ms;
}

void berth_hint_pace_note(struct berth_hint_pace *pace, unsigned sources)
{
    for (unsigned i = 0; i < BERTH_SOURCE_COUNT; i++) {
        if ((sources & BERTH_HINT_BIT(i)) != 0) {
            pace->turns[i].hinted = true;
            pace->turns[i].again = paces[i].again;
        }
    }
}

static uint64_t due_ms(const struct berth_hint_pace *pace, unsigned source)
{
    const struct berth_hint_turn *turn = &pace->turns[source];

    if (!turn->hinted) {
        return BERTH_HINT_NEVER;
    }
    return turn->looked ? turn->last_ms + paces[source].distance_ms : 0;
}

unsigned berth_hint_pace_take(struct berth_hint_pace *pace, uint64_t now_ms)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < BERTH_SOURCE_COUNT; i++) {
        struct berth_hint_turn *turn = &pace->turns[i];
        if (due_ms(pace, i) <= now_ms) {
            taken |= BERTH_HINT_BIT(i);
            turn->looked = true;
            turn->last_ms = now_ms;
            /* the second look is owed until it was made or another hint came */
            turn->hinted = turn->again;
            turn->again = false;
        }
    }
    return taken;
}

uint64_t berth_hint_pace_next_ms(const struct berth_hint_pace *pace)
{
    uint64_t next = BERTH_HINT_NEVER;

    for (unsigned i = 0; i < BERTH_SOURCE_COUNT; i++) {
        uint64_t due = due_ms(pace, i);
        next = due < next ? due : next;
    }
    return next;
}
