/* SPDX-License-Identifier: MIT */
#include "watchers/windows/etw_session.h"

#include "base/memory.h"
#include "watchers/windows/etw_trouble.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000u

/* What loses events, by RT_LostEvent's opcodes. */
#define LOST_EVENT 32u
#define LOST_BUFFER 33u
#define LOST_FILE 34u

struct requests {
    struct berth_etw_request at[BERTH_ETW_REQUESTS_MAX];
    size_t count;
};

/* Losses of one opening, each as far as it was told that way. */
struct losses {
    uint64_t by_events;
    uint64_t by_buffers;
    uint64_t by_question;
    uint64_t told;
};

/* The word that waits for the loop. */
struct word {
    bool fresh;
    bool runs;
    char reason[BERTH_ETW_TROUBLE_SIZE];
};

struct berth_etw_session {
    struct berth_etw_calls calls;
    struct berth_etw_sink sink;
    struct berth_etw_times times;
    char name[BERTH_ETW_NAME_SIZE];

    uv_mutex_t telling; /* held while the sink's event or lost is called; of the next two */
    bool muted;
    struct losses losses;

    uv_mutex_t lock; /* of what follows up to the next blank line */
    uv_cond_t changed;
    struct requests wanted;
    uint32_t wanted_count; /* how often something was asked for */
    uint32_t asked_count;  /* the same, as far as the providers were asked */
    bool closing;
    bool restart;
    char restart_reason[BERTH_ETW_TROUBLE_SIZE];
    bool reading; /* the reading thread runs */
    uint32_t read_code;
    uint32_t openings;
    struct word word;
    bool wake_closed; /* nobody may wake the loop any more */
    bool ended;       /* the keeping thread uses nothing any more but to free it all if left */
    bool left;        /* nobody waits for the keeping thread: the memory is its own */

    /* the keeping thread's */
    void *held;
    bool is_held;
    uint64_t started; /* 0: not */
    uint64_t trace;
    bool is_open;
    bool has_reader;
    uv_thread_t reader;
    uint32_t failures; /* in a row */
    struct berth_etw_consumer consumer;

