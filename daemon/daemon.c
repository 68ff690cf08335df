/* SPDX-License-Identifier: MIT */
#include "daemon_private.h"

#include "alerts.h"
#include "base/memory.h"
#include "base/native.h"
#include "base/version.h"
#include "clock.h"
#include "log.h"
#include "log_target.h"
#include "places.h"
#include "service_notify.h"
#include "watchers/host_facts.h"

#include <inttypes.h>
#include <string.h>

#define FACTS_INTERVAL_MS 30000
/* A start begins with revisions that no instance before it can have come to, so that `since` of a
 * subscriber says nothing false to the next one. */
#define REVISIONS_A_MS 1000
#define END_PATIENCE_MS 3000 /* more than hints take at most to be closed */
#define TICK_MS 500          /* leases, cool-downs and lingering end at most this much late */

/* ---- time ---- */

static void on_tick(uv_timer_t *timer)
{
    struct berth_daemon *daemon = timer->data;
    struct berth_now now = berth_clock_now();

    if (daemon->service.subscribers_now > 0) {
        berth_events_note_follower(&daemon->events, now);
    }
    (void)berth_allocator_tick(daemon->allocator, now);
    berth_alerts_tick(daemon->service.alerts, now);
    berth_known_bindings_tick(daemon->known, now);
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

static size_t service_hints(struct berth_service *service,
                            struct berth_hint_view out[BERTH_HINTS_MAX])
{
    const struct berth_daemon *daemon = BERTH_CONTAINER_OF(service, struct berth_daemon, service);
    struct berth_hint_status status;
    size_t count = 0;

    for (unsigned i = 0; daemon->watch != NULL && i < BERTH_HINT_FACILITY_COUNT; i++) {
        enum berth_hint_facility facility = (enum berth_hint_facility)i;
        if (berth_watch_hint(daemon->watch, facility, &status)) {
            out[count++] = (struct berth_hint_view){
                .name = berth_hint_facility_name(facility),
                .reason = status.reason,
                .total = status.total,
            };
        }
    }
    return count;
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
    berth_alerts_conflict(daemon->service.alerts, entry, opened, berth_clock_now());
}

static void on_source(void *ctx, const struct berth_source_entry *source)
{
    struct berth_daemon *daemon = ctx;

    berth_events_source(&daemon->events, source, berth_clock_now());
    berth_alerts_source(daemon->service.alerts, source, berth_clock_now());
}

static void on_source_removed(void *ctx, const struct berth_source_entry *source)
{
    const struct berth_daemon *daemon = ctx;

    berth_alerts_source_removed(daemon->service.alerts, source);
}

static void on_event_added(void *ctx)
{
    const struct berth_daemon *daemon = ctx;

    if (daemon->server != NULL) {
        berth_server_note_events(daemon->server);
    }
}

static void on_name_learned(void *ctx)
{
    const struct berth_daemon *daemon = ctx;

    if (daemon->server != NULL) {
        berth_server_name_learned(daemon->server);
    }
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
    berth_watch_retry(daemon->watch);
}

/* ---- stopping ---- */

/* @return how many things do not come back */
static size_t log_unfinished(const struct berth_daemon *daemon)
{
    size_t looks = daemon->leaving != NULL ? berth_watch_log_unfinished(daemon->leaving) : 0;
    unsigned names = daemon->names != NULL ? berth_account_names_under_way(daemon->names) : 0;

    if (names > 0) {
        berth_log(BERTH_LOG_WARNING, "a look-up of a user's name does not come back");
    }
    return looks + names;
}

static void on_patience_over(uv_timer_t *timer)
{
    struct berth_daemon *daemon = timer->data;

    if (log_unfinished(daemon) == 0) {
        berth_log(BERTH_LOG_WARNING, "something still runs that should have ended");
    }
    daemon->left_behind = true;
    uv_stop(daemon->loop);
}

/* Nobody is served and the store is closed: nothing that is under way yet can matter any more, and
 * a read from a share that hangs may take for ever. The loop does not run for the timer's sake. */
static void start_patience(struct berth_daemon *daemon)
{
    uv_update_time(daemon->loop);
    (void)uv_timer_init(daemon->loop, &daemon->patience);
    daemon->patience.data = daemon;
    (void)uv_timer_start(&daemon->patience, on_patience_over, END_PATIENCE_MS, 0);
    uv_unref((uv_handle_t *)&daemon->patience);
}

static void on_names_closed(void *ctx)
{
    struct berth_daemon *daemon = ctx;

    daemon->names = NULL;
}

static void on_server_closed(void *ctx)
{
    struct berth_daemon *daemon = ctx;

    daemon->server = NULL;
    berth_account_names_close(daemon->names, on_names_closed, daemon);
    berth__daemon_close_store(daemon);
    berth_log(BERTH_LOG_INFO, "stopped");
    start_patience(daemon);
}

static void on_watch_closed(void *ctx)
{
    struct berth_daemon *daemon = ctx;

    daemon->leaving = NULL;
}

static void close_watch(struct berth_daemon *daemon)
{
    daemon->leaving = daemon->watch;
    daemon->watch = NULL;
    if (daemon->leaving != NULL) {
        berth_watch_close(daemon->leaving, on_watch_closed, daemon);
    }
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
    berth_known_bindings_close(daemon->known, berth_clock_now());
    daemon->known = NULL;
    if (daemon->server != NULL) {
        berth_server_close(daemon->server, on_server_closed, daemon);
    } else {
        berth_account_names_close(daemon->names, on_names_closed, daemon);
        berth__daemon_close_store(daemon);
    }
    berth_alerts_stop(daemon->service.alerts);
    close_watch(daemon);
    close_handle((uv_handle_t *)&daemon->tick);
    close_handle((uv_handle_t *)&daemon->facts_timer);
    for (size_t i = 0; i < BERTH_COUNT(daemon->signals); i++) {
        close_handle((uv_handle_t *)&daemon->signals[i]);
    }
    if (daemon->server == NULL) {
        start_patience(daemon);
    }
}

bool berth_daemon_end(struct berth_daemon *daemon)
{
    if (daemon == NULL) {
        return true;
    }
    close_handle((uv_handle_t *)&daemon->patience);
    return !daemon->left_behind;
}

void berth_daemon_reload(struct berth_daemon *daemon)
{
    struct berth_error err;

    (void)berth__daemon_reload(&daemon->service, &err);
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
    struct berth_allocator_options options = berth__daemon_allocator_options(settings);
    enum berth_code code = berth_process_random(&options.seed, sizeof options.seed, err);

    options.random = random_id;
    options.keep = berth__daemon_keep_lease;
    options.forget = berth__daemon_forget_lease;
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
    service->hints = service_hints;
    service->reload = berth__daemon_reload;
    service->flush = berth__daemon_flush;
    return berth_alerts_create(&service->alerts, daemon->loop, service, err);
}

/* The command line's endpoint, the environment's as clients take it, so that one variable moves
 * both, the configuration's, or the default place. */
static enum berth_code find_endpoint(struct berth_daemon *daemon,
                                     const struct berth_settings *settings, struct berth_error *err)
{
    const char *given = daemon->options->endpoint;
    char *named = NULL;
    enum berth_code code = BERTH_OK;

    if (given == NULL) {
        if (!berth_environment(&named, "BERTH_ENDPOINT")) {
            return berth_fail_memory(err, "BERTH_ENDPOINT");
        }
        given = named != NULL && named[0] != '\0' ? named : settings->endpoint;
    }
    if (given == NULL) {
        code = berth_place_endpoint(&daemon->endpoint, err);
    } else {
        daemon->endpoint = berth_copy(given);
        code = daemon->endpoint != NULL ? BERTH_OK : berth_fail_memory(err, "the endpoint");
    }
    berth_free(named);
    return code;
}

static enum berth_code make_names(struct berth_daemon *daemon, struct berth_error *err)
{
    const struct berth_account_names_options options = {
        .look_up = berth_account_look_up_user_name,
        .now_ms = uv_now,
        .patience_ms = BERTH_ACCOUNT_NAMES_PATIENCE_MS,
        .learned = on_name_learned,
        .ctx = daemon,
    };

    return berth_account_names_create(&daemon->names, daemon->loop, &options, err);
}

/* Takes the endpoint. Whoever connects is answered when the loop runs, after all of the start. */
static enum berth_code take_endpoint(struct berth_daemon *daemon,
                                     const struct berth_configuration *configuration,
                                     struct berth_error *err)
{
    const struct berth_settings *settings = &configuration->settings;
    enum berth_code code = find_endpoint(daemon, settings, err);

    if (code == BERTH_OK) {
        code = berth_place_prepare_endpoint(daemon->endpoint, err);
    }
    /* who may connect is known from the start: nobody is turned away who would be let in soon */
    if (code == BERTH_OK) {
        code = berth_access_resolve(&daemon->access, settings, configuration->path, err);
    }
    if (code == BERTH_OK) {
        code = make_names(daemon, err);
    }
    if (code == BERTH_OK) {
        code = berth_server_open(&daemon->server, daemon->loop, daemon->endpoint, &daemon->service,
                                 &daemon->access, daemon->names, err);
    }
    return code;
}

static enum berth_code start_all(struct berth_daemon *daemon, struct berth_error *err)
{
    const struct berth_watch_observer observer = {on_source, on_source_removed, daemon};
    struct berth_configuration fresh = {.path = NULL};
    enum berth_code code = berth_configuration_load(&fresh, daemon->options, err);

    if (code == BERTH_OK) {
        code = berth__daemon_note_fixed(daemon, &fresh.settings, err);
    }
    if (code == BERTH_OK) {
        code = make_allocator(daemon, &fresh.settings, err);
    }
    if (code == BERTH_OK) {
        code = make_service(daemon, err);
    }
    /* first the endpoint: it is what says best that another daemon runs */
    if (code == BERTH_OK) {
        code = take_endpoint(daemon, &fresh, err);
    }
    if (code == BERTH_OK) {
        code = berth__daemon_open_store(daemon, &fresh.settings, err);
    }
    if (code == BERTH_OK) {
        code = berth_watch_create(&daemon->watch, daemon->loop, daemon->allocator, &observer, err);
    }
    if (code == BERTH_OK) {
        start_timers(daemon);
        start_signals(daemon);
        read_facts(daemon);
        code = berth__daemon_apply(daemon, &fresh, err);
    }
    if (code == BERTH_OK) {
        berth_known_bindings_restore(daemon->known, berth_clock_now());
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
    berth_alerts_report(daemon->service.alerts, BERTH_NOTICE_STARTED,
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
    berth_alerts_destroy(daemon->service.alerts);
    berth_port_holds_destroy(daemon->holds);
    berth_events_fini(&daemon->events);
    berth_access_fini(&daemon->access);
    berth_configuration_fini(&daemon->configuration);
    berth_free(daemon->endpoint);
    berth_free(daemon->fixed.endpoint);
    berth_free(daemon->fixed.state);
    berth_free(daemon);
}
