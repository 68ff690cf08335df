/* SPDX-License-Identifier: MIT */
#include "tests/support/fake_etw.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define TOLD_MAX 4096
#define DATA_MAX 256
#define LONG_NS 20000000000u
#define SESSION 4711u
#define TRACE 4712u

struct told {
    struct berth_etw_event event;
    uint8_t data[DATA_MAX];
};

static struct {
    uv_mutex_t lock;
    uv_cond_t changed;
    unsigned counts[FAKE_ETW_CALL_COUNT];
    uint32_t fail_code[FAKE_ETW_CALL_COUNT];
    unsigned fail_times[FAKE_ETW_CALL_COUNT];
    bool held;
    bool session; /* is there */
    bool open;
    bool reading;
    bool hangs;
    bool blocks;
    bool muted;
    uint32_t end_code;
    struct berth_etw_request requests[BERTH_ETW_PROVIDER_COUNT];
    bool requested[BERTH_ETW_PROVIDER_COUNT];
    const struct berth_etw_consumer *consumer;
    struct told told[TOLD_MAX];
    size_t told_count;
    size_t flushed; /* so many of them may be read */
    bool buffer_due;
    uint64_t lost_by_buffer;
    uint64_t lost_by_question;
} fake;

static uv_once_t fake_once = UV_ONCE_INIT;

static void make_locks(void)
{
    if (uv_mutex_init(&fake.lock) != 0 || uv_cond_init(&fake.changed) != 0) {
        abort();
    }
}

static void lock(void)
{
    uv_once(&fake_once, make_locks);
    uv_mutex_lock(&fake.lock);
}

static void unlock(void)
{
    uv_cond_broadcast(&fake.changed);
    uv_mutex_unlock(&fake.lock);
}

/* Counts a call, and lets it fail if that is due. With the lock held. */
static uint32_t note(enum fake_etw_call call)
{
    fake.counts[call]++;
    if (fake.fail_times[call] == 0) {
        return 0;
    }
    fake.fail_times[call]--;
    return fake.fail_code[call];
}

static void forget_events(void)
{
    fake.told_count = 0;
    fake.flushed = 0;
    memset(fake.requested, 0, sizeof fake.requested);
}

/* --- the script ----------------------------------------------------------------------------- */

void fake_etw_begin(void)
{
    lock();
    memset(fake.counts, 0, sizeof fake.counts);
    memset(fake.fail_times, 0, sizeof fake.fail_times);
    fake.held = false;
    fake.session = false;
    fake.open = false;
    fake.hangs = false;
    fake.blocks = false;
    fake.muted = false;
    fake.end_code = 0;
    fake.buffer_due = false;
    fake.lost_by_buffer = 0;
    fake.lost_by_question = 0;
    forget_events();
    unlock();
}

void fake_etw_fail(enum fake_etw_call call, uint32_t code, unsigned times)
{
    lock();
    fake.fail_code[call] = code;
    fake.fail_times[call] = times;
    unlock();
}

void fake_etw_leave_session(void)
{
    lock();
    fake.session = true;
    unlock();
}

static bool is_asked_for(const struct berth_etw_event *event)
{
    const struct berth_etw_request *request = &fake.requests[event->provider];

    if (event->provider == BERTH_ETW_LOSS) {
        return true;
    }
    if (!fake.requested[event->provider]) {
        return false;
    }
    for (size_t i = 0; i < request->id_count; i++) {
        if (request->ids[i] == event->id) {
            return true;
        }
    }
    return request->id_count == 0;
}

void fake_etw_tell(const struct berth_etw_event *event)
{
    lock();
    if (fake.session && !fake.muted && is_asked_for(event) && fake.told_count < TOLD_MAX) {
        struct told *told = &fake.told[fake.told_count++];
        told->event = *event;
        told->event.size = event->size < DATA_MAX ? event->size : DATA_MAX;
        if (event->size != 0) {
            memcpy(told->data, event->data, told->event.size);
        }
        told->event.data = told->data;
    }
    unlock();
}

void fake_etw_take_away(uint32_t code)
{
    lock();
    fake.session = false;
    fake.end_code = code;
    unlock();
}

void fake_etw_lose(uint64_t by_buffer, uint64_t by_question)
{
    lock();
    fake.lost_by_buffer = by_buffer;
    fake.lost_by_question = by_question;
    unlock();
}

void fake_etw_hang(bool hangs)
{
    lock();
    fake.hangs = hangs;
    unlock();
}

void fake_etw_block(bool blocks)
{
    lock();
    fake.blocks = blocks;
    unlock();
}

void fake_etw_mute(bool muted)
{
    lock();
    fake.muted = muted;
    unlock();
}

unsigned fake_etw_count(enum fake_etw_call call)
{
    lock();
    unsigned count = fake.counts[call];
    unlock();
    return count;
}

/* Waits with the lock held.  @return false: the deadline has passed */
static bool wait_until(uint64_t deadline_ns)
{
    uint64_t now_ns = uv_hrtime();

    if (now_ns >= deadline_ns) {
        return false;
    }
    (void)uv_cond_timedwait(&fake.changed, &fake.lock, deadline_ns - now_ns);
    return true;
}

bool fake_etw_await(enum fake_etw_call call, unsigned count)
{
    uint64_t deadline_ns = uv_hrtime() + LONG_NS;
    bool in_time = true;

    lock();
    while (fake.counts[call] < count && in_time) {
        in_time = wait_until(deadline_ns);
    }
    unlock();
    return in_time;
}

