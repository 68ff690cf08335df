/* SPDX-License-Identifier: MIT */
#include "present.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void berth_present_range(struct berth_json *json, struct berth_port_range range)
{
    berth_json_open_array(json);
    berth_json_number(json, range.first);
    berth_json_number(json, range.last);
    berth_json_close_array(json);
}

void berth_present_time(struct berth_json *json, const char *name, int64_t unix_ms)
{
    char time[32];

    berth_json_member_string(json, name, berth_format_time(time, sizeof time, unix_ms));
}

static void write_flags(struct berth_json *json, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {{BERTH_CLAIM_STOPPED, "stopped"},
                 {BERTH_CLAIM_LINGERING, "lingering"},
                 {BERTH_CLAIM_V6_ONLY, "v6_only"},
                 {BERTH_CLAIM_SNI, "sni"}};

    for (size_t i = 0; i < BERTH_COUNT(names); i++) {
        if ((flags & names[i].flag) != 0) {
            berth_json_member_boolean(json, names[i].name, true);
        }
    }
}

static void write_optional(struct berth_json *json, const char *name, const char *value)
{
    if (value != NULL) {
        berth_json_member_string(json, name, value);
    }
}

static void write_optional_id(struct berth_json *json, const char *name, uint32_t id)
{
    if (id != BERTH_ID_NONE) {
        berth_json_member_number(json, name, id);
    }
}

void berth_present_claim(struct berth_json *json, const struct berth_allocator *allocator,
                         const struct berth_claim *claim, struct berth_now now)
{
    enum berth_claim_kind kind = (enum berth_claim_kind)claim->kind;
    char address[BERTH_ADDRESS_TEXT_MAX];

    berth_json_open_object(json);
    berth_json_member_string(json, "source", berth_source_name(berth_claim_source(kind)));
    berth_json_member_string(json, "kind", berth_claim_kind_name(kind));
    if (claim->protocol != BERTH_PROTOCOL_NONE) {
        berth_json_member_string(json, "protocol",
                                 berth_protocol_name((enum berth_protocol)claim->protocol));
    }
    if (kind == BERTH_CLAIM_BINDING || kind == BERTH_CLAIM_LISTENER || kind == BERTH_CLAIM_BOUND) {
        berth_json_member_string(json, "address",
                                 berth_address_format(address, sizeof address, &claim->address));
    }
    write_optional(json, "host", claim->host);
    write_optional(json, "holder", claim->holder);
    write_optional(json, "detail", claim->detail);
    berth_json_member_string(json, "feed", berth_ledger_feed_name(allocator->ledger, claim->feed));
    write_flags(json, claim->flags);
    if (claim->count > 1) {
        berth_json_member_number(json, "count", claim->count);
    }
    write_optional_id(json, "pid", claim->process_id);
    write_optional_id(json, "uid", claim->user_id);
    if (claim->until_ms != 0) {
        berth_present_time(json, "until",
                           berth_allocator_claim_ends_unix_ms(allocator, claim, now));
    }
    berth_json_close_object(json);
}

void berth_present_claims(struct berth_json *json, const struct berth_allocator *allocator,
                          uint16_t port, struct berth_now now)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim;

    berth_json_key(json, "claims");
    berth_json_open_array(json);
    while ((claim = berth_claims_next(&walk)) != NULL) {
        berth_present_claim(json, allocator, claim, now);
    }
    berth_json_close_array(json);
}

void berth_present_conflict_members(struct berth_json *json,
                                    const struct berth_conflict_entry *entry)
{
    const struct berth_conflict *conflict = &entry->conflict;
    char id[24];

    (void)snprintf(id, sizeof id, "%016" PRIx64, conflict->id);
    berth_json_member_string(json, "id", id);
    berth_json_member_string(json, "kind", berth_conflict_kind_name(conflict->kind));
    berth_json_member_string(json, "severity", berth_conflict_severity_name(conflict->severity));
    berth_json_member_number(json, "port", conflict->port);
    berth_present_time(json, "opened_at", entry->opened_unix_ms);
    berth_json_member_string(json, "text", entry->text);
}

