/* SPDX-License-Identifier: MIT */
/* What the system tells of its TCP ports, as the watcher takes it in: marks on ports that are
 * taken, and looks at all else. */
#include "tcp_watcher_private.h"

#include <stdio.h>

/* Whether connections need be read rarely only, and whether listeners must be read often. */
static void set_pace(struct berth_tcp_watcher *watcher)
{
    const struct berth_tcp_event_side *events = &watcher->events;
    bool known = events->refused || events->mode_known;
    bool whole = events->source != NULL && events->mode_known && events->rest_until_ns == 0;
    bool listeners_told = whole && events->mode >= BERTH_TCP_EVENTS_LOW_VOLUME;

    watcher->schedule.events = whole && events->mode == BERTH_TCP_EVENTS_FULL;
    watcher->schedule.hurry =
        events->wanted != BERTH_TCP_WATCH_EVENTS_OFF && known && !listeners_told;
}

void berth_tcp_watch_end_rest(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_event_side *events = &watcher->events;

    if (events->rest_until_ns != 0 && uv_hrtime() >= events->rest_until_ns) {
        events->rest_until_ns = 0;
        events->lost_lately = 0;
        set_pace(watcher);
    }
}

/* Something happened that was not told: all is looked at, and for a while trusted less. */
static void take_lost(void *ctx, uint64_t count)
{
    struct berth_tcp_watcher *watcher = ctx;
    struct berth_tcp_event_side *events = &watcher->events;

    events->meter.lost += count;
    events->lost_lately += count;
    berth_tcp_evidence_lost(&events->evidence);
    events->rest_until_ns =
        uv_hrtime() + (uint64_t)BERTH_TCP_LOSS_REST_MS * BERTH_TCP_WATCH_NS_PER_MS;
    set_pace(watcher);
    berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_EVERYTHING);
    berth_tcp_watch_tell_again(watcher);
    berth_tcp_watch_go_on_soon(watcher);
}

static void take_mode(void *ctx, enum berth_tcp_events_mode mode, const char *reason)
{
    struct berth_tcp_watcher *watcher = ctx;
    struct berth_tcp_event_side *events = &watcher->events;

    events->mode = mode;
    events->mode_known = true;
    berth_tcp_evidence_lost(&events->evidence);
    (void)snprintf(events->reason, sizeof events->reason, "%s", reason != NULL ? reason : "");
    set_pace(watcher);
    /* what happened before it told, or stopped telling */
    berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_EVERYTHING);
    berth_tcp_watch_tell_again(watcher);
    berth_tcp_watch_go_on_soon(watcher);
}

/* Reports a port as busy until a reading has decided. Where there is no room for the mark, the look
 * has to do. */
static void mark_port(struct berth_tcp_watcher *watcher, enum berth_tcp_part part,
                      const struct berth_tcp_event *event, uint64_t now_ns)
{
    const struct berth_tcp_mark mark = {
        .port = event->port,
        .part = (uint8_t)part,
        .process_id = event->process_id,
        .address = event->address,
        .time_ns = now_ns,
    };
    bool known = berth_tcp_marks_has(&watcher->events.marks, part, event->port);

    if (berth_tcp_marks_add(&watcher->events.marks, &mark) != BERTH_OK) {
        take_lost(watcher, 1);
    } else if (!known && watcher->base.sink->busy != NULL) {
        const struct berth_claim claim = berth_tcp_mark_claim(&mark);
        watcher->base.sink->busy(&watcher->base, (unsigned)part, &claim);
    }
}

static void suggest_process(struct berth_tcp_event_side *events, uint32_t process_id)
{
    if (process_id != BERTH_ID_NONE && events->suggested_count < BERTH_TCP_WATCH_SUGGESTED_MAX) {
        events->suggested[events->suggested_count++] = process_id;
    }
}

