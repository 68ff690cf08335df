/* SPDX-License-Identifier: MIT */
#include "policy.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_POOL "default"

void berth_policy_fini(struct berth_policy *policy)
{
    for (size_t i = 0; i < policy->pool_count; i++) {
        berth_free((char *)(uintptr_t)policy->pools[i].name);
    }
    policy->pool_count = 0;
}

enum berth_code berth_policy_set_pools(struct berth_policy *policy, const struct berth_pool *pools,
                                       size_t count, struct berth_error *err)
{
    struct berth_policy fresh = {.pool_count = 0};

    if (count < 1 || count > BERTH_POOLS_MAX) {
        return berth_fail(err, BERTH_LIMIT_REACHED, 0, "%zu pools; 1 to %d are accepted", count,
                          BERTH_POOLS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        fresh.pools[i] = pools[i];
        fresh.pools[i].name = berth_copy(pools[i].name);
        fresh.pool_count = i + 1;
        if (fresh.pools[i].name == NULL) {
            berth_policy_fini(&fresh);
            return berth_fail_memory(err, "a pool");
        }
    }
    berth_policy_fini(policy);
    *policy = fresh;
    return BERTH_OK;
}

const struct berth_pool *berth_policy_pool(const struct berth_policy *policy, const char *name)
{
    const char *wanted = name != NULL ? name : DEFAULT_POOL;

    for (size_t i = 0; i < policy->pool_count; i++) {
        if (strcmp(policy->pools[i].name, wanted) == 0) {
            return &policy->pools[i];
        }
    }
    return name == NULL && policy->pool_count > 0 ? &policy->pools[0] : NULL;
}

static bool in_range(struct berth_port_range range, uint16_t port)
{
    return port >= range.first && port <= range.last;
}

const struct berth_pool *berth_policy_pool_of(const struct berth_policy *policy, uint16_t port)
{
    for (size_t i = 0; i < policy->pool_count; i++) {
        if (in_range(policy->pools[i].range, port)) {
            return &policy->pools[i];
        }
    }
    return NULL;
}

const struct berth_pool *berth_policy_pool_of_all(const struct berth_policy *policy,
                                                  const struct berth_windows *windows)
{
    const struct berth_pool *pool = NULL;

    for (size_t i = 0; i < windows->count; i++) {
        const struct berth_pool *its = berth_policy_pool_of(policy, windows->at[i].range.first);
        if (i > 0 && its != pool) {
            return NULL;
        }
        pool = its;
    }
    return pool;
}

/* Adds what a pool and a range have in common, if anything. */
static void add_window(struct berth_windows *out, const struct berth_pool *pool,
                       struct berth_port_range range)
{
    struct berth_port_range common = pool->range;

    if (range.last != 0) {
        common.first = range.first > common.first ? range.first : common.first;
        common.last = range.last < common.last ? range.last : common.last;
    }
    if (common.first <= common.last) {
        out->at[out->count++] = (struct berth_window){common, pool->ephemeral_never};
    }
}

/* Windows are searched in turn, so those of several pools stand in the order of their ports. */
static void sort_windows(struct berth_windows *windows)
{
    for (size_t i = 1; i < windows->count; i++) {
        struct berth_window window = windows->at[i];
        size_t at = i;
        while (at > 0 && windows->at[at - 1].range.first > window.range.first) {
            windows->at[at] = windows->at[at - 1];
            at--;
        }
        windows->at[at] = window;
    }
}

/* Cuts a port out of the windows, which leaves at most one more of them. */
static void cut_out(struct berth_windows *windows, uint16_t port)
{
    size_t i = 0;

    while (i < windows->count && !in_range(windows->at[i].range, port)) {
        i++;
    }
    if (i == windows->count) {
        return;
    }
    struct berth_window below = windows->at[i];
    struct berth_window above = windows->at[i];
    size_t tail = windows->count - i - 1;
    struct berth_window *to = &windows->at[i];
    struct berth_window rest[BERTH_POOLS_MAX + BERTH_AVOIDED_PORTS_MAX];
    memcpy(rest, to + 1, tail * sizeof *rest);
    if (port > below.range.first) {
        below.range.last = (uint16_t)(port - 1);
        *to++ = below;
    }
    if (port < above.range.last) {
        above.range.first = (uint16_t)(port + 1);
        *to++ = above;
    }
    memcpy(to, rest, tail * sizeof *rest);
    windows->count = (size_t)(to - windows->at) + tail;
}

static enum berth_code check_wish(const struct berth_wish *wish, struct berth_error *err)
{
    if (wish->count < 1 || wish->count > BERTH_PORTS_PER_LEASE_MAX) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "count is %u; 1 to %d are accepted",
                          wish->count, BERTH_PORTS_PER_LEASE_MAX);
    }
    if (wish->port != 0 && wish->count != 1) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "port asks for one port, count for %u: give one of them", wish->count);
    }
    if (wish->port != 0 && wish->range.last != 0 && !in_range(wish->range, wish->port)) {
        return berth_fail(err, BERTH_OUT_OF_RANGE, 0,
                          "port %u lies outside the range asked for, %u-%u", wish->port,
                          wish->range.first, wish->range.last);
    }
    return BERTH_OK;
}

static enum berth_code fail_out_of_range(const struct berth_policy *policy,
                                         struct berth_port_range range, const char *pool,
                                         struct berth_error *err)
{
    char pools[320] = "";
    size_t used = 0;

