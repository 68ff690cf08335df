/* SPDX-License-Identifier: MIT */
#include "lease_book.h"

#include "base/compiler.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[BERTH_LEASE_STATE_COUNT] = {
    [BERTH_LEASE_PENDING] = "pending",
    [BERTH_LEASE_EXPIRED] = "expired",
    [BERTH_LEASE_RELEASED] = "released",
};

const char *berth_lease_state_name(enum berth_lease_state state)
{
    return state_names[state];
}

void berth_lease_book_init(struct berth_lease_book *book, uint64_t seed)
{
    *book = (struct berth_lease_book){.earliest_ms = UINT64_MAX};
    berth_hash_index_init(&book->by_key, seed);
    berth_hash_index_init(&book->by_id, seed);
    berth_hash_index_init(&book->owners, seed);
}

static void free_lease(struct berth_lease *lease)
{
    berth_free(lease->key);
    berth_free(lease->generation);
    berth_free(lease->holder);
    berth_free(lease->meta);
    berth_free(lease);
}

void berth_lease_book_fini(struct berth_lease_book *book)
{
    while (book->first != NULL) {
        berth_lease_book_remove(book, book->first);
    }
    berth_hash_index_fini(&book->by_key);
    berth_hash_index_fini(&book->by_id);
    berth_hash_index_fini(&book->owners);
}

/* ---- owners ---- */

static struct berth_lease_owner *find_owner(const struct berth_lease_book *book, const char *id)
{
    uint64_t hash = berth_hash_string(book->owners.seed, id);
    struct berth_hash_node *node = NULL;

    while ((node = berth_hash_index_find(&book->owners, hash, node)) != NULL) {
        struct berth_lease_owner *owner = BERTH_CONTAINER_OF(node, struct berth_lease_owner, by_id);
        if (strcmp(owner->id, id) == 0) {
            return owner;
        }
    }
    return NULL;
}

static void free_owner(struct berth_lease_owner *owner)
{
    berth_free(owner->id);
    berth_free(owner->name);
    berth_free(owner);
}

/* Finds an owner or makes one without leases; NULL: no memory. */
static struct berth_lease_owner *obtain_owner(struct berth_lease_book *book,
                                              const struct berth_owner *identity)
{
    struct berth_lease_owner *owner = find_owner(book, identity->id);

    if (owner != NULL) {
        return owner;
    }
    owner = berth_alloc(1, sizeof *owner);
    if (owner == NULL) {
        return NULL;
    }
    owner->id = berth_copy(identity->id);
    owner->name = berth_copy(identity->name);
    if (owner->id == NULL || owner->name == NULL ||
        !berth_hash_index_add(&book->owners, &owner->by_id,
                              berth_hash_string(book->owners.seed, owner->id))) {
        free_owner(owner);
        return NULL;
    }
    return owner;
}

static void drop_owner_without_leases(struct berth_lease_book *book,
                                      struct berth_lease_owner *owner)
{
    if (owner->lease_count == 0) {
        berth_hash_index_remove(&book->owners, &owner->by_id);
        free_owner(owner);
    }
}

size_t berth_lease_book_count_of(const struct berth_lease_book *book, const char *owner_id)
{
    const struct berth_lease_owner *owner = find_owner(book, owner_id);

    return owner != NULL ? owner->lease_count : 0;
}

/* ---- leases ---- */

static uint64_t key_hash(const struct berth_lease_book *book, const char *key,
                         const char *generation)
{
    return berth_hash_string(berth_hash_string(book->by_key.seed, key), generation);
}

struct berth_lease *berth_lease_book_find(const struct berth_lease_book *book, const char *key,
                                          const char *generation)
{
    uint64_t hash = key_hash(book, key, generation);
    struct berth_hash_node *node = NULL;

    while ((node = berth_hash_index_find(&book->by_key, hash, node)) != NULL) {
        struct berth_lease *lease = BERTH_CONTAINER_OF(node, struct berth_lease, by_key);
        if (strcmp(lease->key, key) == 0 && strcmp(lease->generation, generation) == 0) {
            return lease;
        }
    }
    return NULL;
}

struct berth_lease *berth_lease_book_find_id(const struct berth_lease_book *book, const char *id)
{
    uint64_t hash = berth_hash_string(book->by_id.seed, id);
    struct berth_hash_node *node = NULL;

    while ((node = berth_hash_index_find(&book->by_id, hash, node)) != NULL) {
        struct berth_lease *lease = BERTH_CONTAINER_OF(node, struct berth_lease, by_id);
        if (strcmp(lease->id, id) == 0) {
            return lease;
        }
    }
    return NULL;
}

/* Copies an optional string; false: no memory. */
static bool copy_optional(char **out, const char *text)
{
    *out = berth_copy(text);
    return text == NULL || *out != NULL;
}

