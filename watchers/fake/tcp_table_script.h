/* SPDX-License-Identifier: MIT */
/* The script of the fake TCP table: what the next reads say, how long they take, when they fail.
 *
 * There is one script in a program. All functions may be called from any thread. */
#ifndef BERTH_WATCHERS_FAKE_TCP_TABLE_SCRIPT_H
#define BERTH_WATCHERS_FAKE_TCP_TABLE_SCRIPT_H

#include "watchers/tcp_table.h"

/** Starts anew: nothing is in use, nothing fails, bound sockets are listed, reads take no time. To
 *  be called before the first use, with no table open. */
void berth_fake_tcp_reset(void);

/** Gives the script's memory back, with no table open. */
void berth_fake_tcp_free(void);

/** Adds a socket: its claim is copied with its holder, and belongs to the part of its kind; the
 *  same claim again counts up. Aborts when there is no memory. */
void berth_fake_tcp_add(const struct berth_claim *claim);

/** Takes all claims on a port away. @return how many there were */
size_t berth_fake_tcp_remove(uint16_t port);

/** Lets the next `times` openings, or reads, fail with `code` and that reason. */
void berth_fake_tcp_fail_opens(unsigned times, enum berth_code code, const char *reason);
void berth_fake_tcp_fail_reads(unsigned times, enum berth_code code, const char *reason);

/** Says whether tables opened from now on list bound sockets; `reason` is why not. */
void berth_fake_tcp_lists_bound(bool lists, const char *reason);

/** Says how long a part's reads claim to take; no time passes. */
void berth_fake_tcp_duration(enum berth_tcp_part part, uint64_t duration_ns);

/** Tells whether the last read was made by the calling thread; true before the first one. */
bool berth_fake_tcp_read_here(void);

/** Holds reads back that begin from now on, until they are let go. */
void berth_fake_tcp_hold(void);
void berth_fake_tcp_let_go(void);

/** Counts the reads that were begun, whatever their outcome, for any of `scopes`. */
unsigned berth_fake_tcp_reads(unsigned scopes);

/** Gives the process that was suggested last; 0: none was. */
uint32_t berth_fake_tcp_suggested(void);

/** Counts the tables that are open. */
unsigned berth_fake_tcp_open_tables(void);

#endif
