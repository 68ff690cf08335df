/* SPDX-License-Identifier: MIT */
/* Names of users from an account database that answers, fails and hangs, by a clock of the test's.
 */
#include "memory_faults.h"
#include "scripted_accounts.h"
#include "temp_dir.h"

#define FOR_EVER_MS ((uint64_t)3600 * 1000)
#define MINUTE_MS ((uint64_t)60 * 1000)

static uint64_t clock_ms;

struct names_case {
    uv_loop_t loop;
    uv_timer_t tick; /* so that a turn of the loop ends in which something else ran out */
    struct berth_account_names *names;
    unsigned learned;
    unsigned closed;
};

static uint64_t now_ms(const uv_loop_t *loop)
{
    (void)loop;
    return clock_ms;
}

static void on_learned(void *ctx)
{
    struct names_case *fixture = ctx;

    assert_non_null(fixture->names); /* not after the end */
    fixture->learned++;
}

static void on_closed(void *ctx)
{
    struct names_case *fixture = ctx;

    fixture->closed++;
}

static struct berth_account_names *make(struct names_case *fixture, uint64_t patience_ms)
{
    const struct berth_account_names_options options = {.look_up = scripted_look_up,
                                                        .now_ms = now_ms,
                                                        .patience_ms = patience_ms,
                                                        .learned = on_learned,
                                                        .ctx = fixture};
    struct berth_account_names *names;
    struct berth_error err;

    assert_ok(berth_account_names_create(&names, &fixture->loop, &options, &err), &err);
    return names;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static int setup(void **state)
{
    static struct names_case fixture;

    fixture = (struct names_case){.names = NULL};
    clock_ms = 5;
    scripted_accounts_begin();
    *state = &fixture;
    if (uv_loop_init(&fixture.loop) != 0 || uv_timer_init(&fixture.loop, &fixture.tick) != 0) {
        return -1;
    }
    uv_unref((uv_handle_t *)&fixture.tick);
    return uv_timer_start(&fixture.tick, on_tick, 5, 5);
}

static void begin_closing(struct names_case *fixture)
{
    berth_account_names_close(fixture->names, on_closed, fixture);
    fixture->names = NULL;
}

/* Whoever hangs is let go; nothing may be left on the loop. */
static int teardown(void **state)
{
    struct names_case *fixture = *state;

    scripted_accounts_say("alice", 0);
    if (fixture->names != NULL) {
        begin_closing(fixture);
    }
    uv_close((uv_handle_t *)&fixture->tick, NULL);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&fixture->loop);
}

