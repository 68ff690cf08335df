/* SPDX-License-Identifier: MIT */
/* Which folders to watch so that no change of some files goes unseen: each file's folder, or, as
 * long as that is missing, the nearest one above it that exists. */
#ifndef BERTH_WATCHERS_IIS_WATCH_PLAN_H
#define BERTH_WATCHERS_IIS_WATCH_PLAN_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_IIS_FOLDERS_MAX 4

/** A folder, and which one it was when it was looked at: another one may take its place. */
struct berth_iis_folder {
    char *path;
    uint64_t device;
    uint64_t inode;
};

struct berth_iis_watch_plan {
    struct berth_iis_folder folders[BERTH_IIS_FOLDERS_MAX]; /* no two are the same folder */
    size_t count;
};

/** Adds the folder for one file. A folder that is in the plan already is not added again, nor one
 *  beyond BERTH_IIS_FOLDERS_MAX.
 *  @return BERTH_OK or NO_MEMORY  @thread any  @blocks on the disk */
BERTH_MUST_USE
enum berth_code berth_iis_watch_plan_add(struct berth_iis_watch_plan *plan, const char *file,
                                         struct berth_error *err);

/** Gives the plan's memory back and leaves an empty plan. */
void berth_iis_watch_plan_fini(struct berth_iis_watch_plan *plan);

/** Tells whether both were the same folder when they were looked at. */
bool berth_iis_folder_is_same(const struct berth_iis_folder *a, const struct berth_iis_folder *b);

/** Tells whether a file's folder provably does not exist; false when it cannot be told.
 *  @thread any  @blocks on the disk */
bool berth_iis_folder_is_missing(const char *file);

#endif