    for (size_t i = 0; i < policy->pool_count && used < sizeof pools; i++) {
        const struct berth_pool *each = &policy->pools[i];
        used += (size_t)snprintf(pools + used, sizeof pools - used, "%s%s %u-%u", i > 0 ? ", " : "",
                                 each->name, each->range.first, each->range.last);
    }
    if (range.first == range.last) {
        return berth_fail(err, BERTH_OUT_OF_RANGE, 0, "port %u lies outside %s%s; pools: %s",
                          range.first, pool != NULL ? "pool " : "every pool",
                          pool != NULL ? pool : "", pools);
    }
    return berth_fail(err, BERTH_OUT_OF_RANGE, 0, "ports %u-%u lie outside %s%s; pools: %s",
                      range.first, range.last, pool != NULL ? "pool " : "every pool",
                      pool != NULL ? pool : "", pools);
}

enum berth_code berth_policy_windows(const struct berth_policy *policy,
                                     const struct berth_wish *wish, struct berth_windows *out,
                                     struct berth_error *err)
{
    struct berth_port_range range = wish->range;
    enum berth_code code = check_wish(wish, err);

    if (code != BERTH_OK) {
        return code;
    }
    if (wish->port != 0) {
        range = (struct berth_port_range){wish->port, wish->port};
    }
    out->count = 0;
    if (wish->pool == NULL && range.last != 0) {
        for (size_t i = 0; i < policy->pool_count; i++) {
            add_window(out, &policy->pools[i], range);
        }
        sort_windows(out);
    } else {
        const struct berth_pool *pool = berth_policy_pool(policy, wish->pool);
        if (pool == NULL) {
            return berth_fail(err, BERTH_NOT_FOUND, 0, "there is no pool named %s", wish->pool);
        }
        add_window(out, pool, range);
    }
    for (unsigned i = 0; i < wish->avoid_count && i < BERTH_AVOIDED_PORTS_MAX; i++) {
        cut_out(out, wish->avoid[i]);
    }
    return out->count > 0 ? BERTH_OK : fail_out_of_range(policy, range, wish->pool, err);
}

/* Takes the lowest ports of `set` in a window until there are `count`; those in `ports` already are
 * passed over. Returns how many there are then. */
static unsigned take_lowest(const struct berth_port_set *set, struct berth_port_range range,
                            const struct berth_port_set *not_in, unsigned have, unsigned count,
                            uint16_t *ports)
{
    uint16_t port;

    while (have < count && berth_port_set_next(set, range, &port)) {
        if (not_in == NULL || !berth_port_set_has(not_in, port)) {
            ports[have++] = port;
        }
        if (port == range.last) {
            break;
        }
        range.first = (uint16_t)(port + 1);
    }
    return have;
}

static int compare_ports(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static bool choose_lowest(const struct berth_free_set *set, const struct berth_windows *windows,
                          unsigned count, uint16_t *ports)
{
    unsigned have = 0;

    for (size_t i = 0; i < windows->count; i++) {
        have = take_lowest(&set->plain, windows->at[i].range, NULL, have, count, ports);
    }
    for (size_t i = 0; i < windows->count; i++) {
        if (!windows->at[i].ephemeral_never) {
            have = take_lowest(&set->ports[BERTH_PORT_FREE], windows->at[i].range, &set->plain,
                               have, count, ports);
        }
    }
    if (have == count && count > 1) {
        qsort(ports, count, sizeof *ports, compare_ports);
    }
    return have == count;
}

/* Finds the first run of `count` neighbours of a set in a window. */
static bool find_run(const struct berth_port_set *set, struct berth_port_range range,
                     unsigned count, uint16_t *ports)
{
    struct berth_port_range run;

    while (berth_port_set_next_run(set, range, &run)) {
        if ((unsigned)(run.last - run.first) + 1 >= count) {
            for (unsigned i = 0; i < count; i++) {
                ports[i] = (uint16_t)(run.first + i);
            }
            return true;
        }
        if (run.last == range.last) {
            break;
        }
        range.first = (uint16_t)(run.last + 1);
    }
    return false;
}

static bool choose_run(const struct berth_free_set *set, const struct berth_windows *windows,
                       unsigned count, uint16_t *ports)
{
    for (size_t i = 0; i < windows->count; i++) {
        if (find_run(&set->plain, windows->at[i].range, count, ports)) {
            return true;
        }
    }
    for (size_t i = 0; i < windows->count; i++) {
        if (!windows->at[i].ephemeral_never &&
            find_run(&set->ports[BERTH_PORT_FREE], windows->at[i].range, count, ports)) {
            return true;
        }
    }
    return false;
}

bool berth_policy_choose(const struct berth_free_set *set, const struct berth_windows *windows,
                         unsigned count, bool contiguous, uint16_t *ports)
{
    uint16_t chosen[BERTH_PORTS_PER_LEASE_MAX];
    bool found = contiguous ? choose_run(set, windows, count, chosen)
                            : choose_lowest(set, windows, count, chosen);

    if (found) {
        memcpy(ports, chosen, count * sizeof *ports);
    }
    return found;
}

bool berth_policy_allows(const struct berth_free_set *set, const struct berth_windows *windows,
                         uint16_t port)
{
    bool ephemeral = berth_port_set_has(&set->ephemeral, port);

    for (size_t i = 0; i < windows->count; i++) {
        const struct berth_window *window = &windows->at[i];
        if (in_range(window->range, port) && !(ephemeral && window->ephemeral_never)) {
            return true;
        }
    }
    return false;
}

uint32_t berth_policy_pool_free(const struct berth_free_set *set, const struct berth_pool *pool)
{
    return berth_port_set_count(pool->ephemeral_never ? &set->plain : &set->ports[BERTH_PORT_FREE],
                                pool->range);
}