    /* the loop's */
    uv_thread_t keeper;
    bool has_keeper;
    uv_async_t wake;
    uv_timer_t patience;
    unsigned handles;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* --- what is read --------------------------------------------------------------------------- */

/* Tells what more is known to be lost. With `telling` held. */
static void tell_losses(struct berth_etw_session *session)
{
    struct losses *losses = &session->losses;
    uint64_t most = losses->by_events;

    most = losses->by_buffers > most ? losses->by_buffers : most;
    most = losses->by_question > most ? losses->by_question : most;
    if (most > losses->told && !session->muted) {
        uint64_t more = most - losses->told;
        losses->told = most;
        session->sink.lost(session->sink.ctx, more);
    }
}

static void take_event(void *ctx, const struct berth_etw_event *event)
{
    struct berth_etw_session *session = ctx;

    uv_mutex_lock(&session->telling);
    if (event->provider == BERTH_ETW_LOSS) {
        if (event->opcode >= LOST_EVENT && event->opcode <= LOST_FILE) {
            session->losses.by_events++;
            tell_losses(session);
        }
    } else if (!session->muted) {
        session->sink.event(session->sink.ctx, event);
    }
    uv_mutex_unlock(&session->telling);
}

static void take_buffer(void *ctx, uint64_t lost)
{
    struct berth_etw_session *session = ctx;

    uv_mutex_lock(&session->telling);
    if (lost > session->losses.by_buffers) {
        session->losses.by_buffers = lost;
        tell_losses(session);
    }
    uv_mutex_unlock(&session->telling);
}

static void read_trace(void *ctx)
{
    struct berth_etw_session *session = ctx;
    uint32_t code = session->calls.process(session->calls.context, session->trace);

    uv_mutex_lock(&session->lock);
    session->reading = false;
    session->read_code = code;
    uv_cond_broadcast(&session->changed);
    uv_mutex_unlock(&session->lock);
}

/* --- the keeping thread: up, on, down ------------------------------------------------------- */

static uint32_t hold_name(struct berth_etw_session *session)
{
    uint32_t code = session->calls.hold(session->calls.context, session->name, &session->held);

    session->is_held = code == 0;
    return code;
}

/* What has our name although we hold it was left behind by a daemon that was killed. */
static uint32_t start_session(struct berth_etw_session *session)
{
    const struct berth_etw_calls *calls = &session->calls;
    uint32_t code = calls->start(calls->context, session->name, &session->started);

    if (code == BERTH_ETW_ALREADY_EXISTS) {
        (void)calls->stop(calls->context, 0, session->name);
        code = calls->start(calls->context, session->name, &session->started);
    }
    if (code != 0) {
        session->started = 0;
    }
    return code;
}

static uint32_t open_trace(struct berth_etw_session *session)
{
    uv_mutex_lock(&session->telling);
    session->losses = (struct losses){0};
    uv_mutex_unlock(&session->telling);
    session->consumer = (struct berth_etw_consumer){take_event, take_buffer, session};
    uint32_t code = session->calls.open(session->calls.context, session->name, &session->consumer,
                                        &session->trace);
    session->is_open = code == 0;
    return code;
}

static uint32_t start_reader(struct berth_etw_session *session)
{
    uv_mutex_lock(&session->lock);
    session->reading = true;
    uv_mutex_unlock(&session->lock);
    int status = uv_thread_create(&session->reader, read_trace, session);
    session->has_reader = status == 0;
    return (uint32_t)status;
}

static uint32_t enable_providers(struct berth_etw_session *session)
{
    struct requests wanted;
    uint32_t code = 0;

    uv_mutex_lock(&session->lock);
    wanted = session->wanted;
    uint32_t count = session->wanted_count;
    uv_mutex_unlock(&session->lock);
    for (size_t i = 0; code == 0 && i < wanted.count; i++) {
        code = session->calls.enable(session->calls.context, session->started, &wanted.at[i]);
    }
    uv_mutex_lock(&session->lock);
    session->asked_count = count;
    uv_mutex_unlock(&session->lock);
    return code;
}

/* Opened for reading before anything writes to it: where it may not be read, nothing is asked of a
 * provider.  @return 0, or the code of the step that failed */
static uint32_t bring_up(struct berth_etw_session *session, enum berth_etw_step *step)
{
    static uint32_t (*const steps[])(struct berth_etw_session * session) = {
        [BERTH_ETW_STEP_HOLD] = hold_name,          [BERTH_ETW_STEP_START] = start_session,
        [BERTH_ETW_STEP_ENABLE] = enable_providers, [BERTH_ETW_STEP_OPEN] = open_trace,
        [BERTH_ETW_STEP_THREAD] = start_reader,
    };
    static const enum berth_etw_step order[] = {BERTH_ETW_STEP_HOLD, BERTH_ETW_STEP_START,
                                                BERTH_ETW_STEP_OPEN, BERTH_ETW_STEP_THREAD,
                                                BERTH_ETW_STEP_ENABLE};
    uint32_t code = 0;

    for (size_t i = 0; code == 0 && i < BERTH_COUNT(order); i++) {
        *step = order[i];
        code = steps[order[i]](session);
    }
    return code;
}

static void take_down(struct berth_etw_session *session)
{
    const struct berth_etw_calls *calls = &session->calls;

    if (session->started != 0) {
        (void)calls->stop(calls->context, session->started, session->name);
        session->started = 0;
    }
    if (session->is_open) {
        calls->close(calls->context, session->trace);
        session->is_open = false;
    }
    if (session->has_reader) {
        (void)uv_thread_join(&session->reader);
        session->has_reader = false;
    }
    if (session->is_held) {
        calls->release(calls->context, session->held);
        session->is_held = false;
    }
}

/* Hands the loop a word.  @param[in] reason  NULL: it runs */
static void give_word(struct berth_etw_session *session, const char *reason)
{
    uv_mutex_lock(&session->lock);
    session->word.fresh = true;
    session->word.runs = reason == NULL;
    (void)snprintf(session->word.reason, sizeof session->word.reason, "%s",
                   reason != NULL ? reason : "");
    session->openings += reason == NULL;
    if (!session->wake_closed) {
        (void)uv_async_send(&session->wake);
    }
    uv_mutex_unlock(&session->lock);
}

static void ask_for_losses(struct berth_etw_session *session)
{
    uint64_t lost = 0;

    if (session->calls.query(session->calls.context, session->started, &lost) != 0) {
        return;
    }
    uv_mutex_lock(&session->telling);
    if (lost > session->losses.by_question) {
        session->losses.by_question = lost;
        tell_losses(session);
    }
    uv_mutex_unlock(&session->telling);
}

/* Does what is due once in every pause.  @return 0, or why the session is of no use any more */
static uint32_t look_after(struct berth_etw_session *session, bool wanted_changed, uint32_t round,
                           enum berth_etw_step *step)
{
    if (wanted_changed) {
        *step = BERTH_ETW_STEP_ENABLE;
        return enable_providers(session);
    }
    *step = BERTH_ETW_STEP_KEEP;
    uint32_t code = session->calls.flush(session->calls.context, session->started);
    if (round % BERTH_ETW_QUERY_EVERY == 0) {
        ask_for_losses(session);
    }
    /* without a flush events only come later */
    return code == BERTH_ETW_INSTANCE_NOT_FOUND || code == BERTH_ETW_INVALID_HANDLE ? code : 0;
}

/* Keeps it going until it is to end or does.  @param[out] reason  why; "": it is to close */
static void keep_going(struct berth_etw_session *session, char reason[BERTH_ETW_TROUBLE_SIZE])
{
    enum berth_etw_step step = BERTH_ETW_STEP_KEEP;
    uint32_t code = 0;

    uv_mutex_lock(&session->lock);
    for (uint32_t round = 1;
         code == 0 && session->reading && !session->closing && !session->restart; round++) {
        if (session->wanted_count == session->asked_count) {
            (void)uv_cond_timedwait(&session->changed, &session->lock,
                                    (uint64_t)session->times.flush * NS_PER_MS);
        }
        if (session->reading && !session->closing && !session->restart) {
            bool wanted_changed = session->wanted_count != session->asked_count;
            uv_mutex_unlock(&session->lock);
            code = look_after(session, wanted_changed, round, &step);
            uv_mutex_lock(&session->lock);
        }
    }
    if (session->closing) {
        reason[0] = '\0';
    } else if (session->restart) {
        memcpy(reason, session->restart_reason, sizeof session->restart_reason);
    } else if (!session->reading) {
        berth_etw_trouble(BERTH_ETW_STEP_READ, session->read_code, session->name, reason);
    } else {
        berth_etw_trouble(step, code, session->name, reason);
    }
    session->restart = false;
    uv_mutex_unlock(&session->lock);
}

static bool is_closing(struct berth_etw_session *session)
{
    uv_mutex_lock(&session->lock);
    bool closing = session->closing;
    uv_mutex_unlock(&session->lock);
    return closing;
}

static void rest(struct berth_etw_session *session)
{
    uint64_t pause_ms = session->times.retry_min;

    for (uint32_t i = 1; i < session->failures && pause_ms < session->times.retry_max; i++) {
        pause_ms *= 2;
    }
    pause_ms = pause_ms < session->times.retry_max ? pause_ms : session->times.retry_max;
    uint64_t until_ns = uv_hrtime() + pause_ms * NS_PER_MS;
    uv_mutex_lock(&session->lock);
    for (uint64_t now_ns = uv_hrtime(); !session->closing && now_ns < until_ns;
         now_ns = uv_hrtime()) {
        (void)uv_cond_timedwait(&session->changed, &session->lock, until_ns - now_ns);
    }
    session->restart = false; /* asked for while it was down */
    uv_mutex_unlock(&session->lock);
}

/* One opening, from its start to its end. */
static void live_once(struct berth_etw_session *session)
{
    char reason[BERTH_ETW_TROUBLE_SIZE];
    enum berth_etw_step step = BERTH_ETW_STEP_HOLD;
    uint32_t code = bring_up(session, &step);
    uint64_t begun_ns = uv_hrtime();

    if (code == 0) {
        give_word(session, NULL);
        keep_going(session, reason);
    } else {
        berth_etw_trouble(step, code, session->name, reason);
    }
    take_down(session);
    if (uv_hrtime() - begun_ns >= (uint64_t)session->times.retry_max * NS_PER_MS) {
        session->failures = 0;
    }
    session->failures += session->failures < 64;
    if (!is_closing(session)) {
        give_word(session, reason);
        rest(session);
    }
}

static void destroy(struct berth_etw_session *session)
{
    uv_cond_destroy(&session->changed);
    uv_mutex_destroy(&session->lock);
    uv_mutex_destroy(&session->telling);
    berth_free(session);
}

static void keep(void *ctx)
{
    struct berth_etw_session *session = ctx;

    while (!is_closing(session)) {
        live_once(session);
    }
    uv_mutex_lock(&session->lock);
    session->ended = true;
    bool left = session->left;
    if (!session->wake_closed) {
        (void)uv_async_send(&session->wake);
    }
    uv_mutex_unlock(&session->lock);
    if (left) {
        destroy(session);
    }
}

/* --- the loop ------------------------------------------------------------------------------- */

static void handle_closed_cb(uv_handle_t *handle)
{
    struct berth_etw_session *session = handle->data;
    void (*closed)(void *ctx) = session->closed;
    void *ctx = session->closed_ctx;

    session->handles--;
    if (session->handles != 0) {
        return;
    }
    uv_mutex_lock(&session->lock);
    bool ended = session->ended || !session->has_keeper;
    session->left = !ended;
    uv_mutex_unlock(&session->lock);
    if (ended) {
        if (session->has_keeper) {
            (void)uv_thread_join(&session->keeper); /* it is on its last line */
        }
        destroy(session);
    }
    if (closed != NULL) {
        closed(ctx);
    }
}

static void close_handles(struct berth_etw_session *session)
{
    uv_mutex_lock(&session->lock);
    session->wake_closed = true;
    uv_mutex_unlock(&session->lock);
    if (!uv_is_closing((uv_handle_t *)&session->wake)) {
        uv_close((uv_handle_t *)&session->wake, handle_closed_cb);
        uv_close((uv_handle_t *)&session->patience, handle_closed_cb);
    }
}

static void patience_cb(uv_timer_t *timer)
{
    close_handles(timer->data);
}

/* Takes the word, and looks whether it has ended. */
static void look(struct berth_etw_session *session)
{
    uv_mutex_lock(&session->lock);
    struct word word = session->word;
    uint32_t openings = session->openings;
    bool closing = session->closing;
    bool ended = session->ended;
    session->word.fresh = false;
    uv_mutex_unlock(&session->lock);
    if (closing && ended) {
        close_handles(session);
    } else if (!closing && word.fresh) {
        session->sink.state(session->sink.ctx, openings, word.runs ? NULL : word.reason);
    }
}

static void wake_cb(uv_async_t *wake)
{
    look(wake->data);
}

static bool take_requests(struct requests *out, const struct berth_etw_request *requests,
                          size_t count)
{
    if (count == 0 || count > BERTH_ETW_REQUESTS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (requests[i].id_count > BERTH_ETW_IDS_MAX ||
            requests[i].provider >= BERTH_ETW_PROVIDER_COUNT) {
            return false;
        }
    }
    memcpy(out->at, requests, count * sizeof *requests);
    out->count = count;
    return true;
}

static uint32_t usual(uint32_t wanted, uint32_t usual_ms)
{
    return wanted != 0 ? wanted : usual_ms;
}

static bool fill_in(struct berth_etw_session *session, const struct berth_etw_options *options,
                    const struct berth_etw_calls *calls, const struct berth_etw_sink *sink)
{
    int length = snprintf(session->name, sizeof session->name, "%s", options->name);

    session->calls = *calls;
    session->sink = *sink;
    session->times = (struct berth_etw_times){
        .flush = usual(options->times.flush, BERTH_ETW_FLUSH_MS),
        .retry_min = usual(options->times.retry_min, BERTH_ETW_RETRY_MIN_MS),
        .retry_max = usual(options->times.retry_max, BERTH_ETW_RETRY_MAX_MS),
        .close_max = usual(options->times.close_max, BERTH_ETW_CLOSE_MAX_MS),
    };
    return length > 0 && (size_t)length < sizeof session->name &&
           take_requests(&session->wanted, options->requests, options->request_count);
}

static int make_locks(struct berth_etw_session *session)
{
    int status = uv_mutex_init(&session->telling);

    if (status != 0) {
        return status;
    }
    status = uv_mutex_init(&session->lock);
    if (status == 0) {
        status = uv_cond_init(&session->changed);
        if (status == 0) {
            return 0;
        }
        uv_mutex_destroy(&session->lock);
    }
    uv_mutex_destroy(&session->telling);
    return status;
}

/* From here on its memory is given back by its handles. */
static int start(struct berth_etw_session *session, uv_loop_t *loop)
{
    int status = uv_async_init(loop, &session->wake, wake_cb);

    if (status != 0) {
        destroy(session);
        return status;
    }
    (void)uv_timer_init(loop, &session->patience); /* always 0 */
    session->wake.data = session;
    session->patience.data = session;
    session->handles = 2;
    status = uv_thread_create(&session->keeper, keep, session);
    session->has_keeper = status == 0;
    if (status != 0) {
        close_handles(session);
    }
    return status;
}

enum berth_code berth_etw_session_open(struct berth_etw_session **out, uv_loop_t *loop,
                                       const struct berth_etw_options *options,
                                       const struct berth_etw_calls *calls,
                                       const struct berth_etw_sink *sink, struct berth_error *err)
{
    struct berth_etw_session *session = berth_alloc(1, sizeof *session);

    if (session == NULL) {
        return berth_fail_memory(err, "a tracing session");
    }
    if (!fill_in(session, options, calls, sink)) {
        berth_free(session);
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "not a tracing session's name or requests");
    }
    int status = make_locks(session);
    if (status != 0) {
        berth_free(session);
    } else {
        status = start(session, loop);
    }
    if (status != 0) {
        return berth_fail(err, BERTH_INTERNAL, status, "a tracing session: %s",
                          uv_strerror(status));
    }
    *out = session;
    return BERTH_OK;
}

