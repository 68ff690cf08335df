/* SPDX-License-Identifier: MIT */
#include "conflict_text.h"

#include "base/compiler.h"
#include "expected_server.h"
#include "explain.h"

static const char *site_of(const struct berth_claim *binding)
{
    return binding->holder != NULL ? binding->holder : "?";
}

/* A binding as it is written, or as much as is known of it. */
static const char *binding_of(const struct berth_claim *binding)
{
    return binding->detail != NULL ? binding->detail
                                   : berth_protocol_name((enum berth_protocol)binding->protocol);
}

static bool is_stopped(const struct berth_claim *claim)
{
    return (claim->flags & BERTH_CLAIM_STOPPED) != 0;
}

static void add_stopped(struct berth_text *out, const struct berth_conflict *conflict)
{
    for (unsigned i = 0; i < conflict->claim_count; i++) {
        if (is_stopped(conflict->claims[i])) {
            berth_text_printf(out, "; %s does not start by itself", site_of(conflict->claims[i]));
        }
    }
}

static void explain_duplicate(struct berth_text *out, const struct berth_conflict *conflict)
{
    const struct berth_claim *first = conflict->claims[0];
    const struct berth_claim *second = conflict->claims[1];

    if (second == NULL || (first->feed == second->feed &&
                           berth_compare_any_case(first->holder, second->holder) == 0)) {
        berth_text_printf(out, "Site %s binds %s more than once.", site_of(first),
                          binding_of(first));
        return;
    }
    berth_text_printf(out, "Sites %s and %s both bind %s (IIS starts only one of them",
                      site_of(first), site_of(second), binding_of(first));
    add_stopped(out, conflict);
    berth_text_puts(out, ").");
}

static void explain_scheme_mix(struct berth_text *out, const struct berth_conflict *conflict)
{
    const struct berth_claim *http = conflict->claims[0];
    const struct berth_claim *https = conflict->claims[1];

    berth_text_printf(out,
                      "Site %s binds %s and site %s binds %s: http and https cannot share an "
                      "address and port",
                      site_of(http), binding_of(http), site_of(https), binding_of(https));
    add_stopped(out, conflict);
    berth_text_putc(out, '.');
}

static void explain_taken(struct berth_text *out, const struct berth_conflict *conflict)
{
    const struct berth_claim *site = conflict->claims[0];

    berth_text_printf(out, "Site %s binds %s, but ", site_of(site), binding_of(site));
    berth_explain_claim(out, conflict->claims[1]);
    berth_text_printf(out, ", port %u%s.", conflict->port,
                      is_stopped(site) ? " (the site does not start by itself)" : "");
}

static void explain_lease_taken(struct berth_text *out, const struct berth_conflict *conflict)
{
    const char *key = conflict->claims[0]->holder;

    berth_text_printf(out, "Port %u is leased to the key %s, but ", conflict->port,
                      key != NULL ? key : "?");
    berth_explain_claim(out, conflict->claims[1]);
    berth_text_putc(out, '.');
}

static void explain_excluded(struct berth_text *out, const struct berth_conflict *conflict)
{
    const struct berth_claim *site = conflict->claims[0];
    const char *range = conflict->claims[1]->holder;

    berth_text_printf(out,
                      "Site %s binds %s, but port %u lies in an excluded port range of Windows",
                      site_of(site), binding_of(site), conflict->port);
    if (range != NULL) {
        berth_text_printf(out, " (%s)", range);
    }
    berth_text_putc(out, '.');
}

static void explain_reserved(struct berth_text *out, const struct berth_conflict *conflict)
{
    const char *reason = conflict->claims[0]->holder;

    berth_text_printf(out, "Port %u is reserved in Berth's configuration", conflict->port);
    if (reason != NULL) {
        berth_text_printf(out, " (%s)", reason);
    }
    berth_text_puts(out, ", but ");
    berth_explain_claim(out, conflict->claims[1]);
    berth_text_putc(out, '.');
}

static void explain_overlap(struct berth_text *out, const struct berth_conflict *conflict)
{
    berth_text_printf(out, "Two processes listen on port %u: ", conflict->port);
    berth_explain_claim(out, conflict->claims[0]);
    berth_text_puts(out, ", ");
    berth_explain_claim(out, conflict->claims[1]);
    berth_text_puts(out, conflict->severity == BERTH_CONFLICT_WARNING
                             ? " (they seem to share it on purpose)."
                             : ".");
}

void berth_conflict_explain(struct berth_text *out, const struct berth_conflict *conflict)
{
    static void (*const by_kind[])(struct berth_text *, const struct berth_conflict *) = {
        [BERTH_CONFLICT_DUPLICATE_BINDING] = explain_duplicate,
        [BERTH_CONFLICT_SCHEME_MIX] = explain_scheme_mix,
        [BERTH_CONFLICT_BINDING_TAKEN] = explain_taken,
        [BERTH_CONFLICT_LEASE_TAKEN] = explain_lease_taken,
        [BERTH_CONFLICT_BINDING_EXCLUDED] = explain_excluded,
        [BERTH_CONFLICT_RESERVED_USED] = explain_reserved,
        [BERTH_CONFLICT_LISTENER_OVERLAP] = explain_overlap,
    };

    by_kind[conflict->kind](out, conflict);
}
