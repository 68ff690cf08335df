/* SPDX-License-Identifier: MIT */
#include "lease_book.h"

#include "base/compiler.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void berth_lease_book_init(struct berth_lease_book *book, uint64_t seed)
{
    *book = (struct berth_lease_book){.earliest_ms = UINT64_MAX};
    berth_hash_index_init(&book->by_key, seed);
    berth_hash_index_init(&book->by_id, seed);
    berth_hash_index_init(&book->owners, seed);
}

bool berth_lease_key_is_adopted(const char *key)
{
    return strncmp(key, BERTH_LEASE_ADOPTED_PREFIX, sizeof BERTH_LEASE_ADOPTED_PREFIX - 1) == 0;
}

bool berth_lease_key_is_anonymous(const char *key, const char *id)
{
    size_t prefix = strlen(BERTH_LEASE_ANONYMOUS_PREFIX);

    return strncmp(key, BERTH_LEASE_ANONYMOUS_PREFIX, prefix) == 0 && strcmp(key + prefix, id) == 0;
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
    while (book->live.first != NULL) {
        berth_lease_book_remove(book, book->live.first);
    }
    while (book->ended.first != NULL) {
        berth_lease_book_remove(book, book->ended.first);
    }
    for (unsigned page = 0; page < BERTH_COUNT(book->by_port); page++) {
        berth_free(book->by_port[page]);
    }
    berth_hash_index_fini(&book->by_key);
    berth_hash_index_fini(&book->by_id);
    berth_hash_index_fini(&book->owners);
}

/* ---- owners ---- */

/* The next owner of an id after `after`, of whatever group; NULL: none. */
static struct berth_lease_owner *next_of_owner(const struct berth_lease_book *book, const char *id,
                                               struct berth_lease_owner *after)
{
    uint64_t hash = berth_hash_string(book->owners.seed, id);
    struct berth_hash_node *node = after != NULL ? &after->by_id : NULL;

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
    berth_free(owner->group);
    berth_free(owner);
}

