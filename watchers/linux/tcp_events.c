/* SPDX-License-Identifier: MIT */
/* The event source of Linux: the tracepoint of socket states for all that begins and ends, and the
 * kernel's notices of destroyed sockets for what the tracepoint does not tell. Each works without
 * the other: both, or the tracepoint alone, are `full`, the notices alone `partial`. */
#define _GNU_SOURCE
#include "watchers/tcp_events.h"

#include "base/memory.h"
#include "event_origin.h"
#include "sock_destroy.h"
#include "state_event.h"
#include "state_stream.h"
#include "tracefs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 1000u
#define NS_PER_MS 1000000u
#define BACK_OFF_MIN_MS 1000u
#define BACK_OFF_MAX_MS 60000u
#define BATCH 128u
#define FORMAT_BYTES_MAX 16384u

/* A watched descriptor. Its memory outlives its handle. */
struct watched_fd {
    uv_poll_t poll;
    struct berth_tcp_events *owner; /* NULL: closed */
    size_t ring;                    /* which one of the stream's */
};

/* The descriptors of one opening of the stream. */
struct watched_set {
    size_t open;
    size_t count;
    struct watched_fd at[];
};

struct berth_tcp_events {
    uv_loop_t *loop;
    struct berth_tcp_events_sink sink;
    uv_timer_t tick;
    size_t handles; /* that are not closed: the source's memory goes with the last */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;

    struct berth_state_layout layout;
    struct berth_state_stream *stream; /* NULL: not running */
    struct watched_set *rings;
    uint64_t retry_ns; /* when to open the stream again */
    uint32_t failures;
    char trouble[480]; /* why there is no stream */

    int destroy_fd; /* -1: no notices */
    struct watched_fd *destroy;
    struct berth_destroy_pace pace;

    bool mode_told;
    enum berth_tcp_events_mode mode;
    char told_trouble[480];

    struct berth_event_origin origin;
    uint32_t own_process;
    uint16_t calibration_port; /* not 0: what is read is looked through for it, and dropped: all is
                                  looked at once the stream is told to run */
    bool calibrated;
    uint64_t now_ns;
    uint64_t lost;
    size_t batched;
    struct berth_tcp_event batch[BATCH];
};

/* --- what is read --------------------------------------------------------------------------- */

static void flush(struct berth_tcp_events *events)
{
    size_t count = events->batched;
    uint64_t lost = events->lost;

    events->batched = 0;
    events->lost = 0;
    if (count != 0) {
        events->sink.events(events->sink.ctx, events->batch, count);
    }
    if (lost != 0) {
        events->sink.lost(events->sink.ctx, lost);
    }
}

static void add_event(struct berth_tcp_events *events, const struct berth_tcp_event *event)
{
    if (events->batched == BATCH) {
        flush(events);
    }
    events->batch[events->batched++] = *event;
}

static bool is_foreign(struct berth_tcp_events *events, const struct berth_state_change *change,
                       uint32_t process_id)
{
    if (change->in_process) {
        return berth_event_origin_is_foreign_process(&events->origin, process_id, events->now_ns);
    }
    return berth_event_origin_is_foreign_address(&events->origin, &change->address, events->now_ns);
}

/* Whether an event is about a connection that another namespace's process makes: of no interest. */
static bool is_foreign_connection(struct berth_tcp_events *events,
                                  const struct berth_state_change *change,
                                  enum berth_tcp_event_what what, uint32_t process_id)
{
    return (what == BERTH_TCP_EVENT_CONNECT || what == BERTH_TCP_EVENT_CONNECTING) &&
           change->in_process &&
           berth_event_origin_is_foreign_process(&events->origin, process_id, events->now_ns);
}

/* What is left of an event about a port that cannot be named, or is another namespace's. */
static enum berth_tcp_event_what without_port(enum berth_tcp_event_what what)
{
    return what == BERTH_TCP_EVENT_CONNECT ? BERTH_TCP_EVENT_CONNECTING : BERTH_TCP_EVENT_OTHER;
}

