/* SPDX-License-Identifier: MIT */
/* The plain allocator: what allocate does, and what a restart leaves. */
#ifndef BERTH_TESTS_ALLOCATOR_MODEL_GIVE_H
#define BERTH_TESTS_ALLOCATOR_MODEL_GIVE_H

#include "allocator/adopt.h"
#include "allocator_model.h"

/** Counts the generations of a lease's key that are newer. */
static inline unsigned model_newer(const struct allocator_model *model,
                                   const struct model_lease *than)
{
    unsigned count = 0;

    for (size_t i = 0; i < model->lease_count; i++) {
        const struct model_lease *lease = &model->leases[i];
        count += strcmp(lease->key, than->key) == 0 && lease->generation[0] != '\0' &&
                 lease->number > than->number;
    }
    return count;
}

/** Releases what the caller may of the generations of a key beyond the newest `keep`. */
static inline void model_keep(struct allocator_model *model, const char *key, unsigned keep,
                              const struct berth_caller *caller)
{
    for (;;) {
        size_t oldest = MODEL_LEASES_MAX;
        for (size_t i = 0; i < model->lease_count; i++) {
            const struct model_lease *lease = &model->leases[i];
            if (strcmp(lease->key, key) == 0 && lease->generation[0] != '\0' &&
                model_may(caller, lease) && model_newer(model, lease) >= keep &&
                (oldest == MODEL_LEASES_MAX || lease->number < model->leases[oldest].number)) {
                oldest = i;
            }
        }
        if (oldest == MODEL_LEASES_MAX) {
            return;
        }
        model_end(model, oldest, BERTH_LEASE_RELEASED, true);
    }
}

/* A live lease is its key's already: for ttl from now, and for the same thing alone. */
static inline enum berth_code model_reuse(struct allocator_model *model, struct model_lease *old,
                                          const struct berth_wish *wish, uint64_t ttl_ms,
                                          bool store_fails)
{
    uint64_t guaranteed_ms = model->lease_clock_ms + ttl_ms;

    if ((wish->port != 0 && (old->port_count != 1 || old->ports[0] != wish->port)) ||
        (wish->range.last != 0 && (old->ports[0] < wish->range.first ||
                                   old->ports[old->port_count - 1] > wish->range.last)) ||
        wish->count != old->port_count ||
        (wish->contiguous &&
         old->ports[old->port_count - 1] - old->ports[0] + 1 != (int)old->port_count)) {
        return BERTH_INVALID_PARAMS;
    }
    if (ttl_ms != old->ttl_ms && store_fails) {
        return BERTH_STORE_FAILED;
    }
    old->ttl_ms = ttl_ms;
    if (guaranteed_ms > old->guaranteed_ms) {
        old->guaranteed_ms = guaranteed_ms;
    }
    if (old->ends_ms < old->guaranteed_ms) {
        old->ends_ms = old->guaranteed_ms;
    }
    return BERTH_OK;
}

/* Takes ports for a key as a new lease: the newest of all, whatever comes and goes behind it. */
static inline void model_grant_ports(struct allocator_model *model,
                                     const struct berth_allocate_request *request,
                                     const struct berth_caller *caller, uint64_t ttl_ms,
                                     const uint16_t *ports)
{
    struct model_lease *fresh = &model->leases[model->lease_count++];

    *fresh = (struct model_lease){.owner = caller,
                                  .holder = request->holder,
                                  .anonymous = request->key == NULL,
                                  .number = ++model->grants,
                                  .port_count = request->wish.count,
                                  .guaranteed_ms = model->lease_clock_ms + ttl_ms,
                                  .ends_ms = model->lease_clock_ms + ttl_ms,
                                  .ttl_ms = ttl_ms};
    memcpy(fresh->ports, ports, fresh->port_count * sizeof *ports);
    for (unsigned p = 0; p < fresh->port_count; p++) {
        model->given[ports[p]] = fresh->number;
    }
    (void)snprintf(fresh->generation, sizeof fresh->generation, "%s",
                   request->generation != NULL ? request->generation : "");
    if (request->key != NULL) {
        (void)snprintf(fresh->key, sizeof fresh->key, "%s", request->key);
    } else {
        (void)snprintf(fresh->key, sizeof fresh->key, "nobody's %u", model->anonymous++);
    }
}