static bool is_connected(const struct berth_tcp_watcher *watcher, uint16_t port)
{
    return berth_port_set_has(&watcher->known[BERTH_TCP_PART_CONNECTIONS], port) ||
           berth_tcp_marks_has(&watcher->events.marks, BERTH_TCP_PART_CONNECTIONS, port);
}

/* Who listens is looked at now, which is cheap, and again when it is surely done: the system tells
 * of a listener just before its table has it. */
static void look_at_listeners(struct berth_tcp_watcher *watcher, uint64_t now_ns)
{
    berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_LISTENERS);
    berth_tcp_schedule_look_at(&watcher->schedule, BERTH_TCP_LISTENERS,
                               now_ns + BERTH_TCP_MARK_GRACE_NS);
}

/* A reading under way may have seen a socket just before it went, which is told now and not again:
 * if that reading was of these parts, it is looked at once more. */
static void look_after_visit(struct berth_tcp_watcher *watcher, unsigned scopes)
{
    watcher->events.after_visit |= watcher->visiting ? scopes : 0;
}

/* The system tells before its table has let go, and of a socket that stops listening and stays
 * bound it tells the same: what is bound is looked at as well, a moment later. */
static void look_at_released(struct berth_tcp_watcher *watcher, uint16_t port, uint64_t now_ns)
{
    berth_tcp_schedule_look_at(&watcher->schedule, BERTH_TCP_BOUND,
                               now_ns + BERTH_TCP_MARK_GRACE_NS);
    if (berth_port_set_has(&watcher->known[BERTH_TCP_PART_BOUND], port)) {
        berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_BOUND);
    }
    watcher->events.letting_go = true;
    look_at_listeners(watcher, now_ns);
}

/* By a reading, or by word of events. */
static bool is_listened_on(const struct berth_tcp_watcher *watcher, uint16_t port)
{
    return berth_port_set_has(&watcher->known[BERTH_TCP_PART_LISTENERS], port) ||
           berth_tcp_marks_has(&watcher->events.marks, BERTH_TCP_PART_LISTENERS, port);
}

/* The end of a socket is nothing new where its port is known to be given up, or still held. */
static void look_at_gone(struct berth_tcp_watcher *watcher, uint16_t port)
{
    if (is_listened_on(watcher, port)) {
        watcher->events.letting_go = true;
        berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_LISTENERS);
    }
    if (berth_port_set_has(&watcher->known[BERTH_TCP_PART_BOUND], port)) {
        berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_BOUND);
    }
    look_after_visit(watcher, BERTH_TCP_BOUND);
}

static void note_ended(struct berth_tcp_event_side *events, uint16_t port, bool listened,
                       uint64_t now_ns)
{
    events->ended[events->ended_next] = (struct berth_tcp_told_end){now_ns, port, listened};
    events->ended_next = (events->ended_next + 1) % BERTH_TCP_WATCH_ENDED_MAX;
}

/* A connection that ended just before the reading began, and is in it, or marked: the reading was
 * too early to decide. */
static bool is_late_connection(const struct berth_tcp_watcher *watcher,
                               const struct berth_tcp_told_end *end)
{
    const struct berth_tcp_visit *visit = &watcher->visit;

    return !end->listened && (visit->scopes & BERTH_TCP_CONNECTIONS) != 0 &&
           visit->begun_ns < end->time_ns + BERTH_TCP_MARK_GRACE_NS &&
           (berth_port_set_has(&visit->seen[BERTH_TCP_PART_CONNECTIONS], end->port) ||
            berth_tcp_marks_has(&watcher->events.marks, BERTH_TCP_PART_CONNECTIONS, end->port));
}

/* A listener that ended a while ago at most, and is in the reading as bound. */
static bool is_late_listener(const struct berth_tcp_visit *visit,
                             const struct berth_tcp_told_end *end)
{
    return end->listened && (visit->scopes & BERTH_TCP_BOUND) != 0 &&
           visit->begun_ns < end->time_ns + BERTH_TCP_WATCH_CLOSING_NS &&
           berth_port_set_has(&visit->seen[BERTH_TCP_PART_BOUND], end->port);
}

