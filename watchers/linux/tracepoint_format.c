/* SPDX-License-Identifier: MIT */
#include "tracepoint_format.h"

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Sizes that are understood, as a set of bits: bit n for n bytes. */
#define SIZE(n) (1u << (n))

static const struct {
    const char *name;
    uint32_t sizes;
} wanted[BERTH_STATE_FIELD_COUNT] = {
    [BERTH_STATE_FIELD_FLAGS] = {"common_flags", SIZE(1)},
    [BERTH_STATE_FIELD_OLD] = {"oldstate", SIZE(4)},
    [BERTH_STATE_FIELD_NEW] = {"newstate", SIZE(4)},
    [BERTH_STATE_FIELD_SPORT] = {"sport", SIZE(2)},
    [BERTH_STATE_FIELD_FAMILY] = {"family", SIZE(2)},
    /* one byte before Linux 5.6 */
    [BERTH_STATE_FIELD_PROTOCOL] = {"protocol", SIZE(1) | SIZE(2)},
    [BERTH_STATE_FIELD_SADDR] = {"saddr", SIZE(4)},
    [BERTH_STATE_FIELD_SADDR_V6] = {"saddr_v6", SIZE(16)},
};

/* A part of the text. */
struct span {
    const char *at;
    size_t length;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
    while (span.length != 0 && is_blank(span.at[0])) {
        span.at++;
        span.length--;
    }
    while (span.length != 0 && is_blank(span.at[span.length - 1])) {
        span.length--;
    }
    return span;
}

/* Takes what comes before `end`, or all, off the front. */
static struct span take_until(struct span *rest, char end)
{
    const char *found = rest->length != 0 ? memchr(rest->at, end, rest->length) : NULL;
    struct span part = {rest->at, found != NULL ? (size_t)(found - rest->at) : rest->length};
    size_t used = part.length + (found != NULL);

    rest->at += used;
    rest->length -= used;
    return part;
}

static bool take_prefix(struct span *span, const char *prefix)
{
    size_t length = strlen(prefix);

    if (span->length < length || memcmp(span->at, prefix, length) != 0) {
        return false;
    }
    span->at += length;
    span->length -= length;
    return true;
}

static bool read_number(struct span span, uint32_t highest, uint32_t *out)
{
    uint32_t value = 0;

    span = trim(span);
    if (span.length == 0 || span.length > 9) {
        return false;
    }
    for (size_t i = 0; i < span.length; i++) {
        if (span.at[i] < '0' || span.at[i] > '9') {
            return false;
        }
        value = value * 10 + (uint32_t)(span.at[i] - '0');
    }
    *out = value;
    return value <= highest;
}

/* The name in a declaration such as "__u8 saddr_v6[16]": the last word, without its brackets. */
static struct span name_of(struct span declaration)
{
    struct span name = trim(take_until(&declaration, '['));

    for (size_t i = name.length; i != 0; i--) {
        if (is_blank(name.at[i - 1]) || name.at[i - 1] == '*') {
            name.at += i;
            name.length -= i;
            break;
        }
    }
    return name;
}

static bool is_word(struct span span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.at, word, span.length) == 0;
}

/* "field:DECLARATION; offset:N; size:N; signed:N;", of which the first word is taken off. */
static void read_field(struct span line, struct berth_state_layout *out)
{
    struct span name = name_of(take_until(&line, ';'));
    struct span offset = trim(take_until(&line, ';'));
    struct span size = trim(take_until(&line, ';'));
    uint32_t at;
    uint32_t bytes;

    if (!take_prefix(&offset, "offset:") || !take_prefix(&size, "size:") ||
        !read_number(offset, BERTH_STATE_RECORD_MAX, &at) || !read_number(size, 16, &bytes) ||
        at + bytes > BERTH_STATE_RECORD_MAX) {
        return;
    }
    for (unsigned i = 0; i < BERTH_STATE_FIELD_COUNT; i++) {
        if (is_word(name, wanted[i].name) && (wanted[i].sizes & SIZE(bytes)) != 0) {
            out->fields[i].offset = (uint16_t)at;
            out->fields[i].size = (uint16_t)bytes;
        }
    }
}

enum berth_code berth_tracepoint_parse(struct berth_state_layout *out, const char *text,
                                       struct berth_error *err)
{
    struct berth_state_layout layout = {0};
    struct span rest = {text, strlen(text)};
    bool has_id = false;

    while (rest.length != 0) {
        struct span line = trim(take_until(&rest, '\n'));
        if (take_prefix(&line, "ID:")) {
            has_id = read_number(line, UINT32_MAX, &layout.id);
        } else if (take_prefix(&line, "field:")) {
            read_field(line, &layout);
        }
    }
    if (!has_id) {
        return berth_fail(err, BERTH_MALFORMED, 0, "the tracepoint's format has no ID");
    }
    for (unsigned i = 0; i < BERTH_STATE_FIELD_COUNT; i++) {
        if (layout.fields[i].size == 0) {
            return berth_fail(err, BERTH_MALFORMED, 0,
                              "the tracepoint's format has no field %s of a known size",
                              wanted[i].name);
        }
    }
    *out = layout;
    return BERTH_OK;
}
