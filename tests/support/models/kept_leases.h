/* SPDX-License-Identifier: MIT */
/* A lease store in memory: what an allocator has kept, for one that starts after it. */
#ifndef BERTH_TESTS_KEPT_LEASES_H
#define BERTH_TESTS_KEPT_LEASES_H

#include "allocator/allocator.h"
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#define KEPT_LEASES_MAX 16384

struct kept_lease {
    char id[BERTH_LEASE_ID_LENGTH + 1];
    char key[64];
    char generation[16];
    char holder[64]; /* "" : none */
    char owner_id[32];
    char owner_name[32];
    char owner_group[32];
    enum berth_protocol protocol;
    bool anonymous;
    enum berth_lease_state state;
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX];
    unsigned port_count;
    uint64_t ttl_ms;
    int64_t granted_unix_ms;
    int64_t changed_unix_ms;
};

struct kept_leases {
    struct kept_lease at[KEPT_LEASES_MAX]; /* oldest grant first */
    size_t count;
};

static inline struct kept_lease *kept_find(struct kept_leases *kept, const char *id)
{
    for (size_t i = kept->count; i-- > 0;) {
        if (strcmp(kept->at[i].id, id) == 0) {
            return &kept->at[i];
        }
    }
    return NULL;
}

/** Takes a lease out; one that is not there is an error of the allocator's. */
static inline void kept_remove(struct kept_leases *kept, const struct berth_lease *lease)
{
    struct kept_lease *gone = kept_find(kept, lease->id);

    assert_non_null(gone);
    kept->count--;
    memmove(gone, gone + 1, (size_t)(&kept->at[kept->count] - gone) * sizeof *gone);
}

/** Keeps a change as a store would: all of it. */
static inline void kept_put(struct kept_leases *kept, const struct berth_lease_change *change)
{
    const struct berth_lease *lease = change->lease;
    struct kept_lease *to = kept_find(kept, lease->id);

    if (change->replaced != NULL) {
        kept_remove(kept, change->replaced);
        to = NULL;
    }
    if (to == NULL) {
        assert_true(kept->count < KEPT_LEASES_MAX);
        to = &kept->at[kept->count++];
    }
    *to = (struct kept_lease){.protocol = lease->protocol,
                              .anonymous = lease->anonymous,
                              .state = change->state,
                              .port_count = lease->port_count,
                              .ttl_ms = lease->ttl_ms,
                              .granted_unix_ms = lease->granted_unix_ms,
                              .changed_unix_ms = change->unix_ms};
    (void)snprintf(to->id, sizeof to->id, "%s", lease->id);
    (void)snprintf(to->key, sizeof to->key, "%s", lease->key);
    (void)snprintf(to->generation, sizeof to->generation, "%s", lease->generation);
    (void)snprintf(to->holder, sizeof to->holder, "%s", lease->holder != NULL ? lease->holder : "");
    (void)snprintf(to->owner_id, sizeof to->owner_id, "%s", lease->owner->id);
    (void)snprintf(to->owner_name, sizeof to->owner_name, "%s", lease->owner->name);
    (void)snprintf(to->owner_group, sizeof to->owner_group, "%s", lease->owner->group);
    memcpy(to->ports, lease->ports, lease->port_count * sizeof *to->ports);
}

static inline struct berth_lease_kept kept_as_read(const struct kept_lease *from)
{
    return (struct berth_lease_kept){
        .terms = {.key = from->key,
                  .generation = from->generation,
                  .anonymous = from->anonymous,
                  .holder = from->holder[0] != '\0' ? from->holder : NULL,
                  .protocol = from->protocol,
                  .owner = {from->owner_id, from->owner_name, from->owner_group},
                  .ports = from->ports,
                  .port_count = from->port_count,
                  .ttl_ms = from->ttl_ms},
        .id = from->id,
        .state = from->state,
        .granted_unix_ms = from->granted_unix_ms,
        .ended_unix_ms = from->changed_unix_ms,
    };
}

/** Restores all into an allocator.  @return BERTH_OK, or what the allocator said */
static inline enum berth_code kept_restore(const struct kept_leases *kept,
                                           struct berth_allocator *allocator, struct berth_now now,
                                           struct berth_error *err)
{
    enum berth_code code = BERTH_OK;

    for (size_t i = 0; i < kept->count && code == BERTH_OK; i++) {
        const struct berth_lease_kept lease = kept_as_read(&kept->at[i]);
        code = berth_allocator_restore(allocator, &lease, now, err);
    }
    return code;
}

#endif
