/* SPDX-License-Identifier: MIT */
/* Tests of daemon/event_log: what a follower gets, in order, and how it learns what it lost. */
#include "daemon/event_log.h"

#include "cmocka_all.h"
#include "memory_faults.h"
#include "models/test_random.h"

#include <stdio.h>
#include <stdlib.h>

static struct berth_event_log *log_of;
static uint64_t revision;

static int set_up(void **state)
{
    (void)state;
    revision = 100;
    log_of = berth_event_log_create(revision);
    return log_of != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    berth_event_log_destroy(log_of);
    return 0;
}

/* Adds an event whose text is its revision. */
static void add(enum berth_topic topic)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%llu", (unsigned long long)++revision);

    berth_event_log_add(log_of, topic, revision, text, (size_t)length);
}

static struct berth_subscription follow(unsigned topics, uint64_t since)
{
    struct berth_subscription subscription;

    berth_event_log_follow(log_of, &subscription, topics, since, revision);
    return subscription;
}

/* The revision of the next event, as its text has it; 0: none. */
static uint64_t next(struct berth_subscription *subscription)
{
    const struct berth_event *event = berth_event_log_next(log_of, subscription);

    if (event == NULL) {
        return 0;
    }
    assert_int_equal(strlen(event->text), event->length);
    assert_int_equal(strtoull(event->text, NULL, 10), event->revision);
    assert_int_equal(subscription->revision, event->revision);
    return event->revision;
}

static void follow__from_now__gets_what_comes_after(void **state)
{
    (void)state;
    add(BERTH_TOPIC_PORTS);
    struct berth_subscription subscription = follow(BERTH_TOPICS_ALL, revision);
    assert_int_equal(next(&subscription), 0);
    add(BERTH_TOPIC_LEASES);
    add(BERTH_TOPIC_POOLS);
    assert_int_equal(next(&subscription), 102);
    assert_int_equal(next(&subscription), 103);
    assert_int_equal(next(&subscription), 0);
    assert_false(subscription.lost);
}

static void follow__since__begins_right_behind_it(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        revision++; /* not each revision is an event */
        add(BERTH_TOPIC_PORTS);
    }
    for (uint64_t since = 100; since <= 120; since++) {
        struct berth_subscription subscription = follow(BERTH_TOPICS_ALL, since);
        assert_false(subscription.lost);
        assert_int_equal(next(&subscription), since < 120 ? since / 2 * 2 + 2 : 0);
    }
}

static void follow__since_before_the_log_or_after_now__has_lost(void **state)
{
    (void)state;
    add(BERTH_TOPIC_PORTS);
    struct berth_subscription early = follow(BERTH_TOPICS_ALL, 99);
    struct berth_subscription late = follow(BERTH_TOPICS_ALL, revision + 1);
    assert_true(early.lost);
    assert_true(late.lost);
    assert_int_equal(next(&early), 0); /* not before it was told */
    assert_int_equal(berth_event_log_skip(log_of, &early, revision), 99);
    assert_false(early.lost);
    assert_int_equal(next(&early), 0);
    add(BERTH_TOPIC_PORTS);
    assert_int_equal(next(&early), revision);
}

static void next__topics__gives_only_the_wanted_ones(void **state)
{
    struct berth_subscription leases =
        follow(1U << BERTH_TOPIC_LEASES | 1U << BERTH_TOPIC_SOURCES, revision);
    struct berth_subscription nothing = {.topics = 0};

    (void)state;
    add(BERTH_TOPIC_PORTS);
    add(BERTH_TOPIC_LEASES);
    add(BERTH_TOPIC_CONFLICTS);
    add(BERTH_TOPIC_SOURCES);
    add(BERTH_TOPIC_POOLS);
    assert_int_equal(next(&leases), 102);
    assert_int_equal(next(&leases), 104);
    assert_int_equal(next(&leases), 0);
    assert_int_equal(leases.revision, 105); /* what it does not want has passed it too */
    assert_int_equal(next(&nothing), 0);
    assert_false(nothing.lost);
}

