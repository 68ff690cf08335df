/* SPDX-License-Identifier: MIT */
/* What the operating system tells by itself of TCP ports: the contract of a platform's event
 * source.
 *
 * linux/tcp_events.c reads the kernel's tracepoint of socket states and its notices of destroyed
 * sockets, windows/tcp_events.c will read ETW, fake/tcp_events.c follows a script
 * (fake/tcp_events_script.h). A program links one of them; tests/contract/tcp_events_contract.h
 * says in tests what they have in common.
 *
 * An event is a hint: something happened, look. It may come late, twice, or for a socket that is
 * none of ours (another network namespace, where that cannot be told); it may be lost, and then the
 * source says so. That a port is used may be believed at once until the next look; that it is free,
 * only a look can tell. */
#ifndef BERTH_WATCHERS_TCP_EVENTS_H
#define BERTH_WATCHERS_TCP_EVENTS_H

#include "allocator/claim.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/** What an event tells. Only LISTEN and CONNECT are about certain use of a port. */
enum berth_tcp_event_what {
    BERTH_TCP_EVENT_LISTEN,  /* a socket listens on the port, or is just about to */
    BERTH_TCP_EVENT_CONNECT, /* an outgoing connection has the port as its local one, or (Windows)
                                a socket that has just been bound and may yet listen */
    BERTH_TCP_EVENT_CONNECTING, /* one is under way; which port it has is not known: port is 0 */
    BERTH_TCP_EVENT_ACCEPT,     /* a listener on the port has a connection more */
    BERTH_TCP_EVENT_RELEASE,    /* a socket that listened is going or gone */
    BERTH_TCP_EVENT_GONE,       /* one that listened or was bound is gone for good */
    BERTH_TCP_EVENT_DISCONNECT, /* a connection is going or gone */
    BERTH_TCP_EVENT_OTHER,      /* who listens or is bound may have changed; port may be 0 */
    BERTH_TCP_EVENT_WHAT_COUNT
};

struct berth_tcp_event {
    uint16_t port;                /* local; host order; 0: not known */
    uint8_t what;                 /* enum berth_tcp_event_what */
    struct berth_address address; /* local; family ALL: not known */
    uint32_t process_id;          /* BERTH_ID_NONE: not known */
    uint64_t time_ns;             /* when it happened, on the clock of uv_hrtime(); 0: not known */
};

/** How much a source tells. */
enum berth_tcp_events_mode {
    BERTH_TCP_EVENTS_NONE,       /* nothing: polling is all there is */
    BERTH_TCP_EVENTS_PARTIAL,    /* some changes, for example only that sockets are closed */
    BERTH_TCP_EVENTS_LOW_VOLUME, /* every listener, its end, and what is bound; connections and
                                    some ends are not, by choice, as a busy machine has too many.
                                    No trouble by itself */
    BERTH_TCP_EVENTS_FULL,       /* every listener, its end, and every outgoing connection */
    BERTH_TCP_EVENTS_MODE_COUNT
};

/** Gives "none", "partial", "low-volume", "full".  @return a string constant  @thread any */
const char *berth_tcp_events_mode_name(enum berth_tcp_events_mode mode);

/** Where a source reports to; always on the loop's thread, never from within open or close. A
 *  report may not close the source. */
struct berth_tcp_events_sink {
    /** Takes what happened, oldest first where that is known; `count` is at least 1. */
    void (*events)(void *ctx, const struct berth_tcp_event *events, size_t count);
    /** Says that at least `count` (1 or more) events did not arrive. */
    void (*lost)(void *ctx, uint64_t count);
    /** Says how much is told from now on. Comes once after open, and with each change.
     *  @param[in] reason  a sentence; NULL with FULL only */
    void (*mode)(void *ctx, enum berth_tcp_events_mode mode, const char *reason);
    void *ctx;
};

struct berth_tcp_events;

/** What a source has left out of nothing that happened so far; a sum of bits. */
enum berth_tcp_told {
    BERTH_TCP_TOLD_CONNECTIONS = 1, /* those accepted too, each with its port */
    BERTH_TCP_TOLD_ENDS = 2         /* GONE for each socket that was told to RELEASE its port */
};

/** Makes a source that runs. What keeps it from telling (rights, a tracing facility that is not
 *  there, a session that was taken away) is a mode with its reason, not an error; it tries again by
 *  itself, after 1 s, then 2, 4, 8 … times as much, a minute at the most.
 *  @param[out] out   set only on BERTH_OK; for berth_tcp_events_close()
 *  @param[in]  sink  copied
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_NOT_SUPPORTED: never on this system; BERTH_INTERNAL
 *  @thread the loop's  @blocks some 100 µs */
enum berth_code berth_tcp_events_open(struct berth_tcp_events **out, uv_loop_t *loop,
                                      const struct berth_tcp_events_sink *sink,
                                      struct berth_error *err);

/** Has all reported that the system has told so far. Events still come by themselves; this is for
 *  who must know that none is under way.
 *  @return a sum of enum berth_tcp_told; 0 where events may come late or be left out
 *  @thread the loop's, not from within a report  @blocks no */
unsigned berth_tcp_events_drain(struct berth_tcp_events *events);

/** Ends it. No report comes after this was called; `closed` is called with `ctx` on the loop,
 * later, once all is given back.  @thread the loop's  @blocks no */
void berth_tcp_events_close(struct berth_tcp_events *events, void (*closed)(void *ctx), void *ctx);

#endif
