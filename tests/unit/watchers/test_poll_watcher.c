/* SPDX-License-Identifier: MIT */
/* What a watcher that polls does beyond the contract: absence, back-off, demands, lack of memory.
 */
#include "memory_faults.h"
#include "watch_case.h"
#include "watchers/poll_watcher.h"

struct world {
    enum berth_code code;
    enum berth_source_state state;
    uint16_t port; /* 0: no claim */
    unsigned reads;
    unsigned demanded;
    bool closed;
};

static enum berth_code read_world(void *context, bool demanded, struct berth_poll_answer *out,
                                  struct berth_error *err)
{
    struct world *world = context;

    world->reads++;
    world->demanded += demanded;
    if (world->code != BERTH_OK) {
        return berth_fail(err, world->code, 5, "the world is shut");
    }
    out->list.limit = 10;
    out->state = world->state;
    (void)snprintf(out->reason, sizeof out->reason, "%s",
                   world->state == BERTH_STATE_READY ? "" : "half of it");
    if (world->port != 0) {
        struct berth_claim claim = berth_claim_make(world->port, BERTH_CLAIM_EXCLUSION);
        claim.holder = berth_iis_strings_format(&out->list.strings, "port %u", world->port);
        if (claim.holder == NULL) {
            return berth_fail_memory(err, "a name");
        }
        return berth_claim_list_add(&out->list, &claim, err);
    }
    return BERTH_OK;
}

static void close_world(void *context)
{
    struct world *world = context;

    assert_false(world->closed);
    world->closed = true;
}

static const struct berth_poll_reader reader = {.source = BERTH_SOURCE_EXCLUDED,
                                                .feed = "world",
                                                .what = "the world",
                                                .read = read_world,
                                                .close = close_world};

static void start(struct watch_case *stage, struct world *world, uint64_t poll_ms)
{
    struct berth_watcher *watcher = NULL;
    struct berth_error err;

    watch_case_open(stage);
    assert_ok(berth_poll_watcher_create(&watcher, &stage->loop, &reader, world, poll_ms, &err),
              &err);
    watch_case_start(stage, watcher);
}

static void poll__by_itself__reads_again_and_again(void **state)
{
    struct world world = {.state = BERTH_STATE_READY, .port = 80};
    struct watch_case stage;

    (void)state;
    start(&stage, &world, 1);
    assert_string_equal(stage.claims, "80/exclusion port 80 [-]\n");
    assert_int_equal(world.demanded, 1); /* the first one must know all */
    world.port = 81;
    watch_case_wait(&stage, stage.states + 3);
    assert_string_equal(stage.claims, "81/exclusion port 81 [-]\n");
    assert_int_equal(world.demanded, 1);
    watch_case_close(&stage);
    assert_true(world.closed);
}

static void look__between_polls__is_a_demand(void **state)
{
    struct world world = {.state = BERTH_STATE_READY, .port = 80};
    struct watch_case stage;

    (void)state;
    start(&stage, &world, 3600000);
    watch_case_look(&stage);
    assert_int_equal(world.reads, 2);
    assert_int_equal(world.demanded, 2);
    watch_case_close(&stage);
}

static void answer__degraded__is_a_snapshot_and_a_reason(void **state)
{
    struct world world = {.state = BERTH_STATE_DEGRADED, .port = 80};
    struct watch_case stage;

    (void)state;
    start(&stage, &world, 3600000);
    assert_int_equal(stage.snapshots, 1);
    assert_int_equal(stage.state, BERTH_STATE_DEGRADED);
    assert_string_equal(stage.reason, "half of it");
    watch_case_close(&stage);
}

static void answer__absent_from_the_start__is_no_snapshot(void **state)
{
    struct world world = {.state = BERTH_STATE_ABSENT};
    struct watch_case stage;

    (void)state;
    start(&stage, &world, 3600000);
    assert_int_equal(stage.state, BERTH_STATE_ABSENT);
    assert_int_equal(stage.snapshots, 0);
    watch_case_close(&stage);
}

