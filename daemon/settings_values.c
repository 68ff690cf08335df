/* SPDX-License-Identifier: MIT */
/* The values of a configuration: how each kind is read, and what is said of one that is not
 * accepted.
 */
#include "base/memory.h"
#include "base/utf8.h"
#include "settings_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_CHARS 64 /* of a pool's name */
#define TEXT_MAX_CHARS 256

const char *berth_settings_show(char out[BERTH_SHOWN_SIZE], const char *value)
{
    size_t length = 0;

    while (*value != '\0') {
        size_t step = berth_utf8_sequence(value);
        step = step == 0 ? 1 : step;
        if (length + step > BERTH_SHOWN_SIZE - 4) {
            memcpy(out + length, "...", 4);
            return out;
        }
        memcpy(out + length, value, step);
        if ((unsigned char)out[length] < 0x20 || out[length] == 0x7F) {
            out[length] = '?';
        }
        length += step;
        value += step;
    }
    out[length] = '\0';
    return out;
}

static void *member(const struct berth_settings_slot *slot)
{
    return (char *)slot->place + slot->rule->offset;
}

/* Reports a value: `<tcp> poll="5ms": TEXT`. */
static void refuse(const struct berth_settings_slot *slot, const char *format, ...)
    BERTH_PRINTF(2, 3);

static void refuse(const struct berth_settings_slot *slot, const char *format, ...)
{
    char shown[BERTH_SHOWN_SIZE];
    char text[600];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0) {
        text[0] = '\0';
    }
    va_end(args);
    berth_settings_mark(slot->reader, slot->element, slot->attribute);
    berth_diagnostics_add(slot->reader->diagnostics, BERTH_SEVERITY_ERROR,
                          berth_settings_line(slot->element), "<%s> %s=\"%s\": %s",
                          (const char *)slot->element->name, slot->rule->name,
                          berth_settings_show(shown, slot->value), text);
}

static void keep_string(const struct berth_settings_slot *slot, char **out, const char *value)
{
    char *copy = berth_copy(value);

    if (copy == NULL) {
        slot->reader->out_of_memory = true;
        return;
    }
    berth_free(*out);
    *out = copy;
}

/* -- values -- */

static bool is_pool_name(const char *value)
{
    size_t length = strlen(value);
    const char *more = "-_.";

    for (size_t i = 0; i < length; i++) {
        bool letter = (value[i] >= 'a' && value[i] <= 'z') || (value[i] >= 'A' && value[i] <= 'Z');
        bool digit = value[i] >= '0' && value[i] <= '9';
        if (!letter && !digit && (i == 0 || strchr(more, value[i]) == NULL)) {
            return false;
        }
    }
    return length >= 1 && length <= NAME_MAX_CHARS;
}

static void read_pool_name(const struct berth_settings_slot *slot)
{
    if (!is_pool_name(slot->value)) {
        refuse(slot, "a pool's name is 1 to 64 letters (a to z, A to Z), digits, '-', '_' and "
                     "'.', and begins with a letter or digit");
        return;
    }
    keep_string(slot, member(slot), slot->value);
}

static bool is_text(const char *value)
{
    return berth_utf8_is_name(value) && xmlUTF8Strlen((const xmlChar *)value) <= TEXT_MAX_CHARS;
}

static void read_text(const struct berth_settings_slot *slot)
{
    if (!is_text(slot->value)) {
        refuse(slot, "accepted is a text of up to 256 characters without line breaks and tabs");
        return;
    }
    keep_string(slot, member(slot), slot->value);
}

/* An absolute path of either platform: /…, C:\…, \\server\share. Which of them this machine has is
 * for the operating system to say when the file is opened. */
static bool is_absolute(const char *path)
{
    bool letter = (path[0] >= 'a' && path[0] <= 'z') || (path[0] >= 'A' && path[0] <= 'Z');
    bool drive = letter && path[1] == ':' && (path[2] == '\\' || path[2] == '/');

    return path[0] == '/' || drive || (path[0] == '\\' && path[1] == '\\' && path[2] != '\0');
}

static void keep_path(const struct berth_settings_slot *slot, const char *path)
{
    char shown[BERTH_SHOWN_SIZE];

    if (path[0] == '\0' || !berth_utf8_is_name(path)) {
        refuse(slot, "accepted is a path without line breaks and tabs");
    } else if (slot->rule->kind == BERTH_VALUE_PATH && !is_absolute(path)) {
        refuse(slot,
               "\"%s\" is not an absolute path; accepted is one such as /var/lib/berth or "
               "C:\\ProgramData\\Berth",
               berth_settings_show(shown, path));
    } else {
        keep_string(slot, member(slot), path);
    }
}

static void read_path(const struct berth_settings_slot *slot)
{
    struct berth_text path;
    struct berth_error err;

    berth_text_init(&path, BERTH_SETTINGS_PATH_MAX);
    enum berth_code code = berth_expand(&path, slot->value, slot->reader->variables, &err);
    if (code == BERTH_NO_MEMORY) {
        slot->reader->out_of_memory = true;
    } else if (code != BERTH_OK) {
        refuse(slot, "%s", err.detail);
    } else {
        keep_path(slot, berth_text_string(&path));
    }
    berth_text_fini(&path);
}