static void await_learned(struct names_case *fixture, unsigned learned)
{
    while (fixture->learned < learned) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

/* Sees that a user has this name; NULL: the text that stands for one. */
static void assert_name(struct names_case *fixture, unsigned user, const char *name, bool stands)
{
    char own[BERTH_ACCOUNT_NAME_SIZE];
    char nameless[BERTH_ACCOUNT_NAME_SIZE];

    assert_int_equal(berth_account_names_get(fixture->names, scripted_user(user), own), stands);
    (void)berth_account_nameless(scripted_user(user), nameless, sizeof nameless);
    assert_string_equal(own, name != NULL ? name : nameless);
}

/* ---- one that answers ---- */

static void get__unknown__is_nameless_until_the_name_is_learned(void **state)
{
    struct names_case *fixture = *state;

    fixture->names = make(fixture, FOR_EVER_MS);
    assert_name(fixture, 1, NULL, false);
    assert_name(fixture, 1, NULL, false);
    await_learned(fixture, 1);
    assert_name(fixture, 1, "alice", true);
    assert_int_equal(scripted_accounts_asked(), 1);
    assert_int_equal(berth_account_names_under_way(fixture->names), 0);
}

static void get__name_of_ten_minutes__is_given_and_looked_up_again(void **state)
{
    struct names_case *fixture = *state;

    fixture->names = make(fixture, FOR_EVER_MS);
    assert_name(fixture, 1, NULL, false);
    await_learned(fixture, 1);
    scripted_accounts_say("bob", 0);
    clock_ms += 10 * MINUTE_MS - 1;
    assert_name(fixture, 1, "alice", true);
    assert_int_equal(berth_account_names_under_way(fixture->names), 0);
    clock_ms++;
    assert_name(fixture, 1, "alice", true);
    assert_name(fixture, 1, "alice", true);
    await_learned(fixture, 2);
    assert_name(fixture, 1, "bob", true);
    assert_int_equal(scripted_accounts_asked(), 2);
}

/* ---- one that fails ---- */

static void get__look_up_failed__is_tried_again_after_a_minute(void **state)
{
    struct names_case *fixture = *state;

    fixture->names = make(fixture, FOR_EVER_MS);
    scripted_accounts_say(NULL, 0);
    assert_name(fixture, 1, NULL, false);
    await_learned(fixture, 1);
    scripted_accounts_say("alice", 0);
    clock_ms += MINUTE_MS - 1;
    assert_name(fixture, 1, NULL, true);
    assert_int_equal(berth_account_names_under_way(fixture->names), 0);
    clock_ms++;
    assert_name(fixture, 1, NULL, true); /* who asks does not wait for it */
    await_learned(fixture, 2);
    assert_name(fixture, 1, "alice", true);
}

static void get__name_known_and_the_next_look_up_fails__is_kept(void **state)
{
    struct names_case *fixture = *state;

    fixture->names = make(fixture, FOR_EVER_MS);
    assert_name(fixture, 1, NULL, false);
    await_learned(fixture, 1);
    scripted_accounts_say(NULL, 0);
    clock_ms += 10 * MINUTE_MS;
    for (unsigned i = 2; i < 4; i++) {
        assert_name(fixture, 1, "alice", true);
        await_learned(fixture, i);
        assert_name(fixture, 1, "alice", true);
        assert_int_equal(scripted_accounts_asked(), i);
        clock_ms += MINUTE_MS;
    }
    scripted_accounts_say("bob", 0);
    assert_name(fixture, 1, "alice", true);
    await_learned(fixture, 4);
    assert_name(fixture, 1, "bob", true);
}

/* ---- one that hangs ---- */

static void get__look_up_hangs__is_waited_for_once_and_learned_late(void **state)
{
    struct names_case *fixture = *state;

    fixture->names = make(fixture, 1);
    scripted_accounts_say("alice", 1);
    assert_name(fixture, 1, NULL, false);
    await_learned(fixture, 1);
    assert_name(fixture, 1, NULL, true);
    clock_ms += FOR_EVER_MS; /* no second one is begun beside it */
    assert_name(fixture, 1, NULL, true);
    assert_int_equal(berth_account_names_under_way(fixture->names), 1);
    scripted_accounts_say("alice", 0);
    await_learned(fixture, 2);
    assert_name(fixture, 1, "alice", true);
    assert_int_equal(scripted_accounts_asked(), 1);
}

static void get__another_one_hangs__is_learned_all_the_same(void **state)
{
    struct names_case *fixture = *state;

    fixture->names = make(fixture, FOR_EVER_MS);
    scripted_accounts_say("alice", 2);
    assert_name(fixture, 2, NULL, false);
    scripted_accounts_await(1);
    assert_name(fixture, 1, NULL, false);
    await_learned(fixture, 1);
    assert_name(fixture, 1, "alice", true);
    assert_name(fixture, 2, NULL, false);
}

/* So many hang that there is no turn for others: these are not looked up before, and then in the
 * order in which they were asked for, but who is waited for first. */
static void get__two_hang__others_wait_in_the_table(void **state)
{
    struct names_case *fixture = *state;
    static const unsigned order[] = {1, 20, 21, 3, 2, 1};

    fixture->names = make(fixture, FOR_EVER_MS);
    assert_name(fixture, 1, NULL, false);
    await_learned(fixture, 1);
    scripted_accounts_say("alice", 20);
    assert_name(fixture, 20, NULL, false);
    scripted_accounts_await(2);
    assert_name(fixture, 21, NULL, false);
    scripted_accounts_await(3);
    clock_ms += 10 * MINUTE_MS;
    assert_name(fixture, 1, "alice", true); /* to be looked up again */
    assert_name(fixture, 3, NULL, false);
    assert_name(fixture, 2, NULL, false);
    assert_int_equal(berth_account_names_under_way(fixture->names), 2);
    uv_mutex_lock(&accounts.mutex); /* one of the two goes on hanging */
    accounts.hangs_from = 21;
    uv_cond_broadcast(&accounts.changed);
    uv_mutex_unlock(&accounts.mutex);
    await_learned(fixture, 5);
    for (unsigned i = 0; i < BERTH_COUNT(order); i++) {
        assert_true(berth_account_same(&accounts.order[i], scripted_user(order[i])));
    }
    assert_name(fixture, 2, "alice", true);
    assert_name(fixture, 3, "alice", true);
    assert_int_equal(accounts.most_inside, 2);
}

static void get__more_users_than_places_while_all_hangs__nobody_waits_for_ever(void **state)
{
    struct names_case *fixture = *state;
    char name[BERTH_ACCOUNT_NAME_SIZE];
    bool waits[SCRIPTED_USERS] = {false};
    unsigned waiting = 0;

    fixture->names = make(fixture, 1);
    scripted_accounts_say("alice", 1);
    for (unsigned i = 1; i < SCRIPTED_USERS; i++) {
        waits[i] = !berth_account_names_get(fixture->names, scripted_user(i), name);
        waiting += waits[i];
    }
    assert_int_equal(waiting, BERTH_ACCOUNT_NAMES_MAX);
    await_learned(fixture, 1);
    unsigned other = 0;
    for (unsigned i = 1; i < SCRIPTED_USERS; i++) {
        if (waits[i]) {
            assert_name(fixture, i, NULL, true);
        } else {
            other = i;
        }
    }
    assert_name(fixture, other, NULL, false); /* there is room again */
    assert_true(scripted_accounts_asked() <= 2);
}

/* A second look-up beside the first one would leave no turn for others. */
static void get__place_lost_while_the_look_up_hangs__is_not_looked_up_twice(void **state)
{
    struct names_case *fixture = *state;
    char name[BERTH_ACCOUNT_NAME_SIZE];

    fixture->names = make(fixture, 1);
    scripted_accounts_say("alice", 100);
    assert_name(fixture, 100, NULL, false);
    await_learned(fixture, 1);
    for (unsigned i = 1; i < 100; i++) {
        unsigned learned = fixture->learned;
        (void)berth_account_names_get(fixture->names, scripted_user(i), name);
        await_learned(fixture, learned + 1);
    }
    while (berth_account_names_under_way(fixture->names) > 1) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_name(fixture, 100, NULL, true);
    assert_int_equal(berth_account_names_under_way(fixture->names), 1);
    unsigned learned = fixture->learned;
    scripted_accounts_say("alice", 0);
    await_learned(fixture, learned + 1);
    assert_name(fixture, 100, "alice", true);
}

/* What was found while the loop was held up is there, though all that time the client had no
 * answer. On a slow machine the look-up may not be over in time, so several are tried. */
static void get__loop_held_up_for_longer_than_the_patience__has_the_name(void **state)
{
    struct names_case *fixture = *state;
    char name[BERTH_ACCOUNT_NAME_SIZE] = "";

    fixture->names = make(fixture, 2);
    for (unsigned i = 1; i <= 100 && strcmp(name, "alice") != 0; i++) {
        unsigned learned = fixture->learned;
        assert_name(fixture, i, NULL, false);
        scripted_accounts_await(i);
        uint64_t end_ns = uv_hrtime() + 10000000;
        while (uv_hrtime() < end_ns) {
            /* nothing else is done */
        }
        await_learned(fixture, learned + 1);
        assert_int_equal(fixture->learned, learned + 1);
        (void)berth_account_names_get(fixture->names, scripted_user(i), name);
    }
    assert_string_equal(name, "alice");
}

/* ---- one that is not asked any more ---- */

static void get__users_that_come_and_go__are_forgotten_the_oldest_first(void **state)
{
    struct names_case *fixture = *state;
    unsigned known = 0;
    char name[BERTH_ACCOUNT_NAME_SIZE];

    fixture->names = make(fixture, FOR_EVER_MS);
    for (unsigned i = 1; i < SCRIPTED_USERS; i++) {
        assert_name(fixture, i, NULL, false);
        await_learned(fixture, i);
        assert_name(fixture, 1, "alice", true); /* he is always there */
    }
    assert_int_equal(scripted_accounts_asked(), SCRIPTED_USERS - 1);
    for (unsigned i = SCRIPTED_USERS - 1; known < BERTH_ACCOUNT_NAMES_MAX / 2; i--) {
        assert_true(berth_account_names_get(fixture->names, scripted_user(i), name));
        known++;
    }
    assert_name(fixture, 2, NULL, false);
}

static void close__one_hangs__the_memory_goes_when_it_is_back(void **state)
{
    struct names_case *fixture = *state;

    fixture->names = make(fixture, FOR_EVER_MS);
    scripted_accounts_say("alice", 1);
    assert_name(fixture, 1, NULL, false);
    assert_name(fixture, 2, NULL, false);
    assert_name(fixture, 3, NULL, false); /* waits for its turn: dropped */
    scripted_accounts_await(2);
    struct berth_account_names *names = fixture->names;
    begin_closing(fixture);
    for (int i = 0; i < 4; i++) {
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(fixture->closed, 0);
    assert_int_equal(berth_account_names_under_way(names), 2);
    scripted_accounts_say("alice", 0);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(fixture->closed, 1);
    assert_int_equal(fixture->learned, 0);
    assert_int_equal(scripted_accounts_asked(), 2);
}

/* The pool's four threads hang: what is in its queue is taken out. */
static void close__look_ups_in_the_pool_s_queue__ends_at_once(void **state)
{
    struct names_case *fixture = *state;
    struct berth_account_names *hanging[2];
    char name[BERTH_ACCOUNT_NAME_SIZE];

    scripted_accounts_say("alice", 1);
    for (unsigned i = 0; i < 4; i++) {
        if (i % 2 == 0) {
            hanging[i / 2] = make(fixture, FOR_EVER_MS);
        }
        assert_false(berth_account_names_get(hanging[i / 2], scripted_user(1 + i), name));
    }
    scripted_accounts_await(4);
    fixture->names = make(fixture, FOR_EVER_MS);
    assert_name(fixture, 8, NULL, false);
    assert_name(fixture, 9, NULL, false);
    begin_closing(fixture);
    while (fixture->closed == 0) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(scripted_accounts_asked(), 4);
    berth_account_names_close(hanging[0], on_closed, fixture);
    berth_account_names_close(hanging[1], on_closed, fixture);
    berth_account_names_close(NULL, on_closed, fixture);
    scripted_accounts_say("alice", 0);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(fixture->closed, 3);
    assert_int_equal(fixture->learned, 0);
}

/* All its memory is taken at the start: nothing after it can fail for lack of it. */
static void create__out_of_memory__is_an_error_and_nothing_later_is(void **state)
{
    struct names_case *fixture = *state;
    const struct berth_account_names_options options = {.look_up = scripted_look_up,
                                                        .now_ms = now_ms,
                                                        .patience_ms = FOR_EVER_MS,
                                                        .learned = on_learned,
                                                        .ctx = fixture};
    struct berth_account_names *names = NULL;
    struct berth_error err;
    size_t live;

    memory_faults_begin(1, true);
    enum berth_code code = berth_account_names_create(&names, &fixture->loop, &options, &err);
    assert_true(memory_faults_end(&live));
    assert_code(code, BERTH_NO_MEMORY);
    assert_null(names);
    fixture->names = make(fixture, FOR_EVER_MS);
    memory_faults_begin(1, true);
    assert_name(fixture, 1, NULL, false);
    await_learned(fixture, 1);
    assert_name(fixture, 1, "alice", true);
    assert_false(memory_faults_end(&live));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(get__unknown__is_nameless_until_the_name_is_learned),
        CASE(get__name_of_ten_minutes__is_given_and_looked_up_again),
        CASE(get__look_up_failed__is_tried_again_after_a_minute),
        CASE(get__name_known_and_the_next_look_up_fails__is_kept),
        CASE(get__look_up_hangs__is_waited_for_once_and_learned_late),
        CASE(get__another_one_hangs__is_learned_all_the_same),
        CASE(get__two_hang__others_wait_in_the_table),
        CASE(get__more_users_than_places_while_all_hangs__nobody_waits_for_ever),
        CASE(get__place_lost_while_the_look_up_hangs__is_not_looked_up_twice),
        CASE(get__loop_held_up_for_longer_than_the_patience__has_the_name),
        CASE(get__users_that_come_and_go__are_forgotten_the_oldest_first),
        CASE(close__one_hangs__the_memory_goes_when_it_is_back),
        CASE(close__look_ups_in_the_pool_s_queue__ends_at_once),
        CASE(create__out_of_memory__is_an_error_and_nothing_later_is),
    };
    set_environment("UV_THREADPOOL_SIZE", "4");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
