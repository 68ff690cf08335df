/* SPDX-License-Identifier: MIT */
#include "shelf.h"

#include "base/memory.h"

#include <string.h>

bool berth_shelf_reserve(struct berth_shelf *shelf, uint32_t capacity)
{
    if (capacity <= shelf->capacity) {
        return true;
    }
    /* a quarter more, so that claims that come one by one do not each move the shelf */
    uint32_t roomy = capacity + capacity / 4;
    struct berth_claim *claims = berth_resize(shelf->claims, roomy, sizeof *claims);
    if (claims == NULL) {
        return false;
    }
    shelf->claims = claims;
    shelf->capacity = roomy;
    return true;
}

uint32_t berth_shelf_first_of(const struct berth_shelf *shelf, uint16_t port)
{
    uint32_t low = 0;
    uint32_t high = shelf->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (shelf->claims[middle].port < port) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t berth_shelf_find(const struct berth_shelf *shelf, const struct berth_claim *claim,
                          bool *found)
{
    uint32_t low = 0;
    uint32_t high = shelf->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (berth_claim_compare(&shelf->claims[middle], claim) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low < shelf->count && berth_claim_compare(&shelf->claims[low], claim) == 0;
    return low;
}

void berth_shelf_insert(struct berth_shelf *shelf, uint32_t at, const struct berth_claim *claim)
{
    struct berth_claim *place = shelf->claims + at;

    memmove(place + 1, place, (shelf->count - at) * sizeof *place);
    *place = *claim;
    shelf->count++;
}

void berth_shelf_remove(struct berth_shelf *shelf, uint32_t at)
{
    struct berth_claim *place = shelf->claims + at;

    shelf->count--;
    memmove(place, place + 1, (shelf->count - at) * sizeof *place);
}