bool fake_etw_await_read(void)
{
    uint64_t deadline_ns = uv_hrtime() + LONG_NS;
    bool in_time = true;

    lock();
    while (fake.told_count != 0 && in_time) {
        in_time = wait_until(deadline_ns);
    }
    unlock();
    return in_time;
}

static bool is_clean(void)
{
    return !fake.held && !fake.session && !fake.open && !fake.reading;
}

bool fake_etw_is_clean(void)
{
    lock();
    bool clean = is_clean();
    unlock();
    return clean;
}

bool fake_etw_await_clean(void)
{
    uint64_t deadline_ns = uv_hrtime() + LONG_NS;
    bool in_time = true;

    lock();
    while (!is_clean() && in_time) {
        in_time = wait_until(deadline_ns);
    }
    unlock();
    return in_time;
}

bool fake_etw_request(enum berth_etw_provider provider, struct berth_etw_request *out)
{
    lock();
    bool requested = fake.requested[provider];
    *out = fake.requests[provider];
    unlock();
    return requested;
}

/* --- the calls ------------------------------------------------------------------------------ */

static uint32_t hold(void *context, const char *name, void **held)
{
    (void)context;
    (void)name;
    lock();
    while (fake.blocks) {
        uv_cond_wait(&fake.changed, &fake.lock);
    }
    uint32_t code = note(FAKE_ETW_HOLD);
    if (code == 0) {
        fake.held = true;
        *held = &fake;
    }
    unlock();
    return code;
}

static void release(void *context, void *held)
{
    (void)context;
    (void)held;
    lock();
    fake.held = false;
    unlock();
}

static uint32_t start(void *context, const char *name, uint64_t *session)
{
    (void)context;
    (void)name;
    lock();
    uint32_t code = note(FAKE_ETW_START);
    if (code == 0 && fake.session) {
        code = BERTH_ETW_ALREADY_EXISTS;
    }
    if (code == 0) {
        forget_events();
        fake.session = true;
        *session = SESSION;
    }
    unlock();
    return code;
}

static uint32_t stop(void *context, uint64_t session, const char *name)
{
    (void)context;
    (void)name;
    lock();
    uint32_t code = note(FAKE_ETW_STOP);
    if (code == 0 && (!fake.session || (session != 0 && session != SESSION))) {
        code = BERTH_ETW_INSTANCE_NOT_FOUND;
    }
    if (code == 0) {
        fake.session = false;
        fake.end_code = 0;
        fake.flushed = fake.told_count;
        fake.buffer_due = true;
    }
    unlock();
    return code;
}

static uint32_t enable(void *context, uint64_t session, const struct berth_etw_request *request)
{
    (void)context;
    (void)session;
    lock();
    uint32_t code = note(FAKE_ETW_ENABLE);
    if (code == 0) {
        fake.requests[request->provider] = *request;
        fake.requested[request->provider] = true;
    }
    unlock();
    return code;
}

static uint32_t flush(void *context, uint64_t session)
{
    (void)context;
    (void)session;
    lock();
    uint32_t code = note(FAKE_ETW_FLUSH);
    if (code == 0 && !fake.session) {
        code = BERTH_ETW_INSTANCE_NOT_FOUND;
    }
    if (code == 0) {
        fake.flushed = fake.told_count;
        fake.buffer_due = true;
    }
    unlock();
    return code;
}

static uint32_t query(void *context, uint64_t session, uint64_t *lost)
{
    (void)context;
    (void)session;
    lock();
    uint32_t code = note(FAKE_ETW_QUERY);
    *lost = fake.lost_by_question;
    unlock();
    return code;
}

static uint32_t open_trace(void *context, const char *name,
                           const struct berth_etw_consumer *consumer, uint64_t *trace)
{
    (void)context;
    (void)name;
    lock();
    uint32_t code = note(FAKE_ETW_OPEN);
    if (code == 0 && !fake.session) {
        code = BERTH_ETW_INSTANCE_NOT_FOUND;
    }
    if (code == 0) {
        fake.open = true;
        fake.buffer_due = false;
        fake.consumer = consumer;
        *trace = TRACE;
    }
    unlock();
    return code;
}

/* Reads what was flushed, without the lock. */
static void read_some(size_t *from)
{
    const struct berth_etw_consumer *consumer = fake.consumer;
    size_t until = fake.flushed;
    uint64_t lost = fake.lost_by_buffer;

    fake.buffer_due = false;
    unlock();
    for (; *from < until; ++*from) {
        consumer->event(consumer->ctx, &fake.told[*from].event);
    }
    consumer->buffer(consumer->ctx, lost);
    lock();
    if (*from == fake.told_count) {
        *from = 0;
        fake.flushed = 0;
        fake.told_count = 0;
        uv_cond_broadcast(&fake.changed);
    }
}

static uint32_t process(void *context, uint64_t trace)
{
    size_t read = 0;

    (void)context;
    (void)trace;
    lock();
    fake.reading = true;
    while (fake.buffer_due || (fake.session && fake.open) || fake.hangs) {
        if (fake.buffer_due) {
            read_some(&read);
        } else {
            uv_cond_wait(&fake.changed, &fake.lock);
        }
    }
    fake.reading = false;
    uint32_t code = fake.end_code;
    unlock();
    return code;
}

static void close_trace(void *context, uint64_t trace)
{
    (void)context;
    (void)trace;
    lock();
    fake.open = false;
    unlock();
}

struct berth_etw_calls fake_etw_calls(void)
{
    return (struct berth_etw_calls){
        .hold = hold,
        .release = release,
        .start = start,
        .stop = stop,
        .enable = enable,
        .flush = flush,
        .query = query,
        .open = open_trace,
        .process = process,
        .close = close_trace,
    };
}
