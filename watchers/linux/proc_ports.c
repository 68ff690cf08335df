/* SPDX-License-Identifier: MIT */
#include "proc_ports.h"

#include <stddef.h>
#include <string.h>

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\n");
}

/* A number of at most 65535; the text goes on at *end. */
static bool read_port(uint16_t *out, const char *text, const char **end)
{
    uint32_t number = 0;
    size_t digits = strspn(text, "0123456789");

    for (size_t i = 0; i < digits && number <= UINT16_MAX; i++) {
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    if (digits == 0 || number > UINT16_MAX) {
        return false;
    }
    *out = (uint16_t)number;
    *end = text + digits;
    return true;
}

bool berth_proc_ports_parse_range(struct berth_port_range *out, const char *text)
{
    struct berth_port_range range;
    const char *next;

    if (!read_port(&range.first, skip_blanks(text), &next) || (*next != ' ' && *next != '\t') ||
        !read_port(&range.last, skip_blanks(next), &next) || *skip_blanks(next) != '\0' ||
        range.first == 0 || range.first > range.last) {
        return false;
    }
    *out = range;
    return true;
}

/* One port or range of the list. */
static bool read_item(struct berth_port_range *out, const char *text, const char **end)
{
    if (!read_port(&out->first, text, end)) {
        return false;
    }
    out->last = out->first;
    if (**end == '-' && !read_port(&out->last, *end + 1, end)) {
        return false;
    }
    return out->first <= out->last;
}

bool berth_proc_ports_parse_list(struct berth_port_set *out, const char *text)
{
    const char *next = skip_blanks(text);

    berth_port_set_init(out);
    while (*next != '\0') {
        struct berth_port_range range;
        if (!read_item(&range, next, &next)) {
            return false;
        }
        if (range.last != 0) {
            range.first = range.first != 0 ? range.first : 1;
            berth_port_set_add_range(out, range);
        }
        next = skip_blanks(next);
        if (*next == ',') {
            next = skip_blanks(next + 1);
            if (*next == '\0') {
                return false;
            }
        } else if (*next != '\0') {
            return false;
        }
    }
    return true;
}
