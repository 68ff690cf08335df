/* SPDX-License-Identifier: MIT */
#include "netsh_text.h"

#include "allocator/expected_server.h"
#include "base/memory.h"

#include <string.h>

#define PORT_MAX 65535u
#define RANGES_AT_FIRST 64
#define SHOWN_BYTES_MAX 80

/* A queue's processes stand two steps of four blanks deeper than its head. */
#define QUEUE_DEPTH 8u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One line of the text, without blanks at its ends. */
struct line {
    const char *at;
    size_t length;
    size_t indent;
};

/* Takes the next line that is not blank off *rest. */
static bool next_line(struct line *out, const char **rest)
{
    while (**rest != '\0') {
        const char *start = *rest;
        size_t length = strcspn(start, "\n");
        *rest = start + length + (start[length] == '\n');
        out->indent = 0;
        while (out->indent < length && strchr(" \t\r", start[out->indent]) != NULL) {
            out->indent++;
        }
        while (length > out->indent && strchr(" \t\r", start[length - 1]) != NULL) {
            length--;
        }
        out->at = start + out->indent;
        out->length = length - out->indent;
        if (out->length != 0) {
            return true;
        }
    }
    return false;
}

/* Takes a number off the front of a line.  @return false: it starts with none, or a larger one */
static bool take_number(uint32_t *out, struct line *line, uint32_t most)
{
    uint64_t number = 0;
    size_t used = 0;

    while (used < line->length && is_digit(line->at[used]) && number <= most) {
        number = 10 * number + (uint64_t)(line->at[used] - '0');
        used++;
    }
    if (used == 0 || number > most) {
        return false;
    }
    *out = (uint32_t)number;
    line->at += used;
    line->length -= used;
    return true;
}

static void skip_blanks(struct line *line)
{
    while (line->length != 0 && (*line->at == ' ' || *line->at == '\t')) {
        line->at++;
        line->length--;
    }
}

