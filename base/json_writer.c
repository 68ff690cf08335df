/* SPDX-License-Identifier: MIT */
#include "json_writer.h"

#include "utf8.h"

#include <string.h>

void berth_json_init(struct berth_json *json, struct berth_text *out)
{
    *json = (struct berth_json){.out = out};
}

static void before_value(struct berth_json *json)
{
    if (json->comma) {
        berth_text_putc(json->out, ',');
    }
    json->comma = true;
}

static void open_with(struct berth_json *json, char bracket)
{
    before_value(json);
    berth_text_putc(json->out, bracket);
    json->comma = false;
}

static void close_with(struct berth_json *json, char bracket)
{
    berth_text_putc(json->out, bracket);
    json->comma = true;
}

void berth_json_open_object(struct berth_json *json)
{
    open_with(json, '{');
}

void berth_json_close_object(struct berth_json *json)
{
    close_with(json, '}');
}

void berth_json_open_array(struct berth_json *json)
{
    open_with(json, '[');
}

void berth_json_close_array(struct berth_json *json)
{
    close_with(json, ']');
}

static void add_escaped(struct berth_text *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                 ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    if (c < sizeof named && named[c] != 0) {
        text[1] = named[c];
        berth_text_add(out, text, 2);
    } else {
        berth_text_add(out, text, 6);
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c < 0x7F;
}

static void add_string(struct berth_text *out, const char *value)
{
    const char *at = value;

    while (*at != '\0') {
        const char *run = at;
        while (*at != '\0' && is_plain((unsigned char)*at)) {
            at++;
        }
        if (at != run) {
            berth_text_add(out, run, (size_t)(at - run));
        } else if ((unsigned char)*at < 0x80) {
            add_escaped(out, (unsigned char)*at++);
        } else {
            size_t length = berth_utf8_sequence(at);
            if (length != 0) {
                berth_text_add(out, at, length);
            } else {
                berth_text_puts(out, "\xEF\xBF\xBD");
            }
            at += length != 0 ? length : 1;
        }
    }
}

void berth_json_string(struct berth_json *json, const char *value)
{
    if (value == NULL) {
        berth_json_null(json);
        return;
    }
    before_value(json);
    berth_text_putc(json->out, '"');
    add_string(json->out, value);
    berth_text_putc(json->out, '"');
}

void berth_json_number(struct berth_json *json, long long value)
{
    before_value(json);
    berth_text_number(json->out, value);
}

void berth_json_boolean(struct berth_json *json, bool value)
{
    before_value(json);
    berth_text_puts(json->out, value ? "true" : "false");
}

void berth_json_null(struct berth_json *json)
{
    before_value(json);
    berth_text_puts(json->out, "null");
}

void berth_json_raw(struct berth_json *json, const char *value, size_t length)
{
    before_value(json);
    berth_text_add(json->out, value, length);
}

void berth_json_key(struct berth_json *json, const char *name)
{
    before_value(json);
    berth_text_putc(json->out, '"');
    berth_text_puts(json->out, name);
    berth_text_add(json->out, "\":", 2);
    json->comma = false;
}

void berth_json_member_string(struct berth_json *json, const char *name, const char *value)
{
    berth_json_key(json, name);
    berth_json_string(json, value);
}

void berth_json_member_number(struct berth_json *json, const char *name, long long value)
{
    berth_json_key(json, name);
    berth_json_number(json, value);
}

void berth_json_member_boolean(struct berth_json *json, const char *name, bool value)
{
    berth_json_key(json, name);
    berth_json_boolean(json, value);
}
