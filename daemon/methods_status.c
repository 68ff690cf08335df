/* SPDX-License-Identifier: MIT */
/* hello, status, reload */
#include "alert_channel.h"
#include "alerts.h"
#include "base/version.h"
#include "methods.h"
#include "pool_overlap.h"

static void write_identity(struct berth_json *json, const struct berth_service *service)
{
    berth_json_member_number(json, "protocol", BERTH_PROTOCOL_VERSION);
    berth_json_member_string(json, "version", BERTH_VERSION);
    berth_json_member_string(json, "instance", service->instance);
    berth_json_member_string(json, "host", service->host);
    berth_json_member_string(json, "platform", service->platform);
}

enum berth_code berth_method_hello(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err)
{
    enum berth_code code = berth_params_read(params, NULL, 0, err);

    if (code == BERTH_OK) {
        berth_json_open_object(result);
        write_identity(result, berth_call_service(call));
        berth_json_close_object(result);
    }
    return code;
}

/* What the system tells by itself, as part of the source that it speeds up. */
static void write_events(struct berth_json *json, struct berth_service *service)
{
    struct berth_tcp_events_view events;

    if (service->tcp_events == NULL || !service->tcp_events(service, &events)) {
        return;
    }
    berth_json_key(json, "events");
    berth_json_open_object(json);
    berth_json_member_string(json, "mode", events.mode);
    if (events.reason != NULL) {
        berth_json_member_string(json, "reason", events.reason);
    }
    berth_json_member_number(json, "total", (long long)events.total);
    berth_json_member_number(json, "per_second", (long long)events.per_second);
    berth_json_member_number(json, "lost", (long long)events.lost);
    berth_json_member_number(json, "lag_us", (long long)(events.lag_ns / 1000));
    berth_json_close_object(json);
}

static void write_source(struct berth_json *json, struct berth_service *service,
                         const struct berth_source_entry *entry, struct berth_now now)
{
    const struct berth_allocator *allocator = service->allocator;
    size_t claims = 0;

    for (unsigned i = 0; i < entry->feed_count; i++) {
        claims += berth_ledger_feed_count(allocator->ledger, entry->feeds[i]);
    }
    berth_json_open_object(json);
    berth_json_member_string(json, "source", berth_source_name(entry->source));
    berth_json_member_string(json, "name", entry->name);
    berth_json_member_string(json, "state", berth_source_state_name(entry->state));
    if (entry->reason != NULL) {
        berth_json_member_string(json, "reason", entry->reason);
    }
    berth_present_time(json, "since", entry->since_unix_ms);
    berth_json_key(json, "age_ms");
    if (entry->snapshot_ms != 0) {
        berth_json_number(json, (long long)(now.ms - entry->snapshot_ms));
    } else {
        berth_json_null(json);
    }
    berth_json_member_number(json, "claims", (long long)claims);
    berth_json_key(json, "warnings");
    berth_json_open_array(json);
    for (size_t i = 0; i < entry->warning_count; i++) {
        berth_json_string(json, entry->warnings[i]);
    }
    berth_json_close_array(json);
    if (entry->source == BERTH_SOURCE_TCP) {
        write_events(json, service);
    }
    berth_json_close_object(json);
}

static void write_sources(struct berth_json *json, struct berth_service *service,
                          struct berth_now now)
{
    const struct berth_allocator *allocator = service->allocator;

    berth_json_key(json, "sources");
    berth_json_open_array(json);
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        if (allocator->sources.at[i].in_use) {
            write_source(json, service, &allocator->sources.at[i], now);
        }
    }
    berth_json_close_array(json);
}