static void answer__absent_after_claims__gives_them_up(void **state)
{
    struct world world = {.state = BERTH_STATE_READY, .port = 80};
    struct watch_case stage;

    (void)state;
    start(&stage, &world, 3600000);
    world.state = BERTH_STATE_ABSENT;
    world.port = 0;
    watch_case_look(&stage);
    assert_int_equal(stage.state, BERTH_STATE_ABSENT);
    assert_int_equal(stage.snapshots, 2);
    assert_int_equal(stage.claim_count, 0);
    watch_case_close(&stage);
}

static void failure__before_and_after_claims__is_waiting_and_stale(void **state)
{
    struct world world = {.code = BERTH_IO, .state = BERTH_STATE_READY, .port = 80};
    struct watch_case stage;

    (void)state;
    start(&stage, &world, 3600000);
    assert_int_equal(stage.state, BERTH_STATE_WAITING);
    assert_string_equal(stage.reason, "the world is shut");
    assert_int_equal(stage.snapshots, 0);
    world.code = BERTH_OK;
    watch_case_wait(&stage, stage.states + 1); /* by itself, long before the poll is due */
    assert_int_equal(stage.state, BERTH_STATE_READY);
    world.code = BERTH_MALFORMED;
    watch_case_look(&stage);
    assert_int_equal(stage.state, BERTH_STATE_STALE);
    assert_int_equal(stage.snapshots, 1);
    watch_case_close(&stage);
}

static void create__wrong_or_no_memory__leaves_the_context_to_the_caller(void **state)
{
    struct world world = {.state = BERTH_STATE_READY};
    struct berth_watcher *watcher = NULL;
    struct berth_error err;
    uv_loop_t loop;
    size_t live;

    (void)state;
    assert_code(berth_poll_watcher_create(&watcher, &loop, &reader, &world, 0, &err),
                BERTH_INVALID_PARAMS);
    memory_faults_begin(1, false);
    assert_code(berth_poll_watcher_create(&watcher, &loop, &reader, &world, 1, &err),
                BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_null(watcher);
    assert_false(world.closed);
}

static void list__beyond_its_limit__is_too_large_and_unchanged(void **state)
{
    struct berth_claim_list list = {.limit = 100};
    struct berth_claim claim = berth_claim_make(80, BERTH_CLAIM_URL);
    struct berth_error err;
    size_t live;

    (void)state;
    for (size_t i = 0; i < 64; i++) {
        assert_ok(berth_claim_list_add(&list, &claim, &err), &err);
    }
    memory_faults_begin(1, false);
    assert_code(berth_claim_list_add(&list, &claim, &err), BERTH_NO_MEMORY);
    (void)memory_faults_end(&live);
    assert_int_equal(list.count, 64);
    while (list.count < 100) {
        assert_ok(berth_claim_list_add(&list, &claim, &err), &err);
    }
    assert_code(berth_claim_list_add(&list, &claim, &err), BERTH_TOO_LARGE);
    assert_int_equal(list.count, 100);
    for (size_t i = 0; i < BERTH_CLAIM_LIST_WARNINGS_MAX + 5; i++) {
        assert_ok(berth_claim_list_warn(&list, "odd", &err), &err);
    }
    assert_int_equal(list.warning_count, BERTH_CLAIM_LIST_WARNINGS_MAX);
    berth_claim_list_fini(&list);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.limit, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poll__by_itself__reads_again_and_again),
        cmocka_unit_test(look__between_polls__is_a_demand),
        cmocka_unit_test(answer__degraded__is_a_snapshot_and_a_reason),
        cmocka_unit_test(answer__absent_from_the_start__is_no_snapshot),
        cmocka_unit_test(answer__absent_after_claims__gives_them_up),
        cmocka_unit_test(failure__before_and_after_claims__is_waiting_and_stale),
        cmocka_unit_test(create__wrong_or_no_memory__leaves_the_context_to_the_caller),
        cmocka_unit_test(list__beyond_its_limit__is_too_large_and_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
