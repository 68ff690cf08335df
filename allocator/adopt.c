/* SPDX-License-Identifier: MIT */
#include "adopt.h"

#include "allocator_private.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "holder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITE "site:"
#define NAME_MAX_BYTES (BERTH_LEASE_HOLDER_MAX - (sizeof SITE - 1))
#define PORT_ROWS_MAX                                                                              \
    ((size_t)2 * BERTH_ADOPT_SKIPPED_MAX) /* of a port, before equal ones merge                    \
                                           */

/* ---- what is on a port ---- */

/* What decides on all bindings of a port. */
struct port_view {
    const struct berth_lease *lease; /* a live one */
    const char *site;                /* one whose binding is there; NULL: none */
    const char *other;               /* another such site */
    enum berth_protocol protocol;    /* the first one by which `site` is bound */
    bool in_pool;
};

static bool is_binding(const struct berth_claim *claim, const char *site)
{
    return claim->kind == BERTH_CLAIM_BINDING && claim->holder != NULL &&
           (site == NULL || berth_holder_same_name(site, claim->holder));
}

static struct port_view look_at_port(const struct berth_allocator *allocator, uint16_t port)
{
    struct port_view view = {.lease = berth_lease_book_at(&allocator->book, port),
                             .in_pool = berth_policy_pool_of(&allocator->policy, port) != NULL,
                             .protocol = BERTH_PROTOCOL_COUNT};
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim;

    if (view.lease != NULL && !berth_lease_state_is_live(view.lease->state)) {
        view.lease = NULL;
    }
    while ((claim = berth_claims_next(&walk)) != NULL) {
        if (!is_binding(claim, NULL) || (claim->flags & BERTH_CLAIM_LINGERING) != 0) {
            continue;
        }
        if (view.site == NULL) {
            view.site = claim->holder;
        } else if (!berth_holder_same_name(view.site, claim->holder)) {
            view.other = claim->holder;
        }
        if (claim->protocol < view.protocol) {
            view.protocol = (enum berth_protocol)claim->protocol;
        }
    }
    return view;
}

static bool can_be_holder(const char *site)
{
    return strlen(site) <= NAME_MAX_BYTES && berth_utf8_is_name(site);
}

static struct berth_adoption judge(const struct port_view *view, const struct berth_claim *claim)
{
    struct berth_adoption item = {.site = claim->holder,
                                  .port = claim->port,
                                  .protocol = (enum berth_protocol)claim->protocol};

    if (!view->in_pool) {
        item.verdict = BERTH_ADOPT_OUTSIDE;
    } else if (view->lease != NULL) {
        item.verdict = BERTH_ADOPT_LEASED;
        item.other = view->lease->key;
    } else if ((claim->flags & BERTH_CLAIM_LINGERING) != 0) {
        item.verdict = BERTH_ADOPT_LINGERING;
    } else if (view->other != NULL) {
        item.verdict = BERTH_ADOPT_SHARED;
        item.other = berth_holder_same_name(view->site, claim->holder) ? view->other : view->site;
    } else if (!can_be_holder(claim->holder)) {
        item.verdict = BERTH_ADOPT_NAME;
    } else {
        item.verdict = claim->protocol == view->protocol ? BERTH_ADOPT_DONE : BERTH_ADOPT_TWICE;
    }
    return item;
}

/* ---- the plan ---- */

static int compare_names_any_case(const char *a, const char *b)
{
    for (;; a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a | 0x20 : (unsigned char)*a;
        int y = *b >= 'A' && *b <= 'Z' ? *b | 0x20 : (unsigned char)*b;
        if (x != y || x == 0) {
            return x - y;
        }
    }
}

/* Those that are one for the reader are neighbours. */
static int compare_items(const void *left, const void *right)
{
    const struct berth_adoption *a = left;
    const struct berth_adoption *b = right;
    int order = compare_names_any_case(a->site, b->site);

    if (order == 0) {
        order = (int)a->protocol - (int)b->protocol;
    }
    if (order == 0) {
        order = (int)a->verdict - (int)b->verdict;
    }
    return order != 0 ? order : strcmp(a->site, b->site);
}