static void next__log_ran_away__tells_from_where_to_where(void **state)
{
    struct berth_subscription slow = follow(BERTH_TOPICS_ALL, revision);

    (void)state;
    add(BERTH_TOPIC_PORTS);
    assert_int_equal(next(&slow), 101);
    for (int i = 0; i < BERTH_EVENTS_MAX; i++) {
        add(BERTH_TOPIC_PORTS);
    }
    struct berth_subscription copy = slow;
    assert_int_equal(next(&copy), 102); /* just still there */
    add(BERTH_TOPIC_PORTS);
    assert_int_equal(next(&slow), 0);
    assert_true(slow.lost);
    assert_int_equal(berth_event_log_skip(log_of, &slow, revision), 101);
    assert_int_equal(next(&slow), 0);
    add(BERTH_TOPIC_PORTS);
    assert_int_equal(next(&slow), revision);
}

static void add__large_events__push_older_ones_out(void **state)
{
    static char text[BERTH_EVENT_BYTES_MAX / 2 + 1];
    struct berth_subscription slow = follow(BERTH_TOPICS_ALL, revision);

    (void)state;
    memset(text, 'x', sizeof text);
    berth_event_log_add(log_of, BERTH_TOPIC_PORTS, ++revision, text, sizeof text);
    berth_event_log_add(log_of, BERTH_TOPIC_PORTS, ++revision, text, sizeof text);
    assert_null(berth_event_log_next(log_of, &slow));
    assert_true(slow.lost);
}

static void add__no_memory_or_too_large__whoever_follows_has_lost(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct berth_subscription subscription = follow(BERTH_TOPICS_ALL, revision);
        size_t live;
        if (way == 0) {
            memory_faults_begin(1, false);
            add(BERTH_TOPIC_PORTS);
            assert_true(memory_faults_end(&live));
        } else {
            berth_event_log_add(log_of, BERTH_TOPIC_PORTS, ++revision, NULL, SIZE_MAX);
        }
        assert_int_equal(next(&subscription), 0);
        assert_true(subscription.lost);
        (void)berth_event_log_skip(log_of, &subscription, revision);
        add(BERTH_TOPIC_PORTS);
        assert_int_equal(next(&subscription), revision);
        struct berth_subscription since = follow(BERTH_TOPICS_ALL, revision - 2);
        assert_true(since.lost);
    }
}

/* Followers of any pace against a plain list of all revisions. */
static void followers__of_any_pace__get_everything_or_are_told(void **state)
{
    struct test_random random = test_random_start("event_log");
    struct berth_subscription followers[5];
    uint64_t had[5];

    (void)state;
    for (int i = 0; i < 5; i++) {
        followers[i] = follow(BERTH_TOPICS_ALL, revision);
        had[i] = revision;
    }
    for (int step = 0; step < 20000; step++) {
        unsigned count = test_random_chance(&random, 2) ? 5000 : test_random_in(&random, 0, 20);
        for (unsigned i = 0; i < count; i++) {
            add(BERTH_TOPIC_PORTS);
        }
        unsigned who = test_random_in(&random, 0, 4);
        for (unsigned i = test_random_in(&random, 0, 200); i > 0; i--) {
            uint64_t got = next(&followers[who]);
            if (got != 0) {
                assert_int_equal(got, had[who] + 1); /* each revision is an event here */
                had[who] = got;
            } else if (followers[who].lost) {
                assert_true(revision - had[who] > BERTH_EVENTS_MAX);
                assert_int_equal(berth_event_log_skip(log_of, &followers[who], revision), had[who]);
                had[who] = revision;
            } else {
                assert_int_equal(had[who], revision);
            }
        }
    }
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(follow__from_now__gets_what_comes_after),
        CASE(follow__since__begins_right_behind_it),
        CASE(follow__since_before_the_log_or_after_now__has_lost),
        CASE(next__topics__gives_only_the_wanted_ones),
        CASE(next__log_ran_away__tells_from_where_to_where),
        CASE(add__large_events__push_older_ones_out),
        CASE(add__no_memory_or_too_large__whoever_follows_has_lost),
        CASE(followers__of_any_pace__get_everything_or_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