/* Gives a key a new lease. `lost` is the live one that it replaces; NULL: there is none. */
static inline enum berth_code
model_give(struct allocator_model *model, const struct berth_allocate_request *request,
           const struct berth_caller *caller, uint64_t ttl_ms, struct model_lease *lost,
           const uint16_t *look, size_t look_count, bool store_fails, struct model_grant *out)
{
    const char *generation = request->generation != NULL ? request->generation : "";
    struct model_lease *before =
        lost == NULL && request->key != NULL
            ? model_find_in(model->ended, model->ended_count, request->key, generation)
            : NULL;
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX] = {0};
    enum berth_code code = BERTH_OK;
    struct model_lease *yields = NULL; /* an adopted lease in whose place the new one comes */

    if (lost == NULL && before == NULL) {
        ports[0] = model_adoptable(model, request, look, look_count);
        yields = ports[0] != 0 ? model_lease_at(model, ports[0]) : NULL;
    }
    bool is_more = lost == NULL &&
                   (yields == NULL || strcmp(yields->owner->identity.id, caller->identity.id) != 0);
    if (is_more && !caller->administrator &&
        model_leases_of(model, caller->identity.id) >= model->options.leases_per_user) {
        return BERTH_LIMIT_REACHED;
    }
    out->adopted = ports[0] != 0;
    if (!out->adopted) {
        code = model_choose(model, &request->wish, request->key, request->holder, before, look,
                            look_count, ports, &out->remembered);
    }
    if (code != BERTH_OK || store_fails) {
        return code != BERTH_OK ? code : BERTH_STORE_FAILED;
    }
    if (yields != NULL) {
        lost = yields;
        out->yielded = true;
    }
    if (lost != NULL) {
        model_end(model, (size_t)(lost - model->leases), BERTH_LEASE_RELEASED, false);
        before = &model->ended[model->ended_count - 1];
    }
    if (before != NULL) { /* the new one is what is remembered of the key */
        memmove(before, before + 1,
                (size_t)(&model->ended[--model->ended_count] - before) * sizeof *before);
    }
    model_grant_ports(model, request, caller, ttl_ms, ports);
    if (request->keep != 0) {
        model_keep(model, request->key, request->keep, caller);
    }
    model_look(model);
    out->lease = &model->leases[model->lease_count - 1];
    return BERTH_OK;
}

/** Allocates. On success `out->lease` is the model's, its id still to be filled in where new. */
static inline enum berth_code model_allocate(struct allocator_model *model,
                                             const struct berth_allocate_request *request,
                                             const struct berth_caller *caller,
                                             const uint16_t *look, size_t look_count,
                                             bool store_fails, struct model_grant *out)
{
    uint64_t ttl_ms = request->ttl_ms != 0 ? request->ttl_ms : model->options.ttl_ms;
    struct model_lease *old = NULL;

    *out = (struct model_grant){.lease = NULL};
    if (request->keep != 0 && (request->key == NULL || request->generation == NULL)) {
        return BERTH_INVALID_PARAMS;
    }
    if (model_waits(model)) {
        return BERTH_NOT_READY;
    }
    if (request->key != NULL) {
        old = model_find_in(model->leases, model->lease_count, request->key,
                            request->generation != NULL ? request->generation : "");
    }
    if (old != NULL) {
        out->lease = old;
        if (!model_may(caller, old)) {
            return BERTH_DENIED;
        }
        out->lost_port = model_lost_port(model, old);
        if (out->lost_port == 0) {
            out->reused = true;
            return model_reuse(model, old, &request->wish, ttl_ms, store_fails);
        }
    }
    return model_give(model, request, caller, ttl_ms, old, look, look_count, store_fails, out);
}

/* ---- adoption ---- */

#define MODEL_ROWS_MAX 512

/** What becomes of a site's bindings of one protocol on one port. */
struct model_row {
    uint16_t port;
    enum berth_protocol protocol;
    const char *site;
    enum berth_adopt_verdict verdict;
};

struct model_rows {
    struct model_row at[MODEL_ROWS_MAX];
    size_t count;
};

static inline enum berth_adopt_verdict model_judge(struct allocator_model *model,
                                                   const struct model_claim *of)
{
    bool in_pool = false;

    for (size_t i = 0; i < model->pool_count; i++) {
        in_pool = in_pool || (of->claim.port >= model->pools[i].range.first &&
                              of->claim.port <= model->pools[i].range.last);
    }
    if (!in_pool) {
        return BERTH_ADOPT_OUTSIDE;
    }
    if (model_lease_at(model, of->claim.port) != NULL) {
        return BERTH_ADOPT_LEASED;
    }
    if (of->lingers) {
        return BERTH_ADOPT_LINGERING;
    }
    bool first = true;
    for (size_t i = 0; i < model->claim_count; i++) {
        const struct model_claim *each = &model->claims[i];
        if (each->feed != MODEL_SITES || each->lingers || each->claim.port != of->claim.port) {
            continue;
        }
        if (!model_equal_any_case(each->claim.holder, of->claim.holder)) {
            return BERTH_ADOPT_SHARED;
        }
        first = first && of->claim.protocol <= each->claim.protocol;
    }
    return first ? BERTH_ADOPT_DONE : BERTH_ADOPT_TWICE;
}

