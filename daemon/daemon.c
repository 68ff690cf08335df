/* SPDX-License-Identifier: MIT */
#include "daemon.h"

#include "access.h"
#include "base/memory.h"
#include "base/version.h"
#include "clock.h"
#include "configure.h"
#include "lease_keeper.h"
#include "log.h"
#include "log_target.h"
#include "places.h"
#include "process.h"
#include "server.h"
#include "service.h"
#include "service_notify.h"
#include "system_log.h"
#include "watch.h"
#include "watchers/host_facts.h"
#include "watchers/port_probe.h"

#include <inttypes.h>
#include <string.h>

#define FACTS_INTERVAL_MS 30000
#define STORE_BUSY_MS 2000 /* how long a predecessor may take to let go of the store */
/* A start begins with revisions that no instance before it can have come to, so that `since` of a
 * subscriber says nothing false to the next one. */
#define REVISIONS_A_MS 1000
#define TICK_MS 500 /* leases, cool-downs and lingering end at most this much late */

struct berth_daemon {
    uv_loop_t *loop;
    const struct berth_options *options;
    struct berth_configuration configuration;
    struct berth_access access;
    struct berth_allocator *allocator;
    struct berth_watch *watch;
    struct berth_server *server;
    struct berth_service service;
    struct berth_host_facts facts;
    bool facts_unknown; /* they were not all to be had last time, which was told */
    struct berth_events events;
    struct berth_lease_keeper *keeper;
    struct berth_port_holds *holds;
    char *endpoint;
    struct { /* what the configuration of the start said that a reload does not change */
        char *endpoint;
        char *state;
        uint8_t durability;
        uint64_t history_ms;
    } fixed;
    uint64_t random_state;
    uv_timer_t tick; /* ends what is due in the allocator */
    uv_timer_t facts_timer;
    uv_signal_t signals[BERTH_PROCESS_SIGNALS_MAX];
    bool stopping;
};

/* ---- time ---- */

static void on_tick(uv_timer_t *timer)
{
    struct berth_daemon *daemon = timer->data;
    struct berth_now now = berth_clock_now();

    if (daemon->service.subscribers_now > 0) {
        berth_events_note_follower(&daemon->events, now);
    }
    (void)berth_allocator_tick(daemon->allocator, now);
}

static struct berth_now service_now(struct berth_service *service)
{
    (void)service;
    return berth_clock_now();
}

static bool service_tcp_events(struct berth_service *service, struct berth_tcp_events_view *out)
{
    struct berth_daemon *daemon = BERTH_CONTAINER_OF(service, struct berth_daemon, service);
    struct berth_tcp_events_status status;

    if (daemon->watch == NULL || !berth_watch_events(daemon->watch, &status) || !status.used) {
        return false;
    }
    *out = (struct berth_tcp_events_view){
        .mode = berth_tcp_events_mode_name(status.mode),
        .reason = status.reason,
        .total = status.total,
        .lost = status.lost,
        .per_second = status.per_second,
        .lag_ns = status.lag_ns,
    };
    return true;
}

static uint64_t service_resident_bytes(struct berth_service *service)
{
    size_t bytes;

    (void)service;
    return uv_resident_set_memory(&bytes) == 0 ? bytes : 0;
}

