/* SPDX-License-Identifier: MIT */
/* A lease record and its row, the digest that tells whether it is as it was written, and the seal
 * over all of them. */
#include "store_internal.h"

#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PORTS_TEXT_MAX (BERTH_STORE_PORTS_MAX * 6 + 1)

/* The strings of a record, in the order of their columns. */
static const size_t strings[] = {offsetof(struct berth_lease_record, id),
                                 offsetof(struct berth_lease_record, key),
                                 offsetof(struct berth_lease_record, generation),
                                 offsetof(struct berth_lease_record, holder),
                                 offsetof(struct berth_lease_record, meta),
                                 offsetof(struct berth_lease_record, protocol),
                                 offsetof(struct berth_lease_record, owner_id),
                                 offsetof(struct berth_lease_record, owner_name),
                                 offsetof(struct berth_lease_record, owner_group),
                                 offsetof(struct berth_lease_record, state)};

/* The columns after the strings. */
enum {
    COLUMN_PORTS = BERTH_COUNT(strings),
    COLUMN_GRANTED,
    COLUMN_EXPIRES,
    COLUMN_TTL,
    COLUMN_HOLD,
    COLUMN_DIGEST,
    COLUMN_SERIAL
};

static const char *string_at(const struct berth_lease_record *record, size_t offset)
{
    const char *text;

    memcpy(&text, (const char *)record + offset, sizeof text);
    return text != NULL ? text : "";
}

/* FNV-1a. It has to find accidents, not attackers: those own the file. */
uint64_t berth_store_hash(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;

    hash ^= 0xCBF29CE484222325U;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ at[i]) * 0x100000001B3U;
    }
    return hash;
}

uint64_t berth_store_hash_text(const char *text)
{
    return berth_store_hash(0, text, strlen(text));
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8];

    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    return berth_store_hash(hash, bytes, sizeof bytes);
}

/* So that sums of digests differ in all bits. (The finaliser of MurmurHash3.) */
static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDU;
    hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53U;
    return hash ^ (hash >> 33);
}

uint64_t berth_store_digest(const struct berth_lease_record *record)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < BERTH_COUNT(strings); i++) {
        const char *text = string_at(record, strings[i]);
        hash = berth_store_hash(hash, text, strlen(text) + 1);
    }
    for (unsigned i = 0; i < record->port_count; i++) {
        hash = hash_number(hash, record->ports[i]);
    }
    hash = hash_number(hash, (uint64_t)record->granted_unix_ms);
    hash = hash_number(hash, (uint64_t)record->expires_unix_ms);
    hash = hash_number(hash, record->ttl_ms);
    return mix(hash_number(hash, record->hold ? 1 : 0));
}

enum berth_code berth_store_check_record(const struct berth_lease_record *record,
                                         struct berth_error *err)
{
    for (size_t i = 0; i < BERTH_COUNT(strings); i++) {
        if (strlen(string_at(record, strings[i])) > BERTH_STORE_TEXT_MAX) {
            return berth_fail(err, BERTH_TOO_LARGE, 0, "a text of a lease is longer than %zu bytes",
                              BERTH_STORE_TEXT_MAX);
        }
    }
    if (record->id == NULL || record->id[0] == '\0') {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "a lease without an id cannot be stored");
    }
    if (record->port_count > BERTH_STORE_PORTS_MAX || record->ttl_ms > INT64_MAX) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "lease %.32s cannot be stored: over %d ports, or a ttl out of range",
                          record->id, BERTH_STORE_PORTS_MAX);
    }
    return BERTH_OK;
}

int berth_store_run(sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);

    (void)sqlite3_reset(statement);
    return result;
}

static int write_ports(char *out, size_t size, const struct berth_lease_record *record)
{
    int length = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < record->port_count; i++) {
        length += snprintf(out + length, size - (size_t)length, i > 0 ? " %u" : "%u",
                           (unsigned)record->ports[i]);
    }
    return length;
}

/* Takes "49000 49001" only as write_ports() would have written it; the digest sees to the values.
 */
static bool read_ports(struct berth_lease_record *out, const char *text)
{
    out->port_count = 0;
    while (*text != '\0') {
        unsigned port = 0;
        const char *start = text;
        for (; *text >= '0' && *text <= '9' && port <= UINT16_MAX; text++) {
            port = port * 10 + (unsigned)(*text - '0');
        }
        if (text == start || port > UINT16_MAX || out->port_count == BERTH_STORE_PORTS_MAX) {
            return false;
        }
        out->ports[out->port_count++] = (uint16_t)port;
        if (*text == ' ' && text[1] != '\0') {
            text++;
        } else if (*text != '\0') {
            return false;
        }
    }
    return true;
}

/* Finds the digest and serial of the record of an id.  @return SQLITE_ROW, SQLITE_DONE: none, … */
static int find(struct berth_store *store, const char *id, uint64_t *digest, int64_t *serial)
{
    sqlite3_stmt *query = store->statements[BERTH_SQL_LEASE_FIND];
    int result = sqlite3_bind_text(query, 1, id, -1, SQLITE_STATIC);

    if (result == SQLITE_OK) {
        result = sqlite3_step(query);
    }
    if (result == SQLITE_ROW) {
        *digest = (uint64_t)sqlite3_column_int64(query, 0);
        *serial = sqlite3_column_int64(query, 1);
    }
    (void)sqlite3_reset(query);
    return result;
}

