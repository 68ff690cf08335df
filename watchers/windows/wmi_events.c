/* SPDX-License-Identifier: MIT */
#include "wmi_events.h"

#include "base/memory.h"

#include <stdio.h>

#define NS_A_MS 1000000u
#define REST_MS 500u
#define RETRY_FIRST_MS 1000u
#define RETRY_MAX_MS 600000u
#define ABANDON_MS 2000u
#define LIVED_MS 60000u    /* a subscription that held so long is no failure of the one before it */
#define ROUNDS_SURE 2u     /* WMI may refuse only some time after it has accepted */
#define EVENTS_A_ROUND 64u /* taken of one subscription before the others have their turn */

/* One query's life; the thread's alone. */
struct subscription {
    void *handle;      /* NULL: there is none */
    bool lived;        /* there was one before */
    unsigned failures; /* in a row */
    uint64_t since_ms; /* it runs */
    unsigned rounds;   /* without a failure */
    uint64_t retry_ms; /* when to try again */
};

/* What the thread has. It outlives the events where the thread does. */
struct worker {
    struct berth_wmi_options options;
    struct berth_wmi_sink sink;
    struct subscription subscriptions[BERTH_WMI_QUERIES_MAX];
    void *context; /* NULL: not entered */
    unsigned enter_failures;
    uint64_t enter_ms; /* when to try again */
    uv_mutex_t mutex;  /* of what follows */
    uv_cond_t changed;
    bool stopping;
    bool ended;
    bool abandoned;         /* nobody waits for the thread: the memory is its own */
    uv_async_t *ended_wake; /* the events'; not to be used when abandoned */
};

struct berth_wmi_events {
    uv_async_t wake;
    uv_timer_t timer; /* until the thread is abandoned */
    unsigned handles; /* that are open */
    struct worker *worker;
    uv_thread_t thread;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- the queries ---- */

#define SERVICES_HEAD                                                                              \
    "SELECT * FROM __InstanceOperationEvent WITHIN 5 WHERE TargetInstance ISA 'Win32_Service' "    \
    "AND ("
#define SERVICES_ROOM 1024

/* Names the services that count, so that WMI tells of no others. */
static const char *services_query(void)
{
    static char text[SERVICES_ROOM];
    size_t length = (size_t)snprintf(text, sizeof text, "%s", SERVICES_HEAD);
    const char *name;

    for (size_t i = 0; (name = berth_hint_service(i)) != NULL; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "%sTargetInstance.Name='%s'", i == 0 ? "" : " OR ", name);
    }
    (void)snprintf(text + length, sizeof text - length, ")");
    return text;
}

const struct berth_wmi_query *berth_wmi_queries(size_t *count)
{
    static struct berth_wmi_query queries[] = {
        /* WMI itself compares the list of services every 5 s */
        {BERTH_HINT_WMI_SERVICES, "ROOT\\CIMV2", NULL,
         BERTH_HINT_BIT(BERTH_SOURCE_IIS) | BERTH_HINT_BIT(BERTH_SOURCE_HTTPSYS) |
             BERTH_HINT_BIT(BERTH_SOURCE_TCP) | BERTH_HINT_BIT(BERTH_SOURCE_EXCLUDED)},
        /* the kernel tells; nothing polls */
        {BERTH_HINT_WMI_PROCESSES, "ROOT\\CIMV2", "SELECT * FROM Win32_ProcessStopTrace",
         BERTH_HINT_BIT(BERTH_SOURCE_TCP)},
        /* reads all of IIS's configuration each time: as seldom as it is of use */
        {BERTH_HINT_WMI_SITES, "ROOT\\WebAdministration",
         "SELECT * FROM __InstanceOperationEvent WITHIN 15 WHERE TargetInstance ISA 'Site'",
         BERTH_HINT_BIT(BERTH_SOURCE_IIS) | BERTH_HINT_BIT(BERTH_SOURCE_HTTPSYS) |
             BERTH_HINT_BIT(BERTH_SOURCE_TCP)},
    };

    queries[0].text = services_query();
    *count = BERTH_COUNT(queries);
    return queries;
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / NS_A_MS;
}

