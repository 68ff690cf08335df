/* SPDX-License-Identifier: MIT */
/* What the methods act on: the allocator and what is known around it. No libuv in here, so that a
 * test calls methods without a loop. */
#ifndef BERTH_DAEMON_SERVICE_H
#define BERTH_DAEMON_SERVICE_H

#include "allocator/allocator.h"
#include "allocator/host_facts.h"
#include "daemon/events.h"
#include "daemon/latency.h"
#include "daemon/peer.h"
#include "daemon/port_holds.h"
#include "daemon/rpc.h"
#include "daemon/settings.h"
#include "daemon/store.h"

#define BERTH_PROTOCOL_VERSION 1

/** How the operating system's events of TCP sockets do. */
struct berth_tcp_events_view {
    const char *mode;   /* "full", "low-volume", "partial", "none" */
    const char *reason; /* NULL: it is full */
    uint64_t total;
    uint64_t lost;
    uint64_t per_second;
    uint64_t lag_ns; /* from happening to here, the longest lately */
};

#define BERTH_HINTS_MAX 8

/** How the operating system's hints by one facility do. */
struct berth_hint_view {
    const char *name;   /* "http.sys events" */
    const char *reason; /* why there are none; NULL: it works */
    uint64_t total;     /* so far */
};

struct berth_alerts;

struct berth_service {
    struct berth_allocator *allocator;
    const struct berth_settings *settings;
    const char *settings_path; /* NULL: no file, the defaults */
    int64_t settings_unix_ms;  /* when they were loaded */
    const struct berth_host_facts *facts;
    const char *const *warnings; /* of the configuration, for `status` */
    size_t warning_count;

    struct berth_events *events; /* NULL: there are none to subscribe to */
    size_t subscribers_now;
    uint64_t events_lost;        /* how often a subscriber was told so */
    struct berth_alerts *alerts; /* NULL: there are none */
    struct berth_store *store;   /* for history; NULL: leases live in memory */
    const struct berth_store_health *store_health;
    struct berth_port_holds *holds; /* NULL: this system cannot hold ports */

    char instance[17]; /* hexadecimal; another one at each start */
    char host[256];
    const char *platform;
    struct berth_now started;
    uint64_t connections_accepted;
    size_t connections_now;
    struct berth_latency latency; /* of requests */

    /** Gives the present. */
    struct berth_now (*now)(struct berth_service *service);
    /** Gives the process's resident memory in bytes; 0: not known. */
    uint64_t (*resident_bytes)(struct berth_service *service);
    /** Asks that all changes so far survive a power failure before they are acknowledged, if that
     * is configured.  @return the number of the change to wait for; 0: none */
    uint64_t (*flush)(struct berth_service *service);
    /** Tells how events do.  @return false: they are switched off. NULL: there are none. */
    bool (*tcp_events)(struct berth_service *service, struct berth_tcp_events_view *out);
    /** Tells how hints do.  @return how many facilities: the first elements of `out` are set. NULL:
     *  there are none. */
    size_t (*hints)(struct berth_service *service, struct berth_hint_view out[BERTH_HINTS_MAX]);
    /** Reads the configuration again and applies it. On error nothing changed. */
    enum berth_code (*reload)(struct berth_service *service, struct berth_error *err);
};

/** All methods of the protocol (docs/protocol.md), for berth_rpc_answer() with a struct
 * berth_service as `call->service` and a struct berth_peer as `call->peer`.  @param[out] count  how
 * many */
const struct berth_method *berth_methods(size_t *count);

#endif
