/* SPDX-License-Identifier: MIT */
/* A disk between SQLite and the real one, for tests: it fails when told to, and it knows which
 * writes were never synced, so that it can show what a power failure at this moment would have
 * left.
 *
 * The model: a sync makes durable all earlier writes to that file. Whatever was not synced may be
 * there, missing, or there in part (any sectors of 512 bytes of a write; a sector half-written
 * holds rubbish), each write for itself; a change of size or a removal may or may not have
 * happened; a file that was made and never synced may be missing. */
#ifndef BERTH_TESTS_STORE_DISK_H
#define BERTH_TESTS_STORE_DISK_H

#include "models/test_random.h"

#include <stdbool.h>

enum store_disk_calls { /* which calls count for a failure */
                        STORE_DISK_WRITES = 1,
                        STORE_DISK_SYNCS = 2,
                        STORE_DISK_READS = 4,
                        STORE_DISK_ALL = 7
};

enum store_disk_way {
    STORE_DISK_REFUSES,      /* nothing is done */
    STORE_DISK_DOES_HALF,    /* half of a write is done, then it fails */
    STORE_DISK_DOES_AND_LIES /* all is done, and a failure is reported */
};

enum store_disk_rest { /* what becomes of writes that were not synced */
                       STORE_DISK_DROPS,
                       STORE_DISK_KEEPS,
                       STORE_DISK_SOME, /* each by chance */
                       STORE_DISK_TEARS /* each sector by chance */
};

/** Puts the disk below all databases that are opened from now on. Once, before anything else. */
void store_disk_install(void);

/** Lets call number `nth` (from 1) of the kinds `calls` fail with SQLite's `result`; `for_ever`:
 * all later ones too. 0: none fails. */
void store_disk_fail(unsigned nth, unsigned calls, int result, enum store_disk_way way,
                     bool for_ever);

/** Ends that.  @return true: a call failed */
bool store_disk_end(void);

/** Follows the files of a folder. `before` is called before each change of one of them, by whatever
 *  thread makes it; it may open stores elsewhere. NULL: no longer, and all is forgotten. */
void store_disk_watch(const char *folder, void (*before)(void *ctx), void *ctx);

/** Writes into the folder `to` what a power failure would leave of the watched files now. */
void store_disk_fall(const char *to, enum store_disk_rest rest, struct test_random *random);

#endif
