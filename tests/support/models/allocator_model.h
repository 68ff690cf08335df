/* SPDX-License-Identifier: MIT */
/* The allocator as plainly as it can be written: arrays and linear scans, after the contracts in
 * the headers and the design. Random operation sequences compare the real one with it. */
#ifndef BERTH_TESTS_ALLOCATOR_MODEL_H
#define BERTH_TESTS_ALLOCATOR_MODEL_H

#include "allocator/allocator.h"

#include <stdio.h>
#include <string.h>
#define MODEL_CLAIMS_MAX 4096
#define MODEL_LEASES_MAX 256
#define MODEL_ENDED_MAX 8192
#define MODEL_KEY_MAX 40

/* feeds whose claims the model keeps one by one; leases and cool-downs have their own arrays */
enum model_feed { MODEL_SITES, MODEL_SOCKETS, MODEL_CONNECTIONS, MODEL_RESERVED, MODEL_FEEDS };

struct model_claim {
    enum model_feed feed;
    struct berth_claim claim; /* strings are literals of the test */
    bool lingers;
    uint64_t until_ms; /* on the sites' clock */
};

struct model_lease {
    char key[MODEL_KEY_MAX];
    char generation[8];
    char id[BERTH_LEASE_ID_LENGTH + 1];
    const struct berth_caller *owner; /* the test's */
    const char *holder;               /* a literal of the test, or NULL */
    bool anonymous;
    enum berth_lease_state state;
    uint64_t number; /* that of the grant */
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX];
    unsigned port_count;
    uint64_t ttl_ms;
    int64_t ended_unix_ms;  /* of an ended one */
    uint64_t guaranteed_ms; /* on the leases' clock */
    uint64_t ends_ms;       /* likewise; BERTH_NEVER: not by itself */
};

/** What an allocation does, besides the lease that it gives. */
struct model_grant {
    struct model_lease *lease; /* on DENIED the one whose owner it is */
    bool reused;
    bool adopted;
    bool yielded;    /* adopted, in the place of an adopted lease */
    bool remembered; /* the ports that the key had before */
    uint16_t lost_port;
};

struct model_cooling {
    uint16_t port;
    char key[MODEL_KEY_MAX];
    uint64_t until_ms; /* on the leases' clock */
};

struct allocator_model {
    struct berth_allocator_options options;
    const struct berth_pool *pools;
    size_t pool_count;
    bool ephemeral[65536];
    struct model_claim claims[MODEL_CLAIMS_MAX];
    size_t claim_count;
    struct model_lease leases[MODEL_LEASES_MAX];
    size_t lease_count;
    struct model_lease ended[MODEL_ENDED_MAX]; /* remembered */
    size_t ended_count;
    uint64_t grants;         /* made so far */
    uint64_t given[65536];   /* by port: the number of the last grant that it was part of */
    uint64_t came_back;      /* expired leases whose holder appeared */
    uint64_t went_lingering; /* active leases whose holder vanished */
    struct model_cooling cooling[MODEL_CLAIMS_MAX];
    size_t cooling_count;
    enum berth_source_state source[2]; /* of the sites, of the TCP table */
    uint64_t sites_clock_ms;           /* how long the sites' source has been current in all */
    uint64_t lease_clock_ms;           /* how long all sources have been at once */
    int64_t unix_ms;
    unsigned anonymous;   /* keys made so far */
    uint8_t state[65536]; /* by model_work_out_states() */
    uint32_t counts[BERTH_PORT_STATE_COUNT];
};

/* ---- states ---- */

static inline void model_note(struct allocator_model *model, uint16_t port,
                              enum berth_port_state state)
{
    if (state < model->state[port]) {
        model->counts[model->state[port]]--;
        model->counts[state]++;
        model->state[port] = (uint8_t)state;
    }
}