static struct berth_lease *make_lease(const struct berth_lease_terms *terms)
{
    size_t size = sizeof(struct berth_lease) + terms->port_count * sizeof(uint16_t);
    struct berth_lease *lease = berth_alloc(1, size);

    if (lease == NULL) {
        return NULL;
    }
    if (!copy_optional(&lease->key, terms->key) ||
        !copy_optional(&lease->generation, terms->generation) ||
        !copy_optional(&lease->holder, terms->holder) ||
        !copy_optional(&lease->meta, terms->meta)) {
        free_lease(lease);
        return NULL;
    }
    lease->protocol = terms->protocol;
    lease->port_count = terms->port_count;
    memcpy(lease->ports, terms->ports, terms->port_count * sizeof(uint16_t));
    return lease;
}

static bool index_lease(struct berth_lease_book *book, struct berth_lease *lease,
                        const struct berth_owner *identity)
{
    lease->owner = obtain_owner(book, identity);
    if (lease->owner == NULL) {
        return false;
    }
    if (!berth_hash_index_add(&book->by_key, &lease->by_key,
                              key_hash(book, lease->key, lease->generation))) {
        drop_owner_without_leases(book, lease->owner);
        return false;
    }
    if (!berth_hash_index_add(&book->by_id, &lease->by_id,
                              berth_hash_string(book->by_id.seed, lease->id))) {
        berth_hash_index_remove(&book->by_key, &lease->by_key);
        drop_owner_without_leases(book, lease->owner);
        return false;
    }
    lease->owner->lease_count++;
    return true;
}

static void append(struct berth_lease_book *book, struct berth_lease *lease)
{
    lease->previous = book->last;
    if (book->last != NULL) {
        book->last->next = lease;
    } else {
        book->first = lease;
    }
    book->last = lease;
    book->count++;
}

enum berth_code berth_lease_book_add(struct berth_lease_book *book,
                                     const struct berth_lease_terms *terms, uint64_t id,
                                     uint64_t now_ms, int64_t unix_ms, struct berth_lease **out,
                                     struct berth_error *err)
{
    char id_text[BERTH_LEASE_ID_LENGTH + 1];

    if (book->count >= BERTH_LEASES_MAX) {
        return berth_fail(err, BERTH_LIMIT_REACHED, 0, "there are %zu leases already", book->count);
    }
    (void)snprintf(id_text, sizeof id_text, "%016" PRIx64, id);
    if (berth_lease_book_find_id(book, id_text) != NULL) {
        return berth_fail(err, BERTH_BUSY, 0, "the lease id %s is taken", id_text);
    }
    struct berth_lease *lease = make_lease(terms);
    if (lease == NULL) {
        return berth_fail_memory(err, "a lease");
    }
    memcpy(lease->id, id_text, sizeof id_text);
    if (!index_lease(book, lease, &terms->owner)) {
        free_lease(lease);
        return berth_fail_memory(err, "the lease index");
    }
    lease->state = BERTH_LEASE_PENDING;
    lease->granted_unix_ms = unix_ms;
    append(book, lease);
    berth_lease_book_renew(book, lease, terms->ttl_ms, now_ms);
    *out = lease;
    return BERTH_OK;
}

void berth_lease_book_remove(struct berth_lease_book *book, struct berth_lease *lease)
{
    berth_hash_index_remove(&book->by_key, &lease->by_key);
    berth_hash_index_remove(&book->by_id, &lease->by_id);
    if (lease->previous != NULL) {
        lease->previous->next = lease->next;
    } else {
        book->first = lease->next;
    }
    if (lease->next != NULL) {
        lease->next->previous = lease->previous;
    } else {
        book->last = lease->previous;
    }
    book->count--;
    lease->owner->lease_count--;
    drop_owner_without_leases(book, lease->owner);
    free_lease(lease);
}

void berth_lease_book_renew(struct berth_lease_book *book, struct berth_lease *lease,
                            uint64_t ttl_ms, uint64_t now_ms)
{
    uint64_t expires_ms = now_ms + ttl_ms;

    lease->ttl_ms = ttl_ms;
    if (expires_ms > lease->expires_ms) {
        lease->expires_ms = expires_ms;
    }
    if (lease->expires_ms < book->earliest_ms) {
        book->earliest_ms = lease->expires_ms;
    }
}

void berth_lease_book_end_due(struct berth_lease_book *book, uint64_t now_ms,
                              void (*end)(void *ctx, struct berth_lease *lease), void *ctx)
{
    uint64_t earliest_ms = UINT64_MAX;
    struct berth_lease *next;

    if (book->earliest_ms > now_ms) {
        return;
    }
    for (struct berth_lease *lease = book->first; lease != NULL; lease = next) {
        next = lease->next;
        if (lease->expires_ms <= now_ms) {
            end(ctx, lease);
        } else if (lease->expires_ms < earliest_ms) {
            earliest_ms = lease->expires_ms;
        }
    }
    book->earliest_ms = earliest_ms;
}