/* Finds an owner or makes one without leases; NULL: no memory. */
static struct berth_lease_owner *obtain_owner(struct berth_lease_book *book,
                                              const struct berth_owner *identity)
{
    const char *group = identity->group != NULL ? identity->group : "";
    struct berth_lease_owner *owner = NULL;

    while ((owner = next_of_owner(book, identity->id, owner)) != NULL) {
        if (strcmp(owner->group, group) == 0) {
            return owner;
        }
    }
    owner = berth_alloc(1, sizeof *owner);
    if (owner == NULL) {
        return NULL;
    }
    owner->id = berth_copy(identity->id);
    owner->name = berth_copy(identity->name);
    owner->group = berth_copy(group);
    if (owner->id == NULL || owner->name == NULL || owner->group == NULL ||
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
    if (owner->uses == 0) {
        berth_hash_index_remove(&book->owners, &owner->by_id);
        free_owner(owner);
    }
}

/* ---- leases ---- */

/* The next lease of a key after `after`, of whatever generation; NULL: none. */
static struct berth_lease *next_of_key(const struct berth_lease_book *book, const char *key,
                                       struct berth_lease *after)
{
    struct berth_hash_node *node = after != NULL ? &after->by_key : NULL;
    uint64_t hash = berth_hash_string(book->by_key.seed, key);

    while ((node = berth_hash_index_find(&book->by_key, hash, node)) != NULL) {
        struct berth_lease *lease = BERTH_CONTAINER_OF(node, struct berth_lease, by_key);
        if (strcmp(lease->key, key) == 0) {
            return lease;
        }
    }
    return NULL;
}

struct berth_lease *berth_lease_book_find(const struct berth_lease_book *book, const char *key,
                                          const char *generation)
{
    struct berth_lease *lease = next_of_key(book, key, NULL);

    while (lease != NULL && strcmp(lease->generation, generation) != 0) {
        lease = next_of_key(book, key, lease);
    }
    return lease;
}

struct berth_lease *berth_lease_book_next_generation(const struct berth_lease_book *book,
                                                     const char *key, struct berth_lease *after)
{
    struct berth_lease *lease = next_of_key(book, key, after);

    while (lease != NULL &&
           (!berth_lease_state_is_live(lease->state) || lease->generation[0] == '\0')) {
        lease = next_of_key(book, key, lease);
    }
    return lease;
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
    lease->anonymous = terms->anonymous;
    lease->hold = terms->hold;
    lease->port_count = terms->port_count;
    memcpy(lease->ports, terms->ports, terms->port_count * sizeof(uint16_t));
    return lease;
}

/* Makes the pages of the lease's ports; false: no memory. */
static bool make_pages(struct berth_lease_book *book, const struct berth_lease *lease)
{
    for (unsigned i = 0; i < lease->port_count; i++) {
        struct berth_lease ***page = &book->by_port[lease->ports[i] >> 8];
        if (*page == NULL) {
            *page = berth_alloc(256, sizeof(struct berth_lease *));
        }
        if (*page == NULL) {
            return false;
        }
    }
    return true;
}

static struct berth_lease **place_at(const struct berth_lease_book *book, uint16_t port)
{
    return &book->by_port[port >> 8][port & 255];
}

struct berth_lease *berth_lease_book_at(const struct berth_lease_book *book, uint16_t port)
{
    return book->by_port[port >> 8] != NULL ? *place_at(book, port) : NULL;
}

void berth_lease_book_put_back(struct berth_lease_book *book, struct berth_lease *lease,
                               uint16_t port)
{
    *place_at(book, port) = lease;
}

static bool index_lease(struct berth_lease_book *book, struct berth_lease *lease,
                        const struct berth_owner *identity)
{
    if (!make_pages(book, lease)) {
        return false;
    }
    lease->owner = obtain_owner(book, identity);
    if (lease->owner == NULL) {
        return false;
    }
    if (!berth_hash_index_add(&book->by_key, &lease->by_key,
                              berth_hash_string(book->by_key.seed, lease->key))) {
        drop_owner_without_leases(book, lease->owner);
        return false;
    }
    if (!berth_hash_index_add(&book->by_id, &lease->by_id,
                              berth_hash_string(book->by_id.seed, lease->id))) {
        berth_hash_index_remove(&book->by_key, &lease->by_key);
        drop_owner_without_leases(book, lease->owner);
        return false;
    }
    lease->owner->uses++;
    lease->owner->lease_count++;
    for (unsigned i = 0; i < lease->port_count; i++) {
        *place_at(book, lease->ports[i]) = lease;
    }
    return true;
}

static void append(struct berth_lease_list *list, struct berth_lease *lease)
{
    lease->previous = list->last;
    lease->next = NULL;
    if (list->last != NULL) {
        list->last->next = lease;
    } else {
        list->first = lease;
    }
    list->last = lease;
    list->count++;
}

static void unlink_from(struct berth_lease_list *list, struct berth_lease *lease)
{
    if (lease->previous != NULL) {
        lease->previous->next = lease->next;
    } else {
        list->first = lease->next;
    }
    if (lease->next != NULL) {
        lease->next->previous = lease->previous;
    } else {
        list->last = lease->previous;
    }
    list->count--;
}

static struct berth_lease_list *list_of(struct berth_lease_book *book, enum berth_lease_state state)
{
    return berth_lease_state_is_live(state) ? &book->live : &book->ended;
}

enum berth_code berth_lease_book_add(struct berth_lease_book *book,
                                     const struct berth_lease_terms *terms, uint64_t id,
                                     uint64_t now_ms, int64_t unix_ms, struct berth_lease **out,
                                     struct berth_error *err)
{
    char id_text[BERTH_LEASE_ID_LENGTH + 1];

    if (book->live.count >= BERTH_LEASES_MAX) {
        return berth_fail(err, BERTH_LIMIT_REACHED, 0, "there are %zu leases already",
                          book->live.count);
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
    lease->serial = ++book->serial;
    append(&book->live, lease);
    berth_lease_book_renew(book, lease, terms->ttl_ms, now_ms);
    *out = lease;
    return BERTH_OK;
}

void berth_lease_book_remove(struct berth_lease_book *book, struct berth_lease *lease)
{
    berth_hash_index_remove(&book->by_key, &lease->by_key);
    berth_hash_index_remove(&book->by_id, &lease->by_id);
    unlink_from(list_of(book, lease->state), lease);
    for (unsigned i = 0; i < lease->port_count; i++) {
        struct berth_lease **place = place_at(book, lease->ports[i]);
        *place = *place == lease ? NULL : *place;
    }
    lease->owner->uses--;
    lease->owner->lease_count -= berth_lease_state_is_live(lease->state) ? 1 : 0;
    drop_owner_without_leases(book, lease->owner);
    free_lease(lease);
}

static void note_end(struct berth_lease_book *book, const struct berth_lease *lease)
{
    if (lease->ends_ms < book->earliest_ms) {
        book->earliest_ms = lease->ends_ms;
    }
}

void berth_lease_book_renew(struct berth_lease_book *book, struct berth_lease *lease,
                            uint64_t ttl_ms, uint64_t now_ms)
{
    uint64_t guaranteed_ms = now_ms + ttl_ms;

    lease->ttl_ms = ttl_ms;
    if (guaranteed_ms > lease->guaranteed_ms) {
        lease->guaranteed_ms = guaranteed_ms;
    }
    if (lease->state == BERTH_LEASE_PENDING ||
        (lease->state == BERTH_LEASE_LINGERING && lease->ends_ms < lease->guaranteed_ms)) {
        lease->ends_ms = lease->guaranteed_ms;
    }
    note_end(book, lease);
}

/* When a lease ends that just came into its state. */
static uint64_t end_of(const struct berth_lease *lease, uint64_t now_ms, uint64_t linger_ms)
{
    if (lease->state == BERTH_LEASE_PENDING) {
        return lease->guaranteed_ms;
    }
    if (lease->state != BERTH_LEASE_LINGERING) {
        return BERTH_LEASE_NO_END;
    }
    return lease->guaranteed_ms > now_ms + linger_ms ? lease->guaranteed_ms : now_ms + linger_ms;
}

bool berth_lease_book_move(struct berth_lease_book *book, struct berth_lease *lease,
                           enum berth_lease_happening happening, uint64_t now_ms,
                           uint64_t linger_ms)
{
    enum berth_lease_state next;

    if (!berth_lease_state_after(lease->state, happening, &next)) {
        return false;
    }
    bool was_live = berth_lease_state_is_live(lease->state);
    bool is_live = berth_lease_state_is_live(next);
    if (was_live != is_live) {
        unlink_from(list_of(book, lease->state), lease);
        append(list_of(book, next), lease);
        lease->owner->lease_count += is_live ? 1 : 0;
        lease->owner->lease_count -= was_live ? 1 : 0;
    }
    lease->state = next;
    lease->ends_ms = end_of(lease, now_ms, linger_ms);
    note_end(book, lease);
    return true;
}

struct berth_lease *berth_lease_book_surplus(const struct berth_lease_book *book)
{
    return book->ended.count > BERTH_LEASES_REMEMBERED_MAX ? book->ended.first : NULL;
}

size_t berth_lease_book_count_of(const struct berth_lease_book *book, const char *owner_id)
{
    struct berth_lease_owner *owner = NULL;
    size_t count = 0;

    while ((owner = next_of_owner(book, owner_id, owner)) != NULL) {
        count += owner->lease_count;
    }
    return count;
}

void berth_lease_book_end_due(struct berth_lease_book *book, uint64_t now_ms,
                              void (*end)(void *ctx, struct berth_lease *lease), void *ctx)
{
    uint64_t earliest_ms = UINT64_MAX;
    struct berth_lease *next;

    if (book->earliest_ms > now_ms) {
        return;
    }
    for (struct berth_lease *lease = book->live.first; lease != NULL; lease = next) {
        next = lease->next;
        if (lease->ends_ms <= now_ms) {
            end(ctx, lease);
        } else if (lease->ends_ms < earliest_ms) {
            earliest_ms = lease->ends_ms;
        }
    }
    book->earliest_ms = earliest_ms;
}