/** Works every port's state and the counts out, from nothing. */
static inline void model_work_out_states(struct allocator_model *model)
{
    static const enum berth_port_state by_feed[MODEL_FEEDS] = {BERTH_PORT_IIS, BERTH_PORT_TCP,
                                                               BERTH_PORT_TCP, BERTH_PORT_RESERVED};

    memset(model->state, BERTH_PORT_FREE, sizeof model->state);
    memset(model->counts, 0, sizeof model->counts);
    model->counts[BERTH_PORT_FREE] = 65535;
    for (size_t i = 0; i < model->claim_count; i++) {
        model_note(model, model->claims[i].claim.port, by_feed[model->claims[i].feed]);
    }
    for (size_t i = 0; i < model->cooling_count; i++) {
        model_note(model, model->cooling[i].port, BERTH_PORT_COOLING);
    }
    for (size_t i = 0; i < model->lease_count; i++) {
        for (unsigned p = 0; p < model->leases[i].port_count; p++) {
            model_note(model, model->leases[i].ports[p], BERTH_PORT_LEASED);
        }
    }
}

static inline bool model_is_current(const struct allocator_model *model, unsigned source)
{
    return model->source[source] == BERTH_STATE_READY ||
           model->source[source] == BERTH_STATE_DEGRADED ||
           model->source[source] == BERTH_STATE_ABSENT;
}

static inline bool model_equal_any_case(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a - 'A' + 'a') : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b - 'A' + 'a') : *b;
        if (x != y) {
            return false;
        }
    }
    return *a == *b;
}

/* ---- holders ---- */

/** Whether a claim is a use of the port by the lease's holder. */
static inline bool model_is_own_use(const char *holder, const struct model_claim *use)
{
    bool binding = use->claim.kind == BERTH_CLAIM_BINDING;
    bool listener = use->claim.kind == BERTH_CLAIM_LISTENER;
    const char *name = use->claim.holder;

    if (use->lingers || (!binding && !listener)) {
        return false;
    }
    if (holder == NULL) {
        return binding;
    }
    if (strcmp(holder, "any") == 0) {
        return true;
    }
    bool site = strncmp(holder, "site:", 5) == 0;
    return site == binding && name != NULL && model_equal_any_case(strchr(holder, ':') + 1, name);
}

/** Whether a claim is a use of the port by anybody else. */
static inline bool model_is_others_use(const char *holder, const struct model_claim *use)
{
    bool listener = use->claim.kind == BERTH_CLAIM_LISTENER;
    bool unknown = listener && use->claim.holder == NULL && holder != NULL &&
                   strncmp(holder, "process:", 8) == 0;

    return !use->lingers && (listener || use->claim.kind == BERTH_CLAIM_BINDING) && !unknown &&
           !model_is_own_use(holder, use);
}

static inline bool model_holder_is_there(const struct allocator_model *model,
                                         const struct model_lease *lease)
{
    for (size_t i = 0; i < model->claim_count; i++) {
        for (unsigned p = 0; p < lease->port_count; p++) {
            if (model->claims[i].claim.port == lease->ports[p] &&
                model_is_own_use(lease->holder, &model->claims[i])) {
                return true;
            }
        }
    }
    return false;
}

/** Gives the lowest port of a pending lease that somebody else uses, its holder none; 0: none. */
static inline uint16_t model_lost_port(const struct allocator_model *model,
                                       const struct model_lease *lease)
{
    if (lease->state != BERTH_LEASE_PENDING || model_holder_is_there(model, lease)) {
        return 0;
    }
    for (unsigned p = 0; p < lease->port_count; p++) {
        for (size_t i = 0; i < model->claim_count; i++) {
            if (model->claims[i].claim.port == lease->ports[p] &&
                model_is_others_use(lease->holder, &model->claims[i])) {
                return lease->ports[p];
            }
        }
    }
    return 0;
}

static inline bool model_leased_since(const struct allocator_model *model,
                                      const struct model_lease *lease)
{
    bool since = false;

    for (unsigned p = 0; p < lease->port_count; p++) {
        since = since || model->given[lease->ports[p]] != lease->number;
    }
    return since;
}

/** Looks where the holders are: of live leases, and of expired ones that may come back. */
/** Whether a source has not been heard yet. */
static inline bool model_waits(const struct allocator_model *model)
{
    return model->source[0] == BERTH_STATE_WAITING || model->source[1] == BERTH_STATE_WAITING;
}