/* A connection that seems to be another namespace's takes no port of ours. But a socket may have
 * been passed on, or its address be new: that a port has no connections is not said to be known. */
static void doubt_port(struct berth_tcp_events *events, uint16_t port)
{
    const struct berth_tcp_event doubt = {
        .port = port, .what = BERTH_TCP_EVENT_ACCEPT, .process_id = BERTH_ID_NONE};

    if (port != 0) {
        add_event(events, &doubt);
    }
}

static void take_change(struct berth_tcp_events *events, const struct berth_state_change *change,
                        const struct berth_perf_sample *sample)
{
    bool by_process = change->in_process && sample->process_id != 0;
    struct berth_tcp_event event = {
        .port = change->port,
        .what = (uint8_t)berth_state_event_what(change),
        .address = change->address,
        .process_id = by_process ? sample->process_id : BERTH_ID_NONE,
        .time_ns = sample->time_ns,
    };

    if (events->calibration_port != 0) {
        events->calibrated = events->calibrated || (event.what == BERTH_TCP_EVENT_LISTEN &&
                                                    event.port == events->calibration_port &&
                                                    event.process_id == events->own_process);
        return;
    }
    if (event.what == BERTH_TCP_EVENT_ACCEPT) {
        event.process_id = BERTH_ID_NONE; /* whoever it is, it need not be its listener's */
        add_event(events, &event);
        return;
    }
    if (event.what == BERTH_TCP_EVENT_WHAT_COUNT || event.process_id == events->own_process) {
        return;
    }
    if (is_foreign_connection(events, change, (enum berth_tcp_event_what)event.what,
                              sample->process_id)) {
        doubt_port(events, change->port);
        return;
    }
    bool claims = event.what == BERTH_TCP_EVENT_LISTEN || event.what == BERTH_TCP_EVENT_CONNECT;
    if (claims && (event.port == 0 || is_foreign(events, change, sample->process_id))) {
        doubt_port(events, event.what == BERTH_TCP_EVENT_CONNECT ? event.port : 0);
        event.what = (uint8_t)without_port((enum berth_tcp_event_what)event.what);
        event.port = 0;
    }
    add_event(events, &event);
}

static void take_sample(void *ctx, const struct berth_perf_sample *sample)
{
    struct berth_tcp_events *events = ctx;
    struct berth_state_change change;

    /* of a family that is not ours, or shorter than the format says: nothing that can be used */
    if (berth_state_event_decode(&events->layout, sample->bytes, sample->size, &change)) {
        take_change(events, &change, sample);
    }
}

static void take_lost(void *ctx, uint64_t count)
{
    struct berth_tcp_events *events = ctx;

    events->lost += count;
}

static void read_ring(struct berth_tcp_events *events, size_t ring)
{
    const struct berth_perf_sink sink = {take_sample, take_lost, events};

    berth_state_stream_read(events->stream, ring, &sink);
}

static void read_rings(struct berth_tcp_events *events)
{
    for (size_t i = 0; events->stream != NULL && i < berth_state_stream_count(events->stream);
         i++) {
        read_ring(events, i);
    }
}

/* --- mode ----------------------------------------------------------------------------------- */

static void tell_mode(struct berth_tcp_events *events)
{
    enum berth_tcp_events_mode mode = events->stream != NULL    ? BERTH_TCP_EVENTS_FULL
                                      : events->destroy_fd >= 0 ? BERTH_TCP_EVENTS_PARTIAL
                                                                : BERTH_TCP_EVENTS_NONE;

    if (events->mode_told && events->mode == mode &&
        strcmp(events->trouble, events->told_trouble) == 0) {
        return;
    }
    events->mode_told = true;
    events->mode = mode;
    memcpy(events->told_trouble, events->trouble, sizeof events->told_trouble);
    events->sink.mode(events->sink.ctx, mode,
                      mode == BERTH_TCP_EVENTS_FULL ? NULL : events->trouble);
}

