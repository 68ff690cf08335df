/* SPDX-License-Identifier: MIT */
/* Counting and finding bits in plain C: the compilers that Berth supports recognise neither alike,
 * and both functions take a few nanoseconds as they are. */
#ifndef BERTH_ALLOCATOR_BITS_H
#define BERTH_ALLOCATOR_BITS_H

#include <stdint.h>

/** Counts the set bits.  @source H. S. Warren, Hacker's Delight, section 5-1 */
static inline unsigned berth_count_bits(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555U;
    bits = (bits & 0x3333333333333333U) + (bits >> 2 & 0x3333333333333333U);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0FU;
    return (unsigned)(bits * 0x0101010101010101U >> 56);
}

/** Gives the position of the lowest set bit; 64 for 0. */
static inline unsigned berth_lowest_bit(uint64_t bits)
{
    return bits != 0 ? berth_count_bits((bits & (0 - bits)) - 1) : 64;
}

#endif
