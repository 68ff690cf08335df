/* SPDX-License-Identifier: MIT */
#include "lease_record.h"

#include <stdio.h>
#include <string.h>

_Static_assert(BERTH_STORE_PORTS_MAX >= BERTH_PORTS_PER_LEASE_MAX, "a record holds any lease");

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static const char *or_null(const char *text)
{
    return text != NULL && *text != '\0' ? text : NULL;
}

struct berth_lease_record berth_lease_record_of(const struct berth_lease_change *change,
                                                int64_t expires_unix_ms)
{
    const struct berth_lease *lease = change->lease;
    struct berth_lease_record record = {
        .id = lease->id,
        .key = lease->key,
        .generation = lease->generation,
        .holder = or_empty(lease->holder),
        .meta = or_empty(lease->meta),
        .protocol =
            lease->protocol != BERTH_PROTOCOL_NONE ? berth_protocol_name(lease->protocol) : "",
        .owner_id = lease->owner->id,
        .owner_name = lease->owner->name,
        .owner_group = lease->owner->group,
        .state = berth_lease_state_name(change->state),
        .port_count = lease->port_count,
        .granted_unix_ms = lease->granted_unix_ms,
        .expires_unix_ms =
            berth_lease_state_is_live(change->state) ? expires_unix_ms : change->unix_ms,
        .ttl_ms = lease->ttl_ms,
        .hold = lease->hold,
    };

    memcpy(record.ports, lease->ports, lease->port_count * sizeof *record.ports);
    return record;
}

static bool find_state(const char *name, enum berth_lease_state *out)
{
    for (int state = 0; state < BERTH_LEASE_STATE_COUNT; state++) {
        if (strcmp(name, berth_lease_state_name((enum berth_lease_state)state)) == 0) {
            *out = (enum berth_lease_state)state;
            return true;
        }
    }
    return false;
}

enum berth_code berth_lease_record_read(const struct berth_lease_record *record,
                                        struct berth_lease_kept *out, struct berth_error *err)
{
    enum berth_lease_state state;
    enum berth_protocol protocol =
        record->protocol[0] == '\0' ? BERTH_PROTOCOL_NONE : berth_protocol_find(record->protocol);

    if (!find_state(record->state, &state) || protocol == BERTH_PROTOCOL_COUNT) {
        return berth_fail(err, BERTH_STORE_FAILED, 0,
                          "lease %s of key %.80s has the state \"%.20s\" and the protocol "
                          "\"%.20s\", which this Berth does not know",
                          record->id, record->key, record->state, record->protocol);
    }
    *out = (struct berth_lease_kept){
        .terms = {.key = record->key,
                  .generation = record->generation,
                  .anonymous = berth_lease_key_is_anonymous(record->key, record->id),
                  .holder = or_null(record->holder),
                  .meta = or_null(record->meta),
                  .protocol = protocol,
                  .owner = {record->owner_id, record->owner_name, record->owner_group},
                  .ports = record->ports,
                  .port_count = record->port_count,
                  .ttl_ms = record->ttl_ms,
                  .hold = record->hold},
        .id = record->id,
        .state = state,
        .granted_unix_ms = record->granted_unix_ms,
        .ended_unix_ms = record->expires_unix_ms,
    };
    return BERTH_OK;
}

static size_t add_entries(struct berth_history_entry *out, const struct berth_lease *lease,
                          const char *event, const struct berth_lease_change *change)
{
    for (unsigned i = 0; i < lease->port_count; i++) {
        out[i] = (struct berth_history_entry){
            .time_unix_ms = change->unix_ms,
            .event = event,
            .port = lease->ports[i],
            .key = lease->key,
            .generation = lease->generation,
            .by = or_empty(change->by),
        };
    }
    return lease->port_count;
}

size_t berth_lease_history_of(const struct berth_lease_change *change,
                              struct berth_history_entry *out)
{
    const struct berth_lease *replaced = change->replaced;
    size_t count = 0;

    if (replaced != NULL && berth_lease_state_is_live(replaced->state)) {
        count =
            add_entries(out, replaced, berth_lease_event_name(BERTH_LEASE_EVENT_RELEASED), change);
    }
    return count +
           add_entries(out + count, change->lease, berth_lease_event_name(change->event), change);
}
