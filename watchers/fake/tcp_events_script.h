/* SPDX-License-Identifier: MIT */
/* The script of the fake event source: what it tells, and when it does not.
 *
 * There is one script in a program, and at most one source of it is open. All functions may be
 * called from any thread; what they tell arrives by way of the queue (tcp_event_queue.h). */
#ifndef BERTH_WATCHERS_FAKE_TCP_EVENTS_SCRIPT_H
#define BERTH_WATCHERS_FAKE_TCP_EVENTS_SCRIPT_H

#include "watchers/tcp_events.h"

#include <stdbool.h>

/** Starts anew: a source can be opened and is `full`. With no source open. */
void berth_fake_events_reset(void);

/** Lets openings fail from now on; BERTH_OK: no longer. */
void berth_fake_events_refuse(enum berth_code code, const char *reason);

/** Says how much is told from now on. */
void berth_fake_events_mode(enum berth_tcp_events_mode mode, const char *reason);

/** Tells events, or that some were lost. Nothing happens while no source is open. */
void berth_fake_events_tell(const struct berth_tcp_event *events, size_t count);
void berth_fake_events_lose(uint64_t count);

/** Says what a drain answers from now on: a sum of enum berth_tcp_told; 0 after a reset. */
void berth_fake_events_told(unsigned told);

/** Tells whether a source is open. */
bool berth_fake_events_is_open(void);

#endif
