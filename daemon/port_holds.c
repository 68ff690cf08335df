/* SPDX-License-Identifier: MIT */
#include "port_holds.h"

#include "base/memory.h"
#include "log.h"

#include <string.h>

struct held_port {
    uint16_t port;
    char lease[BERTH_LEASE_ID_LENGTH + 1];
    struct berth_port_hold hold;
};

struct berth_port_holds {
    const struct berth_port_hold_system *system;
    struct held_port at[BERTH_HELD_PORTS_MAX];
    size_t count;
    bool demanded;           /* a grant whose ports cannot be held is refused */
    bool missing;            /* a lease's port could not be held */
    enum berth_code refused; /* why a grant was refused last; BERTH_OK: that was told */
    uint16_t refused_port;
};

static bool is_held(const struct berth_port_holds *holds, const struct berth_lease *lease,
                    uint16_t port)
{
    for (size_t i = 0; i < holds->count; i++) {
        if (holds->at[i].port == port && strcmp(holds->at[i].lease, lease->id) == 0) {
            return true;
        }
    }
    return false;
}

static void let_go(struct berth_port_holds *holds, const struct berth_lease *lease)
{
    size_t kept = 0;

    for (size_t i = 0; i < holds->count; i++) {
        if (strcmp(holds->at[i].lease, lease->id) == 0) {
            holds->system->close(&holds->at[i].hold);
        } else {
            if (kept != i) {
                holds->at[kept] = holds->at[i];
            }
            kept++;
        }
    }
    holds->count = kept;
}

static enum berth_code hold_port(struct berth_port_holds *holds, const struct berth_lease *lease,
                                 uint16_t port, struct berth_error *err)
{
    struct held_port *held = &holds->at[holds->count];

    if (holds->count == BERTH_HELD_PORTS_MAX) {
        return berth_fail(err, BERTH_LIMIT_REACHED, 0,
                          "port %u cannot be held: %d ports are held already, the most", port,
                          BERTH_HELD_PORTS_MAX);
    }
    enum berth_code code = holds->system->open(port, &held->hold, err);
    if (code == BERTH_OK) {
        held->port = port;
        memcpy(held->lease, lease->id, sizeof held->lease);
        holds->count++;
    }
    return code;
}

/* Holds those ports of a lease that are not held, also after one that cannot be.
 * `failed_port` is the first of these. */
static enum berth_code hold_ports(struct berth_port_holds *holds, const struct berth_lease *lease,
                                  uint16_t *failed_port, struct berth_error *err)
{
    enum berth_code first = BERTH_OK;

    for (unsigned i = 0; i < lease->port_count; i++) {
        if (!is_held(holds, lease, lease->ports[i])) {
            enum berth_code code =
                hold_port(holds, lease, lease->ports[i], first == BERTH_OK ? err : NULL);
            if (first == BERTH_OK && code != BERTH_OK) {
                first = code;
                *failed_port = lease->ports[i];
            }
        }
    }
    return first;
}

static bool is_to_be_held(const struct berth_lease *lease)
{
    return lease->hold &&
           (lease->state == BERTH_LEASE_PENDING || lease->state == BERTH_LEASE_LINGERING);
}

static bool is_new(enum berth_lease_event event)
{
    return event == BERTH_LEASE_EVENT_GRANTED || event == BERTH_LEASE_EVENT_ADOPTED;
}

enum berth_code berth_port_holds_create(struct berth_port_holds **out,
                                        const struct berth_port_hold_system *system,
                                        struct berth_error *err)
{
    struct berth_port_holds *holds = NULL;

    if (system != NULL) {
        holds = berth_alloc(1, sizeof *holds);
        if (holds == NULL) {
            return berth_fail_memory(err, "the held ports");
        }
        holds->system = system;
    }
    *out = holds;
    return BERTH_OK;
}

void berth_port_holds_destroy(struct berth_port_holds *holds)
{
    if (holds == NULL) {
        return;
    }
    for (size_t i = 0; i < holds->count; i++) {
        holds->system->close(&holds->at[i].hold);
    }
    berth_free(holds);
}

size_t berth_port_holds_count(const struct berth_port_holds *holds)
{
    return holds != NULL ? holds->count : 0;
}

void berth_port_holds_demand(struct berth_port_holds *holds, bool demanded)
{
    holds->demanded = demanded;
}

enum berth_code berth_port_holds_prepare(struct berth_port_holds *holds,
                                         const struct berth_lease_change *change,
                                         struct berth_error *err)
{
    if (holds == NULL || !holds->demanded || !change->lease->hold || !is_new(change->event)) {
        return BERTH_OK;
    }
    enum berth_code code = hold_ports(holds, change->lease, &holds->refused_port, err);
    if (code != BERTH_OK) {
        holds->refused = code;
        let_go(holds, change->lease);
    }
    return code;
}

void berth_port_holds_undo(struct berth_port_holds *holds, const struct berth_lease_change *change)
{
    if (holds != NULL && is_new(change->event)) {
        let_go(holds, change->lease);
    }
}

bool berth_port_holds_explain(struct berth_port_holds *holds, struct berth_refusal *refusal)
{
    enum berth_code refused = holds->refused;

    holds->refused = BERTH_OK;
    if (refused == BERTH_PORT_IN_USE) {
        refusal->port = holds->refused_port;
    } else if (refused == BERTH_LIMIT_REACHED) {
        refusal->limit = "heldPorts";
        refusal->limit_value = BERTH_HELD_PORTS_MAX;
    }
    return refused != BERTH_OK;
}

void berth_port_holds_follow(struct berth_port_holds *holds, const struct berth_lease *lease,
                             enum berth_lease_event event)
{
    struct berth_error error;
    uint16_t port;

    (void)event; /* what counts is what has become of it */
    if (holds == NULL) {
        return;
    }
    if (!is_to_be_held(lease)) {
        let_go(holds, lease);
    } else if (hold_ports(holds, lease, &port, &error) != BERTH_OK) {
        holds->missing = true;
        berth_log(BERTH_LOG_WARNING, "the lease of %s stands, but %s", lease->key, error.detail);
    }
}

void berth_port_holds_retry(struct berth_port_holds *holds, const struct berth_allocator *allocator,
                            bool started)
{
    struct berth_error error;
    uint16_t port;

    if (holds == NULL || (!started && !holds->missing)) {
        return;
    }
    holds->missing = false;
    for (const struct berth_lease *lease = allocator->book.live.first; lease != NULL;
         lease = lease->next) {
        if (is_to_be_held(lease) && hold_ports(holds, lease, &port, &error) != BERTH_OK) {
            holds->missing = true;
            berth_log(started ? BERTH_LOG_WARNING : BERTH_LOG_DEBUG,
                      "the lease of %s stands, but %s", lease->key, error.detail);
        }
    }
}
