/* SPDX-License-Identifier: MIT */
#include "base/windows/pipe_name.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool has_prefix(const char *text, const char *prefix)
{
    while (*prefix != '\0' && lower(*text) == *prefix) {
        text++;
        prefix++;
    }
    return *prefix == '\0';
}

/* UTF-16 units, as Windows counts. */
static size_t count_units(const char *text)
{
    size_t units = 0;

    while (*text != '\0') {
        size_t length = berth_utf8_sequence(text);
        units += length == 4 ? 2 : 1;
        text += length;
    }
    return units;
}

enum berth_code berth_pipe_name(char *out, const char *endpoint, struct berth_error *err)
{
    const char *name = endpoint;

    if (has_prefix(endpoint, BERTH_PIPE_PREFIX)) {
        name += strlen(BERTH_PIPE_PREFIX);
    }
    if (*name == '\0' || strpbrk(name, "\\/") != NULL || !berth_utf8_is_name(name)) {
        return berth_fail(
            err, BERTH_INVALID_PARAMS, 0,
            "it is no pipe of this machine; accepted is a name such as berth or %sberth",
            BERTH_PIPE_PREFIX);
    }
    if (count_units(name) + strlen(BERTH_PIPE_PREFIX) > BERTH_PIPE_NAME_MAX) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "it is longer than a pipe's name can be, %d characters with %s",
                          BERTH_PIPE_NAME_MAX, BERTH_PIPE_PREFIX);
    }
    (void)snprintf(out, BERTH_PIPE_NAME_SIZE, "%s%s", BERTH_PIPE_PREFIX, name);
    return BERTH_OK;
}