void berth_etw_session_request(struct berth_etw_session *session,
                               const struct berth_etw_request *requests, size_t count)
{
    uv_mutex_lock(&session->lock);
    if (take_requests(&session->wanted, requests, count)) {
        session->wanted_count++;
        uv_cond_broadcast(&session->changed);
    }
    uv_mutex_unlock(&session->lock);
}

bool berth_etw_session_has_asked(struct berth_etw_session *session)
{
    uv_mutex_lock(&session->lock);
    bool asked = session->asked_count == session->wanted_count;
    uv_mutex_unlock(&session->lock);
    return asked;
}

void berth_etw_session_restart(struct berth_etw_session *session, const char *reason)
{
    uv_mutex_lock(&session->lock);
    session->restart = true;
    (void)snprintf(session->restart_reason, sizeof session->restart_reason, "%s", reason);
    uv_cond_broadcast(&session->changed);
    uv_mutex_unlock(&session->lock);
}

void berth_etw_session_close(struct berth_etw_session *session, void (*closed)(void *ctx),
                             void *ctx)
{
    session->closed = closed;
    session->closed_ctx = ctx;
    uv_mutex_lock(&session->telling);
    session->muted = true;
    uv_mutex_unlock(&session->telling);
    uv_mutex_lock(&session->lock);
    session->closing = true;
    uv_cond_broadcast(&session->changed);
    uv_mutex_unlock(&session->lock);
    uv_update_time(session->patience.loop);
    (void)uv_timer_start(&session->patience, patience_cb, session->times.close_max, 0);
}
