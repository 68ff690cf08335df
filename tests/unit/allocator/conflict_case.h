/* SPDX-License-Identifier: MIT */
/* Reads the claims and facts of docs/conflicts.md from their notation, and writes conflicts. */
#ifndef BERTH_TESTS_CONFLICT_CASE_H
#define BERTH_TESTS_CONFLICT_CASE_H

#include "cmocka_all.h"

#include "allocator/conflict_rules.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define CASE_CLAIMS_MAX 32
#define CASE_FOUND_MAX 128
#define CASE_PORT 8080

struct conflict_case {
    char text[1024]; /* what the claims' strings point into */
    char fact_text[256];
    struct berth_claim claims[CASE_CLAIMS_MAX];
    const struct berth_claim *pointers[CASE_CLAIMS_MAX];
    struct berth_address listen_list[8];
    struct berth_conflict_facts facts;
    struct berth_conflict_lease lease;
    struct berth_conflict_input in;
    struct berth_conflict found[CASE_FOUND_MAX];
    size_t found_count;
};

static inline bool case_address(const char *word, struct berth_address *out)
{
    char text[BERTH_ADDRESS_TEXT_MAX];
    size_t length = strlen(word);

    memset(out, 0, sizeof *out);
    if (strcmp(word, "*") == 0) {
        return true;
    }
    if (word[0] == '[' && length < sizeof text) {
        memcpy(text, word + 1, length - 2);
        text[length - 2] = '\0';
        return berth_address_parse_ipv6(out, text);
    }
    return berth_address_parse_ipv4(out, word);
}

static inline uint32_t case_number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

static inline bool case_flag(const char *word, uint8_t *flags)
{
    static const struct {
        const char *word;
        uint8_t flag;
    } words[] = {{"stopped", BERTH_CLAIM_STOPPED},
                 {"lingering", BERTH_CLAIM_LINGERING},
                 {"v6only", BERTH_CLAIM_V6_ONLY},
                 {"sni", BERTH_CLAIM_SNI}};

    for (size_t i = 0; i < BERTH_COUNT(words); i++) {
        if (strcmp(word, words[i].word) == 0) {
            *flags |= words[i].flag;
            return true;
        }
    }
    return false;
}

/* Takes one word of a claim, by what it looks like. */
static inline void case_word(struct berth_claim *claim, const char *word)
{
    enum berth_protocol protocol = berth_protocol_find(word);

    if (strncmp(word, "host=", 5) == 0) {
        claim->host = word + 5;
    } else if (strncmp(word, "pid=", 4) == 0) {
        claim->process_id = case_number(word + 4);
    } else if (strncmp(word, "uid=", 4) == 0) {
        claim->user_id = case_number(word + 4);
    } else if (strncmp(word, "feed=", 5) == 0) {
        claim->feed = (uint8_t)case_number(word + 5);
    } else if (word[0] == 'x' && isdigit((unsigned char)word[1])) {
        claim->count = case_number(word + 1);
    } else if (protocol != BERTH_PROTOCOL_COUNT) {
        claim->protocol = (uint8_t)protocol;
    } else if (!case_flag(word, &claim->flags) && !case_address(word, &claim->address)) {
        claim->holder = word;
    }
}

static inline enum berth_claim_kind case_kind(const char *word)
{
    for (unsigned kind = 0; kind < BERTH_CLAIM_KIND_COUNT; kind++) {
        if (strcmp(word, berth_claim_kind_name((enum berth_claim_kind)kind)) == 0) {
            return (enum berth_claim_kind)kind;
        }
    }
    fail_msg("%s is no kind of claim", word);
    return BERTH_CLAIM_KIND_COUNT;
}

