/* SPDX-License-Identifier: MIT */
#include "port_set.h"

#include "bits.h"

#include <string.h>

void berth_port_set_init(struct berth_port_set *set)
{
    memset(set, 0, sizeof *set);
}

bool berth_port_set_has(const struct berth_port_set *set, uint16_t port)
{
    return (set->words[port >> 6] >> (port & 63) & 1) != 0;
}

bool berth_port_set_add(struct berth_port_set *set, uint16_t port)
{
    unsigned word = port >> 6;
    unsigned block = port >> 12;

    if (berth_port_set_has(set, port)) {
        return false;
    }
    set->words[word] |= (uint64_t)1 << (port & 63);
    set->nonzero[block] |= (uint64_t)1 << (word & 63);
    set->top = (uint16_t)(set->top | 1U << block);
    set->counts[block]++;
    return true;
}

bool berth_port_set_remove(struct berth_port_set *set, uint16_t port)
{
    unsigned word = port >> 6;
    unsigned block = port >> 12;

    if (!berth_port_set_has(set, port)) {
        return false;
    }
    set->words[word] &= ~((uint64_t)1 << (port & 63));
    if (set->words[word] == 0) {
        set->nonzero[block] &= ~((uint64_t)1 << (word & 63));
    }
    if (--set->counts[block] == 0) {
        set->top = (uint16_t)(set->top & ~(1U << block));
    }
    return true;
}

void berth_port_set_add_range(struct berth_port_set *set, struct berth_port_range range)
{
    for (uint32_t port = range.first; range.last != 0 && port <= range.last; port++) {
        (void)berth_port_set_add(set, (uint16_t)port);
    }
}

/* The lowest set bit of `bits` at `from` or above; 64: none. `from` may be 64. */
static unsigned next_bit(uint64_t bits, unsigned from)
{
    uint64_t rest = from < 64 ? bits >> from << from : 0;

    return rest != 0 ? berth_lowest_bit(rest) : 64;
}

/* The lowest port of the set at `from` or above; 65536: none. Goes up the levels until one has a
 * set bit to the right, then down along the lowest ones. */
static uint32_t lowest_from(const struct berth_port_set *set, uint32_t from)
{
    unsigned word = from >> 6;
    unsigned block = from >> 12;
    unsigned bit = next_bit(set->words[word], from & 63);

    if (bit == 64) {
        unsigned next_word = next_bit(set->nonzero[block], (word & 63) + 1);
        if (next_word == 64) {
            block = next_bit(set->top, block + 1);
            if (block == 64) {
                return 65536;
            }
            next_word = next_bit(set->nonzero[block], 0);
        }
        word = block * 64 + next_word;
        bit = next_bit(set->words[word], 0);
    }
    return word * 64 + bit;
}

bool berth_port_set_next(const struct berth_port_set *set, struct berth_port_range range,
                         uint16_t *out)
{
    uint32_t port = range.last != 0 ? lowest_from(set, range.first) : 65536;

    if (port > range.last) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

/* The lowest port at `from` or above that is not in the set; 65536: none. */
static uint32_t lowest_missing(const struct berth_port_set *set, uint32_t from)
{
    unsigned bit = from & 63;

    for (unsigned word = from >> 6; word < BERTH_PORT_SET_WORDS; word++) {
        unsigned missing = next_bit(~set->words[word], bit);
        if (missing < 64) {
            return word * 64 + missing;
        }
        bit = 0;
    }
    return 65536;
}

bool berth_port_set_next_run(const struct berth_port_set *set, struct berth_port_range range,
                             struct berth_port_range *out)
{
    uint16_t first;

    if (!berth_port_set_next(set, range, &first)) {
        return false;
    }
    uint32_t end = lowest_missing(set, first);
    out->first = first;
    out->last = end > range.last ? range.last : (uint16_t)(end - 1);
    return true;
}

/* Counts the ports below `end` (0 to 65536): whole blocks by their counts, the rest by words. */
static uint32_t count_below(const struct berth_port_set *set, uint32_t end)
{
    uint32_t count = 0;
    unsigned block = end >> 12;
    unsigned word = end >> 6;

    for (unsigned b = 0; b < block; b++) {
        count += set->counts[b];
    }
    for (unsigned w = block * 64; w < word; w++) {
        count += berth_count_bits(set->words[w]);
    }
    if ((end & 63) != 0) {
        count += berth_count_bits(set->words[word] << (64 - (end & 63)));
    }
    return count;
}

uint32_t berth_port_set_count(const struct berth_port_set *set, struct berth_port_range range)
{
    if (range.last == 0 || range.first > range.last) {
        return 0;
    }
    return count_below(set, (uint32_t)range.last + 1) - count_below(set, range.first);
}
