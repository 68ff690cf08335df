/* SPDX-License-Identifier: MIT */
/* What the TCP watcher's own files share: tcp_watcher.c reads the table and reports,
 * tcp_watcher_events.c takes in what the system tells. */
#ifndef BERTH_WATCHERS_TCP_WATCHER_PRIVATE_H
#define BERTH_WATCHERS_TCP_WATCHER_PRIVATE_H

#include "allocator/port_set.h"
#include "base/memory.h"
#include "tcp_event_meter.h"
#include "tcp_evidence.h"
#include "tcp_marks.h"
#include "tcp_schedule.h"
#include "tcp_watcher.h"

#define BERTH_TCP_WATCH_NS_PER_MS 1000000u

/* Processes that are remembered for one visit. */
#define BERTH_TCP_WATCH_SUGGESTED_MAX 16

/* A reading that takes no longer than this is made on the loop's thread. */
#define BERTH_TCP_WATCH_BRIEF_NS 100000u

/* What one visit to the table is asked for and brings back. Between uv_queue_work() and its end
 * only the pool's thread touches it, and the table. */
struct berth_tcp_visit {
    unsigned scopes;
    bool quick; /* asked for by events: owners are for later */
    uint64_t begun_ns;
    uint32_t suggested[BERTH_TCP_WATCH_SUGGESTED_MAX]; /* processes that may have new sockets */
    size_t suggested_count;
    enum berth_code code;
    struct berth_error err;
    struct berth_tcp_claims claims;
    struct berth_port_set ports[BERTH_TCP_PART_COUNT]; /* of each in its last good read */
    struct berth_port_set seen[BERTH_TCP_PART_COUNT];  /* the same with this visit */
    struct berth_port_set marked; /* listeners' ports by word of events only, which it may end */
    uint64_t provable[BERTH_PORT_SET_WORDS]; /* ports that need not be looked for elsewhere */
};

/* How many ends are remembered: those of a moment, in a storm. */
#define BERTH_TCP_WATCH_ENDED_MAX 64

/* So long a process may take that was stopped in the midst of closing a socket. */
#define BERTH_TCP_WATCH_CLOSING_NS 2000000000u

/* The end of a connection or of a listener, as it was told. */
struct berth_tcp_told_end {
    uint64_t time_ns;
    uint16_t port;
    bool listened;
};

/* The system's events, as the watcher sees them. */
struct berth_tcp_event_side {
    enum berth_tcp_watch_events wanted;
    struct berth_tcp_events *source; /* NULL: none is open */
    size_t closing;                  /* sources that are not closed yet */
    bool refused;                    /* the last opening failed */
    bool unsupported;                /* and will always */
    bool mode_known;
    enum berth_tcp_events_mode mode;
    char reason[480];       /* why there is none, or it is not full */
    uint64_t rest_until_ns; /* not 0: events were lost */
    uint64_t lost_lately;   /* since the rest began */
    struct berth_event_meter meter;
    struct berth_tcp_marks marks;
    struct berth_tcp_evidence evidence;
    bool letting_go; /* the look that is wanted may find that a port is given up */
    struct berth_tcp_told_end ended[BERTH_TCP_WATCH_ENDED_MAX]; /* the latest ones */
    size_t ended_next;
    unsigned after_visit;    /* scopes to look at once more if the present visit read them */
    bool unproven;           /* what is gone from the listeners must be looked for everywhere */
    uint64_t whole_visit_ns; /* when owners were last looked for */
    uint32_t suggested[BERTH_TCP_WATCH_SUGGESTED_MAX];
    size_t suggested_count;
};

struct berth_tcp_watcher {
    struct berth_watcher base;
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_work_t work;
    struct berth_tcp_schedule schedule;
    struct berth_tcp_table *table; /* NULL until the first visit that could open it */
    struct berth_tcp_visit visit;
    struct berth_tcp_event_side events;
    struct berth_port_set known[BERTH_TCP_PART_COUNT]; /* the last visit's ports, for the loop */
    char state_reason[1024];
    bool timer_open;
    bool visiting;
    bool stopping;
    bool good;    /* every feed has had its first snapshot */
    bool failing; /* the last visit failed */
    void (*stopped)(struct berth_watcher *watcher);
};

static inline struct berth_tcp_watcher *berth_tcp_watcher_of(struct berth_watcher *base)
{
    return BERTH_CONTAINER_OF(base, struct berth_tcp_watcher, base);
}

/** Sets the timer to what is due next, or begins a visit at once; nothing while one runs. */
void berth_tcp_watch_go_on(struct berth_tcp_watcher *watcher);

/** Has that done in the loop's next turn: for who is called by the source of events, which a visit
 *  asks for what it has. */
void berth_tcp_watch_go_on_soon(struct berth_tcp_watcher *watcher);

/** Says how things stand, unless there is something more important to say. */
void berth_tcp_watch_tell_again(struct berth_tcp_watcher *watcher);

/** Calls `stopped` if all that runs has ended. */
void berth_tcp_watch_finish_stop(struct berth_tcp_watcher *watcher);

/** Has connections and bound sockets looked at once more where a reading shows one whose end was
 *  told before it began. */
void berth_tcp_watch_look_at_late_ends(struct berth_tcp_watcher *watcher);

/** Opens the source of events if it is wanted and not open; what fails is a reason to be told. */
void berth_tcp_watch_open_events(struct berth_tcp_watcher *watcher);

/** Closes it, which the loop finishes: berth_tcp_watch_finish_stop() is called then. */
void berth_tcp_watch_close_events(struct berth_tcp_watcher *watcher);

/** Trusts events again, once the rest after a loss is over. */
void berth_tcp_watch_end_rest(struct berth_tcp_watcher *watcher);

#endif
