/* SPDX-License-Identifier: MIT */
/* What a configuration changes, at the start and when it is read again. */
#include "daemon_private.h"

#include "alerts.h"
#include "base/memory.h"
#include "clock.h"
#include "log.h"
#include "log_target.h"
#include "service_notify.h"
#include "watchers/port_probe.h"

#include <string.h>

static enum berth_probe_answer try_port(void *ctx, uint16_t port, int *os_code)
{
    (void)ctx;
    return berth_port_probe(port, os_code);
}

static bool tries_ports(const struct berth_settings *settings)
{
    return settings->tcp.probe == BERTH_CHOICE_ON ||
           (settings->tcp.probe == BERTH_CHOICE_AUTO && berth_port_probe_by_default());
}

struct berth_allocator_options
berth__daemon_allocator_options(const struct berth_settings *settings)
{
    return (struct berth_allocator_options){
        .ttl_ms = settings->lease.ttl_ms,
        .linger_ms = settings->lease.linger_ms,
        .cooldown_ms = settings->lease.cooldown_ms,
        .leases_per_user = settings->limits.leases_per_user,
        .debounce_ms = settings->debounce_ms,
        .probe = tries_ports(settings) ? try_port : NULL,
    };
}

static enum berth_code apply_pools(struct berth_daemon *daemon,
                                   const struct berth_settings *settings, struct berth_error *err)
{
    struct berth_pool pools[BERTH_SETTINGS_POOLS_MAX];

    for (size_t i = 0; i < settings->pool_count; i++) {
        pools[i] = (struct berth_pool){
            .name = settings->pools[i].name,
            .range = settings->pools[i].ports,
            .ephemeral_never = settings->pools[i].ephemeral == BERTH_EPHEMERAL_NEVER,
        };
    }
    return berth_allocator_set_pools(daemon->allocator, pools, settings->pool_count, err);
}

static enum berth_code apply_reserved(struct berth_daemon *daemon,
                                      const struct berth_settings *settings,
                                      struct berth_error *err)
{
    size_t count = 0;
    struct berth_claim *claims;

    for (size_t i = 0; i < settings->reserved_count; i++) {
        struct berth_port_range ports = settings->reserved[i].ports;
        count += (size_t)(ports.last - ports.first) + 1;
    }
    claims = berth_alloc(count, sizeof *claims);
    if (claims == NULL) {
        return berth_fail_memory(err, "the reserved ports");
    }
    count = 0;
    for (size_t i = 0; i < settings->reserved_count; i++) {
        const struct berth_reserved_settings *reserved = &settings->reserved[i];
        for (uint32_t port = reserved->ports.first; port <= reserved->ports.last; port++) {
            claims[count] = berth_claim_make((uint16_t)port, BERTH_CLAIM_RESERVATION);
            claims[count++].holder = reserved->reason;
        }
    }
    enum berth_code code =
        berth_allocator_set_reserved(daemon->allocator, claims, count, berth_clock_now(), err);
    berth_free(claims);
    return code;
}

/* Who is not let in by the endpoint cannot be by a rule: not to follow is told, and stays. */
static void follow_access(struct berth_daemon *daemon)
{
    struct berth_error err;

    if (daemon->server != NULL && berth_server_follow_access(daemon->server, &err) != BERTH_OK) {
        berth_log(BERTH_LOG_ERROR, "the endpoint keeps its former permissions: %s", err.detail);
    }
}

/* A log file that cannot be had is a warning: the log stays where it is. */
static void apply_log(struct berth_daemon *daemon)
{
    struct berth_error err;

    if (berth_log_target_apply(&daemon->configuration.settings, &err) != BERTH_OK) {
        berth_log(BERTH_LOG_WARNING, "%s", err.detail);
        berth_configuration_add_warnings(&daemon->configuration, err.detail);
        daemon->service.warnings = (const char *const *)daemon->configuration.warnings;
        daemon->service.warning_count = daemon->configuration.warning_count;
    }
}

