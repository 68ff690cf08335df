/* SPDX-License-Identifier: MIT */
#include "event_log.h"

#include "base/compiler.h"
#include "base/memory.h"

#include <string.h>

/* Events are numbered from 0 on; number n lies at n modulo the size. */
struct berth_event_log {
    struct berth_event at[BERTH_EVENTS_MAX];
    uint64_t first; /* the number of the oldest one */
    uint64_t end;   /* the number of the next one */
    size_t bytes;
    uint64_t gone_revision; /* of the newest one that is not there any more */
};

static const char *const topic_names[BERTH_TOPIC_COUNT] = {
    [BERTH_TOPIC_PORTS] = "ports",         [BERTH_TOPIC_LEASES] = "leases",
    [BERTH_TOPIC_CONFLICTS] = "conflicts", [BERTH_TOPIC_SOURCES] = "sources",
    [BERTH_TOPIC_POOLS] = "pools",
};

const char *berth_topic_name(enum berth_topic topic)
{
    return topic_names[topic];
}

bool berth_topic_find(const char *name, enum berth_topic *out)
{
    for (int topic = 0; topic < BERTH_TOPIC_COUNT; topic++) {
        if (strcmp(name, topic_names[topic]) == 0) {
            *out = (enum berth_topic)topic;
            return true;
        }
    }
    return false;
}

struct berth_event_log *berth_event_log_create(uint64_t revision)
{
    struct berth_event_log *log = berth_alloc(1, sizeof *log);

    if (log != NULL) {
        log->gone_revision = revision;
    }
    return log;
}

static struct berth_event *event_at(struct berth_event_log *log, uint64_t number)
{
    return &log->at[number % BERTH_EVENTS_MAX];
}

static void drop_oldest(struct berth_event_log *log)
{
    struct berth_event *oldest = event_at(log, log->first++);

    log->bytes -= oldest->length;
    log->gone_revision = oldest->revision;
    berth_free(oldest->text);
    oldest->text = NULL;
}

void berth_event_log_destroy(struct berth_event_log *log)
{
    if (log == NULL) {
        return;
    }
    while (log->first < log->end) {
        drop_oldest(log);
    }
    berth_free(log);
}

void berth_event_log_add(struct berth_event_log *log, enum berth_topic topic, uint64_t revision,
                         const char *text, size_t length)
{
    char *copy = length <= BERTH_EVENT_BYTES_MAX ? berth_copy_n(text, length) : NULL;

    while (log->first < log->end && (copy == NULL || log->end - log->first == BERTH_EVENTS_MAX ||
                                     log->bytes + length > BERTH_EVENT_BYTES_MAX)) {
        drop_oldest(log);
    }
    if (copy == NULL) {
        /* its number is used up, so that who has read everything until now misses it */
        log->gone_revision = revision;
        log->first = ++log->end;
        return;
    }
    *event_at(log, log->end++) = (struct berth_event){revision, topic, length, copy};
    log->bytes += length;
}

uint64_t berth_event_log_evicted(const struct berth_event_log *log)
{
    return log->first;
}

void berth_event_log_follow(const struct berth_event_log *log, struct berth_subscription *out,
                            unsigned topics, uint64_t revision, uint64_t now_revision)
{
    uint64_t low = log->first;
    uint64_t high = log->end;

    *out = (struct berth_subscription){.topics = topics, .revision = revision};
    out->lost = revision < log->gone_revision || revision > now_revision;
    while (low < high) { /* the first one after `revision` */
        uint64_t middle = low + (high - low) / 2;
        if (log->at[middle % BERTH_EVENTS_MAX].revision <= revision) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    out->next = low;
}

const struct berth_event *berth_event_log_next(const struct berth_event_log *log,
                                               struct berth_subscription *subscription)
{
    if (subscription->topics != 0 && subscription->next < log->first) {
        subscription->lost = true;
    }
    while (!subscription->lost && subscription->topics != 0 && subscription->next < log->end) {
        const struct berth_event *event = &log->at[subscription->next++ % BERTH_EVENTS_MAX];
        subscription->revision = event->revision;
        if ((subscription->topics & 1U << event->topic) != 0) {
            return event;
        }
    }
    return NULL;
}

uint64_t berth_event_log_skip(const struct berth_event_log *log,
                              struct berth_subscription *subscription, uint64_t now_revision)
{
    uint64_t had = subscription->revision;

    subscription->lost = false;
    subscription->next = log->end;
    subscription->revision = now_revision;
    return had;
}