/* The system tells of an end before its table has let go, and not again: a reading that begins in
 * between shows what nobody will tell to be gone. A listener's socket may be bound for longer, or
 * for good: it is looked at after twice as long each time. */
void berth_tcp_watch_look_at_late_ends(struct berth_tcp_watcher *watcher)
{
    const struct berth_tcp_visit *visit = &watcher->visit;
    uint64_t now_ns = uv_hrtime();

    for (size_t i = 0; i < BERTH_TCP_WATCH_ENDED_MAX; i++) {
        const struct berth_tcp_told_end *end = &watcher->events.ended[i];
        if (end->time_ns == 0 ||
            berth_port_set_has(&visit->seen[BERTH_TCP_PART_LISTENERS], end->port)) {
            continue;
        }
        if (is_late_connection(watcher, end)) {
            berth_tcp_schedule_look_at(&watcher->schedule, BERTH_TCP_CONNECTIONS,
                                       now_ns + BERTH_TCP_MARK_GRACE_NS);
        } else if (is_late_listener(visit, end)) {
            berth_tcp_schedule_look_at(&watcher->schedule, BERTH_TCP_BOUND,
                                       now_ns + BERTH_TCP_MARK_GRACE_NS + (now_ns - end->time_ns));
        }
    }
}

/* A connection's socket may have been found bound before it was connected. */
static void look_at_disconnected(struct berth_tcp_watcher *watcher, uint16_t port, uint64_t now_ns)
{
    if (berth_port_set_has(&watcher->known[BERTH_TCP_PART_BOUND], port)) {
        berth_tcp_schedule_look_at(&watcher->schedule, BERTH_TCP_BOUND,
                                   now_ns + BERTH_TCP_MARK_GRACE_NS);
    }
    /* an accepted connection gives nothing up while its listener is there */
    if (!berth_port_set_has(&watcher->known[BERTH_TCP_PART_LISTENERS], port) &&
        is_connected(watcher, port)) {
        berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_CONNECTIONS);
    }
    note_ended(&watcher->events, port, false, now_ns);
    look_after_visit(watcher, BERTH_TCP_CONNECTIONS);
}

/* Any socket may have come or gone. Of those that are bound only known ones matter: that one comes
 * is polled for. */
static void look_at_unknown(struct berth_tcp_watcher *watcher, uint64_t now_ns)
{
    const struct berth_port_set *bound = &watcher->known[BERTH_TCP_PART_BOUND];
    const struct berth_port_range all = {1, UINT16_MAX};

    look_at_listeners(watcher, now_ns);
    if (berth_port_set_count(bound, all) != 0) {
        berth_tcp_schedule_look(&watcher->schedule, BERTH_TCP_BOUND);
    }
    look_after_visit(watcher, BERTH_TCP_BOUND);
}

static void take_event(struct berth_tcp_watcher *watcher, const struct berth_tcp_event *event,
                       uint64_t now_ns)
{
    struct berth_tcp_schedule *schedule = &watcher->schedule;

    switch ((enum berth_tcp_event_what)event->what) {
    case BERTH_TCP_EVENT_LISTEN:
        if (event->port != 0) {
            mark_port(watcher, BERTH_TCP_PART_LISTENERS, event, now_ns);
        }
        suggest_process(&watcher->events, event->process_id);
        look_at_listeners(watcher, now_ns);
        break;
    case BERTH_TCP_EVENT_CONNECT:
        if (event->port != 0) {
            mark_port(watcher, BERTH_TCP_PART_CONNECTIONS, event, now_ns);
            break;
        }
        /* fall through */
    case BERTH_TCP_EVENT_CONNECTING:
        /* one that takes long has a port that nothing tells; most do not take long */
        berth_tcp_schedule_look_at(schedule, BERTH_TCP_CONNECTIONS, now_ns + schedule->poll_ns);
        break;
    case BERTH_TCP_EVENT_DISCONNECT:
        look_at_disconnected(watcher, event->port, now_ns);
        break;
    case BERTH_TCP_EVENT_RELEASE:
        note_ended(&watcher->events, event->port, true, now_ns);
        look_at_released(watcher, event->port, now_ns);
        break;
    case BERTH_TCP_EVENT_GONE:
        look_at_gone(watcher, event->port);
        break;
    case BERTH_TCP_EVENT_ACCEPT:
        break; /* its listener holds the port */
    default:
        look_at_unknown(watcher, now_ns);
        break;
    }
}

