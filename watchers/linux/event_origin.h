/* SPDX-License-Identifier: MIT */
/* Whether an event of the tracepoint, which tells of the whole machine, is of another network
 * namespace than ours.
 *
 * The record does not say so. What happened in a process's own call is told by that process's
 * namespace; what happened while a packet was handled, by whether the local address is one of
 * ours. Only what is surely another's counts as such: a process that may not be asked or is gone,
 * and an address of loopback, count as ours. A wrong answer does no harm: what is foreign makes the
 * watcher look, what is ours takes a port until it has looked. */
#ifndef BERTH_WATCHERS_LINUX_EVENT_ORIGIN_H
#define BERTH_WATCHERS_LINUX_EVENT_ORIGIN_H

#include "allocator/address.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BERTH_ORIGIN_PROCESSES 64u /* remembered; a power of 2 */
/* Of ours; a machine that has more is told by processes only. */
#define BERTH_ORIGIN_ADDRESSES 256u
/* How long an answer about a process is believed. */
#define BERTH_ORIGIN_PROCESS_NS 1000000000u
/* How often our addresses are listed anew at most. */
#define BERTH_ORIGIN_ADDRESS_NS 10000000000u

struct berth_event_origin {
    const char *proc;
    bool has_own; /* our own namespace is known */
    dev_t device; /* of it */
    ino_t inode;
    struct {
        uint32_t process_id; /* 0: none */
        bool foreign;
        uint64_t until_ns;
    } processes[BERTH_ORIGIN_PROCESSES];
    struct berth_address addresses[BERTH_ORIGIN_ADDRESSES];
    size_t address_count;
    bool addresses_whole;  /* all of ours are listed */
    uint64_t addresses_ns; /* when they were; 0: never */
};

/** Starts with nothing known but our own namespace.
 *  @param[in] proc  the folder; NULL: "/proc"; it must outlive the origin */
void berth_event_origin_init(struct berth_event_origin *origin, const char *proc);

/** Tells whether a process is in another network namespace.  @thread one at a time
 *  @blocks about 2 µs, once a second for each process */
bool berth_event_origin_is_foreign_process(struct berth_event_origin *origin, uint32_t process_id,
                                           uint64_t now_ns);

/** Tells whether a local address is none of our namespace's.  @thread one at a time
 *  @blocks some 10 µs, every 10 s at most */
bool berth_event_origin_is_foreign_address(struct berth_event_origin *origin,
                                           const struct berth_address *address, uint64_t now_ns);

#endif
