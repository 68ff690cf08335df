/* SPDX-License-Identifier: MIT */
/* Which ports an allocation gets: the one asked for, those that its key had, or the lowest free. */
#include "allocator_private.h"
#include "explain.h"
#include "holder.h"

#include <stdio.h>
#include <string.h>

/* Says for each source that is waiting why it does. */
static void describe_waiting(const struct berth_sources *sources, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < BERTH_SOURCES_MAX && used < size; i++) {
        const struct berth_source_entry *entry = &sources->at[i];
        if (!entry->in_use || entry->state != BERTH_STATE_WAITING) {
            continue;
        }
        used += (size_t)snprintf(
            out + used, size - used, "%s%s %s%s%s%s", used > 0 ? "; " : "",
            berth_source_name(entry->source), entry->name, entry->reason != NULL ? " (" : "",
            entry->reason != NULL ? entry->reason : "", entry->reason != NULL ? ")" : "");
    }
}

enum berth_code berth__allocator_check_ready(const struct berth_allocator *allocator,
                                             struct berth_refusal *refusal, struct berth_error *err)
{
    const struct berth_source_entry *waiting = berth_sources_waiting(&allocator->sources);
    char sources[400];

    if (waiting == NULL) {
        return BERTH_OK;
    }
    refusal->source = waiting->name;
    describe_waiting(&allocator->sources, sources, sizeof sources);
    return berth_fail(err, BERTH_NOT_READY, 0, "not read yet: %s", sources);
}

/* A claim does not stand in the way of the one whom it protects: a key's own cool-down, a site's
 * own binding that lingers. */
static bool is_open_to(const struct berth_claim *claim, const char *key, const char *holder)
{
    if (claim->kind == BERTH_CLAIM_COOLING) {
        return key != NULL && claim->holder != NULL && strcmp(claim->holder, key) == 0;
    }
    const char *site = berth_holder_site(holder);
    return claim->kind == BERTH_CLAIM_BINDING && (claim->flags & BERTH_CLAIM_LINGERING) != 0 &&
           site != NULL && claim->holder != NULL && berth_holder_same_name(site, claim->holder);
}

static bool may_take(const struct berth_allocator *allocator, uint16_t port, const char *key,
                     const char *holder)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim;

    while ((claim = berth_claims_next(&walk)) != NULL) {
        if (!is_open_to(claim, key, holder)) {
            return false;
        }
    }
    return true;
}

/* Names the claim that stands in the way of this key and holder. */
static enum berth_code fail_in_use(const struct berth_allocator *allocator, uint16_t port,
                                   const char *key, const char *holder,
                                   struct berth_refusal *refusal, struct berth_error *err)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim = berth_claims_next(&walk);
    struct berth_text why;

    while (is_open_to(claim, key, holder)) {
        claim = berth_claims_next(&walk);
    }
    refusal->port = port;
    berth_text_init(&why, sizeof err->detail);
    berth_explain_claim(&why, claim);
    /* what is too long, or for lack of memory not there, is in the claims that are told with it */
    enum berth_code code = berth_fail(err, BERTH_PORT_IN_USE, 0, "port %u is in use%s%s", port,
                                      why.length > 0 ? ": " : "", berth_text_string(&why));
    berth_text_fini(&why);
    return code;
}

static enum berth_code fail_exhausted(const struct berth_policy *policy,
                                      const struct berth_wish *wish,
                                      const struct berth_windows *windows,
                                      struct berth_refusal *refusal, struct berth_error *err)
{
    struct berth_port_range first = windows->at[0].range;
    struct berth_port_range last = windows->at[windows->count - 1].range;
    const struct berth_pool *pool = berth_policy_pool_of_all(policy, windows);

    refusal->windows = *windows;
    if (wish->count == 1) {
        return berth_fail(err, BERTH_POOL_EXHAUSTED, 0, "no port is free in %s%s%u-%u",
                          pool != NULL ? pool->name : "", pool != NULL ? " " : "", first.first,
                          last.last);
    }
    return berth_fail(err, BERTH_POOL_EXHAUSTED, 0, "no %u%s ports are free in %s%s%u-%u",
                      wish->count, wish->contiguous ? " neighbouring" : "",
                      pool != NULL ? pool->name : "", pool != NULL ? " " : "", first.first,
                      last.last);
}

/* The ports that the key had before, if nobody else has come upon them: its own holder may have. */
static bool choose_remembered(const struct berth_allocator *allocator,
                              const struct berth_windows *windows, const struct berth_wish *wish,
                              const struct berth_lease *before, const char *holder, uint16_t *ports)
{
    if (before == NULL || before->port_count != wish->count || wish->prefer != 0) {
        return false;
    }
    if (wish->contiguous &&
        before->ports[before->port_count - 1] - before->ports[0] != (int)wish->count - 1) {
        return false;
    }
    for (unsigned i = 0; i < before->port_count; i++) {
        struct berth_claims_at walk = berth_ledger_at(allocator->ledger, before->ports[i]);
        const struct berth_claim *claim;
        if (!berth_policy_allows(&allocator->free_set, windows, before->ports[i])) {
            return false;
        }
        while ((claim = berth_claims_next(&walk)) != NULL) {
            if (!is_open_to(claim, before->key, holder) && !berth_holder_uses(holder, claim)) {
                return false;
            }
        }
    }
    memcpy(ports, before->ports, before->port_count * sizeof *ports);
    return true;
}

enum berth_code berth__allocator_choose(const struct berth_allocator *allocator,
                                        const struct berth_wish *wish, const char *key,
                                        const char *holder, const struct berth_lease *before,
                                        uint16_t *ports, struct berth_refusal *refusal,
                                        struct berth_error *err)
{
    struct berth_windows windows;
    enum berth_code code = berth_policy_windows(&allocator->policy, wish, &windows, err);

    if (code != BERTH_OK) {
        return code;
    }
    if (wish->port != 0) {
        if (!berth_policy_allows(&allocator->free_set, &windows, wish->port)) {
            return berth_fail(err, BERTH_OUT_OF_RANGE, 0,
                              "port %u lies in the ephemeral range, which its pool keeps out of",
                              wish->port);
        }
        if (!may_take(allocator, wish->port, key, holder)) {
            return fail_in_use(allocator, wish->port, key, holder, refusal, err);
        }
        ports[0] = wish->port;
        return BERTH_OK;
    }
    if (choose_remembered(allocator, &windows, wish, before, holder, ports)) {
        return BERTH_OK;
    }
    if (wish->prefer != 0 && wish->count == 1 &&
        berth_policy_allows(&allocator->free_set, &windows, wish->prefer) &&
        may_take(allocator, wish->prefer, key, holder)) {
        ports[0] = wish->prefer;
        return BERTH_OK;
    }
    if (!berth_policy_choose(&allocator->free_set, &windows, wish->count, wish->contiguous,
                             ports)) {
        return fail_exhausted(&allocator->policy, wish, &windows, refusal, err);
    }
    return BERTH_OK;
}

enum berth_code berth_allocator_next(const struct berth_allocator *allocator,
                                     const struct berth_wish *wish, uint16_t *ports,
                                     struct berth_refusal *refusal, struct berth_error *err)
{
    enum berth_code code = berth__allocator_check_ready(allocator, refusal, err);

    return code == BERTH_OK
               ? berth__allocator_choose(allocator, wish, NULL, NULL, NULL, ports, refusal, err)
               : code;
}