static uint64_t random_id(void *ctx)
{
    struct berth_daemon *daemon = ctx;

    /* SplitMix64 over a random start: ids are public, they need only differ */
    daemon->random_state += 0x9E3779B97F4A7C15U;
    uint64_t z = daemon->random_state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

/* ---- what is told ---- */

static void on_port(void *ctx, uint16_t port, const struct berth_claim *claim)
{
    struct berth_daemon *daemon = ctx;

    berth_events_port(&daemon->events, port, claim, berth_clock_now());
}

static void on_lease_told(void *ctx, const struct berth_lease *lease, enum berth_lease_event event)
{
    struct berth_daemon *daemon = ctx;

    berth_port_holds_follow(daemon->holds, lease, event);
    berth_events_lease(&daemon->events, lease, event, berth_clock_now());
}

static void on_conflict(void *ctx, const struct berth_conflict_entry *entry, bool opened)
{
    struct berth_daemon *daemon = ctx;
    bool error = opened && entry->conflict.severity == BERTH_CONFLICT_ERROR;

    berth_log(error    ? BERTH_LOG_ERROR
              : opened ? BERTH_LOG_WARNING
                       : BERTH_LOG_INFO,
              "conflict %s on port %u: %s", opened ? "opened" : "ended", entry->conflict.port,
              entry->text);
    berth_events_conflict(&daemon->events, entry, opened, berth_clock_now());
}

static void on_source(void *ctx, const struct berth_source_entry *source)
{
    struct berth_daemon *daemon = ctx;

    berth_events_source(&daemon->events, source, berth_clock_now());
}

static void on_event_added(void *ctx)
{
    const struct berth_daemon *daemon = ctx;

    if (daemon->server != NULL) {
        berth_server_note_events(daemon->server);
    }
}

/* ---- leases that last ---- */

static enum berth_code keep_lease(void *ctx, const struct berth_lease_change *change,
                                  struct berth_error *err)
{
    const struct berth_daemon *daemon = ctx;
    enum berth_code code = berth_port_holds_prepare(daemon->holds, change, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = berth_lease_keeper_keep(daemon->keeper, change, err);
    if (code != BERTH_OK) {
        berth_port_holds_undo(daemon->holds, change);
    }
    return code;
}

static void forget_lease(void *ctx, const struct berth_lease *lease)
{
    const struct berth_daemon *daemon = ctx;

    berth_lease_keeper_forget(daemon->keeper, lease);
}

static void on_flushed(void *ctx, uint64_t upto, const struct berth_error *failure)
{
    const struct berth_daemon *daemon = ctx;

    if (daemon->server != NULL) {
        berth_server_flushed(daemon->server, upto, failure);
    }
}

static uint64_t service_flush(struct berth_service *service)
{
    const struct berth_daemon *daemon = BERTH_CONTAINER_OF(service, struct berth_daemon, service);

    return berth_lease_keeper_flush(daemon->keeper);
}

/* The command line's state folder, the configuration's, or the default place. */
static enum berth_code find_state(const struct berth_daemon *daemon,
                                  const struct berth_settings *settings, char **out,
                                  struct berth_error *err)
{
    const char *given = daemon->options->state != NULL ? daemon->options->state : settings->state;

    if (given == NULL) {
        return berth_place_state(out, err);
    }
    *out = berth_copy(given);
    return *out != NULL ? BERTH_OK : berth_fail_memory(err, "the state folder");
}

/* Opens the store and puts what it keeps into the allocator. */
static enum berth_code open_store(struct berth_daemon *daemon,
                                  const struct berth_settings *settings, struct berth_error *err)
{
    char *folder = NULL;
    enum berth_code code = find_state(daemon, settings, &folder, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = berth_place_prepare_state(folder, err);
    if (code != BERTH_OK) {
        berth_free(folder);
        return code;
    }
    const struct berth_lease_keeper_options options = {
        .store = {.folder = folder,
                  .durability = (enum berth_durability)settings->store.durability,
                  .history_ms = settings->store.history_ms,
                  .busy_timeout_ms = STORE_BUSY_MS},
        .flushed = on_flushed,
        .ctx = daemon,
    };
    code = berth_lease_keeper_open(&daemon->keeper, daemon->loop, &options, err);
    berth_free(folder);
    if (code == BERTH_OK) {
        code = berth_lease_keeper_load(daemon->keeper, daemon->allocator, err);
    }
    if (code == BERTH_OK) {
        berth_port_holds_retry(daemon->holds, daemon->allocator, true);
        daemon->service.store = berth_lease_keeper_store(daemon->keeper);
        daemon->service.store_health = berth_lease_keeper_health(daemon->keeper);
    }
    return code;
}

/* ---- what the host says of itself ---- */

/* Conflicts are judged by what the host is, whatever else is not known of it. */
static void set_conflict_facts(struct berth_daemon *daemon)
{
    const struct berth_conflict_facts facts = {
        .http_sys = daemon->facts.http_sys,
        .listen_list = daemon->facts.listen_list,
        .listen_count = daemon->facts.listen_count,
    };
    struct berth_error err;

    if (berth_conflict_watch_set_facts(daemon->allocator->conflict_watch, &facts, &err) !=
        BERTH_OK) {
        berth_log(BERTH_LOG_WARNING, "conflicts are judged by old facts: %s", err.detail);
    }
}

static void read_facts(struct berth_daemon *daemon)
{
    struct berth_error err;
    bool known = berth_host_facts_read(&daemon->facts, &err) == BERTH_OK;

    if (!known) {
        berth_log(daemon->facts_unknown ? BERTH_LOG_DEBUG : BERTH_LOG_WARNING,
                  "what this host does with ports is not all known: %s", err.detail);
    }
    daemon->facts_unknown = !known;
    berth_allocator_set_ephemeral(daemon->allocator, &daemon->facts.ephemeral);
    set_conflict_facts(daemon);
}

static void on_facts_timer(uv_timer_t *timer)
{
    const struct berth_daemon *daemon = timer->data;

    read_facts(timer->data);
    berth_port_holds_retry(daemon->holds, daemon->allocator, false);
}

/* ---- settings ---- */

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

static struct berth_allocator_options allocator_options(const struct berth_settings *settings)
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

/* Makes everything follow a configuration, which the daemon owns from then on. On error the old one
 * stays in force; only pools or reserved ports may be the new ones then, if memory ran out between.
 */
static enum berth_code apply(struct berth_daemon *daemon, struct berth_configuration *fresh,
                             struct berth_error *err)
{
    struct berth_settings *settings = &fresh->settings;
    const struct berth_allocator_options options = allocator_options(settings);
    struct berth_access access;
    enum berth_code code = berth_access_resolve(&access, settings, err);

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
    return berth_watch_apply(daemon->watch, &daemon->configuration.settings, err);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static enum berth_code note_fixed(struct berth_daemon *daemon,
                                  const struct berth_settings *settings, struct berth_error *err)
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

    berth_system_log_report(code == BERTH_OK ? BERTH_NOTICE_RELOADED : BERTH_NOTICE_RELOAD_FAILED,
                            &string);
}

static enum berth_code service_reload(struct berth_service *service, struct berth_error *err)
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
        code = apply(daemon, &fresh, err);
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

/* ---- stopping ---- */

/* When nobody is answered any more: nothing changes after that. */
static void close_store(struct berth_daemon *daemon)
{
    berth_lease_keeper_close(daemon->keeper);
    daemon->keeper = NULL;
    daemon->service.store = NULL;
}

static void on_server_closed(void *ctx)
{
    struct berth_daemon *daemon = ctx;

    daemon->server = NULL;
    close_store(daemon);
    berth_log(BERTH_LOG_INFO, "stopped");
}

static void close_handle(uv_handle_t *handle)
{
    if (handle->type != UV_UNKNOWN_HANDLE && !uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void berth_daemon_stop(struct berth_daemon *daemon)
{
    if (daemon->stopping) {
        return;
    }
    daemon->stopping = true;
    berth_service_notify_stopping();
    if (daemon->server != NULL) {
        berth_server_close(daemon->server, on_server_closed, daemon);
    } else {
        close_store(daemon);
    }
    berth_watch_close(daemon->watch);
    daemon->watch = NULL;
    close_handle((uv_handle_t *)&daemon->tick);
    close_handle((uv_handle_t *)&daemon->facts_timer);
    for (size_t i = 0; i < BERTH_COUNT(daemon->signals); i++) {
        close_handle((uv_handle_t *)&daemon->signals[i]);
    }
}

void berth_daemon_reload(struct berth_daemon *daemon)
{
    struct berth_error err;

    (void)service_reload(&daemon->service, &err);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    berth_log(BERTH_LOG_INFO, "stopping on signal %d", number);
    berth_daemon_stop(handle->data);
}

static void on_reload_signal(uv_signal_t *handle, int number)
{
    (void)number;
    berth_daemon_reload(handle->data);
}

/* ---- starting ---- */

static void start_signals(struct berth_daemon *daemon)
{
    size_t count;
    const struct berth_process_signal *signals = berth_process_signals(&count);

    for (size_t i = 0; i < count; i++) {
        bool reload = signals[i].wish == BERTH_SIGNAL_RELOAD;
        (void)uv_signal_init(daemon->loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        (void)uv_signal_start(&daemon->signals[i], reload ? on_reload_signal : on_stop_signal,
                              signals[i].number);
    }
}

static void start_timers(struct berth_daemon *daemon)
{
    (void)uv_timer_init(daemon->loop, &daemon->tick);
    (void)uv_timer_init(daemon->loop, &daemon->facts_timer);
    daemon->tick.data = daemon;
    daemon->facts_timer.data = daemon;
    (void)uv_timer_start(&daemon->tick, on_tick, TICK_MS, TICK_MS);
    (void)uv_timer_start(&daemon->facts_timer, on_facts_timer, FACTS_INTERVAL_MS,
                         FACTS_INTERVAL_MS);
}

static enum berth_code make_allocator(struct berth_daemon *daemon,
                                      const struct berth_settings *settings,
                                      struct berth_error *err)
{
    struct berth_allocator_options options = allocator_options(settings);
    enum berth_code code = berth_process_random(&options.seed, sizeof options.seed, err);

    options.random = random_id;
    options.keep = keep_lease;
    options.forget = forget_lease;
    options.told = on_lease_told;
    options.port = on_port;
    options.conflict = on_conflict;
    options.revision = (uint64_t)berth_clock_now().unix_ms * REVISIONS_A_MS;
    options.started_ms = berth_clock_now().ms;
    options.ctx = daemon;
    if (code == BERTH_OK) {
        code = berth_process_random(&daemon->random_state, sizeof daemon->random_state, err);
    }
    if (code == BERTH_OK) {
        code = berth_port_holds_create(&daemon->holds, berth_port_hold_system(), err);
    }
    if (code == BERTH_OK) {
        code = berth_allocator_create(&daemon->allocator, &options, err);
    }
    if (code == BERTH_OK) {
        code = berth_events_init(&daemon->events, daemon->allocator, err);
        daemon->events.added = on_event_added;
        daemon->events.ctx = daemon;
    }
    return code;
}

static enum berth_code make_service(struct berth_daemon *daemon, struct berth_error *err)
{
    struct berth_service *service = &daemon->service;
    size_t size = sizeof service->host;
    uint64_t instance;
    enum berth_code code = berth_process_random(&instance, sizeof instance, err);

    if (code != BERTH_OK) {
        return code;
    }
    (void)snprintf(service->instance, sizeof service->instance, "%016" PRIx64, instance);
    if (uv_os_gethostname(service->host, &size) != 0) {
        (void)snprintf(service->host, sizeof service->host, "localhost");
    }
    service->platform = berth_place_platform();
    service->allocator = daemon->allocator;
    service->facts = &daemon->facts;
    service->events = &daemon->events;
    service->holds = daemon->holds;
    service->started = berth_clock_now();
    service->now = service_now;
    service->resident_bytes = service_resident_bytes;
    service->tcp_events = service_tcp_events;
    service->reload = service_reload;
    service->flush = service_flush;
    return BERTH_OK;
}

/* The command line's endpoint, the configuration's, or the default place. */
static enum berth_code find_endpoint(struct berth_daemon *daemon,
                                     const struct berth_settings *settings, struct berth_error *err)
{
    const char *given =
        daemon->options->endpoint != NULL ? daemon->options->endpoint : settings->endpoint;

    if (given == NULL) {
        return berth_place_endpoint(&daemon->endpoint, err);
    }
    daemon->endpoint = berth_copy(given);
    return daemon->endpoint != NULL ? BERTH_OK : berth_fail_memory(err, "the endpoint");
}

/* Takes the endpoint. Whoever connects is answered when the loop runs, after all of the start. */
static enum berth_code take_endpoint(struct berth_daemon *daemon,
                                     const struct berth_settings *settings, struct berth_error *err)
{
    enum berth_code code = find_endpoint(daemon, settings, err);

    if (code == BERTH_OK) {
        code = berth_place_prepare_endpoint(daemon->endpoint, err);
    }
    /* who may connect is known from the start: nobody is turned away who would be let in soon */
    if (code == BERTH_OK) {
        code = berth_access_resolve(&daemon->access, settings, err);
    }
    if (code == BERTH_OK) {
        code = berth_server_open(&daemon->server, daemon->loop, daemon->endpoint, &daemon->service,
                                 &daemon->access, err);
    }
    return code;
}

static enum berth_code start_all(struct berth_daemon *daemon, struct berth_error *err)
{
    const struct berth_watch_observer observer = {on_source, daemon};
    struct berth_configuration fresh = {.path = NULL};
    enum berth_code code = berth_configuration_load(&fresh, daemon->options, err);

    if (code == BERTH_OK) {
        code = note_fixed(daemon, &fresh.settings, err);
    }
    if (code == BERTH_OK) {
        code = make_allocator(daemon, &fresh.settings, err);
    }
    if (code == BERTH_OK) {
        code = make_service(daemon, err);
    }
    /* first the endpoint: it is what says best that another daemon runs */
    if (code == BERTH_OK) {
        code = take_endpoint(daemon, &fresh.settings, err);
    }
    if (code == BERTH_OK) {
        code = open_store(daemon, &fresh.settings, err);
    }
    if (code == BERTH_OK) {
        code = berth_watch_create(&daemon->watch, daemon->loop, daemon->allocator, &observer, err);
    }
    if (code == BERTH_OK) {
        start_timers(daemon);
        start_signals(daemon);
        read_facts(daemon);
        code = apply(daemon, &fresh, err);
    }
    berth_configuration_fini(&fresh);
    return code;
}

enum berth_code berth_daemon_start(struct berth_daemon **out, uv_loop_t *loop,
                                   const struct berth_options *options, struct berth_error *err)
{
    struct berth_daemon *daemon = berth_alloc(1, sizeof *daemon);

    if (daemon == NULL) {
        return berth_fail_memory(err, "the daemon");
    }
    daemon->loop = loop;
    daemon->options = options;
    *out = daemon;
    enum berth_code code = start_all(daemon, err);
    if (code != BERTH_OK) {
        berth_daemon_stop(daemon);
        return code;
    }
    berth_log(BERTH_LOG_INFO, "berthd %s serves at %s", BERTH_VERSION, daemon->endpoint);
    berth_system_log_report(BERTH_NOTICE_STARTED,
                            (const char *const[]){BERTH_VERSION, daemon->endpoint});
    berth_service_notify_ready("serving");
    return BERTH_OK;
}

void berth_daemon_destroy(struct berth_daemon *daemon)
{
    if (daemon == NULL) {
        return;
    }
    berth_allocator_destroy(daemon->allocator);
    berth_port_holds_destroy(daemon->holds);
    berth_events_fini(&daemon->events);
    berth_access_fini(&daemon->access);
    berth_configuration_fini(&daemon->configuration);
    berth_free(daemon->endpoint);
    berth_free(daemon->fixed.endpoint);
    berth_free(daemon->fixed.state);
    berth_free(daemon);
}

/* ---- --check-config ---- */

enum berth_code berth_daemon_check_config(const struct berth_options *options,
                                          struct berth_error *err)
{
    struct berth_configuration configuration;
    struct berth_access access = {.entries = NULL};
    struct berth_text summary;
    enum berth_code code = berth_configuration_load(&configuration, options, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = berth_access_resolve(&access, &configuration.settings, err);
    if (code == BERTH_OK) {
        berth_configuration_add_warnings(&configuration, berth_text_string(&access.warnings));
        berth_text_init(&summary, BERTH_SETTINGS_FILE_MAX);
        berth_settings_write_summary(&summary, &configuration.settings);
        (void)printf("configuration %s: ok, %zu warnings\n%s",
                     configuration.path != NULL ? configuration.path : "(none, the defaults)",
                     configuration.warning_count, berth_text_string(&summary));
        berth_text_fini(&summary);
        berth_access_fini(&access);
    }
    berth_configuration_fini(&configuration);
    return code;
}
