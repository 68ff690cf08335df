/* SPDX-License-Identifier: MIT */
/* A growing list of claims with the strings that they point to, and warnings: what a look brings
 * home. */
#ifndef BERTH_WATCHERS_CLAIM_LIST_H
#define BERTH_WATCHERS_CLAIM_LIST_H

#include "allocator/claim.h"
#include "base/error.h"
#include "iis_strings.h"

#include <stddef.h>

#define BERTH_CLAIM_LIST_WARNINGS_MAX 100

/** All zero but `limit`: an empty list that takes no memory yet. */
struct berth_claim_list {
    struct berth_claim *claims; /* in the order in which they were added */
    size_t count;
    size_t capacity;
    size_t limit; /* the most claims */
    const char *warnings[BERTH_CLAIM_LIST_WARNINGS_MAX];
    size_t warning_count;
    struct berth_iis_strings strings; /* for what the claims point to */
};

/** Adds a claim; its strings must be kept here or live as long as the list.
 *  @return BERTH_OK; BERTH_TOO_LARGE: there are `limit` claims; BERTH_NO_MEMORY. On error nothing
 *          changed  @thread the owner's, as all here */
enum berth_code berth_claim_list_add(struct berth_claim_list *list, const struct berth_claim *claim,
                                     struct berth_error *err);

/** Keeps a sentence for people; beyond BERTH_CLAIM_LIST_WARNINGS_MAX they are passed over.
 *  @return BERTH_OK; BERTH_NO_MEMORY */
enum berth_code berth_claim_list_warn(struct berth_claim_list *list, const char *sentence,
                                      struct berth_error *err);

/** Gives the memory back and leaves an empty list of the same limit. */
void berth_claim_list_fini(struct berth_claim_list *list);

#endif