static void destroy_worker(struct worker *worker)
{
    uv_cond_destroy(&worker->changed);
    uv_mutex_destroy(&worker->mutex);
    berth_free(worker);
}

/* ---- on the thread ---- */

static bool is_stopping(struct worker *worker)
{
    uv_mutex_lock(&worker->mutex);
    bool stopping = worker->stopping;
    uv_mutex_unlock(&worker->mutex);
    return stopping;
}

/* Reports under the lock: after a close was called, nothing is. */
static void tell_state(struct worker *worker, size_t at, bool works, const char *reason)
{
    uv_mutex_lock(&worker->mutex);
    if (!worker->stopping) {
        worker->sink.state(worker->sink.ctx, worker->options.queries[at].facility, works, reason);
    }
    uv_mutex_unlock(&worker->mutex);
}

static void tell_hint(struct worker *worker, size_t at, unsigned sources)
{
    uv_mutex_lock(&worker->mutex);
    if (!worker->stopping && sources != 0) {
        worker->sink.hint(worker->sink.ctx, worker->options.queries[at].facility, sources);
    }
    uv_mutex_unlock(&worker->mutex);
}

static uint64_t pause_ms(const struct worker *worker, unsigned failures)
{
    uint64_t pause = worker->options.retry_first_ms;

    for (unsigned i = 1; i < failures && pause < worker->options.retry_max_ms; i++) {
        pause *= 2;
    }
    return pause < worker->options.retry_max_ms ? pause : worker->options.retry_max_ms;
}

static void note_failure(struct worker *worker, size_t at, const struct berth_error *err)
{
    struct subscription *subscription = &worker->subscriptions[at];

    subscription->failures++;
    subscription->retry_ms = now_ms() + pause_ms(worker, subscription->failures);
    tell_state(worker, at, false, err->detail);
}

static void unsubscribe(struct worker *worker, size_t at)
{
    struct subscription *subscription = &worker->subscriptions[at];

    if (subscription->handle != NULL) {
        worker->options.calls->unsubscribe(worker->context, subscription->handle);
        subscription->handle = NULL;
    }
}

static void subscribe(struct worker *worker, size_t at)
{
    struct subscription *subscription = &worker->subscriptions[at];
    struct berth_error err = {.code = BERTH_OK};

    if (worker->options.calls->subscribe(worker->context, &worker->options.queries[at],
                                         &subscription->handle, &err) != BERTH_OK) {
        subscription->handle = NULL;
        note_failure(worker, at, &err);
        return;
    }
    subscription->since_ms = now_ms();
    subscription->rounds = 0;
    if (subscription->lived) {
        /* what happened while it was broken, nobody tells any more */
        tell_hint(worker, at, worker->options.queries[at].sources);
    }
}

/* Takes what has come.  @return true: something had */
static bool read_events(struct worker *worker, size_t at)
{
    struct subscription *subscription = &worker->subscriptions[at];
    struct berth_error err = {.code = BERTH_OK};
    enum berth_code code = BERTH_OK;
    unsigned count = 0;

    while (code == BERTH_OK && count < EVENTS_A_ROUND) {
        struct berth_wmi_event event = {.class_name = ""};
        code = worker->options.calls->next(worker->context, subscription->handle, &event, &err);
        if (code == BERTH_OK) {
            tell_hint(worker, at, berth_hint_of_wmi(&event));
            count++;
        }
    }
    if (code != BERTH_OK && code != BERTH_BUSY) {
        unsubscribe(worker, at);
        if (now_ms() - subscription->since_ms >= LIVED_MS) {
            subscription->failures = 0;
        }
        note_failure(worker, at, &err);
    }
    if (subscription->handle != NULL && subscription->rounds < ROUNDS_SURE &&
        ++subscription->rounds == ROUNDS_SURE) {
        subscription->lived = true;
        tell_state(worker, at, true, NULL);
    }
    return count != 0;
}