/* --- watched descriptors -------------------------------------------------------------------- */

static void finish_close(struct berth_tcp_events *events)
{
    void (*closed)(void *ctx) = events->closed;
    void *ctx = events->closed_ctx;

    if (events->closing && events->handles == 0) {
        berth_free(events);
        closed(ctx);
    }
}

static void rings_closed_cb(uv_handle_t *handle)
{
    struct watched_fd *watched = handle->data;
    struct watched_set *set = BERTH_CONTAINER_OF(watched - watched->ring, struct watched_set, at);
    struct berth_tcp_events *events = watched->owner;

    events->handles--;
    set->open--;
    if (set->open == 0) {
        berth_free(set);
    }
    finish_close(events);
}

static void close_stream(struct berth_tcp_events *events)
{
    struct watched_set *set = events->rings;

    for (size_t i = 0; set != NULL && i < set->count; i++) {
        uv_close((uv_handle_t *)&set->at[i].poll, rings_closed_cb);
    }
    events->rings = NULL;
    berth_state_stream_close(events->stream);
    events->stream = NULL;
}

static void note_trouble(struct berth_tcp_events *events, const char *detail)
{
    uint64_t pause_ms = BACK_OFF_MIN_MS;

    for (uint32_t i = 0; i < events->failures && pause_ms < BACK_OFF_MAX_MS; i++) {
        pause_ms *= 2;
    }
    events->failures += events->failures < 32;
    pause_ms = pause_ms < BACK_OFF_MAX_MS ? pause_ms : BACK_OFF_MAX_MS;
    events->retry_ns = uv_hrtime() + pause_ms * NS_PER_MS;
    (void)snprintf(events->trouble, sizeof events->trouble, "%s", detail);
}

static void ring_cb(uv_poll_t *poll, int status, int happened)
{
    const struct watched_fd *watched = poll->data;
    struct berth_tcp_events *events = watched->owner;

    (void)happened;
    if (events->stream == NULL) {
        return;
    }
    events->now_ns = uv_hrtime();
    read_ring(events, watched->ring);
    if (status < 0) {
        close_stream(events);
        note_trouble(events, uv_strerror(status));
        events->lost++;
        tell_mode(events);
    }
    flush(events);
}

/* --- the stream of states ------------------------------------------------------------------- */

static enum berth_code watch_rings(struct berth_tcp_events *events, struct berth_error *err)
{
    size_t count = berth_state_stream_count(events->stream);
    struct watched_set *set = berth_alloc(1, sizeof *set + count * sizeof set->at[0]);
    int status = 0;

    if (set == NULL) {
        return berth_fail_memory(err, "the stream of socket states");
    }
    for (size_t i = 0; status == 0 && i < count; i++) {
        struct watched_fd *watched = &set->at[i];
        watched->owner = events;
        watched->ring = i;
        watched->poll.data = watched;
        status =
            uv_poll_init(events->loop, &watched->poll, berth_state_stream_fd(events->stream, i));
        if (status == 0) {
            set->count++;
            set->open++;
            events->handles++;
            status = uv_poll_start(&watched->poll, UV_READABLE, ring_cb);
        }
    }
    if (set->count == 0) {
        berth_free(set);
        set = NULL;
    }
    events->rings = set;
    if (status == 0) {
        return BERTH_OK;
    }
    return berth_fail(err, BERTH_INTERNAL, status, "the stream of socket states: %s",
                      uv_strerror(status));
}

/* Listens on a port of loopback that the kernel chooses, for a moment.  @return 0: cannot be done
 */
static uint16_t listen_once(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint16_t port = 0;

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, length) == 0 && listen(fd, 0) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0) {
        port = ntohs(address.sin_port);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return port;
}

/* Sees that the stream tells of a listener of our own, so that what it says is understood. The
 * kernel has written it by the time that listen() returns. */
