/* SPDX-License-Identifier: MIT */
#include "field.h"

#include "base/memory.h"

#include <stdlib.h>

const char *berth_field_string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

long long berth_field_number(const json_t *object, const char *name, long long otherwise)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool berth_field_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

const json_t *berth_field_array(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_array(value) ? value : NULL;
}

const json_t *berth_field_object(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_object(value) ? value : NULL;
}

bool berth_field_port(uint16_t *out, const json_t *value)
{
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 1 || number > UINT16_MAX) {
        return false;
    }
    *out = (uint16_t)number;
    return true;
}

bool berth_field_range(uint16_t out[2], const json_t *value)
{
    uint16_t first;
    uint16_t last;

    if (json_array_size(value) != 2 || !berth_field_port(&first, json_array_get(value, 0)) ||
        !berth_field_port(&last, json_array_get(value, 1)) || first > last) {
        return false;
    }
    out[0] = first;
    out[1] = last;
    return true;
}

struct sort_entry {
    const json_t *element;
    long long number;
    size_t index;
};

static int compare_entries(const void *left, const void *right)
{
    const struct sort_entry *a = left;
    const struct sort_entry *b = right;

    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

const json_t **berth_field_sorted(const json_t *array, const char *member)
{
    size_t count = json_array_size(array);
    struct sort_entry *entries = count != 0 ? berth_alloc(count, sizeof *entries) : NULL;
    const json_t **sorted = count != 0 ? berth_alloc(count, sizeof(const json_t *)) : NULL;

    if (entries == NULL || sorted == NULL) {
        berth_free(sorted);
        sorted = NULL;
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *element = json_array_get(array, i);
        entries[i] = (struct sort_entry){element, berth_field_number(element, member, 0), i};
    }
    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = entries[i].element;
    }
out:
    berth_free(entries);
    return sorted;
}