/* What the system tells of other sources; empty on one that tells nothing. */
static void write_hints(struct berth_json *json, struct berth_service *service)
{
    struct berth_hint_view hints[BERTH_HINTS_MAX];
    size_t count = service->hints != NULL ? service->hints(service, hints) : 0;

    berth_json_key(json, "hints");
    berth_json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        berth_json_open_object(json);
        berth_json_member_string(json, "facility", hints[i].name);
        berth_json_member_boolean(json, "works", hints[i].reason == NULL);
        if (hints[i].reason != NULL) {
            berth_json_member_string(json, "reason", hints[i].reason);
        }
        berth_json_member_number(json, "total", (long long)hints[i].total);
        berth_json_close_object(json);
    }
    berth_json_close_array(json);
}

static void write_pools(struct berth_json *json, const struct berth_allocator *allocator)
{
    berth_json_key(json, "pools");
    berth_json_open_array(json);
    for (size_t i = 0; i < allocator->policy.pool_count; i++) {
        berth_present_pool(json, allocator, &allocator->policy.pools[i], false);
    }
    berth_json_close_array(json);
}

static void write_leases(struct berth_json *json, const struct berth_lease_book *book)
{
    long long counts[BERTH_LEASE_STATE_COUNT] = {0};

    for (const struct berth_lease *lease = book->live.first; lease != NULL; lease = lease->next) {
        counts[lease->state]++;
    }
    berth_json_key(json, "leases");
    berth_json_open_object(json);
    for (int state = 0; state < BERTH_LEASE_STATE_COUNT; state++) {
        if (berth_lease_state_is_live((enum berth_lease_state)state)) {
            berth_json_member_number(json, berth_lease_state_name((enum berth_lease_state)state),
                                     counts[state]);
        }
    }
    berth_json_close_object(json);
}

static void write_ephemeral(struct berth_json *json, const struct berth_host_facts *facts)
{
    struct berth_port_range all = {1, 65535};
    struct berth_port_range run;

    berth_json_key(json, "ephemeral");
    berth_json_open_object(json);
    berth_json_key(json, "range");
    berth_present_range(json, facts->ephemeral_range);
    berth_json_key(json, "reserved");
    berth_json_open_array(json);
    while (berth_port_set_next_run(&facts->reserved, all, &run)) {
        berth_present_range(json, run);
        if (run.last == all.last) {
            break;
        }
        all.first = (uint16_t)(run.last + 1);
    }
    berth_json_close_array(json);
    berth_json_close_object(json);
}

static void write_overlaps(struct berth_json *json, const struct berth_service *service)
{
    const struct berth_policy *policy = &service->allocator->policy;

    for (size_t i = 0; i < policy->pool_count; i++) {
        const struct berth_pool *pool = &policy->pools[i];
        char text[BERTH_POOL_OVERLAP_SIZE];
        if (berth_pool_overlap(text, pool, service->facts, NULL)) {
            berth_json_string(json, text);
        }
    }
}

static void write_failing_channels(struct berth_json *json, const struct berth_alerts *alerts)
{
    for (const struct berth_channel *channel = alerts != NULL ? berth_alerts_channels(alerts)
                                                              : NULL;
         channel != NULL; channel = channel->next) {
        char text[400];
        const char *target = channel->target;
        if (channel->state.failing) {
            (void)snprintf(text, sizeof text, "alerts by %s%s%.100s fail: %s", channel->ops->name,
                           target != NULL ? " " : "", target != NULL ? target : "",
                           channel->state.reason);
            berth_json_string(json, text);
        }
    }
}

static void write_failing_store(struct berth_json *json, const struct berth_store_health *health)
{
    char text[sizeof health->error.detail + 64];

    if (health != NULL && health->failing) {
        (void)snprintf(text, sizeof text, "leases cannot be changed: %s", health->error.detail);
        berth_json_string(json, text);
    }
}

static void write_warnings(struct berth_json *json, const struct berth_service *service)
{
    berth_json_key(json, "warnings");
    berth_json_open_array(json);
    for (size_t i = 0; i < service->warning_count; i++) {
        berth_json_string(json, service->warnings[i]);
    }
    write_failing_store(json, service->store_health);
    write_overlaps(json, service);
    write_failing_channels(json, service->alerts);
    berth_json_close_array(json);
}

