/* SPDX-License-Identifier: MIT */
#include "framing.h"

#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

bool berth_frame_next(const char *bytes, size_t count, bool first, const char **line,
                      size_t *length, size_t *used)
{
    const char *end = count > 0 ? memchr(bytes, '\n', count) : NULL;
    const char *start = bytes;

    if (end == NULL) {
        return false;
    }
    *used = (size_t)(end - bytes) + 1;
    if (first && end - start >= 3 && memcmp(start, BYTE_ORDER_MARK, 3) == 0) {
        start += 3;
    }
    if (end > start && end[-1] == '\r') {
        end--;
    }
    *line = start;
    *length = (size_t)(end - start);
    return true;
}

bool berth_frame_depth_ok(const char *text, size_t length)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > BERTH_REQUEST_DEPTH_MAX) {
                return false;
            }
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}