static void take_events(void *ctx, const struct berth_tcp_event *events, size_t count)
{
    struct berth_tcp_watcher *watcher = ctx;
    uint64_t now_ns = uv_hrtime();

    for (size_t i = 0; i < count; i++) {
        berth_event_meter_note(&watcher->events.meter, events[i].time_ns, now_ns);
        berth_tcp_evidence_event(&watcher->events.evidence, &events[i], now_ns);
        take_event(watcher, &events[i], now_ns);
    }
    berth_tcp_watch_go_on_soon(watcher);
}

void berth_tcp_watch_open_events(struct berth_tcp_watcher *watcher)
{
    const struct berth_tcp_events_sink sink = {take_events, take_lost, take_mode, watcher};
    struct berth_tcp_event_side *events = &watcher->events;
    struct berth_error err = {0};

    if (events->wanted == BERTH_TCP_WATCH_EVENTS_OFF || events->source != NULL ||
        events->unsupported) {
        return;
    }
    enum berth_code code = berth_tcp_events_open(&events->source, watcher->loop, &sink, &err);
    events->refused = code != BERTH_OK;
    events->unsupported = code == BERTH_NOT_SUPPORTED;
    events->mode_known = false;
    set_pace(watcher);
    (void)snprintf(events->reason, sizeof events->reason, "%s", err.detail);
}

static void source_closed(void *ctx)
{
    struct berth_tcp_watcher *watcher = ctx;

    watcher->events.closing--;
    berth_tcp_watch_finish_stop(watcher);
}

void berth_tcp_watch_close_events(struct berth_tcp_watcher *watcher)
{
    struct berth_tcp_event_side *events = &watcher->events;

    if (events->source != NULL) {
        events->closing++;
        berth_tcp_events_close(events->source, source_closed, watcher);
        events->source = NULL;
    }
    berth_tcp_evidence_lost(&events->evidence);
    events->mode_known = false;
    events->refused = false;
    events->unsupported = false;
    set_pace(watcher);
}

void berth_tcp_watcher_set_events(struct berth_watcher *base, enum berth_tcp_watch_events events)
{
    struct berth_tcp_watcher *watcher = berth_tcp_watcher_of(base);

    if (watcher->events.wanted == events) {
        return;
    }
    watcher->events.wanted = events;
    if (events == BERTH_TCP_WATCH_EVENTS_OFF) {
        berth_tcp_watch_close_events(watcher);
    }
    if (watcher->timer_open && !watcher->stopping) {
        berth_tcp_watch_open_events(watcher);
        berth_tcp_watch_tell_again(watcher);
        berth_tcp_watch_go_on(watcher);
    }
}

void berth_tcp_watcher_events(struct berth_watcher *base, struct berth_tcp_events_status *out)
{
    struct berth_tcp_event_side *events = &berth_tcp_watcher_of(base)->events;

    *out = (struct berth_tcp_events_status){
        .used = events->wanted != BERTH_TCP_WATCH_EVENTS_OFF,
        .mode = events->source != NULL && events->mode_known ? events->mode : BERTH_TCP_EVENTS_NONE,
        .total = events->meter.total,
        .lost = events->meter.lost,
    };
    out->reason = out->mode == BERTH_TCP_EVENTS_FULL ? NULL
                  : events->reason[0] != '\0'        ? events->reason
                                                     : "it is being started";
    out->per_second = berth_event_meter_rate(&events->meter, uv_hrtime(), &out->lag_ns);
}
