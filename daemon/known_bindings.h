/* SPDX-License-Identifier: MIT */
/* What IIS's files said when they were last read, kept over a restart: a binding that is away when
 * the daemon starts again vanished in the meantime, and vanished is not free. The file lies in the
 * state folder. One that is missing, old or damaged says less, and does no harm: what it names
 * without need lingers for a while. docs/decisions/0059-known-bindings.md says why it is
 * so.
 */
#ifndef BERTH_DAEMON_KNOWN_BINDINGS_H
#define BERTH_DAEMON_KNOWN_BINDINGS_H

#include "allocator/allocator.h"
#include "base/text.h"

#include <uv.h>

#define BERTH_KNOWN_BINDINGS_FILE "known-bindings"
#define BERTH_KNOWN_BINDINGS_MAX ((size_t)64 * 1024 * 1024) /* bytes; beyond it none is written */

struct berth_known_bindings;

/** Gives one that has read and written nothing yet.
 *  @param[in] folder     the state folder; copied
 *  @param[in] allocator  must outlive it
 *  @return BERTH_OK; BERTH_NO_MEMORY  @thread loop, as all here  @blocks no */
enum berth_code berth_known_bindings_create(struct berth_known_bindings **out, uv_loop_t *loop,
                                            const char *folder, struct berth_allocator *allocator,
                                            struct berth_error *err);

/** Puts what the file says into the sources of the same name that have delivered nothing yet. The
 *  first snapshot of each confirms it, or lets it linger. Trouble is logged.  @blocks for the disk
 */
void berth_known_bindings_restore(struct berth_known_bindings *known, struct berth_now now);

/** Writes the file on the thread pool if a snapshot has come since, at most every 5 s. Its text is
 *  made in parts, one with each call, and anew where something changes meanwhile. To be called
 * every now and then.  @blocks for 1,024 bindings, a millisecond or two */
void berth_known_bindings_tick(struct berth_known_bindings *known, struct berth_now now);

/** Writes what is not written yet, and frees it once the loop has finished a write that is under
 *  way. NULL is accepted.  @blocks for the disk */
void berth_known_bindings_close(struct berth_known_bindings *known, struct berth_now now);

/* ---- the file's text ---- */

/** Adds all claims of IIS's sources, those that linger with the moment when that ends. */
void berth_known_bindings_write(struct berth_text *out, const struct berth_allocator *allocator,
                                struct berth_now now);

/** Does what berth_known_bindings_restore() does with a text, up to the first line that is none.
 *  Left out are ports with a live lease, which holds them itself, and of what only lingered those
 *  with any lease; the rest lingers anew, for one whole time. What finds no room is logged.
 *  @param[in,out] text  is cut into pieces  @return how many claims were put */
size_t berth_known_bindings_read(struct berth_allocator *allocator, char *text,
                                 struct berth_now now);

#endif
