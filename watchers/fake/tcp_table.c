/* SPDX-License-Identifier: MIT */
#include "tcp_table_script.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define CLAIMS_MAX 4096
#define HOLDER_SIZE 64

struct scripted_claim {
    struct berth_claim claim;
    char holder[HOLDER_SIZE];
};

struct failures {
    unsigned times;
    enum berth_code code;
    char reason[200];
};

static struct {
    uv_once_t once;
    uv_mutex_t mutex;
    uv_cond_t changed;
    struct scripted_claim *claims;
    size_t count;
    struct failures opens;
    struct failures reads;
    struct berth_tcp_capabilities capabilities;
    uint64_t durations[BERTH_TCP_PART_COUNT];
    uv_thread_t reader; /* whose thread read last; at first the one that reset the script */
    unsigned begun[1u << BERTH_TCP_PART_COUNT]; /* by scopes */
    unsigned tables;
    uint32_t suggested; /* the last one; 0: none */
    bool held;
} script = {.once = UV_ONCE_INIT};

struct berth_tcp_table {
    struct berth_tcp_capabilities capabilities;
    struct scripted_claim *copies; /* what the last read gave */
    struct berth_claim *claims;
};

static void set_up(void)
{
    if (uv_mutex_init(&script.mutex) != 0 || uv_cond_init(&script.changed) != 0) {
        abort();
    }
}

static void lock(void)
{
    uv_once(&script.once, set_up);
    uv_mutex_lock(&script.mutex);
}

static void unlock(void)
{
    uv_mutex_unlock(&script.mutex);
}

/* --- the script ----------------------------------------------------------------------------- */

void berth_fake_tcp_reset(void)
{
    lock();
    script.count = 0;
    script.opens.times = 0;
    script.reads.times = 0;
    script.capabilities = (struct berth_tcp_capabilities){.lists_bound = true};
    memset(script.durations, 0, sizeof script.durations);
    script.reader = uv_thread_self();
    memset(script.begun, 0, sizeof script.begun);
    script.held = false;
    script.suggested = 0;
    if (script.claims == NULL) {
        script.claims = calloc(CLAIMS_MAX, sizeof *script.claims);
    }
    if (script.claims == NULL) {
        abort();
    }
    unlock();
}

void berth_fake_tcp_free(void)
{
    lock();
    free(script.claims);
    script.claims = NULL;
    script.count = 0;
    unlock();
}

void berth_fake_tcp_add(const struct berth_claim *claim)
{
    size_t i = 0;

    lock();
    while (i < script.count && berth_claim_compare(&script.claims[i].claim, claim) != 0) {
        i++;
    }
    if (i < script.count) {
        script.claims[i].claim.count += claim->count;
    } else if (i < CLAIMS_MAX) {
        struct scripted_claim *added = &script.claims[script.count++];
        added->claim = *claim;
        if (claim->holder != NULL) {
            (void)snprintf(added->holder, sizeof added->holder, "%s", claim->holder);
            added->claim.holder = added->holder;
        }
    } else {
        abort();
    }
    unlock();
}

size_t berth_fake_tcp_remove(uint16_t port)
{
    size_t kept = 0;
    size_t before;

    lock();
    before = script.count;
    for (size_t i = 0; i < before; i++) {
        if (script.claims[i].claim.port != port) {
            struct scripted_claim *to = &script.claims[kept++];
            *to = script.claims[i];
            to->claim.holder = to->claim.holder != NULL ? to->holder : NULL;
        }
    }
    script.count = kept;
    unlock();
    return before - kept;
}

static void set_failures(struct failures *failures, unsigned times, enum berth_code code,
                         const char *reason)
{
    lock();
    failures->times = times;
    failures->code = code;
    (void)snprintf(failures->reason, sizeof failures->reason, "%s", reason);
    unlock();
}

void berth_fake_tcp_fail_opens(unsigned times, enum berth_code code, const char *reason)
{
    set_failures(&script.opens, times, code, reason);
}

void berth_fake_tcp_fail_reads(unsigned times, enum berth_code code, const char *reason)
{
    set_failures(&script.reads, times, code, reason);
}

void berth_fake_tcp_lists_bound(bool lists, const char *reason)
{
    lock();
    script.capabilities.lists_bound = lists;
    (void)snprintf(script.capabilities.detail, sizeof script.capabilities.detail, "%s",
                   lists ? "" : reason);
    unlock();
}

void berth_fake_tcp_duration(enum berth_tcp_part part, uint64_t duration_ns)
{
    lock();
    script.durations[part] = duration_ns;
    unlock();
}

static void set_held(bool held)
{
    lock();
    script.held = held;
    uv_cond_broadcast(&script.changed);
    unlock();
}

void berth_fake_tcp_hold(void)
{
    set_held(true);
}

void berth_fake_tcp_let_go(void)
{
    set_held(false);
}

uint32_t berth_fake_tcp_suggested(void)
{
    lock();
    uint32_t process_id = script.suggested;
    unlock();
    return process_id;
}