/** Judges all bindings, or a site's; equal ones once, by the first name in the order of bytes. */
static inline void model_plan(struct allocator_model *model, const char *site,
                              struct model_rows *rows)
{
    rows->count = 0;
    for (size_t i = 0; i < model->claim_count; i++) {
        const struct model_claim *claim = &model->claims[i];
        if (claim->feed != MODEL_SITES ||
            (site != NULL && !model_equal_any_case(site, claim->claim.holder))) {
            continue;
        }
        struct model_row row = {claim->claim.port, (enum berth_protocol)claim->claim.protocol,
                                claim->claim.holder, model_judge(model, claim)};
        size_t at = 0;
        while (at < rows->count &&
               (rows->at[at].port != row.port || rows->at[at].protocol != row.protocol ||
                rows->at[at].verdict != row.verdict ||
                !model_equal_any_case(rows->at[at].site, row.site))) {
            at++;
        }
        if (at < rows->count) {
            rows->at[at].site =
                strcmp(row.site, rows->at[at].site) < 0 ? row.site : rows->at[at].site;
        } else if (rows->count < MODEL_ROWS_MAX) {
            rows->at[rows->count++] = row;
        }
    }
}

static inline void model_sort_rows(struct model_rows *rows)
{
    for (size_t i = 1; i < rows->count; i++) {
        struct model_row row = rows->at[i];
        size_t at = i;
        for (; at > 0 && rows->at[at - 1].port > row.port; at--) {
            rows->at[at] = rows->at[at - 1];
        }
        rows->at[at] = row;
    }
}

/** Refuses those that would be too many for the caller. Rows are by port afterwards. */
static inline void model_apply_quota(const struct allocator_model *model,
                                     const struct berth_caller *caller, struct model_rows *rows)
{
    size_t has = model_leases_of(model, caller->identity.id);

    model_sort_rows(rows);
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->at[i].verdict == BERTH_ADOPT_DONE && !caller->administrator &&
            has++ >= model->options.leases_per_user) {
            rows->at[i].verdict = BERTH_ADOPT_QUOTA;
        }
    }
}

/** Makes the lease of a row. `holder` is a literal of the test; the id is still to be filled in. */
static inline struct model_lease *model_adopt(struct allocator_model *model,
                                              const struct model_row *row, const char *holder,
                                              const struct berth_caller *caller)
{
    char key[MODEL_KEY_MAX];

    (void)snprintf(key, sizeof key, "adopted:%s:%u:%s",
                   row->protocol == BERTH_PROTOCOL_HTTP ? "http" : "https", row->port, row->site);
    const struct berth_allocate_request request = {
        .wish = {.count = 1}, .key = key, .holder = holder};
    struct model_lease *before = model_find_in(model->ended, model->ended_count, key, "");
    if (before != NULL) {
        memmove(before, before + 1,
                (size_t)(&model->ended[--model->ended_count] - before) * sizeof *before);
    }
    model_grant_ports(model, &request, caller, model->options.ttl_ms, &row->port);
    return &model->leases[model->lease_count - 1];
}

/* ---- a restart ---- */

static inline void model_note_given(struct allocator_model *model, const struct model_lease *leases,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (unsigned p = 0; p < leases[i].port_count; p++) {
            uint64_t *given = &model->given[leases[i].ports[p]];
            *given = leases[i].number > *given ? leases[i].number : *given;
        }
    }
}

/** Forgets what only memory held: claims, sources, how far times have run. Leases begin their time
 *  anew, and so does each cool-down that may not have been over. */
static inline void model_restart(struct allocator_model *model)
{
    model->claim_count = model->cooling_count = 0;
    model->source[0] = model->source[1] = BERTH_STATE_WAITING;
    memset(model->given, 0, sizeof model->given);
    model_note_given(model, model->leases, model->lease_count);
    model_note_given(model, model->ended, model->ended_count);
    for (size_t i = 0; i < model->lease_count; i++) {
        struct model_lease *lease = &model->leases[i];
        uint64_t lingers_ms = model->lease_clock_ms + model->options.linger_ms;
        lease->guaranteed_ms = model->lease_clock_ms + lease->ttl_ms;
        if (lease->state == BERTH_LEASE_PENDING) {
            lease->ends_ms = lease->guaranteed_ms;
        } else if (lease->state == BERTH_LEASE_LINGERING) {
            lease->ends_ms = lease->guaranteed_ms > lingers_ms ? lease->guaranteed_ms : lingers_ms;
        }
    }
    for (size_t i = 0; i < model->ended_count; i++) {
        struct model_lease *lease = &model->ended[i];
        int64_t since_ms = model->unix_ms - lease->ended_unix_ms;
        for (unsigned p = 0; p < lease->port_count; p++) {
            if ((uint64_t)since_ms < model->options.cooldown_ms) {
                struct model_cooling *cooling =
                    model_cooling_of(model, lease->ports[p], lease->key);
                cooling->port = lease->ports[p];
                cooling->until_ms = model->lease_clock_ms + model->options.cooldown_ms;
                (void)snprintf(cooling->key, sizeof cooling->key, "%s", lease->key);
            }
        }
    }
}

#endif
