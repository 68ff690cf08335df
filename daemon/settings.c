/* SPDX-License-Identifier: MIT */
/* The settings themselves: their defaults and their end. */
#include "settings.h"

#include "base/memory.h"
#include "default_access.h"
#include "log_file.h"
#include "settings_internal.h"

#include <string.h>

#define SECOND_MS 1000ULL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

const char *berth_role_name(enum berth_role role)
{
    static const char *const names[] = {"none", "reader", "allocator", "admin"};

    return (unsigned)role < BERTH_COUNT(names) ? names[role] : "none";
}

uint32_t berth_settings_percent(struct berth_port_range range, unsigned percent)
{
    uint32_t total = (uint32_t)range.last - range.first + 1;

    return (total * percent + 99) / 100;
}

void berth_settings_start(struct berth_settings *out)
{
    *out = (struct berth_settings){0};
    out->tcp.poll_ms = SECOND_MS;
    out->tcp.full_ms = 30 * SECOND_MS;
    out->tcp.events = BERTH_CHOICE_AUTO;
    out->tcp.probe = BERTH_CHOICE_AUTO;
    out->hints.etw = BERTH_CHOICE_ON;
    out->hints.wmi = BERTH_CHOICE_ON;
    out->lease.ttl_ms = DAY_MS;
    out->lease.linger_ms = 10 * MINUTE_MS;
    out->lease.cooldown_ms = 60 * SECOND_MS;
    out->store.durability = BERTH_DURABILITY_COMMIT;
    out->store.history_ms = 90 * DAY_MS;
    out->debounce_ms = 2 * SECOND_MS;
    out->alerts.metrics_interval_ms = 15 * SECOND_MS;
    out->log.size_bytes = BERTH_LOG_FILE_SIZE;
    out->log.keep = BERTH_LOG_FILE_KEEP;
    out->limits.connections = 1024;
    out->limits.per_user = 256;
    out->limits.subscribers = 64;
    out->limits.leases_per_user = 1000;
}

static bool complete_pools(struct berth_settings *settings)
{
    if (settings->pool_count != 0) {
        return true;
    }
    settings->pools = berth_alloc(1, sizeof *settings->pools);
    if (settings->pools == NULL) {
        return false;
    }
    settings->pool_count = 1;
    settings->pools[0] = (struct berth_pool_settings){
        .name = berth_copy("default"),
        .ports = {49000, 65000},
        .ephemeral = BERTH_EPHEMERAL_LAST,
        .low_percent = BERTH_SETTINGS_LOW_PERCENT,
    };
    settings->pools[0].low_ports =
        berth_settings_percent(settings->pools[0].ports, BERTH_SETTINGS_LOW_PERCENT);
    return settings->pools[0].name != NULL;
}

static bool complete_iis(struct berth_settings *settings)
{
    if (settings->iis_count != 0) {
        return true;
    }
    settings->iis = berth_alloc(1, sizeof *settings->iis);
    if (settings->iis == NULL) {
        return false;
    }
    settings->iis_count = 1;
    settings->iis[0].optional = true;
    return true;
}

static bool complete_rules(struct berth_settings *settings)
{
    size_t count;
    const struct berth_default_rule *defaults = berth_default_access(&count);

    if (settings->access_given) {
        return true;
    }
    settings->rules = berth_alloc(count, sizeof *settings->rules);
    if (settings->rules == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        settings->rules[i] = (struct berth_access_rule){
            .role = (uint8_t)defaults[i].role,
            .subject = (uint8_t)defaults[i].subject,
            .name = berth_copy(defaults[i].name),
        };
        settings->rule_count++;
        if (settings->rules[i].name == NULL) {
            return false;
        }
    }
    return true;
}

bool berth_settings_complete(struct berth_settings *settings)
{
    return complete_pools(settings) && complete_iis(settings) && complete_rules(settings);
}

enum berth_code berth_settings_default(struct berth_settings *out, struct berth_error *err)
{
    struct berth_settings made;

    berth_settings_start(&made);
    if (!berth_settings_complete(&made)) {
        berth_settings_fini(&made);
        return berth_fail_memory(err, "the default settings");
    }
    *out = made;
    return BERTH_OK;
}

void berth_settings_fini(struct berth_settings *settings)
{
    for (size_t i = 0; i < settings->pool_count; i++) {
        berth_free(settings->pools[i].name);
    }
    for (size_t i = 0; i < settings->reserved_count; i++) {
        berth_free(settings->reserved[i].reason);
    }
    for (size_t i = 0; i < settings->iis_count; i++) {
        berth_free(settings->iis[i].path);
    }
    for (size_t i = 0; i < settings->rule_count; i++) {
        berth_free(settings->rules[i].name);
    }
    for (size_t i = 0; i < settings->alerts.command_count; i++) {
        struct berth_command_settings *command = &settings->alerts.commands[i];
        for (size_t j = 0; j < command->argument_count; j++) {
            berth_free(command->arguments[j]);
        }
        berth_free(command->arguments);
        berth_free(command->path);
    }
    berth_free(settings->pools);
    berth_free(settings->reserved);
    berth_free(settings->iis);
    berth_free(settings->rules);
    berth_free(settings->alerts.commands);
    berth_free(settings->alerts.metrics_path);
    berth_free(settings->endpoint);
    berth_free(settings->state);
    berth_free(settings->log.path);
    *settings = (struct berth_settings){0};
}