static inline void model_look(struct allocator_model *model)
{
    size_t kept = 0;

    for (size_t i = 0; i < model->lease_count; i++) {
        struct model_lease *lease = &model->leases[i];
        bool there = model_holder_is_there(model, lease);
        if (there) {
            lease->state = BERTH_LEASE_ACTIVE;
            lease->ends_ms = BERTH_NEVER;
        } else if (lease->state == BERTH_LEASE_ACTIVE && !model_waits(model)) {
            uint64_t ends_ms = model->lease_clock_ms + model->options.linger_ms;
            lease->state = BERTH_LEASE_LINGERING;
            lease->ends_ms = ends_ms > lease->guaranteed_ms ? ends_ms : lease->guaranteed_ms;
            model->went_lingering++;
        }
    }
    for (size_t i = 0; i < model->ended_count; i++) {
        struct model_lease *lease = &model->ended[i];
        if (lease->state == BERTH_LEASE_EXPIRED && !model_leased_since(model, lease) &&
            model_holder_is_there(model, lease)) {
            lease->state = BERTH_LEASE_ACTIVE;
            lease->ends_ms = BERTH_NEVER;
            model->leases[model->lease_count++] = *lease;
            model->came_back++;
        } else {
            if (kept != i) {
                model->ended[kept] = *lease;
            }
            kept++;
        }
    }
    model->ended_count = kept;
}

/* ---- snapshots ---- */

static inline bool model_same(const struct berth_claim *a, const struct berth_claim *b)
{
    bool same_holder = a->holder == NULL || b->holder == NULL ? a->holder == b->holder
                                                              : strcmp(a->holder, b->holder) == 0;

    return a->port == b->port && a->kind == b->kind && a->protocol == b->protocol && same_holder;
}

/** Takes a snapshot of a feed. */
static inline void model_snapshot(struct allocator_model *model, enum model_feed feed,
                                  const struct berth_claim *claims, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < model->claim_count; i++) {
        struct model_claim claim = model->claims[i];
        bool shown = false;
        for (size_t c = 0; claim.feed == feed && c < count; c++) {
            shown = shown || model_same(&claims[c], &claim.claim);
        }
        if (claim.feed == feed && !shown && !claim.lingers) {
            claim.lingers = feed == MODEL_SITES && model->options.linger_ms != 0;
            claim.until_ms = model->sites_clock_ms + model->options.linger_ms;
            if (!claim.lingers) {
                continue; /* it is gone */
            }
        }
        claim.lingers = claim.lingers && !shown;
        model->claims[kept++] = claim;
    }
    model->claim_count = kept;
    for (size_t c = 0; c < count; c++) {
        bool there = false;
        for (size_t i = 0; i < model->claim_count; i++) {
            there = there || (model->claims[i].feed == feed &&
                              model_same(&claims[c], &model->claims[i].claim));
        }
        if (!there) {
            model->claims[model->claim_count++] = (struct model_claim){feed, claims[c], false, 0};
        }
    }
    if (feed != MODEL_RESERVED) {
        model_look(model);
    }
}

static inline size_t model_feed_count(const struct allocator_model *model, enum model_feed feed)
{
    size_t count = 0;

    for (size_t i = 0; i < model->claim_count; i++) {
        count += model->claims[i].feed == feed;
    }
    return count;
}

/* ---- leases ---- */

static inline struct model_lease *model_find_in(struct model_lease *leases, size_t count,
                                                const char *key, const char *generation)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(leases[i].key, key) == 0 && strcmp(leases[i].generation, generation) == 0) {
            return &leases[i];
        }
    }
    return NULL;
}

/* A key's cool-down on a port, the one that runs already or a new one. */
static inline struct model_cooling *model_cooling_of(struct allocator_model *model, uint16_t port,
                                                     const char *key)
{
    for (size_t i = 0; i < model->cooling_count; i++) {
        if (model->cooling[i].port == port && strcmp(model->cooling[i].key, key) == 0) {
            return &model->cooling[i];
        }
    }
    return &model->cooling[model->cooling_count++];
}

/** Ends a lease: its ports cool down. It is remembered, unless nobody can ask for it again. */
static inline void model_end(struct allocator_model *model, size_t number,
                             enum berth_lease_state state, bool cools)
{
    const struct model_lease lease = model->leases[number];