static void write_limits(struct berth_json *json, const struct berth_service *service)
{
    const struct berth_settings *settings = service->settings;

    berth_json_key(json, "connections");
    berth_json_open_object(json);
    berth_json_member_number(json, "now", (long long)service->connections_now);
    berth_json_member_number(json, "accepted", (long long)service->connections_accepted);
    berth_json_member_number(json, "limit", settings->limits.connections);
    berth_json_member_number(json, "subscribers", (long long)service->subscribers_now);
    berth_json_close_object(json);
    berth_json_key(json, "limits");
    berth_json_open_object(json);
    berth_json_member_number(json, "connections", settings->limits.connections);
    berth_json_member_number(json, "perUser", settings->limits.per_user);
    berth_json_member_number(json, "subscribers", settings->limits.subscribers);
    berth_json_member_number(json, "leasesPerUser", settings->limits.leases_per_user);
    berth_json_close_object(json);
}

static void write_store(struct berth_json *json, const struct berth_service *service)
{
    const struct berth_store_health *health = service->store_health;

    berth_json_key(json, "store");
    berth_json_open_object(json);
    if (service->store == NULL) {
        berth_json_member_string(json, "state", "none");
    } else {
        berth_json_member_string(json, "state", health->failing ? "failing" : "ok");
        berth_json_member_string(json, "durability", health->sync ? "sync" : "commit");
        berth_json_member_number(json, "refused", (long long)health->refused);
    }
    if (health != NULL && health->failing) {
        berth_json_member_string(json, "reason", health->error.detail);
        berth_present_time(json, "since", health->since_unix_ms);
    }
    berth_json_close_object(json);
}

static void write_process(struct berth_json *json, struct berth_service *service)
{
    berth_json_key(json, "memory");
    berth_json_open_object(json);
    berth_json_member_number(json, "resident_bytes", (long long)service->resident_bytes(service));
    berth_json_close_object(json);
    berth_json_key(json, "configuration");
    berth_json_open_object(json);
    berth_json_member_string(json, "path", service->settings_path);
    berth_present_time(json, "loaded_at", service->settings_unix_ms);
    berth_json_close_object(json);
}

enum berth_code berth_method_status(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    const struct berth_allocator *allocator = service->allocator;
    const struct berth_windows everything = {.at = {{{1, 65535}, false}}, .count = 1};
    struct berth_now now = service->now(service);
    enum berth_code code = berth_params_read(params, NULL, 0, err);

    if (code != BERTH_OK) {
        return code;
    }
    berth_json_open_object(result);
    write_identity(result, service);
    berth_present_time(result, "started_at", service->started.unix_ms);
    berth_json_member_number(result, "uptime_ms", (long long)(now.ms - service->started.ms));
    berth_call_write_revision(call, result);
    write_sources(result, service, now);
    write_hints(result, service);
    write_pools(result, allocator);
    berth_present_counts(result, "ports", allocator, &everything);
    write_leases(result, &allocator->book);
    write_store(result, service);
    berth_alerts_write(result, service->alerts);
    berth_json_member_number(result, "conflicts", (long long)allocator->conflicts.open_count);
    write_ephemeral(result, service->facts);
    write_warnings(result, service);
    write_limits(result, service);
    write_process(result, service);
    berth_json_close_object(result);
    return BERTH_OK;
}

enum berth_code berth_method_reload(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    enum berth_code code = berth_params_read(params, NULL, 0, err);

    if (code == BERTH_OK) {
        code = service->reload(service, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    berth_json_open_object(result);
    berth_json_member_boolean(result, "reloaded", true);
    berth_json_key(result, "warnings");
    berth_json_open_array(result);
    for (size_t i = 0; i < service->warning_count; i++) {
        berth_json_string(result, service->warnings[i]);
    }
    berth_json_close_array(result);
    berth_json_close_object(result);
    return BERTH_OK;
}
