/* SPDX-License-Identifier: MIT */
/* The plain allocator: what allocate does, and what a restart leaves. */
#ifndef BERTH_TESTS_ALLOCATOR_MODEL_GIVE_H
#define BERTH_TESTS_ALLOCATOR_MODEL_GIVE_H

#include "allocator_model.h"

/** Releases the oldest generations of a key beyond `keep`. */
static inline void model_keep(struct allocator_model *model, const char *key, unsigned keep)
{
    for (;;) {
        size_t oldest = MODEL_LEASES_MAX;
        unsigned count = 0;
        for (size_t i = 0; i < model->lease_count; i++) {
            const struct model_lease *lease = &model->leases[i];
            if (strcmp(lease->key, key) == 0 && lease->generation[0] != '\0') {
                bool older =
                    oldest == MODEL_LEASES_MAX || lease->number < model->leases[oldest].number;
                oldest = older ? i : oldest;
                count++;
            }
        }
        if (count <= keep) {
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

    if (lost == NULL && !caller->administrator &&
        model_leases_of(model, caller->identity.id) >= model->options.leases_per_user) {
        return BERTH_LIMIT_REACHED;
    }
    if (lost == NULL && before == NULL) {
        ports[0] = model_adoptable(model, request, look, look_count);
    }
    out->adopted = ports[0] != 0;
    if (!out->adopted) {
        code = model_choose(model, &request->wish, request->key, request->holder, before, look,
                            look_count, ports, &out->remembered);
    }
    if (code != BERTH_OK || store_fails) {
        return code != BERTH_OK ? code : BERTH_STORE_FAILED;
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
        model_keep(model, request->key, request->keep);
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
