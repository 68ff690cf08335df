/* SPDX-License-Identifier: MIT */
/* The book of conflicts: which ones there are, since when, and which of them were told.
 *
 * A conflict is *pending* from when a port's conflicts first hold it, and *open* once it has been
 * there for the debounce time without a break: then it is told, once. As soon as it is found no
 * more it is gone, and if it was open its end is told at once: the operator who mended something
 * sees it mended, and what comes and goes faster than the debounce time is never told at all. A
 * conflict whose severity or sentence changes stays the same one.
 *
 * Everything that the book says of a conflict it has copied. Pure: no I/O, no clock. One thread at
 * a time; nothing blocks. */
#ifndef BERTH_ALLOCATOR_CONFLICT_BOOK_H
#define BERTH_ALLOCATOR_CONFLICT_BOOK_H

#include "base/error.h"
#include "conflict_rules.h"
#include "port_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The most conflicts in a book, pending ones included. What does not fit is not kept, errors
 *  before warnings, and its port is remembered in `crowded`. */
#define BERTH_CONFLICTS_MAX 4096

/** The longest sentence in bytes; a longer one is cut between two of its parts. */
#define BERTH_CONFLICT_TEXT_MAX 16384

/** A conflict as the book keeps it; strings are its own. */
struct berth_conflict_entry {
    struct berth_conflict conflict; /* `claims` points to the copies below */
    struct berth_claim claims[2];
    const char *text;
    uint64_t since_ms;      /* found since, on the book's clock */
    int64_t opened_unix_ms; /* when it was told; only while `open` */
    bool open;
};

/** Is told each opening and each end, once. It may read the book, not write it. Within an update
 *  all ends come before all openings. */
struct berth_conflict_observer {
    void (*opened)(void *ctx, const struct berth_conflict_entry *entry);
    void (*closed)(void *ctx, const struct berth_conflict_entry *entry, int64_t unix_ms);
    void *ctx;
};

/** The conflicts of one port, by kind, then id. */
struct berth_conflict_shelf {
    uint16_t port;
    size_t count;
    struct berth_conflict_entry **entries;
};

struct berth_conflict_book {
    struct berth_conflict_shelf *shelves; /* of the ports that have some, ascending */
    size_t shelf_count;
    size_t shelf_room;
    size_t count; /* of conflicts */
    size_t open_count;
    struct berth_port_set crowded; /* ports with conflicts that did not fit */
    uint64_t debounce_ms;
    uint64_t earliest_ms; /* no pending conflict opens before; BERTH_NEVER: there is none */
    struct berth_conflict_observer observer;
};

/** Makes an empty book, which takes no memory yet.
 *  @param[in] observer  copied; its functions may be NULL */
void berth_conflict_book_init(struct berth_conflict_book *book, uint64_t debounce_ms,
                              const struct berth_conflict_observer *observer);

/** Gives the memory back and leaves an empty book. Nothing is told. */
void berth_conflict_book_fini(struct berth_conflict_book *book);

/** Changes the debounce time, for pending conflicts too: berth_conflict_book_tick() is due. */
void berth_conflict_book_set_debounce(struct berth_conflict_book *book, uint64_t debounce_ms);

/** Takes all conflicts that a port has now, instead of those it had; tells what ended, and what
 *  opens at once because the debounce time is 0 or was over.
 *  @param[in] found  `count` of them as berth_conflicts_find() gives them; copied
 *  @param     now_ms  monotonic  @param unix_ms  the same moment, for people
 *  @return BERTH_OK, also where some did not fit (`crowded`); BERTH_NO_MEMORY: the book is as it
 *          was and nothing is told */
enum berth_code berth_conflict_book_update(struct berth_conflict_book *book, uint16_t port,
                                           const struct berth_conflict *found, size_t count,
                                           uint64_t now_ms, int64_t unix_ms,
                                           struct berth_error *err);

/** Opens and tells what has been pending long enough.
 *  @return when to call again on the same clock, or BERTH_NEVER (ledger.h) */
uint64_t berth_conflict_book_tick(struct berth_conflict_book *book, uint64_t now_ms,
                                  int64_t unix_ms);

/** Finds a conflict that is open.  @return NULL: there is none of that id on the port */
const struct berth_conflict_entry *berth_conflict_book_find(const struct berth_conflict_book *book,
                                                            uint16_t port, berth_conflict_id id);

/** A walk over open conflicts, by port, kind, id. Valid until the book changes. */
struct berth_conflict_walk {
    const struct berth_conflict_book *book;
    size_t shelf;
    size_t shelf_end;
    size_t entry;
};

/** Starts a walk over all ports, or over one.  */
struct berth_conflict_walk berth_conflict_book_all(const struct berth_conflict_book *book);
struct berth_conflict_walk berth_conflict_book_at(const struct berth_conflict_book *book,
                                                  uint16_t port);

/** Gives the next open conflict; NULL: no more. */
const struct berth_conflict_entry *berth_conflict_next(struct berth_conflict_walk *walk);

#endif
