/* SPDX-License-Identifier: MIT */
/* What happens, as events: each is written out once, as docs/protocol.md has it, put into the event
 * log, and whoever delivers is told. A new kind of event gets a function here. */
#ifndef BERTH_DAEMON_EVENTS_H
#define BERTH_DAEMON_EVENTS_H

#include "allocator/allocator.h"
#include "event_log.h"

#define BERTH_EVENTS_FOLLOWED_MS ((uint64_t)3600 * 1000)

struct berth_events {
    struct berth_allocator *allocator;
    struct berth_event_log *log;
    uint64_t followed_ms;   /* when somebody last followed; 0: never */
    struct berth_text text; /* scratch */
    /** Is told that there is something new in the log. NULL is accepted. */
    void (*added)(void *ctx);
    void *ctx;
};

/** Begins with an empty log after the allocator's present revision.
 *  @param[in] allocator  must outlive the events
 *  @return BERTH_OK; BERTH_NO_MEMORY  @thread loop, as all here  @blocks no, as all here */
enum berth_code berth_events_init(struct berth_events *events, struct berth_allocator *allocator,
                                  struct berth_error *err);

/** Gives the memory back. All zero is accepted. */
void berth_events_fini(struct berth_events *events);

/** Notes that somebody follows now, or has been given a revision from which to follow. What happens
 * to ports and leases, which is most of it, is written out only as long as that is no longer ago
 * than BERTH_EVENTS_FOLLOWED_MS: who comes later is told that it is missing. */
void berth_events_note_follower(struct berth_events *events, struct berth_now now);

/** port.used, port.freed: a port of a pool stopped being free, or is free again.
 *  @param[in] claim  the one that came; NULL: the last one went */
void berth_events_port(struct berth_events *events, uint16_t port, const struct berth_claim *claim,
                       struct berth_now now);

/** lease.granted … */
void berth_events_lease(struct berth_events *events, const struct berth_lease *lease,
                        enum berth_lease_event event, struct berth_now now);

/** conflict.opened, conflict.closed */
void berth_events_conflict(struct berth_events *events, const struct berth_conflict_entry *entry,
                           bool opened, struct berth_now now);

/** source.ready, source.stale, source.degraded … of a source whose state is another than before. */
void berth_events_source(struct berth_events *events, const struct berth_source_entry *source,
                         struct berth_now now);

/** pool.low, pool.exhausted, pool.ok
 *  @param[in] type  one of these  @param[in] low  the pool's threshold in ports; 0: it has none */
void berth_events_pool(struct berth_events *events, const char *type, const char *pool,
                       uint32_t free, uint32_t total, uint32_t low, struct berth_now now);

/** Writes the notification of an event, a line. */
void berth_events_write(struct berth_text *out, const struct berth_event *event);

/** Writes the notification events.lost: what came after revision `had` and up to `revision` is
 *  missing. */
void berth_events_write_lost(struct berth_text *out, uint64_t had, uint64_t revision,
                             struct berth_now now);

#endif