enum berth_code berth__daemon_apply(struct berth_daemon *daemon, struct berth_configuration *fresh,
                                    struct berth_error *err)
{
    struct berth_settings *settings = &fresh->settings;
    const struct berth_allocator_options options = berth__daemon_allocator_options(settings);
    struct berth_access access;
    enum berth_code code = berth_access_resolve(&access, settings, fresh->path, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = apply_pools(daemon, settings, err);
    if (code == BERTH_OK) {
        code = apply_reserved(daemon, settings, err);
    }
    if (code != BERTH_OK) {
        berth_access_fini(&access);
        return code;
    }
    berth_allocator_set_options(daemon->allocator, &options);
    berth_configuration_add_warnings(fresh, berth_text_string(&access.warnings));
    berth_access_fini(&daemon->access);
    berth_configuration_fini(&daemon->configuration);
    daemon->access = access;
    daemon->configuration = *fresh;
    daemon->service.settings = &daemon->configuration.settings;
    daemon->service.settings_path = daemon->configuration.path;
    daemon->service.settings_unix_ms = berth_clock_now().unix_ms;
    daemon->service.warnings = (const char *const *)daemon->configuration.warnings;
    daemon->service.warning_count = daemon->configuration.warning_count;
    *fresh = (struct berth_configuration){.path = NULL};
    follow_access(daemon);
    apply_log(daemon);
    berth_alerts_apply(daemon->service.alerts, berth_clock_now());
    return berth_watch_apply(daemon->watch, &daemon->configuration.settings, err);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

enum berth_code berth__daemon_note_fixed(struct berth_daemon *daemon,
                                         const struct berth_settings *settings,
                                         struct berth_error *err)
{
    daemon->fixed.endpoint = settings->endpoint != NULL ? berth_copy(settings->endpoint) : NULL;
    daemon->fixed.state = settings->state != NULL ? berth_copy(settings->state) : NULL;
    daemon->fixed.durability = settings->store.durability;
    daemon->fixed.history_ms = settings->store.history_ms;
    if (!same_text(daemon->fixed.endpoint, settings->endpoint) ||
        !same_text(daemon->fixed.state, settings->state)) {
        return berth_fail_memory(err, "the configuration");
    }
    return BERTH_OK;
}

/* Compared with what is in force, not with the file of before: that was perhaps not followed. */
static bool takes_a_restart(const struct berth_daemon *daemon,
                            const struct berth_settings *settings)
{
    return !same_text(settings->endpoint, daemon->fixed.endpoint) ||
           !same_text(settings->state, daemon->fixed.state) ||
           settings->store.durability != daemon->fixed.durability ||
           settings->store.history_ms != daemon->fixed.history_ms;
}

static void report_reload(const struct berth_daemon *daemon, enum berth_code code,
                          const struct berth_error *err)
{
    const char *path = daemon->configuration.path;
    const char *string = code != BERTH_OK ? err->detail : path != NULL ? path : "the defaults";

    berth_alerts_report(daemon->service.alerts,
                        code == BERTH_OK ? BERTH_NOTICE_RELOADED : BERTH_NOTICE_RELOAD_FAILED,
                        &string);
}

enum berth_code berth__daemon_reload(struct berth_service *service, struct berth_error *err)
{
    struct berth_daemon *daemon = BERTH_CONTAINER_OF(service, struct berth_daemon, service);
    struct berth_configuration fresh;
    enum berth_code code;

    if (daemon->stopping) {
        return berth_fail(err, BERTH_BUSY, 0, "berthd is stopping");
    }
    berth_service_notify_reloading();
    code = berth_configuration_load(&fresh, daemon->options, err);
    if (code == BERTH_OK) {
        if (takes_a_restart(daemon, &fresh.settings)) {
            berth_configuration_add_warnings(
                &fresh, "another endpoint, state folder or <store> takes a restart of berthd");
        }
        code = berth__daemon_apply(daemon, &fresh, err);
        berth_configuration_fini(&fresh);
    }
    berth_log(code == BERTH_OK ? BERTH_LOG_INFO : BERTH_LOG_ERROR, "%s%s",
              code == BERTH_OK ? "the configuration was read again"
                               : "the configuration was not read again, the old one stays: ",
              code == BERTH_OK ? "" : err->detail);
    report_reload(daemon, code, err);
    berth_service_notify_ready("serving");
    return code;
}
