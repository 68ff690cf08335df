/* SPDX-License-Identifier: MIT */
/* Ports that an event says are taken, until a reading of the TCP table has had the chance to see
 * the same. Pure; times are nanoseconds of one monotonic clock.
 *
 * A mark ends when a reading that began after it shows the port, or does not show it although it
 * began GRACE after the mark: the kernel tells of a listener a moment before its table has it. A
 * reading that began before the mark decides nothing. */
#ifndef BERTH_WATCHERS_TCP_MARKS_H
#define BERTH_WATCHERS_TCP_MARKS_H

#include "allocator/port_set.h"
#include "tcp_table.h"

#define BERTH_TCP_MARKS_MAX 16384u
#define BERTH_TCP_MARK_GRACE_NS 10000000u

struct berth_tcp_mark {
    uint16_t port;
    uint8_t part; /* LISTENERS or CONNECTIONS */
    uint32_t process_id;
    struct berth_address address;
    uint64_t time_ns;
};

/** Zeroed: no marks. */
struct berth_tcp_marks {
    struct berth_tcp_mark *items;
    size_t count;
    size_t capacity;
    uint16_t *places[BERTH_TCP_PART_COUNT]; /* of a port's mark among the items, counted from 1 */
};

/** Gives the memory back; there are no marks then. */
void berth_tcp_marks_fini(struct berth_tcp_marks *marks);

/** Marks a port. One that is marked already stays as it is, but with the new time.
 *  @param[in] mark  its port is not 0
 *  @return BERTH_OK; BERTH_LIMIT_REACHED: BERTH_TCP_MARKS_MAX ports are marked; BERTH_NO_MEMORY:
 *          it is not marked */
enum berth_code berth_tcp_marks_add(struct berth_tcp_marks *marks,
                                    const struct berth_tcp_mark *mark);

/** Tells whether a port is marked. */
bool berth_tcp_marks_has(const struct berth_tcp_marks *marks, enum berth_tcp_part part,
                         uint16_t port);

/** Ends the marks that a reading has decided.
 *  @param[in] seen  the ports that it showed  @param[in] begun_ns  when it began */
void berth_tcp_marks_settle(struct berth_tcp_marks *marks, enum berth_tcp_part part,
                            const struct berth_port_set *seen, uint64_t begun_ns);

/** Counts the marks of a part on ports that `seen` has not, and gives their claims.
 *  @param[out] out  room for as many; NULL: only count them */
size_t berth_tcp_marks_claims(const struct berth_tcp_marks *marks, enum berth_tcp_part part,
                              const struct berth_port_set *seen, struct berth_claim *out);

/** Gives when a reading can end the last of a part's marks; 0: there are none. */
uint64_t berth_tcp_marks_decided_ns(const struct berth_tcp_marks *marks, enum berth_tcp_part part);

/** Gives the ports of a part's marks that a reading which begins at `begun_ns` would end unseen. */
void berth_tcp_marks_ending(const struct berth_tcp_marks *marks, enum berth_tcp_part part,
                            uint64_t begun_ns, struct berth_port_set *out);

/** Gives the claim that a mark stands for. */
struct berth_claim berth_tcp_mark_claim(const struct berth_tcp_mark *mark);

#endif
