/* SPDX-License-Identifier: MIT */
#include "conflict_id.h"

#include <stddef.h>

/* FNV-1a, as in hash_index.c, but without a seed: an id must be the same after a restart. */
uint64_t berth__id_byte(uint64_t id, unsigned char byte)
{
    return (id ^ byte) * 0x100000001B3U;
}

uint64_t berth__id_number(uint64_t id, uint64_t number)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        id = berth__id_byte(id, (unsigned char)(number >> shift));
    }
    return id;
}

/* Adds a text and its end, so that "ab", "c" is not "a", "bc". NULL is as "". */
uint64_t berth__id_text(uint64_t id, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        id = berth__id_byte(id, (unsigned char)*text);
    }
    return berth__id_byte(id, 0);
}

/* The same of a name in any case. */
uint64_t berth__id_name(uint64_t id, const char *name)
{
    for (; name != NULL && *name != '\0'; name++) {
        id = berth__id_byte(id, (unsigned char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name));
    }
    return berth__id_byte(id, 0);
}

uint64_t berth__id_address(uint64_t id, const struct berth_address *address)
{
    id = berth__id_byte(id, address->family);
    for (unsigned i = 0; i < sizeof address->bytes; i++) {
        id = berth__id_byte(id, address->bytes[i]);
    }
    return berth__id_number(id, address->scope);
}

/* Adds what a process is known by: its image, or what else there is. */
uint64_t berth__id_process(uint64_t id, const struct berth_claim *claim)
{
    if (claim->holder != NULL) {
        return berth__id_text(berth__id_byte(id, 'i'), claim->holder);
    }
    if (claim->process_id != BERTH_ID_NONE) {
        return berth__id_number(berth__id_byte(id, 'p'), claim->process_id);
    }
    return berth__id_number(berth__id_byte(id, 'u'), claim->user_id);
}

/* Adds two participants in an order that does not depend on which was first. */
uint64_t berth__id_pair(uint64_t id, uint64_t a, uint64_t b)
{
    return a < b ? berth__id_number(berth__id_number(id, a), b)
                 : berth__id_number(berth__id_number(id, b), a);
}

/* Spreads what FNV leaves in the low bits. */
uint64_t berth__id_end(uint64_t id)
{
    id = (id ^ id >> 30) * 0xBF58476D1CE4E5B9U;
    id = (id ^ id >> 27) * 0x94D049BB133111EBU;
    return id ^ id >> 31;
}