/* Makes the thread one that may ask; where that fails, all have failed. */
static bool enter(struct worker *worker)
{
    struct berth_error err = {.code = BERTH_OK};

    if (worker->context != NULL) {
        return true;
    }
    if (now_ms() < worker->enter_ms) {
        return false;
    }
    if (worker->options.calls->enter(&worker->context, &err) == BERTH_OK) {
        worker->enter_failures = 0;
        return true;
    }
    worker->context = NULL;
    worker->enter_failures++;
    worker->enter_ms = now_ms() + pause_ms(worker, worker->enter_failures);
    for (size_t i = 0; i < worker->options.count; i++) {
        tell_state(worker, i, false, err.detail);
    }
    return false;
}

/* Goes once through all queries.  @return true: something came, so that there may be more */
static bool go_round(struct worker *worker)
{
    bool found = false;

    if (!enter(worker)) {
        return false;
    }
    for (size_t i = 0; i < worker->options.count && !is_stopping(worker); i++) {
        if (worker->subscriptions[i].handle != NULL) {
            found = read_events(worker, i) || found;
        } else if (now_ms() >= worker->subscriptions[i].retry_ms) {
            subscribe(worker, i);
        }
    }
    return found;
}

/* How long nothing is to be done: while something runs a rest, else until the next try. */
static uint64_t idle_ms(const struct worker *worker)
{
    uint64_t now = now_ms();
    uint64_t next = worker->context != NULL ? UINT64_MAX : worker->enter_ms;

    for (size_t i = 0; worker->context != NULL && i < worker->options.count; i++) {
        const struct subscription *subscription = &worker->subscriptions[i];
        uint64_t due =
            subscription->handle != NULL ? now + worker->options.rest_ms : subscription->retry_ms;
        next = due < next ? due : next;
    }
    return next > now ? next - now : 0;
}

static void rest(struct worker *worker)
{
    uint64_t ns = idle_ms(worker) * NS_A_MS;

    uv_mutex_lock(&worker->mutex);
    if (!worker->stopping && ns != 0) {
        /* woken for nothing, it goes round once more */
        (void)uv_cond_timedwait(&worker->changed, &worker->mutex, ns);
    }
    uv_mutex_unlock(&worker->mutex);
}

static void run(void *ctx)
{
    struct worker *worker = ctx;

    while (!is_stopping(worker)) {
        if (!go_round(worker)) {
            rest(worker);
        }
    }
    for (size_t i = 0; i < worker->options.count; i++) {
        unsubscribe(worker, i);
    }
    if (worker->context != NULL) {
        worker->options.calls->leave(worker->context);
    }
    uv_mutex_lock(&worker->mutex);
    worker->ended = true;
    bool abandoned = worker->abandoned;
    if (!abandoned) {
        (void)uv_async_send(worker->ended_wake);
    }
    uv_mutex_unlock(&worker->mutex);
    if (abandoned) {
        destroy_worker(worker);
    }
}

/* ---- on the loop ---- */

static void handle_closed_cb(uv_handle_t *handle)
{
    struct berth_wmi_events *events = handle->data;
    void (*closed)(void *ctx) = events->closed;
    void *ctx = events->closed_ctx;

    if (--events->handles == 0) {
        berth_free(events);
        if (closed != NULL) { /* NULL: it never ran */
            closed(ctx);
        }
    }
}

static void close_handles(struct berth_wmi_events *events)
{
    uv_close((uv_handle_t *)&events->wake, handle_closed_cb);
    uv_close((uv_handle_t *)&events->timer, handle_closed_cb);
}

/* The thread has ended, or its time is over. */
static void finish(struct berth_wmi_events *events)
{
    struct worker *worker = events->worker;

    if (worker == NULL) {
        return; /* finished already */
    }
    uv_mutex_lock(&worker->mutex);
    bool ended = worker->ended;
    worker->abandoned = !ended;
    uv_mutex_unlock(&worker->mutex);
    if (ended) {
        (void)uv_thread_join(&events->thread);
        destroy_worker(worker);
    }
    events->worker = NULL;
    close_handles(events);
}

