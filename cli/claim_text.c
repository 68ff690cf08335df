/* SPDX-License-Identifier: MIT */
#include "claim_text.h"

#include "field.h"
#include "table_output.h"
#include "text_width.h"

#include <string.h>

#define CELL_BYTES_MAX ((size_t)64 * 1024)

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* Which sentence a kind of claim makes. `before` stands before the address or detail. */
struct kind_words {
    const char *kind;
    const char *before;
    const char *after;
    bool address; /* tells the address; else the detail, if there is one */
};

static const struct kind_words kinds[] = {
    {"binding", "", "", false},
    {"ftp_data", "FTP data channel", "", false},
    {"listener", "listening on ", "", true},
    {"bound", "bound to ", ", not listening", true},
    {"connection", "connections from ", "", true},
    {"time_wait", "closed connections (TIME_WAIT) from ", "", true},
    {"url", "", "", false},
    {"exclusion", "excluded by the system", "", false},
    {"reservation", "reserved in berthd.config", "", false},
    {"lease", "leased", "", false},
    {"cooling", "cooling down after a lease", "", false},
};

static const struct kind_words *words_of(const char *kind)
{
    for (unsigned i = 0; i < BERTH_COUNT(kinds); i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

void berth_claim_add_holder(struct berth_text *out, const json_t *claim)
{
    const char *holder = berth_field_string(claim, "holder");
    long long pid = berth_field_number(claim, "pid", -1);
    long long uid = berth_field_number(claim, "uid", -1);

    if (holder != NULL) {
        berth_text_add_shown(out, holder);
    }
    if (pid >= 0) {
        berth_text_printf(out, holder != NULL ? " (pid %lld)" : "pid %lld", pid);
    } else if (holder == NULL && uid >= 0) {
        berth_text_printf(out, "uid %lld", uid);
    } else if (holder == NULL) {
        berth_text_putc(out, '-');
    }
}

static void add_flag(struct berth_text *out, bool given, const char *word, unsigned *count)
{
    if (given) {
        berth_text_puts(out, (*count)++ == 0 ? " (" : ", ");
        berth_text_puts(out, word);
    }
}

/* Adds what is remarkable about a claim, in brackets, which are open if `count` is not 0. */
static void add_flags(struct berth_text *out, const json_t *claim, unsigned count)
{
    add_flag(out, berth_field_true(claim, "stopped"), "stopped", &count);
    add_flag(out, berth_field_true(claim, "lingering"), "vanished, kept for a while", &count);
    add_flag(out, berth_field_true(claim, "sni"), "SNI", &count);
    add_flag(out, berth_field_true(claim, "v6_only"), "IPv6 only", &count);
    if (count != 0) {
        berth_text_putc(out, ')');
    }
}

static void add_address(struct berth_text *out, const json_t *claim)
{
    const char *address = or_empty(berth_field_string(claim, "address"));
    bool all = address[0] == '\0' || strcmp(address, "*") == 0;

    berth_text_add_shown(out, all ? "all addresses" : address);
}

static void add_binding(struct berth_text *out, const json_t *claim)
{
    const char *protocol = or_empty(berth_field_string(claim, "protocol"));
    const char *detail = or_empty(berth_field_string(claim, "detail"));

    /* the daemon tells a binding as it is written, which begins with its protocol */
    berth_text_add_shown(out, strchr(detail, ' ') != NULL ? "" : protocol);
    berth_text_puts(out, strchr(detail, ' ') != NULL || protocol[0] == '\0' ? "" : " ");
    berth_text_add_shown(out, detail);
}

void berth_claim_add_detail(struct berth_text *out, const json_t *claim)
{
    const char *kind = or_empty(berth_field_string(claim, "kind"));
    const char *detail = or_empty(berth_field_string(claim, "detail"));
    const struct kind_words *words = words_of(kind);
    long long count = berth_field_number(claim, "count", 1);

    if (strcmp(kind, "binding") == 0) {
        add_binding(out, claim);
    } else if (words == NULL) {
        berth_text_add_shown(out, detail[0] != '\0' ? detail : kind);
    } else {
        if (words->address && count > 1) {
            berth_text_printf(out, "%lld \xC3\x97 ", count);
        }
        berth_text_puts(out, words->before);
        if (words->address) {
            add_address(out, claim);
        } else if (detail[0] != '\0') {
            berth_text_puts(out, words->before[0] != '\0' ? ": " : "");
            berth_text_add_shown(out, detail);
        }
        berth_text_puts(out, words->after);
    }
    add_flags(out, claim, 0);
    const char *until = berth_field_string(claim, "until");
    if (until != NULL) {
        berth_text_puts(out, " until ");
        berth_text_add_shown(out, until);
    }
}

/* ---- as a phrase ---- */

/* A member behind `before` and before `after`; nothing where it is missing or empty. */
static void add_member(struct berth_text *out, const json_t *claim, const char *before,
                       const char *name, const char *after)
{
    const char *value = or_empty(berth_field_string(claim, name));

    if (value[0] != '\0') {
        berth_text_puts(out, before);
        berth_text_add_shown(out, value);
        berth_text_puts(out, after);
    }
}

static void tell_lease(struct berth_text *out, const json_t *claim)
{
    berth_text_puts(out, "leased");
    add_member(out, claim, " to the key ", "holder", "");
    add_member(out, claim, " (lease ", "detail", ")");
}

static void tell_cooling(struct berth_text *out, const json_t *claim)
{
    berth_text_puts(out, "cooling down after a lease");
    add_member(out, claim, " of ", "holder", "");
    add_member(out, claim, ", until ", "until", "");
}

static void tell_binding(struct berth_text *out, const json_t *claim)
{
    berth_text_puts(out, "IIS site ");
    berth_claim_add_holder(out, claim);
    berth_text_puts(out, " (");
    add_binding(out, claim);
    add_flags(out, claim, 1);
    add_member(out, claim, " until ", "until", "");
}

static void tell_ftp_data(struct berth_text *out, const json_t *claim)
{
    (void)claim;
    berth_text_puts(out, "in the port range of IIS's FTP data channel");
}

static void tell_socket(struct berth_text *out, const json_t *claim)
{
    bool known = berth_field_string(claim, "holder") != NULL ||
                 berth_field_number(claim, "pid", -1) >= 0 ||
                 berth_field_number(claim, "uid", -1) >= 0;

    if (known) {
        berth_claim_add_holder(out, claim);
    } else {
        berth_text_puts(out, "an unknown process");
    }
    berth_text_puts(out, ", ");
    berth_claim_add_detail(out, claim);
}

static void tell_connections(struct berth_text *out, const json_t *claim)
{
    long long count = berth_field_number(claim, "count", 1);
    bool open = strcmp(or_empty(berth_field_string(claim, "kind")), "connection") == 0;

    berth_text_printf(out, "the local port of %lld %s connection%s%s", count,
                      open ? "open" : "closed", count == 1 ? "" : "s", open ? "" : " (TIME_WAIT)");
}

static void tell_url(struct berth_text *out, const json_t *claim)
{
    berth_text_puts(out, "http.sys: ");
    add_member(out, claim, "", "holder", "");
    add_member(out, claim, " (", "detail", ")");
}

static void tell_exclusion(struct berth_text *out, const json_t *claim)
{
    berth_text_puts(out, "excluded by the system");
    add_member(out, claim, ", ", "holder", "");
    add_member(out, claim, " (", "detail", ")");
}

static void tell_reservation(struct berth_text *out, const json_t *claim)
{
    berth_text_puts(out, "reserved in berthd.config");
    add_member(out, claim, " (", "holder", ")");
}

static const struct {
    const char *kind;
    void (*tell)(struct berth_text *out, const json_t *claim);
} phrases[] = {
    {"lease", tell_lease},
    {"cooling", tell_cooling},
    {"binding", tell_binding},
    {"ftp_data", tell_ftp_data},
    {"listener", tell_socket},
    {"bound", tell_socket},
    {"connection", tell_connections},
    {"time_wait", tell_connections},
    {"url", tell_url},
    {"exclusion", tell_exclusion},
    {"reservation", tell_reservation},
};

void berth_claim_add_phrase(struct berth_text *out, const json_t *claim)
{
    const char *kind = or_empty(berth_field_string(claim, "kind"));

    for (unsigned i = 0; i < BERTH_COUNT(phrases); i++) {
        if (strcmp(phrases[i].kind, kind) == 0) {
            phrases[i].tell(out, claim);
            return;
        }
    }
    /* one of a later daemon */
    berth_claim_add_holder(out, claim);
    berth_text_puts(out, ": ");
    berth_claim_add_detail(out, claim);
}

/* ---- as cells ---- */

static void add_made_cell(struct berth_table *table, const json_t *claim,
                          void (*add)(struct berth_text *out, const json_t *claim))
{
    struct berth_text cell;

    berth_text_init(&cell, CELL_BYTES_MAX);
    add(&cell, claim);
    berth_table_text(table, berth_text_string(&cell));
    if (cell.failed == BERTH_NO_MEMORY) {
        table->cells.failed = BERTH_NO_MEMORY;
    }
    berth_text_fini(&cell);
}

void berth_claim_add_cells(struct berth_table *table, const json_t *claim)
{
    berth_table_text(table, berth_field_string(claim, "source"));
    add_made_cell(table, claim, berth_claim_add_holder);
    add_made_cell(table, claim, berth_claim_add_detail);
}
