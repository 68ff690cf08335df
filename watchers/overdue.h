/* SPDX-License-Identifier: MIT */
/* A look that does not come back: its file lies on a share that hangs, the program that it asks
 * never ends. Nobody can end it, and nothing is known meanwhile: its source counts as failing until
 * it does come back. */
#ifndef BERTH_WATCHERS_OVERDUE_H
#define BERTH_WATCHERS_OVERDUE_H

#include <stddef.h>
#include <stdint.h>

#define BERTH_OVERDUE_MS 10000u

/** Gives how long a look may be under way before that is told, and how often from then on.
 *  @return BERTH_OVERDUE_MS, unless a test says otherwise  @thread loop, as all here */
uint32_t berth_overdue_ms(void);

/** Makes it another time, for tests. 0: the usual one. */
void berth_overdue_use_ms(uint32_t ms);

/** Writes the reason: "reading the TCP table has taken 12 s".
 *  @param[in] what      "the TCP table", a path
 *  @param[in] begun_ns  when the look began, by uv_hrtime()  @return `out` */
const char *berth_overdue_reason(char *out, size_t size, const char *what, uint64_t begun_ns);

#endif