    for (unsigned p = 0; cools && p < lease.port_count && model->options.cooldown_ms != 0; p++) {
        struct model_cooling *cooling = model_cooling_of(model, lease.ports[p], lease.key);
        cooling->port = lease.ports[p];
        cooling->until_ms = model->lease_clock_ms + model->options.cooldown_ms;
        (void)snprintf(cooling->key, sizeof cooling->key, "%s", lease.key);
    }
    memmove(&model->leases[number], &model->leases[number + 1],
            (--model->lease_count - number) * sizeof lease);
    if (!lease.anonymous) {
        model->ended[model->ended_count] = lease;
        model->ended[model->ended_count].ended_unix_ms = model->unix_ms;
        model->ended[model->ended_count++].state = state;
    }
}

/** Lets time pass. */
static inline void model_pass(struct allocator_model *model, uint64_t ms)
{
    model->unix_ms += (int64_t)ms;
    model->sites_clock_ms += model_is_current(model, 0) ? ms : 0;
    model->lease_clock_ms += model_is_current(model, 0) && model_is_current(model, 1) ? ms : 0;
}

/** Ends what is due. */
static inline void model_tick(struct allocator_model *model)
{
    size_t kept = 0;

    for (size_t i = 0; i < model->claim_count; i++) {
        const struct model_claim *claim = &model->claims[i];
        bool over = claim->lingers && claim->until_ms <= model->sites_clock_ms;
        if (!over || !model_is_current(model, 0)) {
            model->claims[kept++] = *claim;
        }
    }
    model->claim_count = kept;
    for (size_t i = model->lease_count; i-- > 0;) {
        if (model->leases[i].ends_ms <= model->lease_clock_ms && model_is_current(model, 0) &&
            model_is_current(model, 1)) {
            model_end(model, i, BERTH_LEASE_EXPIRED, true);
        }
    }
    kept = 0;
    for (size_t i = 0; i < model->cooling_count; i++) {
        if (model->cooling[i].until_ms > model->lease_clock_ms || !model_is_current(model, 0) ||
            !model_is_current(model, 1)) {
            model->cooling[kept++] = model->cooling[i];
        }
    }
    model->cooling_count = kept;
}

/* ---- choosing ---- */

/** Tells whether a port can be had by a key and holder: nothing in the way but its own past, and
 *  with `or_used` its holder's own use. */
static inline bool model_may_take(const struct allocator_model *model, uint16_t port,
                                  const char *key, const char *holder, bool or_used)
{
    if (model->state[port] == BERTH_PORT_LEASED) {
        return false;
    }
    for (size_t i = 0; i < model->claim_count; i++) {
        const struct model_claim *claim = &model->claims[i];
        bool own = claim->lingers && holder != NULL && strncmp(holder, "site:", 5) == 0 &&
                   model_equal_any_case(holder + 5, claim->claim.holder);
        own = own || (or_used && model_is_own_use(holder, claim));
        if (claim->claim.port == port && !own) {
            return false;
        }
    }
    for (size_t i = 0; i < model->cooling_count; i++) {
        bool own = key != NULL && strcmp(model->cooling[i].key, key) == 0;
        if (model->cooling[i].port == port && !own) {
            return false;
        }
    }
    return true;
}

static inline const struct berth_pool *model_pool(const struct allocator_model *model,
                                                  const char *name)
{
    for (size_t i = 0; i < model->pool_count; i++) {
        if (strcmp(model->pools[i].name, name != NULL ? name : "default") == 0) {
            return &model->pools[i];
        }
    }
    return name == NULL ? &model->pools[0] : NULL;
}

/** Whether a wish may look at a port. What its windows are is decided port by port. */
static inline bool model_in_windows(const struct allocator_model *model,
                                    const struct berth_wish *wish, uint16_t port, bool *never)
{
    bool ranged = wish->range.last != 0;

    for (size_t i = 0; i < model->pool_count; i++) {
        const struct berth_pool *pool = &model->pools[i];
        bool meant = wish->pool == NULL && (ranged || wish->port != 0)
                         ? true
                         : pool == model_pool(model, wish->pool);
        bool within = port >= pool->range.first && port <= pool->range.last &&
                      (!ranged || (port >= wish->range.first && port <= wish->range.last)) &&
                      (wish->port == 0 || port == wish->port);
        if (meant && within) {
            *never = pool->ephemeral_never;
            return true;
        }
    }
    return false;
}