static bool is_of(const struct line *line, const char *characters)
{
    for (size_t i = 0; i < line->length; i++) {
        if (strchr(characters, line->at[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static enum berth_code fail_line(struct berth_error *err, const struct line *line,
                                 const char *accepted)
{
    int shown = line->length < SHOWN_BYTES_MAX ? (int)line->length : SHOWN_BYTES_MAX;

    return berth_fail(err, BERTH_MALFORMED, 0,
                      "netsh printed a line that is not understood: \"%.*s\"; %s is accepted",
                      shown, line->at, accepted);
}

static enum berth_code fail_silent(struct berth_error *err)
{
    return berth_fail(err, BERTH_NOT_SUPPORTED, 0, "this system's netsh prints nothing");
}

/* ---- excluded ranges ---- */

struct ranges {
    struct berth_excluded_range *items;
    size_t count;
    size_t capacity;
};

static bool read_range(struct berth_excluded_range *out, struct line row)
{
    uint32_t first;
    uint32_t last;

    if (!take_number(&first, &row, PORT_MAX)) {
        return false;
    }
    skip_blanks(&row);
    if (!take_number(&last, &row, PORT_MAX) || first > last) {
        return false;
    }
    skip_blanks(&row);
    *out = (struct berth_excluded_range){
        .ports = {(uint16_t)first, (uint16_t)last},
        .administered = row.length != 0,
    };
    return is_of(&row, "*");
}

static enum berth_code add_range(struct ranges *ranges, const struct line *line,
                                 struct berth_error *err)
{
    struct berth_excluded_range range;

    if (!read_range(&range, *line)) {
        return fail_line(err, line, "\"first last\" or \"first last *\", ports up to 65535,");
    }
    if (range.ports.last == 0) {
        return BERTH_OK; /* port 0 is nobody's */
    }
    range.ports.first = range.ports.first != 0 ? range.ports.first : 1;
    if (ranges->count == BERTH_EXCLUDED_RANGES_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "more than %u excluded port ranges",
                          BERTH_EXCLUDED_RANGES_MAX);
    }
    if (ranges->count == ranges->capacity) {
        size_t capacity = ranges->capacity != 0 ? 2 * ranges->capacity : RANGES_AT_FIRST;
        void *items = berth_resize(ranges->items, capacity, sizeof *ranges->items);
        if (items == NULL) {
            return berth_fail_memory(err, "the excluded port ranges");
        }
        ranges->items = items;
        ranges->capacity = capacity;
    }
    ranges->items[ranges->count++] = range;
    return BERTH_OK;
}

enum berth_code berth_netsh_parse_excluded(const char *text, struct berth_excluded_range **out,
                                           size_t *count, struct berth_error *err)
{
    struct ranges ranges = {0};
    enum berth_code code = BERTH_OK;
    bool any = false;
    bool in_table = false;
    struct line line;

    while (code == BERTH_OK && next_line(&line, &text)) {
        any = true;
        if (is_of(&line, "- ")) {
            in_table = true;
        } else if (is_digit(*line.at)) {
            code = in_table ? add_range(&ranges, &line, err)
                            : fail_line(err, &line, "no number before the line of dashes");
        }
    }
    if (code == BERTH_OK && !in_table) {
        code = any ? berth_fail(err, BERTH_MALFORMED, 0,
                                "netsh printed no table of excluded port ranges")
                   : fail_silent(err);
    }
    if (code == BERTH_OK) {
        *out = ranges.items;
        *count = ranges.count;
    } else {
        berth_free(ranges.items);
    }
    return code;
}

/* ---- the dynamic range ---- */

/* Finds the number that a line ends with. */
static bool ends_with_number(uint32_t *out, const struct line *line, uint32_t most)
{
    size_t start = line->length;

    while (start > 0 && is_digit(line->at[start - 1])) {
        start--;
    }
    struct line tail = {.at = line->at + start, .length = line->length - start};
    return take_number(out, &tail, most);
}

enum berth_code berth_netsh_parse_dynamic(const char *text, struct berth_port_range *out,
                                          struct berth_error *err)
{
    uint32_t numbers[2] = {0, 0};
    size_t found = 0;
    bool any = false;
    struct line line;

    while (next_line(&line, &text)) {
        uint32_t number;
        any = true;
        if (ends_with_number(&number, &line, PORT_MAX + 1)) {
            if (found < BERTH_COUNT(numbers)) {
                numbers[found] = number;
            }
            found++;
        }
    }
    if (!any) {
        return fail_silent(err);
    }
    if (found != BERTH_COUNT(numbers)) {
        return berth_fail(err, BERTH_MALFORMED, 0,
                          "netsh printed %zu numbers for the dynamic port range; two are accepted",
                          found);
    }
    uint32_t last = numbers[0] + numbers[1] - 1;
    if (numbers[0] == 0 || numbers[1] == 0 || last > PORT_MAX) {
        return berth_fail(
            err, BERTH_MALFORMED, 0,
            "netsh printed a dynamic range of %u ports from %u; one within 1 to 65535 "
            "is accepted",
            numbers[1], numbers[0]);
    }
    *out = (struct berth_port_range){(uint16_t)numbers[0], (uint16_t)last};
    return BERTH_OK;
}

/* ---- registered URLs ---- */

/* The processes of the queue that is being read. */
struct queue {
    struct berth_registered_url owner; /* without a URL */
    size_t indent;                     /* of its processes */
};

static bool is_url(const struct line *line)
{
    const char *rest;

    return berth_starts_any_case(line->at, "http://", &rest) ||
           berth_starts_any_case(line->at, "https://", &rest);
}

/* Reads "2668", or "ID: 2688, image: C:\…\svchost.exe", the words in any language. */
static bool read_process(struct berth_registered_url *out, struct line line)
{
    uint32_t process_id;
    const char *colon;

    if (!is_digit(*line.at)) {
        colon = memchr(line.at, ':', line.length);
        if (colon == NULL) {
            return false;
        }
        line.length -= (size_t)(colon + 1 - line.at);
        line.at = colon + 1;
        skip_blanks(&line);
        if (!take_number(&process_id, &line, UINT32_MAX) || line.length == 0 || *line.at != ',') {
            return false;
        }
    } else if (!take_number(&process_id, &line, UINT32_MAX) || line.length != 0) {
        return false;
    }
    *out = (struct berth_registered_url){.process_id = process_id};
    colon = line.length != 0 ? memchr(line.at, ':', line.length) : NULL;
    if (colon != NULL) {
        line.length -= (size_t)(colon + 1 - line.at);
        line.at = colon + 1;
        skip_blanks(&line);
        bool told = line.length != 0 && *line.at != '<'; /* "<?>": not told */
        out->image = told ? line.at : NULL;
        out->image_length = told ? line.length : 0;
    }
    return true;
}

static void note_line(struct queue *queue, const struct line *line)
{
    struct berth_registered_url process;

    if (line->indent + QUEUE_DEPTH <= queue->indent) {
        *queue = (struct queue){0}; /* the head of another queue */
    }
    if (!read_process(&process, *line)) {
        return;
    }
    if (queue->owner.process_count == 0) {
        queue->owner = process;
        queue->indent = line->indent;
    }
    queue->owner.process_count++;
}

enum berth_code berth_netsh_parse_service_state(
    const char *text,
    enum berth_code (*take)(void *context, const struct berth_registered_url *url,
                            struct berth_error *err),
    void *context, struct berth_error *err)
{
    struct queue queue = {0};
    enum berth_code code = BERTH_OK;
    bool any = false;
    struct line line;

    while (code == BERTH_OK && next_line(&line, &text)) {
        any = true;
        if (is_url(&line)) {
            struct berth_registered_url url = queue.owner;
            url.url = line.at;
            url.url_length = line.length;
            code = take(context, &url, err);
        } else {
            note_line(&queue, &line);
        }
    }
    return code == BERTH_OK && !any ? fail_silent(err) : code;
}