bool berth_fake_tcp_read_here(void)
{
    uv_thread_t self = uv_thread_self();

    lock();
    bool here = uv_thread_equal(&self, &script.reader) != 0;
    unlock();
    return here;
}

unsigned berth_fake_tcp_reads(unsigned scopes)
{
    unsigned sum = 0;

    lock();
    for (unsigned i = 0; i < BERTH_COUNT(script.begun); i++) {
        sum += (i & scopes) != 0 ? script.begun[i] : 0;
    }
    unlock();
    return sum;
}

unsigned berth_fake_tcp_open_tables(void)
{
    unsigned tables;

    lock();
    tables = script.tables;
    unlock();
    return tables;
}

/* --- the contract --------------------------------------------------------------------------- */

/* With the lock held. */
static enum berth_code take_failure(struct failures *failures, struct berth_error *err)
{
    if (failures->times == 0) {
        return BERTH_OK;
    }
    failures->times--;
    return berth_fail(err, failures->code, 0, "%s", failures->reason);
}

enum berth_code berth_tcp_table_open(struct berth_tcp_table **out, struct berth_error *err)
{
    struct berth_tcp_table *table = berth_alloc(1, sizeof *table);
    enum berth_code code;

    if (table == NULL) {
        return berth_fail_memory(err, "the TCP table");
    }
    lock();
    code = take_failure(&script.opens, err);
    table->capabilities = script.capabilities;
    script.tables += code == BERTH_OK;
    unlock();
    if (code != BERTH_OK) {
        berth_free(table);
        return code;
    }
    *out = table;
    return BERTH_OK;
}

void berth_tcp_table_close(struct berth_tcp_table *table)
{
    if (table == NULL) {
        return;
    }
    lock();
    script.tables--;
    unlock();
    berth_free(table->copies);
    berth_free(table->claims);
    berth_free(table);
}

const struct berth_tcp_capabilities *
berth_tcp_table_capabilities(const struct berth_tcp_table *table)
{
    return &table->capabilities;
}

static enum berth_tcp_part part_of(enum berth_claim_kind kind)
{
    switch (kind) {
    case BERTH_CLAIM_LISTENER:
        return BERTH_TCP_PART_LISTENERS;
    case BERTH_CLAIM_BOUND:
        return BERTH_TCP_PART_BOUND;
    default:
        return BERTH_TCP_PART_CONNECTIONS;
    }
}

static int compare_claims(const void *a, const void *b)
{
    return berth_claim_compare(a, b);
}

/* With the lock held. */
static enum berth_code copy_script(struct berth_tcp_table *table, struct berth_error *err)
{
    berth_free(table->copies);
    berth_free(table->claims);
    table->copies = berth_alloc(script.count, sizeof *table->copies);
    table->claims = berth_alloc(script.count, sizeof *table->claims);
    if (table->copies == NULL || table->claims == NULL) {
        return berth_fail_memory(err, "the list of TCP claims");
    }
    for (size_t i = 0; i < script.count; i++) {
        table->copies[i] = script.claims[i];
        if (table->copies[i].claim.holder != NULL) {
            table->copies[i].claim.holder = table->copies[i].holder;
        }
    }
    return BERTH_OK;
}

/* Lays one part's claims behind those of the parts before it. With the lock held. */
static void fill_part(struct berth_tcp_table *table, enum berth_tcp_part part, size_t *used,
                      struct berth_tcp_list *out)
{
    size_t first = *used;

    out->duration_ns = script.durations[part];
    if (part == BERTH_TCP_PART_BOUND && !table->capabilities.lists_bound) {
        return;
    }
    for (size_t i = 0; i < script.count; i++) {
        const struct berth_claim *claim = &table->copies[i].claim;
        if (part_of((enum berth_claim_kind)claim->kind) == part) {
            table->claims[(*used)++] = *claim;
        }
    }
    out->claims = table->claims + first;
    out->count = *used - first;
    if (out->count != 0) {
        qsort(table->claims + first, out->count, sizeof *table->claims, compare_claims);
    }
}

enum berth_code berth_tcp_table_read(struct berth_tcp_table *table, unsigned scopes,
                                     struct berth_tcp_claims *out, struct berth_error *err)
{
    struct berth_tcp_claims claims = {0};
    enum berth_code code;
    size_t used = 0;

    lock();
    script.begun[scopes & BERTH_TCP_EVERYTHING]++;
    script.reader = uv_thread_self();
    while (script.held) {
        uv_cond_wait(&script.changed, &script.mutex);
    }
    code = take_failure(&script.reads, err);
    if (code == BERTH_OK) {
        code = copy_script(table, err);
    }
    for (unsigned part = 0; code == BERTH_OK && part < BERTH_TCP_PART_COUNT; part++) {
        if ((scopes & 1u << part) != 0) {
            fill_part(table, (enum berth_tcp_part)part, &used, &claims.parts[part]);
        }
    }
    unlock();
    if (code == BERTH_OK) {
        *out = claims;
    }
    return code;
}

void berth_tcp_table_suggest(struct berth_tcp_table *table, uint32_t process_id)
{
    (void)table;
    lock();
    script.suggested = process_id;
    unlock();
}