static void read_subject(const struct berth_settings_slot *slot)
{
    struct berth_access_rule *rule = slot->place;
    size_t length = strlen(slot->value);
    bool group = slot->rule->kind == BERTH_VALUE_GROUP;

    if (length == 0 || slot->value[0] == ' ' || slot->value[length - 1] == ' ' ||
        !is_text(slot->value)) {
        refuse(slot, "accepted is the name, SID or %s, without blanks around it",
               group ? "gid of a group, or * for every local user" : "uid of a user");
        return;
    }
    if (rule->name != NULL) {
        refuse(slot, "a rule has either a group or a user, not both: write two rules");
        return;
    }
    bool everyone = group && strcmp(slot->value, "*") == 0;
    rule->subject = everyone ? BERTH_SUBJECT_EVERYONE
                    : group  ? BERTH_SUBJECT_GROUP
                             : BERTH_SUBJECT_USER;
    keep_string(slot, &rule->name, slot->value);
}

static void read_ports(const struct berth_settings_slot *slot)
{
    struct berth_port_range ports;

    if (!berth_parse_port_range(&ports, slot->value)) {
        refuse(slot, "accepted is a range of ports such as 49000-49999, or one port; ports are 1 "
                     "to 65535, and the first is not above the last");
        return;
    }
    memcpy(member(slot), &ports, sizeof ports);
}

static void read_low(const struct berth_settings_slot *slot)
{
    struct berth_pool_settings *pool = slot->place;
    size_t length = strlen(slot->value);
    char digits[8];
    uint64_t number = 0;
    bool percent = length > 0 && slot->value[length - 1] == '%';
    bool good = false;

    if (percent && length <= sizeof digits) {
        memcpy(digits, slot->value, length - 1);
        digits[length - 1] = '\0';
        good = berth_parse_number(&number, digits, 0, 100);
    } else if (!percent) {
        good = berth_parse_number(&number, slot->value, 0, 65535);
    }
    if (!good) {
        refuse(slot, "accepted is a share of the pool from 0%% to 100%%, or a number of ports from "
                     "0 to 65535; 0 stands for never");
        return;
    }
    pool->low_percent = percent ? (uint8_t)number : 0;
    pool->low_ports = percent ? 0 : (uint32_t)number;
}

static void read_duration(const struct berth_settings_slot *slot)
{
    char low[32];
    char high[32];
    uint64_t ms;

    if (berth_parse_duration(&ms, slot->value) && ms >= slot->rule->low && ms <= slot->rule->high) {
        memcpy(member(slot), &ms, sizeof ms);
        return;
    }
    (void)berth_format_duration(low, sizeof low, slot->rule->low);
    (void)berth_format_duration(high, sizeof high, slot->rule->high);
    refuse(slot,
           "accepted is a duration from %s to %s, a whole number with its unit: ms, s, m, h or d "
           "(250ms, 15s, 10m, 24h, 90d)",
           low, high);
}

static void read_size(const struct berth_settings_slot *slot)
{
    char low[32];
    char high[32];
    uint64_t bytes;

    if (berth_parse_size(&bytes, slot->value) && bytes >= slot->rule->low &&
        bytes <= slot->rule->high) {
        memcpy(member(slot), &bytes, sizeof bytes);
        return;
    }
    (void)berth_format_size(low, sizeof low, slot->rule->low);
    (void)berth_format_size(high, sizeof high, slot->rule->high);
    refuse(slot,
           "accepted is a size from %s to %s, a whole number with its unit: KiB, MiB or GiB "
           "(512KiB, 10MiB)",
           low, high);
}

static void read_number(const struct berth_settings_slot *slot)
{
    uint64_t number;

    if (berth_parse_number(&number, slot->value, slot->rule->low, slot->rule->high)) {
        uint32_t narrow = (uint32_t)number;
        memcpy(member(slot), &narrow, sizeof narrow);
        return;
    }
    refuse(slot, "accepted is a whole number from %u to %u", (unsigned)slot->rule->low,
           (unsigned)slot->rule->high);
}

static void read_choice(const struct berth_settings_slot *slot)
{
    struct berth_text accepted;
    const char *const *choices = slot->rule->choices;

    for (size_t i = 0; choices[i] != NULL; i++) {
        if (strcmp(slot->value, choices[i]) == 0) {
            *(uint8_t *)member(slot) = (uint8_t)(slot->rule->low + i);
            return;
        }
    }
    berth_text_init(&accepted, 200);
    berth_text_puts(&accepted, "accepted is ");
    for (size_t i = 0; choices[i] != NULL; i++) {
        berth_text_puts(&accepted, i == 0 ? "" : choices[i + 1] != NULL ? ", " : " or ");
        berth_text_puts(&accepted, choices[i]);
    }
    if (accepted.failed == BERTH_NO_MEMORY) {
        slot->reader->out_of_memory = true;
    }
    refuse(slot, "%s", berth_text_string(&accepted));
    berth_text_fini(&accepted);
}

void berth_settings_read_value(const struct berth_settings_slot *slot)
{
    static void (*const readers[])(const struct berth_settings_slot *) = {
        [BERTH_VALUE_POOL_NAME] = read_pool_name, [BERTH_VALUE_TEXT] = read_text,
        [BERTH_VALUE_ENDPOINT] = read_path,       [BERTH_VALUE_PATH] = read_path,
        [BERTH_VALUE_GROUP] = read_subject,       [BERTH_VALUE_USER] = read_subject,
        [BERTH_VALUE_PORTS] = read_ports,         [BERTH_VALUE_LOW] = read_low,
        [BERTH_VALUE_DURATION] = read_duration,   [BERTH_VALUE_NUMBER] = read_number,
        [BERTH_VALUE_SIZE] = read_size,           [BERTH_VALUE_CHOICE] = read_choice,
    };

    readers[slot->rule->kind](slot);
}
