/* SPDX-License-Identifier: MIT */
#include "system_log.h"

#include "base/utf8.h"

#include <string.h>

static const struct berth_notice_info events[] = {
#define BERTH_NOTICE_ROW(symbol, id, severity, strings, text)                                      \
    {#symbol, id, BERTH_NOTICE_SEVERITY_##severity, strings, text},
    BERTH_NOTICE_MAP(BERTH_NOTICE_ROW)
#undef BERTH_NOTICE_ROW
};

const struct berth_notice_info *berth_notice_info(enum berth_notice event)
{
    return &events[event];
}

char *berth_notice_string(char out[BERTH_NOTICE_STRING_SIZE], const char *string)
{
    size_t length = 0;

    while (*string != '\0') {
        size_t step = berth_utf8_sequence(string);
        char first = *string;
        if (step == 0 || (unsigned char)first < 0x20 || first == 0x7F) {
            step = 1;
            first = '?';
        }
        if (length + step >= BERTH_NOTICE_STRING_SIZE) {
            break;
        }
        memcpy(out + length, string, step);
        out[length] = first;
        length += step;
        string += step;
    }
    out[length] = '\0';
    return out;
}

char *berth_notice_text(char out[BERTH_NOTICE_TEXT_SIZE], enum berth_notice event,
                        const char *const *strings)
{
    char clean[BERTH_NOTICE_STRING_SIZE];
    size_t length = 0;

    for (const char *text = events[event].text; *text != '\0'; text++) {
        if (*text != '%') {
            out[length++] = *text;
            continue;
        }
        text++; /* the table has %1 to %3 only, which a test asserts */
        size_t size = strlen(berth_notice_string(clean, strings[*text - '1']));
        memcpy(out + length, clean, size);
        length += size;
    }
    out[length] = '\0';
    return out;
}
