/* SPDX-License-Identifier: MIT */
/* Conflicts over what is kept for somebody: leases, reserved and excluded ports. */
#include "conflict_finder.h"
#include "expected_server.h"

/* ---- lease_taken ---- */

/* Who the lease is for. */
struct lessee {
    enum { LESSEE_ANYBODY, LESSEE_ANY_SITE, LESSEE_SITE, LESSEE_PROCESS } type;
    const char *name;                     /* of LESSEE_SITE, LESSEE_PROCESS */
    bool protocols[BERTH_PROTOCOL_COUNT]; /* those whose server may listen for it */
};

static struct lessee read_holder(const char *holder)
{
    struct lessee lessee = {.type = LESSEE_ANY_SITE};

    if (holder == NULL) {
        return lessee;
    }
    if (berth_starts_any_case(holder, "site:", &lessee.name)) {
        lessee.type = LESSEE_SITE;
    } else if (berth_starts_any_case(holder, "process:", &lessee.name)) {
        lessee.type = LESSEE_PROCESS;
    } else if (berth_compare_any_case(holder, "any") == 0) {
        lessee.type = LESSEE_ANYBODY;
    }
    return lessee;
}

static bool is_lessees_binding(const struct lessee *lessee, const struct berth_claim *binding)
{
    return lessee->type == LESSEE_ANY_SITE ||
           (lessee->type == LESSEE_SITE &&
            berth_compare_any_case(lessee->name, binding->holder) == 0);
}

/* Notes which servers may listen for a site: those of its bindings here and of the protocol asked
 * for; while nothing is known, that of a web site. */
static void note_protocols(struct lessee *lessee, const struct berth_finder *finder)
{
    bool known = false;

    for (size_t i = 0; i < finder->sites.count; i++) {
        const struct berth_claim *binding = finder->sites.items[i].claim;
        if (is_lessees_binding(lessee, binding)) {
            lessee->protocols[binding->protocol] = true;
            known = true;
        }
    }
    switch (finder->in->lease->protocol) {
    case BERTH_PROTOCOL_HTTP:
    case BERTH_PROTOCOL_HTTPS:
    case BERTH_PROTOCOL_FTP:
    case BERTH_PROTOCOL_NET_TCP:
        lessee->protocols[finder->in->lease->protocol] = true;
        break;
    default:
        if (!known) {
            lessee->protocols[BERTH_PROTOCOL_HTTP] = true;
        }
        break;
    }
}

/* Tells whether a socket is surely not the lessee's. */
static bool is_intruder(const struct berth_finder *finder, const struct lessee *lessee,
                        const struct berth_claim *socket)
{
    if (berth__serves_binding(finder, socket)) {
        return false;
    }
    if (lessee->type == LESSEE_PROCESS) {
        return socket->holder != NULL && !berth_image_equal(lessee->name, socket->holder);
    }
    for (unsigned protocol = 0; protocol < BERTH_PROTOCOL_COUNT; protocol++) {
        if (lessee->protocols[protocol] &&
            berth_server_judge((enum berth_protocol)protocol, socket,
                               finder->in->facts->http_sys) != BERTH_IS_OTHER) {
            return false;
        }
    }
    return true;
}

static uint64_t lease_id_start(const struct berth_finder *finder, const char *by)
{
    uint64_t id = berth__conflict_id_start(finder, BERTH_CONFLICT_LEASE_TAKEN);

    return berth__id_text(berth__id_text(id, finder->in->lease->id), by);
}

/* A socket that is bound or connected takes the lease only where nobody listens, nor did lately:
 * else it is the rest of a service, or the start of one. */
static void find_idle_sockets(struct berth_finder *finder, const struct lessee *lessee)
{
    if (finder->sockets.count != 0 || finder->in->listened_lately) {
        return;
    }
    for (size_t i = 0; i < finder->bound.count; i++) {
        const struct berth_claim *socket = finder->bound.items[i].claim;
        if (is_intruder(finder, lessee, socket)) {
            berth__conflict_add(finder, BERTH_CONFLICT_LEASE_TAKEN, BERTH_CONFLICT_WARNING,
                                berth__id_process(lease_id_start(finder, "bound"), socket),
                                finder->lease, socket);
        }
    }
    if (finder->connection != NULL) {
        berth__conflict_add(finder, BERTH_CONFLICT_LEASE_TAKEN, BERTH_CONFLICT_WARNING,
                            lease_id_start(finder, "connection"), finder->lease,
                            finder->connection);
    }
}

void berth__find_lease_taken(struct berth_finder *finder)
{
    if (finder->lease == NULL || finder->in->lease == NULL) {
        return;
    }
    struct lessee lessee = read_holder(finder->in->lease->holder);
    if (lessee.type == LESSEE_ANYBODY) {
        return;
    }
    note_protocols(&lessee, finder);
    for (size_t i = 0; i < finder->sites.count; i++) {
        const struct berth_claim *binding = finder->sites.items[i].claim;
        if (!is_lessees_binding(&lessee, binding)) {
            berth__conflict_add(finder, BERTH_CONFLICT_LEASE_TAKEN,
                                berth__severity_of_site(binding),
                                berth__id_name(lease_id_start(finder, "site"), binding->holder),
                                finder->lease, binding);
        }
    }
    for (size_t i = 0; i < finder->sockets.count; i++) {
        const struct berth_claim *socket = finder->sockets.items[i].claim;
        if (is_intruder(finder, &lessee, socket)) {
            berth__conflict_add(finder, BERTH_CONFLICT_LEASE_TAKEN, BERTH_CONFLICT_ERROR,
                                berth__id_process(lease_id_start(finder, "listener"), socket),
                                finder->lease, socket);
        }
    }
    find_idle_sockets(finder, &lessee);
}

/* ---- binding_excluded, reserved_used ---- */

void berth__find_excluded(struct berth_finder *finder)
{
    if (finder->exclusion != NULL && finder->sites.count != 0) {
        const struct berth_claim *site = finder->sites.items[0].claim;
        berth__conflict_add(finder, BERTH_CONFLICT_BINDING_EXCLUDED, berth__severity_of_site(site),
                            berth__conflict_id_start(finder, BERTH_CONFLICT_BINDING_EXCLUDED), site,
                            finder->exclusion);
    }
}

static void add_reserved(struct berth_finder *finder, uint64_t id, const struct berth_claim *user)
{
    berth__conflict_add(finder, BERTH_CONFLICT_RESERVED_USED, BERTH_CONFLICT_WARNING, id,
                        finder->reservation, user);
}

void berth__find_reserved_used(struct berth_finder *finder)
{
    const uint64_t id = berth__conflict_id_start(finder, BERTH_CONFLICT_RESERVED_USED);

    if (finder->reservation == NULL) {
        return;
    }
    if (finder->lease != NULL) {
        add_reserved(finder, berth__id_text(id, "lease"), finder->lease);
    }
    if (finder->sites.count != 0) {
        add_reserved(finder, berth__id_text(id, "site"), finder->sites.items[0].claim);
    }
    for (size_t i = 0; i < finder->sockets.count; i++) {
        const struct berth_claim *socket = finder->sockets.items[i].claim;
        if (!berth__serves_binding(finder, socket)) {
            add_reserved(finder, berth__id_process(berth__id_text(id, "listener"), socket), socket);
        }
    }
}
