/* SPDX-License-Identifier: MIT */
#include "metrics_text.h"

#include "alert_channel.h"
#include "alerts.h"
#include "base/version.h"

#include <inttypes.h>

static void head(struct berth_text *out, const char *name, const char *type, const char *help)
{
    berth_text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* `before` stands before the label: "{" or ",". */
static void label(struct berth_text *out, const char *before, const char *name, const char *value)
{
    berth_text_printf(out, "%s%s=\"", before, name);
    for (; value != NULL && *value != '\0'; value++) {
        switch (*value) {
        case '\\':
            berth_text_puts(out, "\\\\");
            break;
        case '"':
            berth_text_puts(out, "\\\"");
            break;
        case '\n':
            berth_text_puts(out, "\\n");
            break;
        default:
            berth_text_putc(out, *value);
        }
    }
    berth_text_putc(out, '"');
}

static void end(struct berth_text *out, const char *brace, uint64_t value)
{
    berth_text_printf(out, "%s %" PRIu64 "\n", brace, value);
}

static void single(struct berth_text *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    head(out, name, type, help);
    berth_text_puts(out, name);
    end(out, "", value);
}

static void write_info(struct berth_text *out, const struct berth_service *service)
{
    head(out, "berth_info", "gauge", "Constant 1; its labels say what runs.");
    berth_text_puts(out, "berth_info");
    label(out, "{", "version", BERTH_VERSION);
    label(out, ",", "platform", service->platform);
    end(out, "}", 1);
    single(out, "berth_start_time_seconds", "gauge", "When the daemon started, since 1970.",
           (uint64_t)(service->started.unix_ms / 1000));
}

static void write_pools(struct berth_text *out, const struct berth_service *service)
{
    const struct berth_allocator *allocator = service->allocator;
    const struct berth_policy *policy = &allocator->policy;

    head(out, "berth_pool_ports", "gauge",
         "Ports of a pool by state: each port is in one, the first that applies.");
    for (size_t i = 0; i < policy->pool_count; i++) {
        const struct berth_windows windows = {.at = {{policy->pools[i].range, false}}, .count = 1};
        for (int state = 0; state < BERTH_PORT_STATE_COUNT; state++) {
            berth_text_puts(out, "berth_pool_ports");
            label(out, "{", "pool", policy->pools[i].name);
            label(out, ",", "state", berth_port_state_name((enum berth_port_state)state));
            end(out, "}", berth_allocator_count(allocator, &windows, (enum berth_port_state)state));
        }
    }
    head(out, "berth_pool_free_ports", "gauge",
         "Ports of a pool that can be given: free, and not in a range that it keeps out of.");
    for (size_t i = 0; i < policy->pool_count; i++) {
        berth_text_puts(out, "berth_pool_free_ports");
        label(out, "{", "pool", policy->pools[i].name);
        end(out, "}", berth_policy_pool_free(&allocator->free_set, &policy->pools[i]));
    }
    head(out, "berth_pool_low_threshold", "gauge",
         "Below so many free ports a pool is reported as low; 0: never.");
    for (size_t i = 0; i < service->settings->pool_count; i++) {
        berth_text_puts(out, "berth_pool_low_threshold");
        label(out, "{", "pool", service->settings->pools[i].name);
        end(out, "}", service->settings->pools[i].low_ports);
    }
}

static void write_leases(struct berth_text *out, const struct berth_lease_book *book)
{
    uint64_t counts[BERTH_LEASE_STATE_COUNT] = {0};

    for (const struct berth_lease *lease = book->live.first; lease != NULL; lease = lease->next) {
        counts[lease->state]++;
    }
    head(out, "berth_leases", "gauge", "Leases by state.");
    for (int state = 0; state < BERTH_LEASE_STATE_COUNT; state++) {
        if (berth_lease_state_is_live((enum berth_lease_state)state)) {
            berth_text_puts(out, "berth_leases");
            label(out, "{", "state", berth_lease_state_name((enum berth_lease_state)state));
            end(out, "}", counts[state]);
        }
    }
}

static void write_conflicts(struct berth_text *out, const struct berth_conflict_book *book)
{
    uint64_t counts[BERTH_CONFLICT_KIND_COUNT][2] = {{0}};
    struct berth_conflict_walk walk = berth_conflict_book_all(book);
    const struct berth_conflict_entry *entry;

    while ((entry = berth_conflict_next(&walk)) != NULL) {
        counts[entry->conflict.kind][entry->conflict.severity]++;
    }
    head(out, "berth_conflicts", "gauge", "Open conflicts by kind and severity.");
    for (int kind = 0; kind < BERTH_CONFLICT_KIND_COUNT; kind++) {
        for (int severity = BERTH_CONFLICT_ERROR; severity <= BERTH_CONFLICT_WARNING; severity++) {
            berth_text_puts(out, "berth_conflicts");
            label(out, "{", "kind", berth_conflict_kind_name((enum berth_conflict_kind)kind));
            label(out, ",", "severity",
                  berth_conflict_severity_name((enum berth_conflict_severity)severity));
            end(out, "}", counts[kind][severity]);
        }
    }
}

/* ---- sources ---- */

static void source_labels(struct berth_text *out, const struct berth_source_entry *entry)
{
    label(out, "{", "source", berth_source_name(entry->source));
    label(out, ",", "name", entry->name);
}

static const struct berth_source_entry *source_at(const struct berth_allocator *allocator,
                                                  unsigned number)
{
    const struct berth_source_entry *entry = &allocator->sources.at[number];

    return entry->in_use ? entry : NULL;
}

static void write_source_states(struct berth_text *out, const struct berth_allocator *allocator)
{
    head(out, "berth_source_state", "gauge", "1 for the state that a source is in, else 0.");
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        const struct berth_source_entry *entry = source_at(allocator, i);
        for (int state = 0; entry != NULL && state < BERTH_STATE_COUNT; state++) {
            berth_text_puts(out, "berth_source_state");
            source_labels(out, entry);
            label(out, ",", "state", berth_source_state_name((enum berth_source_state)state));
            end(out, "}", entry->state == (enum berth_source_state)state);
        }
    }
}

