/* SPDX-License-Identifier: MIT */
/* Tests of daemon/lease_record: what of a lease goes into the store, and that it comes back. */
#include "cmocka_all.h"

#include "daemon/lease_record.h"

#include <stdio.h>

static struct berth_error err;

/* A lease as the book has it, with every field set. */
struct lease_case {
    struct berth_lease_owner owner;
    _Alignas(struct berth_lease) char memory[sizeof(struct berth_lease) +
                                             BERTH_PORTS_PER_LEASE_MAX * sizeof(uint16_t)];
    char texts[7][64];
};

static char *text_of(struct lease_case *out, unsigned at, const char *text)
{
    (void)snprintf(out->texts[at], sizeof out->texts[at], "%s", text);
    return out->texts[at];
}

static struct berth_lease *make_lease(struct lease_case *out, unsigned ports)
{
    struct berth_lease *lease = (void *)out->memory;

    memset(out, 0, sizeof *out);
    out->owner.id = text_of(out, 0, "S-1-5-21-7");
    out->owner.name = text_of(out, 1, "CORP\\deploy");
    out->owner.group = text_of(out, 2, "S-1-5-32-9");
    (void)snprintf(lease->id, sizeof lease->id, "00000000000000ab");
    lease->key = text_of(out, 3, "shop/\xC3\xA4/production");
    lease->generation = text_of(out, 4, "2026.11");
    lease->holder = text_of(out, 5, "site:Shop");
    lease->meta = text_of(out, 6, "{\"ticket\":1830}");
    lease->owner = &out->owner;
    lease->protocol = BERTH_PROTOCOL_HTTPS;
    lease->hold = true;
    lease->granted_unix_ms = 1795398000123;
    lease->ttl_ms = 86400001;
    lease->port_count = ports;
    for (unsigned i = 0; i < ports; i++) {
        lease->ports[i] = (uint16_t)(49000 + 3 * i);
    }
    return lease;
}

static void assert_same_terms(const struct berth_lease *lease, const struct berth_lease_kept *kept)
{
    const struct berth_lease_terms *terms = &kept->terms;

    assert_string_equal(kept->id, lease->id);
    assert_string_equal(terms->key, lease->key);
    assert_string_equal(terms->generation, lease->generation);
    assert_string_equal(terms->holder, lease->holder);
    assert_string_equal(terms->meta, lease->meta);
    assert_string_equal(terms->owner.id, lease->owner->id);
    assert_string_equal(terms->owner.name, lease->owner->name);
    assert_string_equal(terms->owner.group, lease->owner->group);
    assert_int_equal(terms->protocol, lease->protocol);
    assert_int_equal(terms->anonymous, lease->anonymous);
    assert_int_equal(terms->hold, lease->hold);
    assert_true(terms->ttl_ms == lease->ttl_ms);
    assert_int_equal(terms->port_count, lease->port_count);
    assert_memory_equal(terms->ports, lease->ports, lease->port_count * sizeof *lease->ports);
    assert_true(kept->granted_unix_ms == lease->granted_unix_ms);
}

static void record__every_state_and_protocol__comes_back_as_it_was(void **state)
{
    struct lease_case memory;
    struct berth_lease_kept kept;

    (void)state;
    for (int i = 0; i < BERTH_LEASE_STATE_COUNT * BERTH_PROTOCOL_COUNT; i++) {
        struct berth_lease *lease = make_lease(&memory, 1 + (unsigned)i % 3);
        lease->protocol = (enum berth_protocol)(i % BERTH_PROTOCOL_COUNT);
        lease->hold = i % 2 == 0;
        const struct berth_lease_change change = {
            .lease = lease,
            .state = (enum berth_lease_state)(i / BERTH_PROTOCOL_COUNT),
            .event = BERTH_LEASE_EVENT_GRANTED,
            .unix_ms = 1795398035000};
        const struct berth_lease_record record = berth_lease_record_of(&change, 1795484435000);
        assert_ok(berth_lease_record_read(&record, &kept, &err), &err);
        assert_same_terms(lease, &kept);
        assert_int_equal(kept.state, change.state);
        /* of a live one it is for people: when it ends; of an ended one, when it did */
        assert_true(record.expires_unix_ms ==
                    (berth_lease_state_is_live(change.state) ? 1795484435000 : change.unix_ms));
        if (!berth_lease_state_is_live(change.state)) {
            assert_true(kept.ended_unix_ms == change.unix_ms);
        }
    }
}

