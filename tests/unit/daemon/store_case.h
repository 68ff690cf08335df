/* SPDX-License-Identifier: MIT */
/* Lease records that a test can tell from their content: record `slot` in its `version`, every
 * field of it made from the two. A list of slots and versions is then all that a store should hold.
 */
#ifndef BERTH_TESTS_STORE_CASE_H
#define BERTH_TESTS_STORE_CASE_H

#include "cmocka_all.h"
#include "daemon/store.h"

#include <stdio.h>

#define CASE_SLOTS 32

/* What a store holds: the version of each slot, 0 for none. */
struct case_list {
    unsigned version[CASE_SLOTS];
};

/* A record with the memory of its strings. */
struct case_record {
    struct berth_lease_record record;
    char texts[9][160];
    char meta[700];
};

/** Makes record `slot` (0 to CASE_SLOTS - 1) in its `version` (from 1). */
static inline const struct berth_lease_record *case_record_make(struct case_record *out,
                                                                unsigned slot, unsigned version)
{
    static const char *const states[] = {"pending", "active", "lingering", "expired"};
    struct berth_lease_record *record = &out->record;
    char(*texts)[160] = out->texts;
    int length = (int)((slot * 37 + version * 13) % 600); /* records of many sizes */

    memset(out, 0, sizeof *out);
    (void)snprintf(texts[0], sizeof texts[0], "%016x", slot);
    (void)snprintf(texts[1], sizeof texts[1], "Octopus/Umgebung-\xC3\xA4/%u/%u", slot, version);
    (void)snprintf(texts[2], sizeof texts[2], "2024.%u", version);
    (void)snprintf(texts[3], sizeof texts[3], "site:Shop %u-%u", slot, version);
    (void)snprintf(texts[4], sizeof texts[4], "%s", version % 2 != 0 ? "https" : "");
    (void)snprintf(texts[5], sizeof texts[5], "S-1-5-21-%u", slot);
    (void)snprintf(texts[6], sizeof texts[6], "CORP\\deploy%u", slot);
    (void)snprintf(texts[7], sizeof texts[7], "S-1-5-32-%u", version);
    (void)snprintf(out->meta, sizeof out->meta, "{\"v\":%u,\"fill\":\"%0*u\"}", version, length,
                   slot);
    record->id = texts[0];
    record->key = texts[1];
    record->generation = texts[2];
    record->holder = texts[3];
    record->meta = out->meta;
    record->protocol = texts[4];
    record->owner_id = texts[5];
    record->owner_name = texts[6];
    record->owner_group = texts[7];
    record->state = states[version % BERTH_COUNT(states)];
    record->port_count = 1 + (slot + version) % 5;
    for (unsigned i = 0; i < record->port_count; i++) {
        record->ports[i] = (uint16_t)(49000 + slot * 100 + version % 50 + i);
    }
    record->granted_unix_ms = 1700000000000 + slot;
    record->expires_unix_ms = 1700000000000 + version;
    record->ttl_ms = 86400000 + version;
    record->hold = (slot + version) % 3 == 0;
    return record;
}

static inline bool case_records_equal(const struct berth_lease_record *a,
                                      const struct berth_lease_record *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->key, b->key) == 0 &&
           strcmp(a->generation, b->generation) == 0 && strcmp(a->holder, b->holder) == 0 &&
           strcmp(a->meta, b->meta) == 0 && strcmp(a->protocol, b->protocol) == 0 &&
           strcmp(a->owner_id, b->owner_id) == 0 && strcmp(a->owner_name, b->owner_name) == 0 &&
           strcmp(a->owner_group, b->owner_group) == 0 && strcmp(a->state, b->state) == 0 &&
           a->port_count == b->port_count &&
           memcmp(a->ports, b->ports, a->port_count * sizeof a->ports[0]) == 0 &&
           a->granted_unix_ms == b->granted_unix_ms && a->expires_unix_ms == b->expires_unix_ms &&
           a->ttl_ms == b->ttl_ms && a->hold == b->hold;
}

/** For berth_store_load(): fills a list; a record that is no whole case record, or comes twice, is
 *  an error. */
static inline enum berth_code case_list_take(void *ctx, const struct berth_lease_record *record,
                                             struct berth_error *err)
{
    struct case_list *list = ctx;
    struct case_record expected;
    unsigned slot;
    unsigned version;

    /* cut short or not: the comparison with the whole record decides */
    if (sscanf(record->key, "Octopus/Umgebung-\xC3\xA4/%u/%u", &slot, &version) != 2 ||
        slot >= CASE_SLOTS || version == 0 || list->version[slot] != 0 ||
        !case_records_equal(case_record_make(&expected, slot, version), record)) {
        return berth_fail(err, BERTH_INTERNAL, 0, "not a record as it was put: %s", record->key);
    }
    list->version[slot] = version;
    return BERTH_OK;
}

/** Loads the whole store. On an error the list is not to be looked at. */
static inline enum berth_code case_load(struct berth_store *store, struct case_list *out,
                                        struct berth_error *err)
{
    memset(out, 0, sizeof *out);
    return berth_store_load(store, case_list_take, out, err);
}

static inline bool case_lists_equal(const struct case_list *a, const struct case_list *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/** Opens the store of a folder.  @param[in] durability  and 90 days of history */
static inline enum berth_code case_open(struct berth_store **out, const char *folder,
                                        enum berth_durability durability, struct berth_error *err)
{
    const struct berth_store_options options = {
        .folder = folder, .durability = durability, .history_ms = (uint64_t)90 * 86400000};

    return berth_store_open(out, &options, err);
}

/** Puts a slot's record in a version, with a history entry of it. */
static inline enum berth_code case_put(struct berth_store *store, unsigned slot, unsigned version,
                                       struct berth_error *err)
{
    struct case_record memory;
    const struct berth_lease_record *record = case_record_make(&memory, slot, version);
    const struct berth_history_entry entry = {1700000000000 + version, "lease.granted",
                                              record->ports[0],        record->key,
                                              record->generation,      record->owner_name};

    return berth_store_put(store, record, &entry, err);
}

/** Removes a slot's record. */
static inline enum berth_code case_remove(struct berth_store *store, unsigned slot,
                                          struct berth_error *err)
{
    struct case_record memory;

    return berth_store_remove(store, case_record_make(&memory, slot, 1)->id, NULL, err);
}

#endif
