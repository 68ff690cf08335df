/* SPDX-License-Identifier: MIT */
/* The effective settings, as an operator would read them. */
#include "settings.h"

#include "base/compiler.h"

static const char *choice_name(uint8_t choice)
{
    static const char *const names[] = {"auto", "on", "off"};

    return choice < BERTH_COUNT(names) ? names[choice] : "?";
}

static void put_name(struct berth_text *out, const char *name)
{
    berth_text_printf(out, "%-11s", name);
}

static void put_duration(struct berth_text *out, const char *name, uint64_t ms)
{
    char duration[32];

    berth_text_printf(out, "%s %s", name, berth_format_duration(duration, sizeof duration, ms));
}

/* The first one that there is: what was given, what is set, the platform's own. */
static void put_path(struct berth_text *out, const char *name, const char *given, const char *set,
                     const char *usual)
{
    const char *path = given != NULL ? given : set != NULL ? set : usual;

    put_name(out, name);
    berth_text_printf(out, "%s\n", path != NULL ? path : "(no place of its own here: name one)");
}

static void put_pool(struct berth_text *out, const struct berth_pool_settings *pool)
{
    put_name(out, "pool");
    berth_text_printf(out, "%s %u-%u (%u ports), ephemeral ports %s", pool->name, pool->ports.first,
                      pool->ports.last, (unsigned)(pool->ports.last - pool->ports.first + 1),
                      pool->ephemeral == BERTH_EPHEMERAL_NEVER ? "never" : "last");
    if (pool->low_ports == 0) {
        berth_text_puts(out, ", never low\n");
        return;
    }
    berth_text_printf(out, ", low below %u free", (unsigned)pool->low_ports);
    if (pool->low_percent != 0) {
        berth_text_printf(out, " (%u%%)", pool->low_percent);
    }
    berth_text_putc(out, '\n');
}

static void put_ports(struct berth_text *out, const struct berth_settings *settings)
{
    for (size_t i = 0; i < settings->pool_count; i++) {
        put_pool(out, &settings->pools[i]);
    }
    for (size_t i = 0; i < settings->reserved_count; i++) {
        const struct berth_reserved_settings *reserved = &settings->reserved[i];
        put_name(out, "reserved");
        berth_text_printf(out, "%u-%u", reserved->ports.first, reserved->ports.last);
        if (reserved->reason != NULL && reserved->reason[0] != '\0') {
            berth_text_printf(out, " (%s)", reserved->reason);
        }
        berth_text_putc(out, '\n');
    }
}

static void put_iis(struct berth_text *out, const struct berth_iis_settings *iis, const char *usual)
{
    const char *path = iis->path != NULL ? iis->path : usual;

    put_name(out, "iis");
    if (path == NULL) {
        berth_text_puts(out, "(none: this system has no IIS of its own)\n");
    } else {
        berth_text_printf(out, "%s%s\n", path, iis->optional ? ", where it exists" : "");
    }
}

static void put_sources(struct berth_text *out, const struct berth_settings *settings,
                        const struct berth_settings_places *places)
{
    for (size_t i = 0; i < settings->iis_count; i++) {
        put_iis(out, &settings->iis[i], places->iis);
    }
    put_name(out, "tcp");
    put_duration(out, "poll", settings->tcp.poll_ms);
    put_duration(out, ", full", settings->tcp.full_ms);
    berth_text_printf(out, ", events %s, probe %s\n", choice_name(settings->tcp.events),
                      choice_name(settings->tcp.probe));
    put_name(out, "hints");
    berth_text_printf(out, "etw %s, wmi %s\n", choice_name(settings->hints.etw),
                      choice_name(settings->hints.wmi));
}

static void put_leases(struct berth_text *out, const struct berth_settings *settings)
{
    put_name(out, "lease");
    put_duration(out, "ttl", settings->lease.ttl_ms);
    put_duration(out, ", linger", settings->lease.linger_ms);
    put_duration(out, ", cooldown", settings->lease.cooldown_ms);
    berth_text_putc(out, '\n');
    put_name(out, "store");
    berth_text_printf(out, "durability %s",
                      settings->store.durability == BERTH_DURABILITY_SYNC ? "sync" : "commit");
    put_duration(out, ", history", settings->store.history_ms);
    berth_text_putc(out, '\n');
}

static void put_access(struct berth_text *out, const struct berth_settings *settings)
{
    for (size_t i = 0; i < settings->rule_count; i++) {
        const struct berth_access_rule *rule = &settings->rules[i];
        const char *subject = rule->subject == BERTH_SUBJECT_EVERYONE ? "every local user"
                              : rule->subject == BERTH_SUBJECT_GROUP  ? "group "
                                                                      : "user ";
        put_name(out, "access");
        berth_text_printf(out, "%s: %s%s\n", berth_role_name((enum berth_role)rule->role), subject,
                          rule->subject == BERTH_SUBJECT_EVERYONE ? "" : rule->name);
    }
    put_name(out, "access");
    berth_text_puts(out, "admin: the system's administrators\n");
}

static void put_alerts(struct berth_text *out, const struct berth_settings *settings)
{
    put_name(out, "conflicts");
    put_duration(out, "debounce", settings->debounce_ms);
    berth_text_putc(out, '\n');
    put_name(out, "alerts");
    berth_text_printf(out, "system log %s\n", settings->alerts.system_log ? "on" : "off");
    for (size_t i = 0; i < settings->alerts.command_count; i++) {
        put_name(out, "alerts");
        const struct berth_command_settings *command = &settings->alerts.commands[i];
        berth_text_printf(out, "command %s", command->path);
        for (size_t j = 0; j < command->argument_count; j++) {
            berth_text_printf(out, " '%s'", command->arguments[j]);
        }
        put_duration(out, ", timeout", command->timeout_ms);
        berth_text_putc(out, '\n');
    }
    if (settings->alerts.metrics_path != NULL) {
        put_name(out, "alerts");
        berth_text_printf(out, "metrics %s", settings->alerts.metrics_path);
        put_duration(out, ", interval", settings->alerts.metrics_interval_ms);
        berth_text_putc(out, '\n');
    }
}

static void put_log(struct berth_text *out, const struct berth_settings *settings,
                    const char *usual)
{
    const char *path = settings->log.path != NULL ? settings->log.path : usual;
    char size[32];

    put_name(out, "log");
    if (path == NULL) {
        berth_text_puts(out, "standard error\n");
        return;
    }
    berth_text_printf(out, "%s%s, at most %s, %u old ones\n", path,
                      settings->log.path == NULL ? " (a service's; else standard error)" : "",
                      berth_format_size(size, sizeof size, settings->log.size_bytes),
                      (unsigned)settings->log.keep);
}

void berth_settings_write_summary(struct berth_text *out, const struct berth_settings *settings,
                                  const struct berth_settings_places *places)
{
    put_path(out, "endpoint", places->given_endpoint, settings->endpoint, places->endpoint);
    put_path(out, "state", places->given_state, settings->state, places->state);
    put_ports(out, settings);
    put_sources(out, settings, places);
    put_leases(out, settings);
    put_access(out, settings);
    put_alerts(out, settings);
    put_log(out, settings, places->log);
    put_name(out, "limits");
    berth_text_printf(out, "connections %u, per user %u, subscribers %u, leases per user %u\n",
                      (unsigned)settings->limits.connections, (unsigned)settings->limits.per_user,
                      (unsigned)settings->limits.subscribers,
                      (unsigned)settings->limits.leases_per_user);
}