static void record__most_ports__all_come_back(void **state)
{
    struct lease_case memory;
    struct berth_lease_kept kept;
    struct berth_lease *lease = make_lease(&memory, BERTH_PORTS_PER_LEASE_MAX);
    const struct berth_lease_change change = {.lease = lease, .state = BERTH_LEASE_ACTIVE};

    (void)state;
    const struct berth_lease_record record = berth_lease_record_of(&change, -1);
    assert_true(record.expires_unix_ms == -1);
    assert_ok(berth_lease_record_read(&record, &kept, &err), &err);
    assert_same_terms(lease, &kept);
}

static void record__nothing_said__stays_unsaid(void **state)
{
    struct lease_case memory;
    struct berth_lease_kept kept;
    struct berth_lease *lease = make_lease(&memory, 1);
    const struct berth_lease_change change = {.lease = lease};

    (void)state;
    lease->holder = NULL;
    lease->meta = NULL;
    lease->generation[0] = '\0';
    memory.owner.group[0] = '\0';
    lease->protocol = BERTH_PROTOCOL_NONE;
    const struct berth_lease_record record = berth_lease_record_of(&change, 0);
    assert_string_equal(record.holder, "");
    assert_string_equal(record.meta, "");
    assert_string_equal(record.protocol, "");
    assert_ok(berth_lease_record_read(&record, &kept, &err), &err);
    assert_null(kept.terms.holder);
    assert_null(kept.terms.meta);
    assert_string_equal(kept.terms.generation, "");
    assert_string_equal(kept.terms.owner.group, "");
    assert_int_equal(kept.terms.protocol, BERTH_PROTOCOL_NONE);
}

static void record__anonymous__is_known_by_its_key(void **state)
{
    struct lease_case memory;
    struct berth_lease_kept kept;
    struct berth_lease *lease = make_lease(&memory, 1);
    const struct berth_lease_change change = {.lease = lease};

    (void)state;
    lease->key = text_of(&memory, 3, BERTH_LEASE_ANONYMOUS_PREFIX "00000000000000ab");
    lease->anonymous = true;
    struct berth_lease_record record = berth_lease_record_of(&change, 0);
    assert_ok(berth_lease_record_read(&record, &kept, &err), &err);
    assert_same_terms(lease, &kept);
    /* somebody's own key that only looks like one */
    (void)text_of(&memory, 3, BERTH_LEASE_ANONYMOUS_PREFIX "00000000000000ac");
    lease->anonymous = false;
    record = berth_lease_record_of(&change, 0);
    assert_ok(berth_lease_record_read(&record, &kept, &err), &err);
    assert_same_terms(lease, &kept);
}

static void read__a_word_that_is_not_known__is_an_error_that_names_the_lease(void **state)
{
    static const char *const states[] = {"", "Pending", "granted", "pending "};
    static const char *const protocols[] = {"https ", "gopher"};
    struct lease_case memory;
    const struct berth_lease_change change = {.lease = make_lease(&memory, 1)};
    struct berth_lease_kept kept = {.id = "untouched"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(states) + BERTH_COUNT(protocols); i++) {
        struct berth_lease_record record = berth_lease_record_of(&change, 0);
        if (i < BERTH_COUNT(states)) {
            record.state = states[i];
        } else {
            record.protocol = protocols[i - BERTH_COUNT(states)];
        }
        assert_code(berth_lease_record_read(&record, &kept, &err), BERTH_STORE_FAILED);
        assert_non_null(strstr(err.detail, "00000000000000ab"));
        assert_non_null(strstr(err.detail, record.state));
        assert_non_null(strstr(err.detail, record.protocol));
        assert_string_equal(kept.id, "untouched");
    }
}