static void write_source_ages(struct berth_text *out, const struct berth_allocator *allocator,
                              struct berth_now now)
{
    head(out, "berth_source_age_seconds", "gauge",
         "How old a source's latest snapshot is; not there before the first one.");
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        const struct berth_source_entry *entry = source_at(allocator, i);
        if (entry != NULL && entry->snapshot_ms != 0) {
            uint64_t age_ms = now.ms - entry->snapshot_ms;
            berth_text_puts(out, "berth_source_age_seconds");
            source_labels(out, entry);
            berth_text_printf(out, "} %" PRIu64 ".%03u\n", age_ms / 1000,
                              (unsigned)(age_ms % 1000));
        }
    }
}

static void write_source_claims(struct berth_text *out, const struct berth_allocator *allocator)
{
    head(out, "berth_source_claims", "gauge", "Claims on ports by the source that sees them.");
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        const struct berth_source_entry *entry = source_at(allocator, i);
        uint64_t claims = 0;
        if (entry == NULL) {
            continue;
        }
        for (unsigned feed = 0; feed < entry->feed_count; feed++) {
            claims += berth_ledger_feed_count(allocator->ledger, entry->feeds[feed]);
        }
        berth_text_puts(out, "berth_source_claims");
        source_labels(out, entry);
        end(out, "}", claims);
    }
}

/* ---- the daemon itself ---- */

/* A number of nanoseconds as seconds. */
static void seconds(struct berth_text *out, uint64_t ns)
{
    berth_text_printf(out, "%" PRIu64 ".%09u", ns / 1000000000, (unsigned)(ns % 1000000000));
}