static bool is_same_item(const struct berth_adoption *a, const struct berth_adoption *b)
{
    return a->protocol == b->protocol && a->verdict == b->verdict &&
           berth_holder_same_name(a->site, b->site);
}

static enum berth_code add_item(struct berth_adopt_plan *plan, struct berth_adoption item,
                                struct berth_error *err)
{
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity == 0 ? 64 : plan->capacity * 2;
        void *items = berth_resize(plan->items, capacity, sizeof *plan->items);
        if (items == NULL) {
            return berth_fail_memory(err, "the list of bindings");
        }
        plan->items = items;
        plan->capacity = capacity;
    }
    plan->items[plan->count++] = item;
    return BERTH_OK;
}

/* Makes one of the equal items from `start` on, and counts; `allowed` is how many leases the caller
 * may still have. */
static void settle_port(struct berth_adopt_plan *plan, size_t start, size_t allowed)
{
    size_t kept = start;
    struct berth_adoption last = {.port = 0};

    if (plan->count > start) {
        qsort(plan->items + start, plan->count - start, sizeof *plan->items, compare_items);
    }
    for (size_t i = start; i < plan->count; i++) {
        struct berth_adoption item = plan->items[i];
        bool again = i > start && is_same_item(&last, &item);
        last = item;
        if (again) {
            continue;
        }
        if (item.verdict == BERTH_ADOPT_DONE && plan->adopted >= allowed) {
            item.verdict = BERTH_ADOPT_QUOTA;
        } else if (item.verdict == BERTH_ADOPT_DONE && plan->adopted == BERTH_ADOPTED_MAX) {
            item.verdict = BERTH_ADOPT_LATER;
        }
        if (item.verdict == BERTH_ADOPT_DONE) {
            plan->adopted++;
        } else if (plan->skipped == BERTH_ADOPT_SKIPPED_MAX) {
            plan->omitted++;
            continue;
        } else {
            plan->skipped++;
        }
        plan->items[kept++] = item;
    }
    plan->count = kept;
}

static enum berth_code plan_port(const struct berth_allocator *allocator, uint16_t port,
                                 const char *site, size_t allowed, struct berth_adopt_plan *plan,
                                 struct berth_error *err)
{
    const struct port_view view = look_at_port(allocator, port);
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim;
    size_t start = plan->count;
    enum berth_code code = BERTH_OK;

    while (code == BERTH_OK && (claim = berth_claims_next(&walk)) != NULL) {
        if (!is_binding(claim, site)) {
            continue;
        }
        if (plan->count - start == PORT_ROWS_MAX) {
            plan->omitted++;
        } else {
            code = add_item(plan, judge(&view, claim), err);
        }
    }
    settle_port(plan, start, allowed);
    return code;
}

/* How many leases more the caller may have. */
static size_t allowance(const struct berth_allocator *allocator, const struct berth_caller *caller)
{
    size_t limit = allocator->options.leases_per_user;
    size_t has = berth_lease_book_count_of(&allocator->book, caller->identity.id);

    if (caller->administrator) {
        return SIZE_MAX;
    }
    return has < limit ? limit - has : 0;
}

enum berth_code berth_allocator_plan_adoption(const struct berth_allocator *allocator,
                                              const char *site, const struct berth_caller *caller,
                                              struct berth_adopt_plan *out,
                                              struct berth_refusal *refusal,
                                              struct berth_error *err)
{
    struct berth_adopt_plan plan = {.items = NULL};
    size_t allowed = allowance(allocator, caller);
    enum berth_code code = berth__allocator_check_ready(allocator, refusal, err);

    for (uint32_t port = 1; port <= 65535 && code == BERTH_OK; port++) {
        uint8_t state = allocator->free_set.state[port];
        if (state == BERTH_PORT_IIS || state == BERTH_PORT_LEASED) {
            code = plan_port(allocator, (uint16_t)port, site, allowed, &plan, err);
        }
    }
    if (code == BERTH_OK && site != NULL && plan.count == 0 && plan.omitted == 0) {
        code = berth_fail(err, BERTH_NOT_FOUND, 0,
                          "there is no site %.200s with a binding that has a port", site);
    }
    if (code != BERTH_OK) {
        berth_adopt_plan_fini(&plan);
        return code;
    }
    *out = plan;
    return BERTH_OK;
}

