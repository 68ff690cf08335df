/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include "base/compiler.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct claim_kind_row {
    const char *name;
    enum berth_source source;
};

static const struct claim_kind_row claim_kinds[BERTH_CLAIM_KIND_COUNT] = {
    [BERTH_CLAIM_LEASE] = {"lease", BERTH_SOURCE_LEASE},
    [BERTH_CLAIM_COOLING] = {"cooling", BERTH_SOURCE_LEASE},
    [BERTH_CLAIM_BINDING] = {"binding", BERTH_SOURCE_IIS},
    [BERTH_CLAIM_FTP_DATA] = {"ftp_data", BERTH_SOURCE_IIS},
    [BERTH_CLAIM_LISTENER] = {"listener", BERTH_SOURCE_TCP},
    [BERTH_CLAIM_BOUND] = {"bound", BERTH_SOURCE_TCP},
    [BERTH_CLAIM_CONNECTION] = {"connection", BERTH_SOURCE_TCP},
    [BERTH_CLAIM_TIME_WAIT] = {"time_wait", BERTH_SOURCE_TCP},
    [BERTH_CLAIM_URL] = {"url", BERTH_SOURCE_HTTPSYS},
    [BERTH_CLAIM_EXCLUSION] = {"exclusion", BERTH_SOURCE_EXCLUDED},
    [BERTH_CLAIM_RESERVATION] = {"reservation", BERTH_SOURCE_RESERVED},
};

static const char *const source_names[BERTH_SOURCE_COUNT] = {
    [BERTH_SOURCE_LEASE] = "lease",       [BERTH_SOURCE_IIS] = "iis",
    [BERTH_SOURCE_TCP] = "tcp",           [BERTH_SOURCE_HTTPSYS] = "httpsys",
    [BERTH_SOURCE_EXCLUDED] = "excluded", [BERTH_SOURCE_RESERVED] = "reserved",
};

static const char *const protocol_names[BERTH_PROTOCOL_COUNT] = {
    [BERTH_PROTOCOL_NONE] = "none",   [BERTH_PROTOCOL_TCP] = "tcp",
    [BERTH_PROTOCOL_HTTP] = "http",   [BERTH_PROTOCOL_HTTPS] = "https",
    [BERTH_PROTOCOL_FTP] = "ftp",     [BERTH_PROTOCOL_NET_TCP] = "net.tcp",
    [BERTH_PROTOCOL_OTHER] = "other",
};

struct berth_claim berth_claim_make(uint16_t port, enum berth_claim_kind kind)
{
    return (struct berth_claim){
        .port = port,
        .kind = (uint8_t)kind,
        .count = 1,
        .process_id = BERTH_ID_NONE,
        .user_id = BERTH_ID_NONE,
    };
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_strings(const char *a, const char *b)
{
    if (a == b) {
        return 0;
    }
    if (a == NULL || b == NULL) {
        return a == NULL ? -1 : 1;
    }
    return strcmp(a, b);
}

int berth_claim_compare(const struct berth_claim *a, const struct berth_claim *b)
{
    int order = compare_numbers(a->port, b->port);

    if (order == 0) {
        order = compare_numbers(a->kind, b->kind);
    }
    if (order == 0) {
        order = compare_numbers(a->protocol, b->protocol);
    }
    if (order == 0) {
        order = berth_address_compare(&a->address, &b->address);
    }
    if (order == 0) {
        order = compare_strings(a->host, b->host);
    }
    if (order == 0) {
        order = compare_strings(a->holder, b->holder);
    }
    if (order == 0) {
        order = compare_numbers(a->process_id, b->process_id);
    }
    return order != 0 ? order : compare_numbers(a->user_id, b->user_id);
}

static int compare_claims(const void *a, const void *b)
{
    return berth_claim_compare(a, b);
}

size_t berth_claims_merge(struct berth_claim *claims, size_t count)
{
    size_t kept = 0;

    if (count != 0) {
        qsort(claims, count, sizeof *claims, compare_claims);
    }
    for (size_t i = 0; i < count; i++) {
        struct berth_claim *last = kept != 0 ? &claims[kept - 1] : NULL;
        if (last != NULL && berth_claim_compare(last, &claims[i]) == 0) {
            last->count += claims[i].count;
            last->flags &= claims[i].flags;
        } else {
            claims[kept++] = claims[i];
        }
    }
    return kept;
}

bool berth_claim_same_content(const struct berth_claim *a, const struct berth_claim *b)
{
    return a->flags == b->flags && a->count == b->count && a->until_ms == b->until_ms &&
           compare_strings(a->detail, b->detail) == 0;
}

enum berth_source berth_claim_source(enum berth_claim_kind kind)
{
    return claim_kinds[kind].source;
}

const char *berth_source_name(enum berth_source source)
{
    return source_names[source];
}

const char *berth_claim_kind_name(enum berth_claim_kind kind)
{
    return claim_kinds[kind].name;
}

const char *berth_protocol_name(enum berth_protocol protocol)
{
    return protocol_names[protocol];
}

static bool equal_any_case(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (x != y) {
            return false;
        }
        a++;
        b++;
    }
    return *a == *b;
}

enum berth_protocol berth_protocol_find(const char *name)
{
    for (unsigned i = 0; i < BERTH_COUNT(protocol_names); i++) {
        if (equal_any_case(name, protocol_names[i])) {
            return (enum berth_protocol)i;
        }
    }
    return BERTH_PROTOCOL_COUNT;
}