static int bind_record(sqlite3_stmt *row, const struct berth_lease_record *record,
                       const char *ports, int ports_length)
{
    int result = SQLITE_OK;

    for (size_t i = 0; i < BERTH_COUNT(strings) && result == SQLITE_OK; i++) {
        result =
            sqlite3_bind_text(row, (int)i + 1, string_at(record, strings[i]), -1, SQLITE_STATIC);
    }
    if (result == SQLITE_OK) {
        result = sqlite3_bind_text(row, COLUMN_PORTS + 1, ports, ports_length, SQLITE_STATIC);
    }
    /* integers need no memory and cannot fail */
    (void)sqlite3_bind_int64(row, COLUMN_GRANTED + 1, record->granted_unix_ms);
    (void)sqlite3_bind_int64(row, COLUMN_EXPIRES + 1, record->expires_unix_ms);
    (void)sqlite3_bind_int64(row, COLUMN_TTL + 1, (int64_t)record->ttl_ms);
    (void)sqlite3_bind_int64(row, COLUMN_HOLD + 1, record->hold ? 1 : 0);
    return result;
}

int berth_store_put_record(struct berth_store *store, const struct berth_lease_record *record)
{
    sqlite3_stmt *row = store->statements[BERTH_SQL_LEASE_PUT];
    uint64_t digest = berth_store_digest(record);
    uint64_t old = 0;
    int64_t serial = store->seal.serial + 1;
    char ports[PORTS_TEXT_MAX];
    int ports_length = write_ports(ports, sizeof ports, record);

    int found = find(store, record->id, &old, &serial);
    if (found != SQLITE_ROW && found != SQLITE_DONE) {
        return found;
    }
    int result = bind_record(row, record, ports, ports_length);
    (void)sqlite3_bind_int64(row, COLUMN_DIGEST + 1, (int64_t)digest);
    (void)sqlite3_bind_int64(row, COLUMN_SERIAL + 1, serial);
    if (result == SQLITE_OK) {
        result = berth_store_run(row);
    }
    (void)sqlite3_clear_bindings(row);
    if (result == SQLITE_DONE) {
        store->seal.sum += digest - old;
        store->seal.leases += found == SQLITE_DONE ? 1 : 0;
        store->seal.serial += found == SQLITE_DONE ? 1 : 0;
    }
    return result;
}

int berth_store_remove_record(struct berth_store *store, const char *id)
{
    sqlite3_stmt *removal = store->statements[BERTH_SQL_LEASE_REMOVE];
    uint64_t old = 0;
    int64_t serial;

    int result = find(store, id, &old, &serial);
    if (result != SQLITE_ROW) {
        return result;
    }
    result = sqlite3_bind_text(removal, 1, id, -1, SQLITE_STATIC);
    if (result == SQLITE_OK) {
        result = berth_store_run(removal);
    }
    if (result == SQLITE_DONE) {
        store->seal.sum -= old;
        store->seal.leases--;
    }
    return result;
}

static const char *column_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    /* cut at an inner NUL, which only damage puts there: the digest differs then */
    return text != NULL ? text : "";
}

bool berth_store_row(sqlite3_stmt *row, struct berth_lease_record *out)
{
    for (size_t i = 0; i < BERTH_COUNT(strings); i++) {
        const char *text = column_text(row, (int)i);
        memcpy((char *)out + strings[i], &text, sizeof text);
    }
    out->granted_unix_ms = sqlite3_column_int64(row, COLUMN_GRANTED);
    out->expires_unix_ms = sqlite3_column_int64(row, COLUMN_EXPIRES);
    out->ttl_ms = (uint64_t)sqlite3_column_int64(row, COLUMN_TTL);
    out->hold = sqlite3_column_int64(row, COLUMN_HOLD) != 0;
    return read_ports(out, column_text(row, COLUMN_PORTS)) &&
           berth_store_digest(out) == (uint64_t)sqlite3_column_int64(row, COLUMN_DIGEST);
}

uint64_t berth_store_seal_digest(const struct berth_store_seal *seal)
{
    uint64_t hash = hash_number(0, (uint64_t)seal->store);

    hash = hash_number(hash, (uint64_t)seal->changes);
    hash = hash_number(hash, (uint64_t)seal->serial);
    hash = hash_number(hash, (uint64_t)seal->leases);
    return mix(hash_number(hash, seal->sum));
}

enum berth_code berth_store_seal_read(struct berth_store *store, struct berth_error *err)
{
    sqlite3_stmt *row = store->statements[BERTH_SQL_SEAL_READ];
    struct berth_store_seal *seal = &store->seal;
    uint64_t digest = 0;

    int result = sqlite3_step(row);
    if (result == SQLITE_ROW) {
        seal->store = sqlite3_column_int64(row, 0);
        seal->changes = sqlite3_column_int64(row, 1);
        seal->serial = sqlite3_column_int64(row, 2);
        seal->leases = sqlite3_column_int64(row, 3);
        seal->sum = (uint64_t)sqlite3_column_int64(row, 4);
        digest = (uint64_t)sqlite3_column_int64(row, 5);
        store->recent_last = sqlite3_column_int64(row, 6);
        store->recent_first = sqlite3_column_int64(row, 7);
    }
    (void)sqlite3_reset(row);
    if (result == SQLITE_DONE ||
        (result == SQLITE_ROW && digest != berth_store_seal_digest(seal))) {
        return berth_store_fail_damaged(store, "its seal is broken", err);
    }
    return result == SQLITE_ROW ? BERTH_OK : berth_store_fail(store, result, "reading", err);
}
