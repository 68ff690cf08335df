/* SPDX-License-Identifier: MIT */
#include "suggest.h"

#include <string.h>

#define NAME_MAX_LENGTH 32

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned low = a < b ? a : b;

    return low < c ? low : c;
}

/* The edit distance in which two neighbours swapped count one, as typing fingers do (optimal string
 * alignment). Rows of the last three prefixes of `a` are kept. */
static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][NAME_MAX_LENGTH + 1];
    unsigned *two_above = rows[0];
    unsigned *above = rows[1];
    unsigned *row = rows[2];

    for (unsigned j = 0; j <= b_length; j++) {
        above[j] = j;
    }
    for (unsigned i = 1; i <= a_length; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b_length; j++) {
            unsigned change = a[i - 1] == b[j - 1] ? 0u : 1u;
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], row[j], two_above[j - 2] + 1);
            }
        }
        unsigned *spare = two_above;
        two_above = above;
        above = row;
        row = spare;
    }
    return above[b_length];
}

void berth_suggestion_init(struct berth_suggestion *best, const char *typed, size_t length)
{
    unsigned limit = length < 3 ? 1u : 2u;

    *best =
        (struct berth_suggestion){.distance = limit + 1, .typed = typed, .typed_length = length};
}

void berth_suggestion_offer(struct berth_suggestion *best, const char *name)
{
    size_t length = strlen(name);
    unsigned distance;

    if (length > NAME_MAX_LENGTH || best->typed_length > NAME_MAX_LENGTH) {
        return;
    }
    distance = edit_distance(best->typed, best->typed_length, name, length);
    if (best->typed_length >= 3 && strncmp(best->typed, name, best->typed_length) == 0) {
        distance = 1;
    }
    if (distance < best->distance && distance < length) {
        best->distance = distance;
        best->name = name;
    }
}
