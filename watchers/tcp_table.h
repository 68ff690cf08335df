/* SPDX-License-Identifier: MIT */
/* What the operating system knows of TCP ports in use: the contract of a platform's TCP table.
 *
 * linux/tcp_table.c reads netlink sock_diag, windows/tcp_table.c GetExtendedTcpTable and the table
 * of bound endpoints, fake/tcp_table.c follows a script (fake/tcp_table_script.h). A program links
 * one of them; tests/contract/tcp_table_contract.h says in tests what they have in common.
 *
 * A read is complete or it fails: what the system cut short, interrupted or refused is tried again
 * a bounded number of times and then is an error, never a shorter list. Only the network namespace
 * that the process runs in is seen, and no socket of the process itself is reported. */
#ifndef BERTH_WATCHERS_TCP_TABLE_H
#define BERTH_WATCHERS_TCP_TABLE_H

#include "allocator/claim.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The parts of the table, cheapest first: indices into struct berth_tcp_claims. */
enum berth_tcp_part {
    BERTH_TCP_PART_LISTENERS,
    BERTH_TCP_PART_BOUND,
    BERTH_TCP_PART_CONNECTIONS,
    BERTH_TCP_PART_COUNT
};

/** The same as bits, for berth_tcp_table_read(). */
enum berth_tcp_scope {
    /** Listening sockets. One claim for each (address, port, user, process), `count` sockets. */
    BERTH_TCP_LISTENERS = 1 << BERTH_TCP_PART_LISTENERS,
    /** Sockets that have a port and neither listen nor are connected. Claims as for listeners. */
    BERTH_TCP_BOUND = 1 << BERTH_TCP_PART_BOUND,
    /** Every other state that holds a local port: connections coming up, established, closing and
     *  in TIME_WAIT, accepted and outgoing. One claim for each port and kind (CONNECTION,
     *  TIME_WAIT), of no address, `count` sockets: 10,000 connections on port 443 are one claim. */
    BERTH_TCP_CONNECTIONS = 1 << BERTH_TCP_PART_CONNECTIONS,
    BERTH_TCP_EVERYTHING = BERTH_TCP_LISTENERS | BERTH_TCP_BOUND | BERTH_TCP_CONNECTIONS,
    /** With others: do not search for the processes of sockets that are new, unless in those that
     *  were suggested. A later read without it finds them. */
    BERTH_TCP_QUICK = 1 << BERTH_TCP_PART_COUNT
};

/** What one part holds. */
struct berth_tcp_list {
    const struct berth_claim *claims; /* in the order of berth_claim_compare(), no two the same */
    size_t count;
    uint64_t duration_ns; /* of a processor, to list it; where that is not told, how long it took */
};

/** The outcome of a read: the parts that were asked for; the others are empty.
 *
 *  `user_id` of listeners and bound sockets is the socket's, where the platform has user ids; of a
 *  CONNECTION it is that of all its sockets that still belong to a process, if it is one and the
 *  same; TIME_WAIT has none. `process_id` and `holder` (the image's file name without its folder)
 *  are known for listeners and bound sockets where permitted; finding them is bounded work, so on a
 *  machine with many descriptors a new socket's may become known only some reads later.
 * BERTH_CLAIM_V6_ONLY is set on a socket of all IPv6 addresses that takes no IPv4, where the
 * platform tells. */
struct berth_tcp_claims {
    struct berth_tcp_list parts[BERTH_TCP_PART_COUNT];
    uint64_t owners_ns; /* the same, to find the processes */
};

/** What this system's table can tell. */
struct berth_tcp_capabilities {
    bool lists_bound; /* false: BERTH_TCP_BOUND is always empty */
    char detail[200]; /* a sentence that says what is missing and why; "" when nothing is */
};

struct berth_tcp_table;

/** Makes a table to read from, and finds out what it can tell.
 *  @param[out] out  set only on BERTH_OK; for berth_tcp_table_close()
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_IO: the system refuses; BERTH_NOT_SUPPORTED: this
 *          system has no such table
 *  @thread any  @blocks as a read does */
enum berth_code berth_tcp_table_open(struct berth_tcp_table **out, struct berth_error *err);

/** Gives the table and all that it reported back. NULL is accepted.  @thread any  @blocks no */
void berth_tcp_table_close(struct berth_tcp_table *table);

/** Tells what the table can tell.  @return valid until close, never changes  @thread any */
const struct berth_tcp_capabilities *
berth_tcp_table_capabilities(const struct berth_tcp_table *table);

/** Suggests that a process has new sockets: the next read looks there first for their owner. A
 * table may take no notice.  @thread as a read */
void berth_tcp_table_suggest(struct berth_tcp_table *table, uint32_t process_id);

/** Reads the parts that `scopes` names, all that they hold at about this moment.
 *
 *  Parts are read in the order bound, listeners, connections: the order in which a socket passes
 *  through them, so that one on its way is seen twice rather than not at all.
 *  @param[in]  scopes  a sum of enum berth_tcp_scope, with one part at least
 *  @param[out] out     set only on BERTH_OK; its lists and their strings belong to the table and
 *                      are valid until the next read, successful or not, or close
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_IO, BERTH_MALFORMED, BERTH_UNSTABLE: what the system
 *          answered, after several tries; BERTH_TOO_LARGE: more sockets than
 *          BERTH_TCP_SOCKETS_MAX. After an error the table can be read again.
 *  @thread one at a time; the loop's for what is known to be brief  @blocks 25 µs to some ms;
 * seconds when the system fails
 */
enum berth_code berth_tcp_table_read(struct berth_tcp_table *table, unsigned scopes,
                                     struct berth_tcp_claims *out, struct berth_error *err);

/** The most sockets that the listeners, and the bound ones, may each be. */
#define BERTH_TCP_SOCKETS_MAX (1u << 18)

#endif
