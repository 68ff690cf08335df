/* SPDX-License-Identifier: MIT */
/* The sources of claims and what is known of each one's health. A source that has delivered nothing
 * yet keeps every allocation waiting: unknown is never taken for free. */
#ifndef BERTH_ALLOCATOR_SOURCES_H
#define BERTH_ALLOCATOR_SOURCES_H

#include "base/error.h"
#include "claim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_SOURCES_MAX 40
#define BERTH_SOURCE_FEEDS_MAX 4
#define BERTH_SOURCE_WARNINGS_MAX 101 /* a hundred and "… and n more" */

enum berth_source_state {
    BERTH_STATE_WAITING,  /* nothing delivered yet: allocate answers not_ready */
    BERTH_STATE_READY,    /* delivers */
    BERTH_STATE_STALE,    /* fails now; the last good snapshot stays */
    BERTH_STATE_DEGRADED, /* delivers, but less or slower than it should */
    BERTH_STATE_ABSENT,   /* this machine provably lacks it */
    BERTH_STATE_COUNT
};

/** Gives "waiting", "ready" …  @return a string constant  @thread any */
const char *berth_source_state_name(enum berth_source_state state);

/** Tells whether a source in this state still contradicts what is not so: ready and degraded ones
 *  do, and an absent one has nothing to say. While one does not, no timer of Berth's runs out. */
bool berth_source_state_is_current(enum berth_source_state state);

/** What is known of one source. */
struct berth_source_entry {
    bool in_use;
    enum berth_source source;
    char *name; /* for people: the file's path, "Linux TCP table" */
    enum berth_source_state state;
    char *reason;          /* NULL when ready */
    int64_t since_unix_ms; /* in this state since */
    uint64_t snapshot_ms;  /* when the last snapshot came (monotonic); 0: none yet */
    char **warnings;       /* of the last snapshots, all feeds */
    size_t warning_count;
    uint8_t warnings_feed;                 /* which feed they came from */
    uint8_t feeds[BERTH_SOURCE_FEEDS_MAX]; /* the ledger's numbers */
    unsigned feed_count;
};

struct berth_sources {
    struct berth_source_entry at[BERTH_SOURCES_MAX];
};

/** Adds a source in state waiting, without feeds.
 *  @param[out] out  its number  @param[in] name  copied
 *  @return BERTH_OK; BERTH_LIMIT_REACHED, BERTH_NO_MEMORY: nothing changed */
enum berth_code berth_sources_add(struct berth_sources *sources, enum berth_source source,
                                  const char *name, int64_t unix_ms, unsigned *out,
                                  struct berth_error *err);

/** Forgets a source. */
void berth_sources_remove(struct berth_sources *sources, unsigned number);

/** Forgets all. */
void berth_sources_fini(struct berth_sources *sources);

/** Notes a source's state. The reason is copied; where there is no memory for it, it is lost and
 * the state is noted all the same.
 *  @return true: the state or the reason is another than before */
bool berth_sources_set_state(struct berth_sources *sources, unsigned number,
                             enum berth_source_state state, const char *reason, int64_t unix_ms);

/** Replaces a source's warnings by those of a snapshot of one of its feeds. Copied, at most
 *  BERTH_SOURCE_WARNINGS_MAX; those that memory is lacking for are lost. Warnings of another feed
 *  stay when `count` is 0.
 *  @return true: they are others than before */
bool berth_sources_set_warnings(struct berth_sources *sources, unsigned number, unsigned feed,
                                const char *const *warnings, size_t count);

/** Tells whether every source is current (berth_source_state_is_current()). */
bool berth_sources_all_current(const struct berth_sources *sources);

/** Gives the first source that is waiting; NULL: none. */
const struct berth_source_entry *berth_sources_waiting(const struct berth_sources *sources);

#endif
