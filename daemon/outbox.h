/* SPDX-License-Identifier: MIT */
/* A thread of its own for what may block as long as it likes: it takes one item after the other. A
 * delivery that never ends costs that thread and nothing else: neither the loop, nor a place in the
 * thread pool, nor the end of the process. */
#ifndef BERTH_DAEMON_OUTBOX_H
#define BERTH_DAEMON_OUTBOX_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct berth_outbox;

struct berth_outbox_options {
    size_t room; /* how many items may wait; at least 1 */
    /** Delivers an item; on the outbox's thread, and may block. */
    enum berth_code (*deliver)(void *item, struct berth_error *err);
    /** Gives an item's memory back; on any thread. */
    void (*release)(void *item);
};

struct berth_outbox_state {
    uint64_t delivered;
    uint64_t failed;
    uint64_t lost; /* the oldest ones that made room for others, or that waited at the end */
    size_t waiting;
    uint64_t busy_ms;         /* how long an item has been under way; 0: none is */
    bool failing;             /* the latest delivery failed */
    struct berth_error error; /* why; kept when it works again */
};

/** Starts the thread.  @return BERTH_OK; BERTH_NO_MEMORY, BERTH_IO: nothing runs  @thread loop */
enum berth_code berth_outbox_create(struct berth_outbox **out,
                                    const struct berth_outbox_options *options,
                                    struct berth_error *err);

/** Takes an item, which is the outbox's from now on. Where there is no room the oldest one that
 *  waits is lost.  @thread any  @blocks no */
void berth_outbox_put(struct berth_outbox *outbox, void *item);

/** Gives how it does.  @thread any  @blocks no */
void berth_outbox_look(struct berth_outbox *outbox, struct berth_outbox_state *out);

/** Says that nothing more comes: what waits goes out, and the thread ends.  @thread loop
 *  @blocks no */
void berth_outbox_end(struct berth_outbox *outbox);

/** Lets what waits go out, for at most `wait_ms`, then ends the thread; where that does not end, it
 *  is left to itself, with its memory. The outbox is gone in any case. NULL is accepted.
 *  @return true: all went out, and the thread ended  @blocks up to `wait_ms` */
bool berth_outbox_close(struct berth_outbox *outbox, unsigned wait_ms);

#endif