static enum berth_code calibrate(struct berth_tcp_events *events, struct berth_error *err)
{
    uint16_t port = listen_once();

    if (port == 0) {
        return BERTH_OK; /* no loopback to try it on */
    }
    events->calibration_port = port;
    events->calibrated = false;
    read_rings(events);
    events->calibration_port = 0;
    if (!events->calibrated) {
        return berth_fail(err, BERTH_MALFORMED, 0,
                          "the kernel's stream of socket states does not tell of a listener that "
                          "was opened to try it");
    }
    return BERTH_OK;
}

static enum berth_code open_stream(struct berth_tcp_events *events, struct berth_error *err)
{
    char *format = berth_alloc(FORMAT_BYTES_MAX, 1);
    enum berth_code code;

    if (format == NULL) {
        return berth_fail_memory(err, "a tracepoint's format");
    }
    code = berth_tracefs_read_format(format, FORMAT_BYTES_MAX, NULL, err);
    if (code == BERTH_OK) {
        code = berth_tracepoint_parse(&events->layout, format, err);
    }
    berth_free(format);
    if (code == BERTH_OK) {
        code = berth_state_stream_open(&events->stream, &events->layout, err);
    }
    if (code == BERTH_OK) {
        code = calibrate(events, err);
    }
    if (code == BERTH_OK) {
        code = watch_rings(events, err);
    }
    if (code != BERTH_OK) {
        close_stream(events);
    }
    return code;
}

static void try_stream(struct berth_tcp_events *events)
{
    struct berth_error err = {0};

    if (open_stream(events, &err) == BERTH_OK) {
        events->failures = 0;
        events->trouble[0] = '\0';
    } else {
        note_trouble(events, err.detail);
    }
}

/* --- notices of destroyed sockets ----------------------------------------------------------- */

static void destroy_closed_cb(uv_handle_t *handle)
{
    struct watched_fd *watched = handle->data;
    struct berth_tcp_events *events = watched->owner;

    events->handles--;
    berth_free(watched);
    finish_close(events);
}

static void close_destroy(struct berth_tcp_events *events)
{
    if (events->destroy_fd >= 0) {
        uv_close((uv_handle_t *)&events->destroy->poll, destroy_closed_cb);
        (void)close(events->destroy_fd);
        events->destroy_fd = -1;
        events->destroy = NULL;
    }
}

/* Something was destroyed without notice: what, the next looks tell. */
static void add_missed_ends(struct berth_tcp_events *events)
{
    const struct berth_tcp_event other = {.what = BERTH_TCP_EVENT_OTHER,
                                          .process_id = BERTH_ID_NONE};

    add_event(events, &other);
}

/* Reads what waits. With too much of it, the notices are given up for a while. */
static void read_notices(struct berth_tcp_events *events)
{
    uint8_t datagram[BERTH_DESTROY_DATAGRAM_MAX];
    struct berth_tcp_event found[8];
    enum berth_code code = BERTH_OK;
    bool bearable = true;

    while (bearable && (code == BERTH_OK || code == BERTH_UNSTABLE)) {
        size_t size = 0;
        code =
            berth_sock_destroy_receive(events->destroy_fd, datagram, sizeof datagram, &size, NULL);
        size_t count = code == BERTH_OK
                           ? berth_sock_destroy_decode(datagram, size, found, BERTH_COUNT(found))
                           : 0;
        for (size_t i = 0; i < count; i++) {
            add_event(events, &found[i]);
        }
        if (code == BERTH_OK) {
            bearable = berth_destroy_pace_note(&events->pace, events->now_ns);
        } else if (code == BERTH_UNSTABLE) {
            add_missed_ends(events);
        }
    }
    if (!bearable || code != BERTH_BUSY) {
        close_destroy(events);
    }
}