static void write_latency(struct berth_text *out, const struct berth_latency *latency)
{
    uint64_t sum = 0;

    head(out, "berth_request_duration_seconds", "histogram",
         "How long answering a request took, without what the client and its connection took.");
    for (unsigned i = 0; i < BERTH_LATENCY_BOUND_COUNT; i++) {
        sum += latency->buckets[i];
        berth_text_puts(out, "berth_request_duration_seconds_bucket{le=\"");
        seconds(out, (uint64_t)berth_latency_bound_us(i) * 1000);
        end(out, "\"}", sum);
    }
    sum += latency->buckets[BERTH_LATENCY_BOUND_COUNT];
    berth_text_puts(out, "berth_request_duration_seconds_bucket");
    end(out, "{le=\"+Inf\"}", sum);
    berth_text_puts(out, "berth_request_duration_seconds_sum ");
    seconds(out, latency->sum_ns);
    berth_text_puts(out, "\nberth_request_duration_seconds_count");
    end(out, "", sum);
}

static void write_store(struct berth_text *out, const struct berth_store_health *health)
{
    if (health != NULL) {
        single(out, "berth_store_failing", "gauge", "1 while the lease store refuses changes.",
               health->failing);
        single(out, "berth_store_refused_total", "counter", "Changes that the lease store refused.",
               health->refused);
    }
}

static void write_clients(struct berth_text *out, struct berth_service *service)
{
    single(out, "berth_connections", "gauge", "Connections now.", service->connections_now);
    single(out, "berth_connections_accepted_total", "counter", "Connections so far.",
           service->connections_accepted);
    single(out, "berth_subscribers", "gauge", "Connections that are told of events.",
           service->subscribers_now);
    if (service->events != NULL) {
        single(out, "berth_events_evicted_total", "counter",
               "Events that left the log for newer ones, or were not written as nobody followed.",
               berth_event_log_evicted(service->events->log));
    }
    single(out, "berth_events_lost_total", "counter",
           "How often a subscriber was told that it missed events.", service->events_lost);
    single(out, "berth_resident_memory_bytes", "gauge", "Resident memory of the daemon.",
           service->resident_bytes(service));
}

/* ---- alerts ---- */

static void channel_metric(struct berth_text *out, const struct berth_alerts *alerts,
                           const char *name, const char *type, const char *help,
                           uint64_t (*value)(const struct berth_channel_state *state))
{
    head(out, name, type, help);
    for (const struct berth_channel *channel = berth_alerts_channels(alerts); channel != NULL;
         channel = channel->next) {
        berth_text_puts(out, name);
        label(out, "{", "channel", channel->ops->name);
        label(out, ",", "path", channel->target);
        end(out, "}", value(&channel->state));
    }
}

static uint64_t value_told(const struct berth_channel_state *state)
{
    return state->told;
}

static uint64_t value_failed(const struct berth_channel_state *state)
{
    return state->failed;
}

static uint64_t value_lost(const struct berth_channel_state *state)
{
    return state->lost;
}

static uint64_t value_failing(const struct berth_channel_state *state)
{
    return state->failing;
}

static void write_alerts(struct berth_text *out, const struct berth_alerts *alerts)
{
    if (alerts == NULL || berth_alerts_channels(alerts) == NULL) {
        return;
    }
    channel_metric(out, alerts, "berth_alerts_failing", "gauge",
                   "1 while a channel's latest attempt was in vain, or does not come to an end.",
                   value_failing);
    channel_metric(out, alerts, "berth_alerts_told_total", "counter",
                   "Alerts (of the metrics: files) that a channel delivered.", value_told);
    channel_metric(out, alerts, "berth_alerts_failed_total", "counter",
                   "Alerts that a channel tried to deliver in vain.", value_failed);
    channel_metric(out, alerts, "berth_alerts_lost_total", "counter",
                   "Alerts that a channel did not come to, as too many waited.", value_lost);
}

void berth_metrics_write(struct berth_text *out, struct berth_service *service,
                         struct berth_now now)
{
    write_info(out, service);
    write_pools(out, service);
    write_leases(out, &service->allocator->book);
    write_conflicts(out, &service->allocator->conflicts);
    write_source_states(out, service->allocator);
    write_source_ages(out, service->allocator, now);
    write_source_claims(out, service->allocator);
    write_latency(out, &service->latency);
    write_store(out, service->store_health);
    write_clients(out, service);
    write_alerts(out, service->alerts);
}
