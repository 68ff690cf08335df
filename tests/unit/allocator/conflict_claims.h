/* SPDX-License-Identifier: MIT */
/* Random claims of few enough kinds that they often meet. */
#ifndef BERTH_TESTS_CONFLICT_CLAIMS_H
#define BERTH_TESTS_CONFLICT_CLAIMS_H

#include "allocator/claim.h"
#include "base/compiler.h"
#include "models/test_random.h"

static const struct berth_address random_addresses[] = {
    {BERTH_FAMILY_ALL, {0}, 0},
    {BERTH_FAMILY_IPV4, {0}, 0},
    {BERTH_FAMILY_IPV6, {0}, 0},
    {BERTH_FAMILY_IPV4, {10, 0, 0, 1}, 0},
    {BERTH_FAMILY_IPV4, {10, 0, 0, 2}, 0},
    {BERTH_FAMILY_IPV6, {[15] = 1}, 0},
    {BERTH_FAMILY_IPV6, {0xFE, 0x80, [15] = 1}, 0},
    {BERTH_FAMILY_IPV6, {0xFE, 0x80, [15] = 1}, 4},
    {BERTH_FAMILY_IPV6, {0xFE, 0x80, [15] = 1}, 5},
};

static const char *const random_sites[] = {"Shop", "SHOP", "Blog", "News", NULL};
static const char *const random_hosts[] = {NULL, NULL, "", "a", "A", "b"};
static const char *const random_images[] = {NULL,   "System",      "http.sys",  "java", "JAVA.exe",
                                            "node", "svchost.exe", "SMSvcHost", "",     ".exe"};
static const uint32_t random_pids[] = {BERTH_ID_NONE, 4, 11, 12, 13};
static const uint32_t random_uids[] = {BERTH_ID_NONE, 0, 33};
static const char *const random_holders[] = {
    NULL,  NULL,  "site:shop",        "site:",    "SITE:Blog", "process:java",
    "any", "ANY", "process:node.EXE", "process:", "gibberish"};

#define RANDOM_OF(random, array)                                                                   \
    ((array)[test_random_in(random, 0, (unsigned)BERTH_COUNT(array) - 1)])

static inline enum berth_claim_kind random_kind(struct test_random *random)
{
    static const enum berth_claim_kind kinds[] = {
        BERTH_CLAIM_BINDING,  BERTH_CLAIM_BINDING,  BERTH_CLAIM_BINDING, BERTH_CLAIM_LISTENER,
        BERTH_CLAIM_LISTENER, BERTH_CLAIM_LISTENER, BERTH_CLAIM_LEASE,   BERTH_CLAIM_BOUND};

    return test_random_chance(random, 70)
               ? RANDOM_OF(random, kinds)
               : (enum berth_claim_kind)test_random_in(random, 0, BERTH_CLAIM_KIND_COUNT - 1);
}

static inline enum berth_protocol random_protocol(struct test_random *random)
{
    if (test_random_chance(random, 60)) {
        return test_random_chance(random, 60) ? BERTH_PROTOCOL_HTTP : BERTH_PROTOCOL_HTTPS;
    }
    return (enum berth_protocol)test_random_in(random, 0, BERTH_PROTOCOL_COUNT - 1);
}

/** Makes any claim. */
static inline struct berth_claim random_claim(struct test_random *random, uint16_t port)
{
    enum berth_claim_kind kind = random_kind(random);
    struct berth_claim claim = berth_claim_make(port, kind);
    bool site = kind == BERTH_CLAIM_BINDING;
    bool socket = kind == BERTH_CLAIM_LISTENER || kind == BERTH_CLAIM_BOUND;

    claim.holder = site ? RANDOM_OF(random, random_sites) : RANDOM_OF(random, random_images);
    claim.protocol = (uint8_t)(site ? random_protocol(random) : BERTH_PROTOCOL_TCP);
    claim.feed = (uint8_t)test_random_in(random, 1, 2);
    if ((site || socket) && test_random_chance(random, 60)) {
        claim.address = RANDOM_OF(random, random_addresses);
    }
    if (site) {
        claim.host = RANDOM_OF(random, random_hosts);
        claim.count = test_random_chance(random, 5) ? 2 : 1;
        claim.flags |= test_random_chance(random, 25) ? BERTH_CLAIM_STOPPED : 0;
        claim.flags |= test_random_chance(random, 25) ? BERTH_CLAIM_SNI : 0;
    }
    if (socket) {
        claim.process_id = RANDOM_OF(random, random_pids);
        claim.user_id = RANDOM_OF(random, random_uids);
        claim.flags |= test_random_chance(random, 40) ? BERTH_CLAIM_V6_ONLY : 0;
    }
    return claim;
}

#endif