static void destroy_cb(uv_poll_t *poll, int status, int happened)
{
    const struct watched_fd *watched = poll->data;
    struct berth_tcp_events *events = watched->owner;

    (void)status;
    (void)happened;
    if (events->destroy_fd >= 0) {
        events->now_ns = uv_hrtime();
        read_rings(events); /* a socket's end was told there before it was gone */
        read_notices(events);
        flush(events);
    }
}

static void open_destroy(struct berth_tcp_events *events)
{
    struct watched_fd *watched = berth_alloc(1, sizeof *watched);
    int fd = -1;

    if (watched == NULL || berth_sock_destroy_open(&fd, NULL) != BERTH_OK ||
        uv_poll_init(events->loop, &watched->poll, fd) != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        berth_free(watched);
        return;
    }
    watched->owner = events;
    watched->poll.data = watched;
    events->handles++;
    events->destroy = watched;
    events->destroy_fd = fd;
    if (uv_poll_start(&watched->poll, UV_READABLE, destroy_cb) != 0) {
        close_destroy(events);
    }
}

/* --- the tick ------------------------------------------------------------------------------- */

static void tick_cb(uv_timer_t *tick)
{
    struct berth_tcp_events *events = tick->data;

    events->now_ns = uv_hrtime();
    read_rings(events); /* what did not make a descriptor readable */
    if (events->stream != NULL && berth_state_stream_is_outdated(events->stream)) {
        close_stream(events);
        events->retry_ns = 0;
        events->lost++; /* of a CPU that came */
    }
    if (events->stream == NULL && events->now_ns >= events->retry_ns) {
        try_stream(events);
    }
    if (events->destroy_fd < 0 && !berth_destroy_pace_rests(&events->pace, events->now_ns)) {
        open_destroy(events);
        if (events->destroy_fd >= 0) {
            add_missed_ends(events); /* nothing else tells of what was bound and never listened */
        }
    }
    tell_mode(events);
    flush(events);
}

/* --- the contract --------------------------------------------------------------------------- */

enum berth_code berth_tcp_events_open(struct berth_tcp_events **out, uv_loop_t *loop,
                                      const struct berth_tcp_events_sink *sink,
                                      struct berth_error *err)
{
    struct berth_tcp_events *events = berth_alloc(1, sizeof *events);

    if (events == NULL) {
        return berth_fail_memory(err, "the source of TCP events");
    }
    events->loop = loop;
    events->sink = *sink;
    events->destroy_fd = -1;
    events->own_process = (uint32_t)getpid();
    events->now_ns = uv_hrtime();
    berth_event_origin_init(&events->origin, NULL);
    (void)uv_timer_init(loop, &events->tick); /* always 0 */
    events->tick.data = events;
    events->handles = 1;
    try_stream(events);
    open_destroy(events);
    /* the first word comes from the loop, at once; what was read while trying goes with it */
    (void)uv_timer_start(&events->tick, tick_cb, 0, TICK_MS);
    *out = events;
    return BERTH_OK;
}

unsigned berth_tcp_events_drain(struct berth_tcp_events *events)
{
    unsigned told = 0;

    events->now_ns = uv_hrtime();
    read_rings(events);
    if (events->destroy_fd >= 0) {
        read_notices(events);
    }
    flush(events);
    told |= events->stream != NULL ? BERTH_TCP_TOLD_CONNECTIONS : 0u;
    told |= events->stream != NULL && events->destroy_fd >= 0 ? BERTH_TCP_TOLD_ENDS : 0u;
    return told;
}

static void tick_closed_cb(uv_handle_t *handle)
{
    struct berth_tcp_events *events = handle->data;

    events->handles--;
    finish_close(events);
}

void berth_tcp_events_close(struct berth_tcp_events *events, void (*closed)(void *ctx), void *ctx)
{
    events->closing = true;
    events->closed = closed;
    events->closed_ctx = ctx;
    close_stream(events);
    close_destroy(events);
    uv_close((uv_handle_t *)&events->tick, tick_closed_cb);
}