/* Whether `count` ports from `first` on are one window's and free (and plain). */
static inline bool model_run_fits(const struct allocator_model *model,
                                  const struct berth_wish *wish, uint32_t first, bool plain_only)
{
    const struct berth_pool *pool = NULL;

    for (uint32_t port = first; port < first + wish->count; port++) {
        bool never = false;
        if (port > 65535 || !model_in_windows(model, wish, (uint16_t)port, &never) ||
            model->state[port] != BERTH_PORT_FREE ||
            (model->ephemeral[port] && (plain_only || never))) {
            return false;
        }
        for (size_t i = 0; i < model->pool_count; i++) {
            const struct berth_pool *each = &model->pools[i];
            bool in = port >= each->range.first && port <= each->range.last;
            if (in && pool != NULL && pool != each) {
                return false; /* a run lies in one pool */
            }
            pool = in ? each : pool;
        }
    }
    return true;
}

static inline bool model_choose_run(const struct allocator_model *model,
                                    const struct berth_wish *wish, const uint16_t *look,
                                    size_t look_count, uint16_t *ports)
{
    for (int plain = 1; plain >= 0; plain--) {
        for (size_t i = 0; i < look_count; i++) {
            if (model_run_fits(model, wish, look[i], plain != 0)) {
                for (unsigned p = 0; p < wish->count; p++) {
                    ports[p] = (uint16_t)(look[i] + p);
                }
                return true;
            }
        }
    }
    return false;
}

static inline bool model_choose_lowest(const struct allocator_model *model,
                                       const struct berth_wish *wish, const uint16_t *look,
                                       size_t look_count, uint16_t *ports)
{
    bool taken[65536 / 16] = {false}; /* by position in `look` */
    unsigned have = 0;

    for (int ephemeral = 0; ephemeral <= 1; ephemeral++) {
        for (size_t i = 0; i < look_count && have < wish->count; i++) {
            bool never = false;
            (void)model_in_windows(model, wish, look[i], &never);
            if (model->state[look[i]] == BERTH_PORT_FREE &&
                model->ephemeral[look[i]] == (ephemeral != 0) && !(ephemeral != 0 && never)) {
                taken[i] = true;
                have++;
            }
        }
    }
    if (have < wish->count) {
        return false;
    }
    have = 0;
    for (size_t i = 0; i < look_count; i++) {
        if (taken[i]) {
            ports[have++] = look[i];
        }
    }
    return true;
}

/* Whether the ports that a key had can be given to it again: all open to it or its holder's. */
static inline bool model_may_give_again(const struct allocator_model *model,
                                        const struct berth_wish *wish,
                                        const struct model_lease *before, const char *holder)
{
    unsigned span = (unsigned)(before->ports[before->port_count - 1] - before->ports[0]) + 1;

    if (wish->prefer != 0 || wish->count != before->port_count ||
        (wish->contiguous && span != before->port_count)) {
        return false;
    }
    for (unsigned p = 0; p < before->port_count; p++) {
        uint16_t port = before->ports[p];
        bool never = false;
        if (!model_in_windows(model, wish, port, &never) || (never && model->ephemeral[port]) ||
            !model_may_take(model, port, before->key, holder, true)) {
            return false;
        }
    }
    return true;
}

/** What a wish would get.
 *  @param[in]  before      what the key had; NULL: nothing is remembered of it
 *  @param[in]  look        ascending: all ports that lie in a pool
 *  @param[out] remembered  these are the ports that it had */