static void wake_cb(uv_async_t *wake)
{
    struct berth_wmi_events *events = wake->data;

    if (events->closing) {
        finish(events);
    }
}

static void timer_cb(uv_timer_t *timer)
{
    finish(timer->data);
}

/* Makes the worker with its locks; on failure there is none. */
static enum berth_code make_worker(struct worker **out, const struct berth_wmi_options *options,
                                   const struct berth_wmi_sink *sink, struct berth_error *err)
{
    struct worker *worker = berth_alloc(1, sizeof *worker);

    if (worker == NULL) {
        return berth_fail_memory(err, "events of WMI");
    }
    worker->options = *options;
    worker->sink = *sink;
    worker->options.rest_ms = options->rest_ms != 0 ? options->rest_ms : REST_MS;
    worker->options.retry_first_ms =
        options->retry_first_ms != 0 ? options->retry_first_ms : RETRY_FIRST_MS;
    worker->options.retry_max_ms =
        options->retry_max_ms != 0 ? options->retry_max_ms : RETRY_MAX_MS;
    worker->options.abandon_ms = options->abandon_ms != 0 ? options->abandon_ms : ABANDON_MS;
    int status = uv_mutex_init(&worker->mutex);
    if (status == 0) {
        status = uv_cond_init(&worker->changed);
        if (status != 0) {
            uv_mutex_destroy(&worker->mutex);
        }
    }
    if (status != 0) {
        berth_free(worker);
        return berth_fail(err, BERTH_INTERNAL, status, "events of WMI: %s", uv_strerror(status));
    }
    *out = worker;
    return BERTH_OK;
}

static enum berth_code start_thread(struct berth_wmi_events *events, uv_loop_t *loop,
                                    struct berth_error *err)
{
    int status = uv_async_init(loop, &events->wake, wake_cb);

    if (status != 0) {
        destroy_worker(events->worker);
        berth_free(events);
        return berth_fail(err, BERTH_INTERNAL, status, "events of WMI: %s", uv_strerror(status));
    }
    (void)uv_timer_init(loop, &events->timer); /* cannot fail */
    events->wake.data = events;
    events->timer.data = events;
    events->handles = 2;
    events->worker->ended_wake = &events->wake;
    status = uv_thread_create(&events->thread, run, events->worker);
    if (status != 0) {
        destroy_worker(events->worker);
        close_handles(events); /* the memory goes with them */
        return berth_fail(err, BERTH_IO, status, "no thread for WMI: %s", uv_strerror(status));
    }
    return BERTH_OK;
}

enum berth_code berth_wmi_events_open(struct berth_wmi_events **out, uv_loop_t *loop,
                                      const struct berth_wmi_options *options,
                                      const struct berth_wmi_sink *sink, struct berth_error *err)
{
    struct berth_wmi_events *events = berth_alloc(1, sizeof *events);

    if (events == NULL) {
        return berth_fail_memory(err, "events of WMI");
    }
    enum berth_code code = make_worker(&events->worker, options, sink, err);
    if (code != BERTH_OK) {
        berth_free(events);
        return code;
    }
    code = start_thread(events, loop, err);
    if (code == BERTH_OK) {
        *out = events;
    }
    return code;
}

void berth_wmi_events_close(struct berth_wmi_events *events, void (*closed)(void *ctx), void *ctx)
{
    struct worker *worker = events->worker;

    events->closing = true;
    events->closed = closed;
    events->closed_ctx = ctx;
    uv_update_time(events->timer.loop);
    (void)uv_timer_start(&events->timer, timer_cb, worker->options.abandon_ms, 0);
    uv_mutex_lock(&worker->mutex);
    worker->stopping = true;
    uv_cond_broadcast(&worker->changed);
    uv_mutex_unlock(&worker->mutex);
}
