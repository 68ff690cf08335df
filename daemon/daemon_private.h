/* SPDX-License-Identifier: MIT */
/* What the daemon's own files share: daemon.c starts and stops it, daemon_leases.c has its leases
 * last, daemon_apply.c makes it follow a configuration. */
#ifndef BERTH_DAEMON_DAEMON_PRIVATE_H
#define BERTH_DAEMON_DAEMON_PRIVATE_H

#include "access.h"
#include "account_names.h"
#include "configure.h"
#include "daemon.h"
#include "known_bindings.h"
#include "lease_keeper.h"
#include "process.h"
#include "server.h"
#include "service.h"
#include "watch.h"

struct berth_daemon {
    uv_loop_t *loop;
    const struct berth_options *options;
    struct berth_configuration configuration;
    struct berth_access access;
    struct berth_allocator *allocator;
    struct berth_watch *watch;
    struct berth_watch *leaving;       /* the same, while it is being closed */
    struct berth_account_names *names; /* until no look-up is under way any more */
    struct berth_server *server;
    struct berth_service service;
    struct berth_host_facts facts;
    bool facts_unknown; /* they were not all to be had last time, which was told */
    struct berth_events events;
    struct berth_lease_keeper *keeper;
    struct berth_known_bindings *known;
    struct berth_port_holds *holds;
    char *endpoint;
    struct { /* what the configuration of the start said that a reload does not change */
        char *endpoint;
        char *state;
        uint8_t durability;
        uint64_t history_ms;
    } fixed;
    uint64_t random_state;
    uv_timer_t tick; /* ends what is due in the allocator */
    uv_timer_t facts_timer;
    uv_signal_t signals[BERTH_PROCESS_SIGNALS_MAX];
    bool stopping;
    uv_timer_t patience; /* from when nobody is served on: with what still runs */
    bool left_behind;    /* the loop was ended in spite of that */
};

/* ---- daemon_leases.c ---- */

/** Opens the store and puts what it keeps into the allocator.
 *  @return as berth_lease_keeper_open() and berth_lease_keeper_load()  @blocks for the disk */
enum berth_code berth__daemon_open_store(struct berth_daemon *daemon,
                                         const struct berth_settings *settings,
                                         struct berth_error *err);

/** Closes the store: when nobody is answered any more, as nothing changes after that. */
void berth__daemon_close_store(struct berth_daemon *daemon);

/* The allocator's `keep` and `forget`, and the service's `flush`. */
enum berth_code berth__daemon_keep_lease(void *ctx, const struct berth_lease_change *change,
                                         struct berth_error *err);
void berth__daemon_forget_lease(void *ctx, const struct berth_lease *lease);
uint64_t berth__daemon_flush(struct berth_service *service);

/* ---- daemon_apply.c ---- */

/** Gives the allocator's options that a configuration decides; the rest is zero. */
struct berth_allocator_options
berth__daemon_allocator_options(const struct berth_settings *settings);

/** Notes what of the first configuration a reload does not change.  @return BERTH_OK;
 *  BERTH_NO_MEMORY */
enum berth_code berth__daemon_note_fixed(struct berth_daemon *daemon,
                                         const struct berth_settings *settings,
                                         struct berth_error *err);

/** Makes everything follow a configuration, which the daemon owns from then on. On error the old
 * one stays in force; only pools or reserved ports may be the new ones then, if memory ran out
 * between.
 */
enum berth_code berth__daemon_apply(struct berth_daemon *daemon, struct berth_configuration *fresh,
                                    struct berth_error *err);

/** Reads the configuration again and follows it: the service's `reload`. */
enum berth_code berth__daemon_reload(struct berth_service *service, struct berth_error *err);

#endif
