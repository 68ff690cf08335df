/* SPDX-License-Identifier: MIT */
#include "tcp_schedule.h"

#define NS_PER_MS 1000000u

void berth_tcp_schedule_init(struct berth_tcp_schedule *schedule, uint64_t poll_ms,
                             uint64_t full_ms, bool events)
{
    *schedule = (struct berth_tcp_schedule){
        .poll_ns = (poll_ms != 0 ? poll_ms : 1) * NS_PER_MS,
        .full_ns = (full_ms != 0 ? full_ms : 1) * NS_PER_MS,
        .events = events,
        .never = BERTH_TCP_EVERYTHING,
    };
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        schedule->parts[part].wanted_ns = BERTH_TCP_NOT_WANTED;
        schedule->parts[part].again_ns = BERTH_TCP_NOT_WANTED;
    }
}

void berth_tcp_schedule_look(struct berth_tcp_schedule *schedule, unsigned scopes)
{
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        if ((scopes & 1u << part) != 0) {
            schedule->parts[part].wanted_ns = 0;
        }
    }
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void berth_tcp_schedule_look_at(struct berth_tcp_schedule *schedule, unsigned scopes,
                                uint64_t when_ns)
{
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        if ((scopes & 1u << part) != 0) {
            schedule->parts[part].again_ns = sooner(schedule->parts[part].again_ns, when_ns);
        }
    }
}

/* How long after a part's last reading began its regular one is due. */
static uint64_t interval(const struct berth_tcp_schedule *schedule, unsigned part)
{
    if (part == BERTH_TCP_PART_CONNECTIONS && schedule->events) {
        return schedule->full_ns;
    }
    if (part == BERTH_TCP_PART_LISTENERS && schedule->hurry) {
        return sooner(schedule->poll_ns, BERTH_TCP_HURRY_NS);
    }
    return schedule->poll_ns;
}

/* How many times its last duration a part's regular reading waits after that one. */
static uint64_t spacing(const struct berth_tcp_schedule *schedule, unsigned part)
{
    if (!schedule->events || part == BERTH_TCP_PART_LISTENERS) {
        return BERTH_TCP_SPACING_POLL;
    }
    return part == BERTH_TCP_PART_BOUND ? BERTH_TCP_SPACING_BOUND : BERTH_TCP_SPACING_FULL;
}

static uint64_t poll_time(const struct berth_tcp_schedule *schedule, unsigned part)
{
    const struct berth_tcp_part_times *times = &schedule->parts[part];

    return later(times->begun_ns + interval(schedule, part),
                 times->ended_ns + spacing(schedule, part) * times->duration_ns);
}

static uint64_t look_time(const struct berth_tcp_schedule *schedule, unsigned part)
{
    const struct berth_tcp_part_times *times = &schedule->parts[part];
    uint64_t wanted = sooner(times->wanted_ns, times->again_ns);
    uint64_t allowed = schedule->paid_ns > BERTH_TCP_VISIT_CREDIT_NS
                           ? schedule->paid_ns - BERTH_TCP_VISIT_CREDIT_NS
                           : 0;

    if (part == BERTH_TCP_PART_CONNECTIONS) {
        allowed = times->ended_ns + BERTH_TCP_SPACING_POLL * times->duration_ns;
    }
    return later(wanted, allowed);
}

static uint64_t part_time(const struct berth_tcp_schedule *schedule, unsigned part)
{
    if ((schedule->never & 1u << part) != 0) {
        return 0;
    }
    return sooner(poll_time(schedule, part), look_time(schedule, part));
}

/* Whether a look is waited for, other than one that is meant for later. */
static bool is_wanted(const struct berth_tcp_schedule *schedule)
{
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        if (schedule->parts[part].wanted_ns != BERTH_TCP_NOT_WANTED) {
            return true;
        }
    }
    return false;
}

static uint64_t retry_time(const struct berth_tcp_schedule *schedule)
{
    uint64_t first = sooner(schedule->poll_ns, BERTH_TCP_BACK_OFF_MIN_NS);
    uint64_t pause = first;

    for (unsigned i = 1; i < schedule->failures && pause < BERTH_TCP_BACK_OFF_MAX_NS; i++) {
        pause *= 2;
    }
    pause = sooner(pause, BERTH_TCP_BACK_OFF_MAX_NS);
    return schedule->failed_ns + (is_wanted(schedule) ? first : pause);
}

unsigned berth_tcp_schedule_due(const struct berth_tcp_schedule *schedule, uint64_t now_ns)
{
    unsigned due = 0;

    if (schedule->failures != 0) {
        return now_ns >= retry_time(schedule) ? (unsigned)BERTH_TCP_EVERYTHING : 0;
    }
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        due |= now_ns >= part_time(schedule, part) ? 1u << part : 0;
    }
    return due;
}

uint64_t berth_tcp_schedule_next(const struct berth_tcp_schedule *schedule)
{
    uint64_t next = UINT64_MAX;

    if (schedule->failures != 0) {
        return retry_time(schedule);
    }
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        next = sooner(next, part_time(schedule, part));
    }
    return next;
}

/* Notes that what was wanted up to a moment is had. */
static void fulfil(struct berth_tcp_part_times *times, uint64_t now_ns)
{
    if (times->wanted_ns <= now_ns) {
        times->wanted_ns = BERTH_TCP_NOT_WANTED;
    }
    if (times->again_ns <= now_ns) {
        times->again_ns = BERTH_TCP_NOT_WANTED;
    }
}

void berth_tcp_schedule_begin(struct berth_tcp_schedule *schedule, unsigned scopes, uint64_t now_ns)
{
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        if ((scopes & 1u << part) != 0) {
            schedule->parts[part].begun_ns = now_ns;
            fulfil(&schedule->parts[part], now_ns);
        }
    }
}

void berth_tcp_schedule_done(struct berth_tcp_schedule *schedule, unsigned scopes,
                             const struct berth_tcp_claims *claims, uint64_t now_ns)
{
    uint64_t visit_ns = claims->owners_ns;

    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        visit_ns += (scopes & 1u << part) != 0 ? claims->parts[part].duration_ns : 0;
    }
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        if ((scopes & 1u << part) != 0) {
            schedule->parts[part].ended_ns = now_ns;
            schedule->parts[part].duration_ns = claims->parts[part].duration_ns;
        }
    }
    schedule->paid_ns = later(schedule->paid_ns, now_ns) + BERTH_TCP_VISIT_SHARE * visit_ns;
    schedule->never &= ~scopes;
    schedule->failures = 0;
}

void berth_tcp_schedule_failed(struct berth_tcp_schedule *schedule, uint64_t now_ns)
{
    schedule->failures += schedule->failures < 64;
    schedule->failed_ns = now_ns;
}
