/* SPDX-License-Identifier: MIT */
#include "holder.h"

#include <string.h>

#define SITE "site:"
#define PROCESS "process:"

static const char *after_prefix(const char *holder, const char *prefix)
{
    size_t length = strlen(prefix);

    if (holder == NULL || strncmp(holder, prefix, length) != 0 || holder[length] == '\0') {
        return NULL;
    }
    return holder + length;
}

enum berth_code berth_holder_check(const char *holder, struct berth_error *err)
{
    if (holder == NULL || strcmp(holder, "any") == 0 || after_prefix(holder, SITE) != NULL ||
        after_prefix(holder, PROCESS) != NULL) {
        return BERTH_OK;
    }
    return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                      "holder is \"%s\"; \"site:NAME\", \"process:IMAGE\" or \"any\" is accepted",
                      holder);
}

const char *berth_holder_site(const char *holder)
{
    return after_prefix(holder, SITE);
}

bool berth_holder_same_name(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a | 0x20) : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b | 0x20) : *b;
        if (x != y) {
            return false;
        }
    }
    return *a == '\0' && *b == '\0';
}

static bool is_use(const struct berth_claim *claim)
{
    return (claim->kind == BERTH_CLAIM_BINDING || claim->kind == BERTH_CLAIM_LISTENER) &&
           (claim->flags & BERTH_CLAIM_LINGERING) == 0;
}

static bool is_named(const struct berth_claim *claim, enum berth_claim_kind kind, const char *name)
{
    return claim->kind == kind && claim->holder != NULL &&
           berth_holder_same_name(claim->holder, name);
}

bool berth_holder_uses(const char *holder, const struct berth_claim *claim)
{
    const char *site = after_prefix(holder, SITE);
    const char *process = after_prefix(holder, PROCESS);

    if (!is_use(claim)) {
        return false;
    }
    if (site != NULL) {
        return is_named(claim, BERTH_CLAIM_BINDING, site);
    }
    if (process != NULL) {
        return is_named(claim, BERTH_CLAIM_LISTENER, process);
    }
    return holder != NULL || claim->kind == BERTH_CLAIM_BINDING;
}

/* A listener whose process is not known yet may turn out to be the holder. */
static bool may_be_known_later(const char *holder, const struct berth_claim *claim)
{
    return claim->kind == BERTH_CLAIM_LISTENER && claim->holder == NULL &&
           after_prefix(holder, PROCESS) != NULL;
}

bool berth_holder_is_displaced_by(const char *holder, const struct berth_claim *claim)
{
    return is_use(claim) && !berth_holder_uses(holder, claim) && !may_be_known_later(holder, claim);
}