void berth_present_conflict(struct berth_json *json, const struct berth_allocator *allocator,
                            const struct berth_conflict_entry *entry, struct berth_now now)
{
    const struct berth_conflict *conflict = &entry->conflict;

    berth_json_open_object(json);
    berth_present_conflict_members(json, entry);
    berth_json_key(json, "claims");
    berth_json_open_array(json);
    for (unsigned i = 0; i < conflict->claim_count; i++) {
        berth_present_claim(json, allocator, conflict->claims[i], now);
    }
    berth_json_close_array(json);
    berth_json_close_object(json);
}

void berth_present_lease_members(struct berth_json *json, const struct berth_allocator *allocator,
                                 const struct berth_lease *lease, struct berth_now now)
{
    berth_json_member_number(json, "port", lease->ports[0]);
    berth_json_key(json, "ports");
    berth_json_open_array(json);
    for (unsigned i = 0; i < lease->port_count; i++) {
        berth_json_number(json, lease->ports[i]);
    }
    berth_json_close_array(json);
    berth_json_member_string(json, "lease", lease->id);
    berth_json_member_string(json, "key", lease->key);
    berth_json_member_string(json, "generation", lease->generation);
    berth_json_member_string(json, "state", berth_lease_state_name(lease->state));
    int64_t expires_unix_ms = berth_allocator_expires_unix_ms(allocator, lease, now);
    if (expires_unix_ms >= 0) {
        berth_present_time(json, "expires_at", expires_unix_ms);
    } else {
        berth_json_member_string(json, "expires_at", NULL);
    }
    if (lease->hold) {
        berth_json_member_boolean(json, "hold", true);
    }
}

void berth_present_lease(struct berth_json *json, const struct berth_allocator *allocator,
                         const struct berth_lease *lease, struct berth_now now)
{
    berth_json_open_object(json);
    berth_present_lease_members(json, allocator, lease, now);
    write_optional(json, "holder", lease->holder);
    if (lease->protocol != BERTH_PROTOCOL_NONE) {
        berth_json_member_string(json, "protocol", berth_protocol_name(lease->protocol));
    }
    berth_json_member_string(json, "owner", lease->owner->name);
    berth_present_time(json, "granted_at", lease->granted_unix_ms);
    berth_json_key(json, "meta");
    if (lease->meta != NULL) {
        berth_json_raw(json, lease->meta, strlen(lease->meta));
    } else {
        berth_json_raw(json, "{}", 2);
    }
    berth_json_close_object(json);
}

void berth_present_counts(struct berth_json *json, const char *name,
                          const struct berth_allocator *allocator,
                          const struct berth_windows *windows)
{
    berth_json_key(json, name);
    berth_json_open_object(json);
    for (int state = 0; state < BERTH_PORT_FREE; state++) {
        berth_json_member_number(
            json, berth_port_state_name((enum berth_port_state)state),
            berth_allocator_count(allocator, windows, (enum berth_port_state)state));
    }
    berth_json_close_object(json);
}

static void write_free_runs(struct berth_json *json, const struct berth_port_set *set,
                            struct berth_port_range range)
{
    struct berth_port_range run;

    berth_json_key(json, "ranges");
    berth_json_open_array(json);
    while (berth_port_set_next_run(set, range, &run)) {
        berth_present_range(json, run);
        if (run.last == range.last) {
            break;
        }
        range.first = (uint16_t)(run.last + 1);
    }
    berth_json_close_array(json);
}

void berth_present_pool(struct berth_json *json, const struct berth_allocator *allocator,
                        const struct berth_pool *pool, bool with_ranges)
{
    const struct berth_windows windows = {.at = {{pool->range, pool->ephemeral_never}}, .count = 1};
    const struct berth_port_set *free_ports = pool->ephemeral_never
                                                  ? &allocator->free_set.plain
                                                  : &allocator->free_set.ports[BERTH_PORT_FREE];
    uint16_t next;

    berth_json_open_object(json);
    berth_json_member_string(json, "name", pool->name);
    berth_json_key(json, "range");
    berth_present_range(json, pool->range);
    berth_json_member_number(json, "total", pool->range.last - pool->range.first + 1);
    berth_json_member_number(json, "free", berth_policy_pool_free(&allocator->free_set, pool));
    if (with_ranges) {
        write_free_runs(json, free_ports, pool->range);
    }
    berth_json_key(json, "next");
    if (berth_policy_choose(&allocator->free_set, &windows, 1, false, &next)) {
        berth_json_number(json, next);
    } else {
        berth_json_null(json);
    }
    berth_json_close_object(json);
}
