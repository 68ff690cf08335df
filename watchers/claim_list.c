/* SPDX-License-Identifier: MIT */
#include "claim_list.h"

#include "base/memory.h"

#include <string.h>

#define FIRST_CAPACITY 64

enum berth_code berth_claim_list_add(struct berth_claim_list *list, const struct berth_claim *claim,
                                     struct berth_error *err)
{
    if (list->count == list->limit) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "more than %zu claims", list->limit);
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity != 0 ? 2 * list->capacity : FIRST_CAPACITY;
        void *claims = berth_resize(list->claims, capacity, sizeof *list->claims);
        if (claims == NULL) {
            return berth_fail_memory(err, "a list of claims");
        }
        list->claims = claims;
        list->capacity = capacity;
    }
    list->claims[list->count++] = *claim;
    return BERTH_OK;
}

enum berth_code berth_claim_list_warn(struct berth_claim_list *list, const char *sentence,
                                      struct berth_error *err)
{
    if (list->warning_count == BERTH_CLAIM_LIST_WARNINGS_MAX) {
        return BERTH_OK;
    }
    const char *kept = berth_iis_strings_copy(&list->strings, sentence, strlen(sentence));
    if (kept == NULL) {
        return berth_fail_memory(err, "a warning");
    }
    list->warnings[list->warning_count++] = kept;
    return BERTH_OK;
}

void berth_claim_list_fini(struct berth_claim_list *list)
{
    berth_free(list->claims);
    berth_iis_strings_fini(&list->strings);
    *list = (struct berth_claim_list){.limit = list->limit};
}
