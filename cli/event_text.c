/* SPDX-License-Identifier: MIT */
#include "event_text.h"

#include "base/units.h"
#include "claim_text.h"
#include "command.h"
#include "field.h"
#include "text_width.h"

#include <string.h>

#define TYPE_COLUMNS 15 /* of the longest type but the rare ones */

static void add_shown_or(struct berth_text *out, const char *text, const char *otherwise)
{
    berth_text_add_shown(out, text != NULL ? text : otherwise);
}

/* A member behind a few words; nothing where it is missing or empty. */
static void add_member(struct berth_text *out, const char *before, const json_t *event,
                       const char *name)
{
    const char *value = berth_field_string(event, name);

    if (value != NULL && value[0] != '\0') {
        berth_text_puts(out, before);
        berth_text_add_shown(out, value);
    }
}

/* "port 49000", "ports 49000, 49001" */
static void add_ports(struct berth_text *out, const json_t *event)
{
    const json_t *ports = berth_field_array(event, "ports");
    size_t count = json_array_size(ports);

    if (count < 2) {
        berth_text_printf(out, "port %lld", berth_field_number(event, "port", 0));
        return;
    }
    berth_text_puts(out, "ports ");
    for (size_t i = 0; i < count; i++) {
        berth_text_printf(out, i > 0 ? ", %lld" : "%lld",
                          (long long)json_integer_value(json_array_get(ports, i)));
    }
}

/* ---- one topic each ---- */

/* "port 80 of pool qa is used: nginx (pid 12), listening on ::", "… is leased to the key shop" */
static void tell_port(struct berth_text *out, json_t *event)
{
    const char *state = berth_field_string(event, "state");
    const json_t *claim = berth_field_object(event, "claim");
    struct berth_text phrase;

    berth_text_init(&phrase, BERTH_CLI_OUTPUT_MAX);
    if (claim != NULL) {
        berth_claim_add_phrase(&phrase, claim);
    }
    const char *words = berth_text_string(&phrase);
    add_ports(out, event);
    add_member(out, " of pool ", event, "pool");
    if (state != NULL && words[0] != '\0' && strncmp(words, state, strlen(state)) == 0) {
        berth_text_puts(out, " is "); /* the phrase says the state, too */
    } else {
        add_member(out, " is ", event, "state");
        berth_text_puts(out, words[0] != '\0' ? ": " : "");
    }
    berth_text_puts(out, words);
    if (phrase.failed != BERTH_OK) {
        out->failed = phrase.failed;
    }
    berth_text_fini(&phrase);
}

static void tell_lease(struct berth_text *out, json_t *event)
{
    add_ports(out, event);
    add_member(out, ": key ", event, "key");
    add_member(out, ", generation ", event, "generation");
    add_member(out, ", holder ", event, "holder");
    add_member(out, ", ", event, "state");
    add_member(out, " until ", event, "expires_at");
    add_member(out, ", owner ", event, "owner");
    add_member(out, ", asked by ", event, "by");
    add_member(out, ", lease ", event, "lease");
}

static void tell_conflict(struct berth_text *out, json_t *event)
{
    bool closed = strcmp(berth_field_string(event, "type"), "conflict.closed") == 0;

    add_shown_or(out, closed ? "ended" : berth_field_string(event, "severity"), "conflict");
    add_member(out, ": ", event, "text");
    add_member(out, " (", event, "kind");
    berth_text_printf(out, " on port %lld", berth_field_number(event, "port", 0));
    add_member(out, ", id ", event, "id");
    berth_text_putc(out, ')');
}

static void tell_source(struct berth_text *out, json_t *event)
{
    add_shown_or(out, berth_field_string(event, "source"), "?");
    add_member(out, ", ", event, "name");
    add_member(out, ", is ", event, "state");
    add_member(out, ": ", event, "reason");
}

static void tell_pool(struct berth_text *out, json_t *event)
{
    long long low = berth_field_number(event, "low", 0);

    add_member(out, "pool ", event, "pool");
    berth_text_printf(out, ": %lld of %lld ports are free", berth_field_number(event, "free", 0),
                      berth_field_number(event, "total", 0));
    if (low > 0) {
        berth_text_printf(out, ", low is fewer than %lld", low);
    }
}

static void tell_lost(struct berth_text *out, json_t *event)
{
    berth_text_printf(out, "what came after revision %lld is missing: list what matters anew",
                      berth_field_number(event, "after", 0));
}

/* One of a later daemon. */
static void tell_unknown(struct berth_text *out, json_t *event)
{
    const char *before = "";
    const char *name;
    json_t *value;

    json_object_foreach(event, name, value)
    {
        if (json_is_string(value) && strcmp(name, "time") != 0 && strcmp(name, "type") != 0 &&
            strcmp(name, "topic") != 0) {
            berth_text_puts(out, before);
            berth_text_add_shown(out, name);
            berth_text_putc(out, ' ');
            berth_text_add_shown(out, json_string_value(value));
            before = ", ";
        }
    }
}

static const struct {
    const char *prefix; /* of the type */
    void (*tell)(struct berth_text *out, json_t *event);
} topics[] = {
    {"port.", tell_port},     {"lease.", tell_lease}, {"conflict.", tell_conflict},
    {"source.", tell_source}, {"pool.", tell_pool},   {"events.lost", tell_lost},
};

void berth_event_add_line(struct berth_text *out, json_t *event)
{
    const char *type = berth_field_string(event, "type");
    void (*tell)(struct berth_text * out, json_t * event) = tell_unknown;

    for (size_t i = 0; type != NULL && i < BERTH_COUNT(topics); i++) {
        if (strncmp(type, topics[i].prefix, strlen(topics[i].prefix)) == 0) {
            tell = topics[i].tell;
        }
    }
    add_shown_or(out, berth_field_string(event, "time"), "-");
    berth_text_printf(out, "  %lld  ", berth_field_number(event, "revision", 0));
    add_shown_or(out, type, "-");
    for (size_t width = type != NULL ? strlen(type) : 1; width < TYPE_COLUMNS; width++) {
        berth_text_putc(out, ' ');
    }
    berth_text_puts(out, "  ");
    tell(out, event);
    berth_text_putc(out, '\n');
}