/* ---- history ---- */

static void assert_entry(const struct berth_history_entry *entry, const char *event, uint16_t port,
                         const char *key, const char *generation, const char *by)
{
    assert_true(entry->time_unix_ms == 1795398035000);
    assert_string_equal(entry->event, event);
    assert_int_equal(entry->port, port);
    assert_string_equal(entry->key, key);
    assert_string_equal(entry->generation, generation);
    assert_string_equal(entry->by, by);
}

static void history__of_two_ports__tells_each(void **state)
{
    struct berth_history_entry entries[BERTH_LEASE_HISTORY_MAX];
    struct lease_case memory;
    struct berth_lease *lease = make_lease(&memory, 2);
    const struct berth_lease_change change = {.lease = lease,
                                              .event = BERTH_LEASE_EVENT_RENEWED,
                                              .by = "CORP\\other",
                                              .unix_ms = 1795398035000};

    (void)state;
    assert_int_equal(berth_lease_history_of(&change, entries), 2);
    assert_entry(&entries[0], "lease.renewed", 49000, lease->key, "2026.11", "CORP\\other");
    assert_entry(&entries[1], "lease.renewed", 49003, lease->key, "2026.11", "CORP\\other");
}

static void history__happens_by_itself__is_by_nobody(void **state)
{
    struct berth_history_entry entries[BERTH_LEASE_HISTORY_MAX];
    struct lease_case memory;
    struct berth_lease *lease = make_lease(&memory, 1);
    const struct berth_lease_change change = {
        .lease = lease, .event = BERTH_LEASE_EVENT_EXPIRED, .unix_ms = 1795398035000};

    (void)state;
    assert_int_equal(berth_lease_history_of(&change, entries), 1);
    assert_entry(&entries[0], "lease.expired", 49000, lease->key, "2026.11", "");
}

static void history__in_the_place_of_another__tells_its_end_if_it_still_had_ports(void **state)
{
    struct berth_history_entry entries[BERTH_LEASE_HISTORY_MAX];
    struct lease_case memory;
    struct lease_case lost_memory;
    struct berth_lease *lease = make_lease(&memory, BERTH_PORTS_PER_LEASE_MAX);
    struct berth_lease *lost = make_lease(&lost_memory, BERTH_PORTS_PER_LEASE_MAX);
    struct berth_lease_change change = {.lease = lease,
                                        .event = BERTH_LEASE_EVENT_GRANTED,
                                        .replaced = lost,
                                        .by = "me",
                                        .unix_ms = 1795398035000};

    (void)state;
    for (unsigned i = 0; i < lost->port_count; i++) {
        lost->ports[i] = (uint16_t)(1000 + i);
    }
    assert_int_equal(berth_lease_history_of(&change, entries), BERTH_LEASE_HISTORY_MAX);
    assert_entry(&entries[0], "lease.released", 1000, lost->key, "2026.11", "me");
    assert_entry(&entries[BERTH_PORTS_PER_LEASE_MAX], "lease.granted", 49000, lease->key, "2026.11",
                 "me");
    lost->state = BERTH_LEASE_RELEASED; /* its end was told when it came */
    assert_int_equal(berth_lease_history_of(&change, entries), BERTH_PORTS_PER_LEASE_MAX);
    assert_entry(&entries[0], "lease.granted", 49000, lease->key, "2026.11", "me");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record__every_state_and_protocol__comes_back_as_it_was),
        cmocka_unit_test(record__most_ports__all_come_back),
        cmocka_unit_test(record__nothing_said__stays_unsaid),
        cmocka_unit_test(record__anonymous__is_known_by_its_key),
        cmocka_unit_test(read__a_word_that_is_not_known__is_an_error_that_names_the_lease),
        cmocka_unit_test(history__of_two_ports__tells_each),
        cmocka_unit_test(history__happens_by_itself__is_by_nobody),
        cmocka_unit_test(history__in_the_place_of_another__tells_its_end_if_it_still_had_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