void berth_adopt_plan_fini(struct berth_adopt_plan *plan)
{
    berth_free(plan->items);
    *plan = (struct berth_adopt_plan){.items = NULL};
}

/* ---- the deed ---- */

static enum berth_code adopt_one(struct berth_allocator *allocator, struct berth_adoption *item,
                                 const struct berth_caller *caller, struct berth_now now,
                                 struct berth_error *err)
{
    char key[BERTH_ADOPTED_KEY_SIZE];
    char holder[BERTH_LEASE_HOLDER_MAX + 1];
    struct berth_lease *lease;
    const struct berth_allocate_request request = {
        .wish = {.count = 1},
        .key = berth_adoption_key(key, sizeof key, item),
        .holder = holder,
        .protocol = item->protocol,
    };

    (void)snprintf(holder, sizeof holder, SITE "%s", item->site);
    enum berth_code code = berth__allocator_take(allocator, &request, caller, &item->port,
                                                 berth_lease_book_find(&allocator->book, key, ""),
                                                 BERTH_LEASE_EVENT_ADOPTED, now, &lease, err);
    if (code != BERTH_OK) {
        return code;
    }
    berth__allocator_look_at(allocator, lease, now);
    item->lease = lease;
    return BERTH_OK;
}

enum berth_code berth_allocator_adopt(struct berth_allocator *allocator,
                                      struct berth_adopt_plan *plan,
                                      const struct berth_caller *caller, struct berth_now now,
                                      struct berth_error *err)
{
    enum berth_code code = BERTH_OK;
    size_t made = 0;

    berth__allocator_enter(allocator, now, caller->identity.name);
    for (size_t i = 0; i < plan->count; i++) {
        struct berth_adoption *item = &plan->items[i];
        if (item->verdict != BERTH_ADOPT_DONE) {
            continue;
        }
        if (code == BERTH_OK) {
            code = adopt_one(allocator, item, caller, now, &plan->failure);
        }
        if (code != BERTH_OK) {
            item->verdict = BERTH_ADOPT_FAILED;
            plan->adopted--;
            plan->skipped++;
        } else {
            made++;
        }
    }
    if (code != BERTH_OK && made == 0) {
        return berth_fail(err, code, plan->failure.os_code, "%s", plan->failure.detail);
    }
    return BERTH_OK;
}

/* ---- in words ---- */

char *berth_adoption_key(char *out, size_t size, const struct berth_adoption *adoption)
{
    (void)snprintf(out, size, BERTH_LEASE_ADOPTED_PREFIX "%s:%u:%s",
                   berth_protocol_name(adoption->protocol), adoption->port, adoption->site);
    return out;
}

char *berth_adoption_reason(char *out, size_t size, const struct berth_adopt_plan *plan,
                            const struct berth_adoption *adoption)
{
    static const char *const reasons[BERTH_ADOPT_VERDICT_COUNT] = {
        [BERTH_ADOPT_DONE] = "",
        [BERTH_ADOPT_OUTSIDE] = "outside every pool",
        [BERTH_ADOPT_LEASED] = "leased already, to ",
        [BERTH_ADOPT_LINGERING] = "lingering: it vanished from its configuration",
        [BERTH_ADOPT_SHARED] =
            "shared: a lease has one holder, and the port is also bound by site ",
        [BERTH_ADOPT_TWICE] = "the site's other protocol on this port has the lease",
        [BERTH_ADOPT_NAME] = "the site's name is too long for a holder, or not plain text",
        [BERTH_ADOPT_QUOTA] = "leasesPerUser is reached; administrators are exempt",
        [BERTH_ADOPT_LATER] = "so many at once are not adopted: ask again",
        [BERTH_ADOPT_FAILED] = "",
    };
    const char *more = adoption->other != NULL                   ? adoption->other
                       : adoption->verdict == BERTH_ADOPT_FAILED ? plan->failure.detail
                                                                 : "";

    (void)snprintf(out, size, "%s%s", reasons[adoption->verdict], more);
    return out;
}
