/* SPDX-License-Identifier: MIT */
/* Finds the name that somebody who mistyped probably meant. */
#ifndef BERTH_CLI_SUGGEST_H
#define BERTH_CLI_SUGGEST_H

#include <stddef.h>

struct berth_suggestion {
    const char *name;  /* the best so far; NULL: none is near enough */
    unsigned distance; /* its edit distance, or the first one that is too far */
    const char *typed;
    size_t typed_length;
};

/** Starts a search for what `typed` (its first `length` bytes) may mean: a name that begins with
 *  it, or one that differs in at most two letters (one, if fewer than three were typed). */
void berth_suggestion_init(struct berth_suggestion *best, const char *typed, size_t length);

/** Offers a name, which must live as long as the suggestion is used. */
void berth_suggestion_offer(struct berth_suggestion *best, const char *name);

#endif
