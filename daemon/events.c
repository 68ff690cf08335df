/* SPDX-License-Identifier: MIT */
#include "events.h"

#include "allocator/explain.h"
#include "present.h"

#include <stdio.h>

#define EVENT_TEXT_MAX                                                                             \
    ((size_t)32 * 1024) /* a lease of 64 ports with the longest texts fits in                      \
                         */
#define NOTIFICATION "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":"

enum berth_code berth_events_init(struct berth_events *events, struct berth_allocator *allocator,
                                  struct berth_error *err)
{
    *events = (struct berth_events){.allocator = allocator,
                                    .log = berth_event_log_create(allocator->revision)};
    berth_text_init(&events->text, EVENT_TEXT_MAX);
    return events->log != NULL ? BERTH_OK : berth_fail_memory(err, "the event log");
}

void berth_events_fini(struct berth_events *events)
{
    berth_event_log_destroy(events->log);
    berth_text_fini(&events->text);
    events->log = NULL;
}

/* What every event begins with. */
static void open_event(struct berth_json *json, struct berth_text *out, uint64_t revision,
                       const char *topic, const char *type, struct berth_now now)
{
    berth_json_init(json, out);
    berth_json_open_object(json);
    berth_json_member_number(json, "revision", (long long)revision);
    berth_present_time(json, "time", now.unix_ms);
    berth_json_member_string(json, "topic", topic);
    berth_json_member_string(json, "type", type);
}

static void begin(struct berth_events *events, struct berth_json *json, enum berth_topic topic,
                  const char *type, struct berth_now now)
{
    berth_text_clear(&events->text);
    open_event(json, &events->text, events->allocator->revision, berth_topic_name(topic), type,
               now);
}

/* An event that there was no memory to write goes in as one that is lost. */
static void end(struct berth_events *events, struct berth_json *json, enum berth_topic topic)
{
    const struct berth_text *text = &events->text;

    berth_json_close_object(json);
    berth_event_log_add(events->log, topic, events->allocator->revision, text->data,
                        text->failed == BERTH_OK ? text->length : SIZE_MAX);
    if (events->added != NULL) {
        events->added(events->ctx);
    }
}

void berth_events_note_follower(struct berth_events *events, struct berth_now now)
{
    events->followed_ms = now.ms;
}

/* Tells whether an event is to be written out; else it counts as lost. */
static bool is_followed(struct berth_events *events, struct berth_now now)
{
    if (events->followed_ms != 0 && now.ms - events->followed_ms < BERTH_EVENTS_FOLLOWED_MS) {
        return true;
    }
    berth_event_log_add(events->log, BERTH_TOPIC_PORTS, events->allocator->revision, NULL,
                        SIZE_MAX);
    return false;
}

void berth_events_port(struct berth_events *events, uint16_t port, const struct berth_claim *claim,
                       struct berth_now now)
{
    const struct berth_allocator *allocator = events->allocator;
    const struct berth_pool *pool = berth_policy_pool_of(&allocator->policy, port);
    struct berth_json json;

    if (pool == NULL || !is_followed(events, now)) {
        return;
    }
    begin(events, &json, BERTH_TOPIC_PORTS, claim != NULL ? "port.used" : "port.freed", now);
    berth_json_member_number(&json, "port", port);
    berth_json_member_string(&json, "pool", pool->name);
    berth_json_member_string(&json, "state", berth_explain_state(allocator, port));
    if (claim != NULL) {
        berth_json_key(&json, "claim");
        berth_present_claim(&json, allocator, claim, now);
    }
    end(events, &json, BERTH_TOPIC_PORTS);
}

void berth_events_lease(struct berth_events *events, const struct berth_lease *lease,
                        enum berth_lease_event event, struct berth_now now)
{
    struct berth_json json;

    if (!is_followed(events, now)) {
        return;
    }
    begin(events, &json, BERTH_TOPIC_LEASES, berth_lease_event_name(event), now);
    berth_present_lease_members(&json, events->allocator, lease, now);
    berth_json_member_string(&json, "holder", lease->holder);
    berth_json_member_string(&json, "owner", lease->owner->name);
    berth_json_member_string(&json, "by", events->allocator->asked_by);
    end(events, &json, BERTH_TOPIC_LEASES);
}

void berth_events_conflict(struct berth_events *events, const struct berth_conflict_entry *entry,
                           bool opened, struct berth_now now)
{
    struct berth_json json;

    begin(events, &json, BERTH_TOPIC_CONFLICTS, opened ? "conflict.opened" : "conflict.closed",
          now);
    berth_present_conflict_members(&json, entry);
    end(events, &json, BERTH_TOPIC_CONFLICTS);
}

void berth_events_source(struct berth_events *events, const struct berth_source_entry *source,
                         struct berth_now now)
{
    char type[40];
    struct berth_json json;

    /* no claim and no lease changed: but each event has a revision of its own */
    events->allocator->revision++;
    (void)snprintf(type, sizeof type, "source.%s", berth_source_state_name(source->state));
    begin(events, &json, BERTH_TOPIC_SOURCES, type, now);
    berth_json_member_string(&json, "source", berth_source_name(source->source));
    berth_json_member_string(&json, "name", source->name);
    berth_json_member_string(&json, "state", berth_source_state_name(source->state));
    if (source->reason != NULL) {
        berth_json_member_string(&json, "reason", source->reason);
    }
    end(events, &json, BERTH_TOPIC_SOURCES);
}

void berth_events_pool(struct berth_events *events, const char *type, const char *pool,
                       uint32_t free, uint32_t total, uint32_t low, struct berth_now now)
{
    struct berth_json json;

    events->allocator->revision++; /* as that of a source */
    begin(events, &json, BERTH_TOPIC_POOLS, type, now);
    berth_json_member_string(&json, "pool", pool);
    berth_json_member_number(&json, "free", free);
    berth_json_member_number(&json, "total", total);
    berth_json_member_number(&json, "low", low);
    end(events, &json, BERTH_TOPIC_POOLS);
}

void berth_events_write(struct berth_text *out, const struct berth_event *event)
{
    berth_text_puts(out, NOTIFICATION);
    berth_text_add(out, event->text, event->length);
    berth_text_puts(out, "}\n");
}

void berth_events_write_lost(struct berth_text *out, uint64_t had, uint64_t revision,
                             struct berth_now now)
{
    struct berth_json json;

    berth_text_puts(out, NOTIFICATION);
    open_event(&json, out, revision, "events", "events.lost", now);
    berth_json_member_number(&json, "after", (long long)had);
    berth_json_close_object(&json);
    berth_text_puts(out, "}\n");
}
