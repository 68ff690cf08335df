/* SPDX-License-Identifier: MIT */
/* The remarks on a configuration file. */
#include "base/memory.h"
#include "settings_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX 1024 /* bytes of one remark; the values in it are cut before */

void berth_diagnostics_init(struct berth_diagnostics *list)
{
    *list = (struct berth_diagnostics){0};
}

void berth_diagnostics_fini(struct berth_diagnostics *list)
{
    for (size_t i = 0; i < list->count; i++) {
        berth_free(list->items[i].text);
    }
    berth_free(list->items);
    berth_diagnostics_init(list);
}

/* Makes room for one more, and gives its place; NULL: none is to be had. */
static struct berth_diagnostic *take_place(struct berth_diagnostics *list,
                                           enum berth_severity severity)
{
    if (list->count < list->capacity) {
        return &list->items[list->count++];
    }
    if (list->capacity < BERTH_DIAGNOSTICS_MAX) {
        size_t capacity = list->capacity == 0 ? 10 : list->capacity * 2;
        if (capacity > BERTH_DIAGNOSTICS_MAX) {
            capacity = BERTH_DIAGNOSTICS_MAX;
        }
        struct berth_diagnostic *items = berth_resize(list->items, capacity, sizeof *items);
        if (items == NULL) {
            list->out_of_memory = true;
            return NULL;
        }
        list->items = items;
        list->capacity = capacity;
        return &list->items[list->count++];
    }
    /* full: an error is worth more than a warning */
    for (size_t i = list->count; severity == BERTH_SEVERITY_ERROR && i > 0; i--) {
        if (list->items[i - 1].severity == BERTH_SEVERITY_WARNING) {
            berth_free(list->items[i - 1].text);
            return &list->items[i - 1];
        }
    }
    return NULL;
}

void berth_diagnostics_add(struct berth_diagnostics *list, enum berth_severity severity,
                           unsigned line, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;

    if (severity == BERTH_SEVERITY_ERROR) {
        list->error_count++;
    } else {
        list->warning_count++;
    }
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *copy = berth_copy(length >= 0 ? text : "the remark on this line cannot be written");
    if (copy == NULL) {
        list->out_of_memory = true;
        return;
    }
    struct berth_diagnostic *place = take_place(list, severity);
    if (place == NULL) {
        berth_free(copy);
        return;
    }
    *place = (struct berth_diagnostic){severity, line, copy};
}

void berth_diagnostics_sort(struct berth_diagnostics *list)
{
    for (size_t i = 1; i < list->count; i++) {
        struct berth_diagnostic moving = list->items[i];
        size_t at = i;
        while (at > 0 && list->items[at - 1].line > moving.line) {
            list->items[at] = list->items[at - 1];
            at--;
        }
        list->items[at] = moving;
    }
}

void berth_diagnostics_write(struct berth_text *out, const char *name,
                             const struct berth_diagnostics *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct berth_diagnostic *item = &list->items[i];

        berth_text_puts(out, name);
        if (item->line != 0) {
            berth_text_printf(out, ":%u", item->line);
        }
        berth_text_puts(out, item->severity == BERTH_SEVERITY_ERROR ? ": error: " : ": warning: ");
        berth_text_puts(out, item->text);
        berth_text_putc(out, '\n');
    }
    size_t all = list->error_count + list->warning_count;
    if (all > list->count) {
        berth_text_printf(out, "%s: and %zu more\n", name, all - list->count);
    }
}
