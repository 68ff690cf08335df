/* SPDX-License-Identifier: MIT */
#include "explain.h"

#include "claim_text.h"
#include "field.h"
#include "text_width.h"

#include <stdint.h>
#include <string.h>

#define CLAIMS_TOLD 5u

/* What a sentence is made of. */
struct refusal {
    const struct berth_remote_error *remote;
    bool port_asked;
};

/* The daemon's message, without a full stop. */
static void add_message(struct berth_text *out, const struct berth_remote_error *remote)
{
    berth_text_add_shown(out, remote->message);
    if (out->failed == BERTH_OK && out->length > 0 && out->data[out->length - 1] == '.') {
        out->data[--out->length] = '\0';
    }
}

static void add_count(struct berth_text *out, const json_t *counts, const char *name,
                      const char *words)
{
    long long count = berth_field_number(counts, name, 0);

    if (count > 0) {
        berth_text_printf(out, ", %lld %s", count, words);
    }
}

/* ": of 10 ports 6 are free, 4 leased", and why free ones are not given */
static void add_counts(struct berth_text *out, const json_t *data)
{
    const json_t *counts = berth_field_object(data, "counts");
    long long total = berth_field_number(data, "total", -1);
    long long free_ports = berth_field_number(data, "free", 0);

    if (counts == NULL || total < 0) {
        return;
    }
    berth_text_printf(out, ": of %lld port%s ", total, total == 1 ? "" : "s");
    if (free_ports == 0) {
        berth_text_puts(out, "none is free");
    } else {
        berth_text_printf(out, "%lld %s free", free_ports, free_ports == 1 ? "is" : "are");
    }
    add_count(out, counts, "leased", "leased");
    add_count(out, counts, "iis", "used by iis");
    add_count(out, counts, "tcp", "used by tcp");
    add_count(out, counts, "httpsys", "used by http.sys");
    add_count(out, counts, "excluded", "excluded by the system");
    add_count(out, counts, "reserved", "reserved");
    add_count(out, counts, "cooling", "cooling down");
    if (berth_field_number(data, "not_given", 0) > 0) {
        berth_text_puts(out, "; free ones in the ephemeral range are not given "
                             "(ephemeral=\"never\")");
    }
}

static void explain_exhausted(struct berth_text *out, const struct refusal *refusal)
{
    const json_t *data = refusal->remote->data;
    const json_t *counts = berth_field_object(data, "counts");
    bool some_left = berth_field_number(data, "free", 0) > berth_field_number(data, "not_given", 0);
    bool leases = counts == NULL || berth_field_number(counts, "leased", 0) > 0;

    add_message(out, refusal->remote);
    add_counts(out, data);
    berth_text_puts(out, some_left ? "; ask for fewer, " : "; ");
    berth_text_puts(out, leases ? "release leases that are done with ('berth leases') or " : "");
    berth_text_puts(out, some_left && !leases ? "or widen the pool" : "widen the pool");
}

static void explain_in_use(struct berth_text *out, const struct refusal *refusal)
{
    const json_t *claims = berth_field_array(refusal->remote->data, "claims");
    long long port = berth_field_number(refusal->remote->data, "port", -1);
    size_t count = json_array_size(claims);

    if (port < 0 || count == 0) {
        add_message(out, refusal->remote);
    } else {
        berth_text_printf(out, "port %lld is not free: ", port);
    }
    for (size_t i = 0; port >= 0 && i < count && i < CLAIMS_TOLD; i++) {
        berth_text_puts(out, i != 0 ? "; " : "");
        berth_claim_add_phrase(out, json_array_get(claims, i));
    }
    if (port >= 0 && count > CLAIMS_TOLD) {
        berth_text_printf(out, "; and %zu more", count - CLAIMS_TOLD);
    }
    if (refusal->port_asked) {
        berth_text_puts(out, "; take another port, or leave --port out");
    }
}

static void explain_not_ready(struct berth_text *out, const struct refusal *refusal)
{
    const json_t *sources = berth_field_array(refusal->remote->data, "sources");
    size_t count = json_array_size(sources);

    if (count == 0) {
        add_message(out, refusal->remote);
    } else {
        berth_text_puts(out, "the daemon is not ready: it still waits for ");
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(sources, i));
        berth_text_puts(out, i != 0 ? ", " : "");
        berth_text_add_shown(out, name != NULL ? name : "?");
    }
    berth_text_puts(out, "; 'berth status' tells why, try again then");
}

static void explain_denied(struct berth_text *out, const struct refusal *refusal)
{
    const char *owner = berth_field_string(refusal->remote->data, "owner");

    add_message(out, refusal->remote);
    if (owner != NULL && strstr(refusal->remote->message, owner) == NULL) {
        berth_text_puts(out, " (the owner is ");
        berth_text_add_shown(out, owner);
        berth_text_putc(out, ')');
    }
    berth_text_puts(out, "; ");
    berth_text_puts(out, owner != NULL ? "let the owner or an administrator do it"
                                       : berth_client_access_advice());
}

/* The limits of a refusal's data that are attributes of <limits>; the others cannot be raised. */
static const char *const settable_limits[] = {"subscribers", "leasesPerUser"};

static void explain_limit(struct berth_text *out, const struct refusal *refusal)
{
    const char *limit = berth_field_string(refusal->remote->data, "limit");

    add_message(out, refusal->remote);
    berth_text_puts(out, "; give back what is done with");
    for (unsigned i = 0; limit != NULL && i < BERTH_COUNT(settable_limits); i++) {
        if (strcmp(limit, settable_limits[i]) == 0) {
            berth_text_printf(out, ", or raise %s in berthd.config", limit);
        }
    }
}

/* A reason's own sentence, or what to do next behind the daemon's message. */
struct explanation {
    const char *reason;
    void (*explain)(struct berth_text *out, const struct refusal *refusal);
    const char *next; /* NULL: the message says it all */
};

static const struct explanation explanations[] = {
    {"pool_exhausted", explain_exhausted, NULL},
    {"port_in_use", explain_in_use, NULL},
    {"not_ready", explain_not_ready, NULL},
    {"denied", explain_denied, NULL},
    {"limit_reached", explain_limit, NULL},
    {"out_of_range", NULL, "'berth free' shows the pools"},
    {"not_found", NULL, NULL},
    {"too_large", NULL, "ask for less at once"},
    {"busy", NULL, "try again"},
    {"not_supported", NULL, NULL},
    {"store_failed", NULL, "the daemon's log tells more"},
    {"internal", NULL, "the daemon's log tells more"},
};

static const struct explanation *find_explanation(const char *reason)
{
    for (unsigned i = 0; i < BERTH_COUNT(explanations); i++) {
        if (strcmp(explanations[i].reason, reason) == 0) {
            return &explanations[i];
        }
    }
    return NULL;
}

void berth_explain_refusal(struct berth_text *out, const struct berth_remote_error *remote,
                           const char *command, bool port_asked)
{
    const struct explanation *found = find_explanation(remote->reason);
    const struct refusal refusal = {remote, port_asked};

    if (found != NULL && found->explain != NULL) {
        found->explain(out, &refusal);
        return;
    }
    add_message(out, remote);
    if (found != NULL && found->next != NULL) {
        berth_text_printf(out, "; %s", found->next);
    } else if (strcmp(remote->reason, "invalid_params") == 0) {
        berth_text_printf(out, "; see 'berth help %s'", command);
    }
}