/* Cuts the next word off; `*ends` tells whether it ended a claim. NULL: no more. */
static inline char *case_next_word(char **at, bool *ends)
{
    char *word = *at + strspn(*at, " ");
    size_t length = strcspn(word, " ");

    if (length == 0) {
        return NULL;
    }
    *at = word + length + (word[length] != '\0' ? 1 : 0);
    *ends = word[length - 1] == ';';
    word[*ends ? length - 1 : length] = '\0';
    return word;
}

static inline void case_read_claims(struct conflict_case *out, const char *claims)
{
    char *at = out->text;
    bool ends = true;
    char *word;
    struct berth_claim *claim = NULL;

    assert_true(strlen(claims) < sizeof out->text);
    memcpy(out->text, claims, strlen(claims) + 1);
    for (;;) {
        bool starts = ends;
        word = case_next_word(&at, &ends);
        if (word == NULL) {
            break;
        }
        if (starts) {
            assert_true(out->in.claim_count < CASE_CLAIMS_MAX);
            claim = &out->claims[out->in.claim_count];
            *claim = berth_claim_make(CASE_PORT, case_kind(word));
            out->pointers[out->in.claim_count++] = claim;
        } else {
            case_word(claim, word);
        }
    }
}

static inline void case_fact(struct conflict_case *out, const char *word)
{
    if (strcmp(word, "linux") == 0) {
        out->facts.http_sys = false;
    } else if (strcmp(word, "lately") == 0) {
        out->in.listened_lately = true;
    } else if (strncmp(word, "lease=", 6) == 0) {
        out->in.lease = &out->lease;
        out->lease.id = "0123456789abcdef";
        out->lease.holder = strcmp(word + 6, "default") != 0 ? word + 6 : NULL;
    } else if (strncmp(word, "protocol=", 9) == 0) {
        out->lease.protocol = berth_protocol_find(word + 9);
        assert_int_not_equal(out->lease.protocol, BERTH_PROTOCOL_COUNT);
    } else if (strncmp(word, "listen=", 7) == 0) {
        struct berth_address *entry = &out->listen_list[out->facts.listen_count++];
        assert_true(berth_address_parse_ipv4(entry, word + 7) ||
                    berth_address_parse_ipv6(entry, word + 7));
    } else {
        fail_msg("%s is no fact", word);
    }
}

/** Makes the input of a case. */
static inline void case_read(struct conflict_case *out, const char *claims, const char *facts)
{
    char *at = out->fact_text;
    bool ends;
    const char *word;

    memset(out, 0, sizeof *out);
    out->facts.http_sys = true;
    out->facts.listen_list = out->listen_list;
    out->in.port = CASE_PORT;
    out->in.facts = &out->facts;
    out->in.claims = out->pointers;
    case_read_claims(out, claims);
    assert_true(strlen(facts) < sizeof out->fact_text);
    memcpy(out->fact_text, facts, strlen(facts) + 1);
    while ((word = case_next_word(&at, &ends)) != NULL) {
        case_fact(out, word);
    }
}

static inline void case_find(struct conflict_case *out)
{
    struct berth_error err;

    assert_ok(berth_conflicts_find(&out->in, out->found, CASE_FOUND_MAX, &out->found_count, &err),
              &err);
    assert_true(out->found_count <= CASE_FOUND_MAX);
}

/* Severities within a kind are written in alphabetical order, as ids are in none. */
static inline const char *case_outcome(const struct conflict_case *found, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned kind = 0; kind < BERTH_CONFLICT_KIND_COUNT; kind++) {
        for (unsigned severity = 0; severity <= BERTH_CONFLICT_WARNING; severity++) {
            for (size_t i = 0; i < found->found_count; i++) {
                const struct berth_conflict *each = &found->found[i];
                if (each->kind == kind && each->severity == severity && used < size) {
                    used +=
                        (size_t)snprintf(text + used, size - used, "%s%s %s", used > 0 ? ", " : "",
                                         berth_conflict_kind_name(each->kind),
                                         berth_conflict_severity_name(each->severity));
                }
            }
        }
    }
    return used > 0 ? text : "none";
}

#endif
