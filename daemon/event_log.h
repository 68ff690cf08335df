/* SPDX-License-Identifier: MIT */
/* The latest events, once for all who follow them: each is written out when it happens and kept
 * until newer ones need its room. A follower has but a place in the log, so that a slow one costs
 * nothing and makes nobody wait; one that the log has run away from is told what it lost. Pure. */
#ifndef BERTH_DAEMON_EVENT_LOG_H
#define BERTH_DAEMON_EVENT_LOG_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_EVENTS_MAX 4096
#define BERTH_EVENT_BYTES_MAX ((size_t)512 * 1024) /* of all events in the log */

enum berth_topic {
    BERTH_TOPIC_PORTS,
    BERTH_TOPIC_LEASES,
    BERTH_TOPIC_CONFLICTS,
    BERTH_TOPIC_SOURCES,
    BERTH_TOPIC_POOLS,
    BERTH_TOPIC_COUNT
};

#define BERTH_TOPICS_ALL ((1U << BERTH_TOPIC_COUNT) - 1)

/** Gives "ports", "leases" …  @return a string constant */
const char *berth_topic_name(enum berth_topic topic);

/** Finds a topic by its name.  @return false: no such topic */
bool berth_topic_find(const char *name, enum berth_topic *out);

struct berth_event {
    uint64_t revision;
    enum berth_topic topic;
    size_t length;
    char *text; /* a JSON object, NUL-terminated; the log's */
};

/** A follower's place. All zero: follows nothing. */
struct berth_subscription {
    unsigned topics;   /* 1 << enum berth_topic; 0: none */
    uint64_t next;     /* number of the next event to look at */
    uint64_t revision; /* of the last event that was passed, wanted or not */
    bool lost;         /* to be told that events are missing, and from where to begin anew */
};

struct berth_event_log;

/** Makes an empty log.
 *  @param[in] revision  events up to this one are not known
 *  @return NULL: no memory */
struct berth_event_log *berth_event_log_create(uint64_t revision);

/** Gives all memory back. NULL is accepted. */
void berth_event_log_destroy(struct berth_event_log *log);

/** Adds an event. The oldest ones go if there is no room; without memory all go, and whoever
 *  follows learns that some are missing.
 *  @param[in] revision  greater than that of the event before
 *  @param[in] text      a JSON object; copied */
void berth_event_log_add(struct berth_event_log *log, enum berth_topic topic, uint64_t revision,
                         const char *text, size_t length);

/** Gives how many events have made room for newer ones, or were not kept at all. */
uint64_t berth_event_log_evicted(const struct berth_event_log *log);

/** Lets a subscription begin with what comes after `revision`. Where the log does not reach back so
 *  far, or that revision has not been yet, it is marked as having lost something, and begins with
 *  what comes after now.
 *  @param[in] now_revision  the present one */
void berth_event_log_follow(const struct berth_event_log *log, struct berth_subscription *out,
                            unsigned topics, uint64_t revision, uint64_t now_revision);

/** Gives the next event that a subscription wants, and moves on behind it.
 *  @return NULL: there is none now, or `lost` was set: tell that first, with
 *          berth_event_log_skip() */
const struct berth_event *berth_event_log_next(const struct berth_event_log *log,
                                               struct berth_subscription *subscription);

/** Moves a subscription that has lost events behind the newest one, and clears `lost`.
 *  @return up to which revision it had all */
uint64_t berth_event_log_skip(const struct berth_event_log *log,
                              struct berth_subscription *subscription, uint64_t now_revision);

#endif