static inline enum berth_code model_choose(const struct allocator_model *model,
                                           const struct berth_wish *wish, const char *key,
                                           const char *holder, const struct model_lease *before,
                                           const uint16_t *look, size_t look_count, uint16_t *ports,
                                           bool *remembered)
{
    bool never = false;
    bool any = false;

    *remembered = false;

    if (wish->count < 1 || wish->count > BERTH_PORTS_PER_LEASE_MAX ||
        (wish->port != 0 && wish->count != 1)) {
        return BERTH_INVALID_PARAMS;
    }
    if (wish->port != 0 && wish->range.last != 0 &&
        (wish->port < wish->range.first || wish->port > wish->range.last)) {
        return BERTH_OUT_OF_RANGE;
    }
    if (wish->pool != NULL && model_pool(model, wish->pool) == NULL) {
        return BERTH_NOT_FOUND;
    }
    for (size_t i = 0; i < look_count; i++) {
        any = any || model_in_windows(model, wish, look[i], &never);
    }
    if (!any) {
        return BERTH_OUT_OF_RANGE;
    }
    if (wish->port != 0) {
        ports[0] = wish->port;
        return model_may_take(model, wish->port, key, holder, false) ? BERTH_OK : BERTH_PORT_IN_USE;
    }
    if (before != NULL && model_may_give_again(model, wish, before, holder)) {
        memcpy(ports, before->ports, before->port_count * sizeof *ports);
        *remembered = true;
        return BERTH_OK;
    }
    if (wish->prefer != 0 && wish->count == 1 &&
        model_in_windows(model, wish, wish->prefer, &never) &&
        !(never && model->ephemeral[wish->prefer]) &&
        model_may_take(model, wish->prefer, key, holder, false)) {
        ports[0] = wish->prefer;
        return BERTH_OK;
    }
    /* only what the wish may look at */
    uint16_t mine[4096];
    size_t mine_count = 0;
    for (size_t i = 0; i < look_count; i++) {
        if (model_in_windows(model, wish, look[i], &never)) {
            mine[mine_count++] = look[i];
        }
    }
    bool found = wish->contiguous ? model_choose_run(model, wish, mine, mine_count, ports)
                                  : model_choose_lowest(model, wish, mine, mine_count, ports);
    return found ? BERTH_OK : BERTH_POOL_EXHAUSTED;
}

static inline bool model_may(const struct berth_caller *caller, const struct model_lease *lease)
{
    const char *group = lease->owner->identity.group;
    return caller->administrator || strcmp(lease->owner->identity.id, caller->identity.id) == 0 ||
           (group != NULL && caller->in_group(caller->ctx, group));
}

static inline size_t model_leases_of(const struct allocator_model *model, const char *owner)
{
    size_t count = 0;

    for (size_t i = 0; i < model->lease_count; i++) {
        count += strcmp(model->leases[i].owner->identity.id, owner) == 0;
    }
    return count;
}

/** Gives the live lease that has a port; NULL: none. */
static inline struct model_lease *model_lease_at(struct allocator_model *model, uint16_t port)
{
    for (size_t i = 0; i < model->lease_count; i++) {
        for (unsigned p = 0; p < model->leases[i].port_count; p++) {
            if (model->leases[i].ports[p] == port) {
                return &model->leases[i];
            }
        }
    }
    return NULL;
}

/* Whether a port is nobody's, or only adopted for this very site. */
static inline bool model_stands_back(struct allocator_model *model, uint16_t port,
                                     const char *holder)
{
    const struct model_lease *lease = model_lease_at(model, port);

    return lease == NULL ||
           (strncmp(lease->key, "adopted:", 8) == 0 && model_equal_any_case(lease->holder, holder));
}

/** Gives the port that a site has already, to a key that was never seen; 0: there is none.
 *  @param[in] look  ascending: all ports that lie in a pool */
static inline uint16_t model_adoptable(struct allocator_model *model,
                                       const struct berth_allocate_request *request,
                                       const uint16_t *look, size_t look_count)
{
    const struct berth_wish *wish = &request->wish;
    bool never;

    if (request->key == NULL || request->generation != NULL || request->holder == NULL ||
        strncmp(request->holder, "site:", 5) != 0 || wish->count != 1 || wish->port != 0 ||
        wish->prefer != 0 || (wish->pool != NULL && model_pool(model, wish->pool) == NULL)) {
        return 0;
    }
    for (size_t i = 0; i < look_count; i++) {
        for (size_t c = 0; c < model->claim_count; c++) {
            const struct model_claim *claim = &model->claims[c];
            if (claim->claim.port == look[i] && model_in_windows(model, wish, look[i], &never) &&
                model_stands_back(model, look[i], request->holder) &&
                model_is_own_use(request->holder, claim) &&
                (request->protocol == BERTH_PROTOCOL_NONE ||
                 request->protocol == claim->claim.protocol)) {
                return look[i];
            }
        }
    }
    return 0;
}

#endif
