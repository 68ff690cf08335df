/* SPDX-License-Identifier: MIT */
#include "error.h"

#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct code_row {
    const char *token;
    int number;
    const char *text;
};

static const struct code_row code_rows[] = {
#define BERTH_ERROR_ROW(symbol, token, number, text) {token, number, text},
    BERTH_ERROR_MAP(BERTH_ERROR_ROW)
#undef BERTH_ERROR_ROW
};

static const struct code_row *row_of(enum berth_code code)
{
    unsigned index = (unsigned)code;

    return &code_rows[index < BERTH_CODE_COUNT ? index : (unsigned)BERTH_INTERNAL];
}

const char *berth_code_token(enum berth_code code)
{
    return row_of(code)->token;
}

int berth_code_number(enum berth_code code)
{
    return row_of(code)->number;
}

const char *berth_code_text(enum berth_code code)
{
    return row_of(code)->text;
}

/* A text that was cut may end within a UTF-8 sequence: take that rest away. */
static void trim_partial_utf8(char *text, size_t length)
{
    size_t start = length;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0) {
        text[start - 1] = '\0';
    }
}

/* A name that the format cut short, or that never was UTF-8, must not make the sentence invalid. */
static void replace_invalid(char *text)
{
    while (*text != '\0') {
        size_t length = berth_utf8_sequence(text);
        if (length == 0) {
            *text = '?';
            length = 1;
        }
        text += length;
    }
}

enum berth_code berth_fail(struct berth_error *err, enum berth_code code, int os_code,
                           const char *format, ...)
{
    int saved = errno;
    va_list args;

    if (err != NULL) {
        err->code = code;
        err->os_code = os_code;
        va_start(args, format);
        int length = vsnprintf(err->detail, sizeof err->detail, format, args);
        va_end(args);
        if (length < 0) {
            err->detail[0] = '\0';
        } else if ((size_t)length >= sizeof err->detail) {
            trim_partial_utf8(err->detail, sizeof err->detail - 1);
        }
        replace_invalid(err->detail);
        if (err->detail[0] == '\0') {
            (void)snprintf(err->detail, sizeof err->detail, "%s", berth_code_text(code));
        }
    }
    errno = saved;
    return code;
}

enum berth_code berth_fail_memory(struct berth_error *err, const char *what)
{
    return berth_fail(err, BERTH_NO_MEMORY, 0, "out of memory for %s", what);
}

void berth_error_prefix(struct berth_error *err, const char *format, ...)
{
    char context[sizeof err->detail];
    char detail[sizeof err->detail];
    va_list args;

    if (err == NULL) {
        return;
    }
    va_start(args, format);
    if (vsnprintf(context, sizeof context, format, args) < 0) {
        context[0] = '\0';
    }
    va_end(args);
    memcpy(detail, err->detail, sizeof detail);
    (void)berth_fail(err, err->code, err->os_code, "%s: %s", context, detail);
}
