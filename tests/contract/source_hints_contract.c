/* SPDX-License-Identifier: MIT */
#include "source_hints_contract.h"

#include "tests/support/cmocka_all.h"

#include <stdio.h>

#define DEADLINE_MS 60000 /* what is waited for takes a second at most */
#define ALL_GROUPS ((unsigned)BERTH_HINTS_ETW | (unsigned)BERTH_HINTS_WMI)

struct stage {
    uv_loop_t loop;
    uv_timer_t deadline;
    struct berth_source_hints *hints; /* NULL: a report now is an error */
    unsigned groups;
    unsigned looks[BERTH_SOURCE_COUNT];
    unsigned states[BERTH_HINT_FACILITY_COUNT];
    bool works[BERTH_HINT_FACILITY_COUNT];
    char reasons[BERTH_HINT_FACILITY_COUNT][300];
    unsigned closed;
};

static void take_look(void *ctx, enum berth_source source)
{
    struct stage *stage = ctx;

    assert_non_null(stage->hints);
    assert_in_range(source, 0, BERTH_SOURCE_COUNT - 1);
    stage->looks[source]++;
}

static void take_state(void *ctx, enum berth_hint_facility facility, bool works, const char *reason)
{
    struct stage *stage = ctx;

    assert_non_null(stage->hints);
    assert_in_range(facility, 0, BERTH_HINT_FACILITY_COUNT - 1);
    assert_true((stage->groups & (unsigned)berth_hint_facility_group(facility)) != 0);
    assert_int_equal(reason == NULL, works);
    assert_true(reason == NULL || reason[0] != '\0');
    stage->states[facility]++;
    stage->works[facility] = works;
    (void)snprintf(stage->reasons[facility], sizeof stage->reasons[facility], "%s",
                   reason != NULL ? reason : "");
    if (reason != NULL) {
        print_message("%s: %s\n", berth_hint_facility_name(facility), reason);
    }
}

static void take_closed(void *ctx)
{
    struct stage *stage = ctx;

    stage->closed++;
}

static void deadline_cb(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened within a minute");
}

static int set_up(void **state)
{
    static struct stage stage;

    memset(&stage, 0, sizeof stage);
    if (source_hints_world.set_up != NULL) {
        source_hints_world.set_up();
    }
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    assert_int_equal(uv_timer_init(&stage.loop, &stage.deadline), 0);
    assert_int_equal(uv_timer_start(&stage.deadline, deadline_cb, DEADLINE_MS, 0), 0);
    *state = &stage;
    return 0;
}

static void start(struct stage *stage, unsigned groups)
{
    const struct berth_source_hints_sink sink = {take_look, take_state, stage};
    struct berth_source_hints *hints = NULL;
    struct berth_error err = {0};

    stage->groups = groups;
    /* a report from within would find no hints */
    assert_ok(berth_source_hints_open(&hints, &stage->loop, groups, &sink, &err), &err);
    stage->hints = hints;
}

static void stop(struct stage *stage)
{
    struct berth_source_hints *hints = stage->hints;

    stage->hints = NULL;
    stage->closed = 0;
    berth_source_hints_close(hints, take_closed, stage);
    assert_int_equal(stage->closed, 0);
    while (stage->closed == 0) {
        (void)uv_run(&stage->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stage->closed, 1);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    if (stage->hints != NULL) {
        stop(stage);
    }
    uv_close((uv_handle_t *)&stage->deadline, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    return 0;
}

static bool is_wanted(const struct stage *stage, unsigned facility)
{
    return (stage->groups &
            (unsigned)berth_hint_facility_group((enum berth_hint_facility)facility)) != 0;
}

static void await_states(struct stage *stage)
{
    for (unsigned i = 0; i < BERTH_HINT_FACILITY_COUNT; i++) {
        while (is_wanted(stage, i) && stage->states[i] == 0) {
            (void)uv_run(&stage->loop, UV_RUN_ONCE);
        }
    }
}

static void open__all_groups__each_facility_says_how_it_does(void **state)
{
    struct stage *stage = *state;

    start(stage, ALL_GROUPS);
    await_states(stage);
    for (unsigned i = 0; i < BERTH_HINT_FACILITY_COUNT; i++) {
        struct berth_hint_status status;
        berth_source_hints_status(stage->hints, (enum berth_hint_facility)i, &status);
        assert_true(status.told);
        assert_int_equal(status.works, stage->works[i]);
        assert_true(status.works ? status.reason == NULL
                                 : strcmp(status.reason, stage->reasons[i]) == 0);
    }
}

static void open__one_group__the_other_says_nothing(void **state)
{
    static const unsigned groups[] = {BERTH_HINTS_ETW, BERTH_HINTS_WMI};
    struct stage *stage = *state;

    for (size_t g = 0; g < BERTH_COUNT(groups); g++) {
        memset(stage->states, 0, sizeof stage->states);
        start(stage, groups[g]);
        await_states(stage);
        for (unsigned i = 0; i < BERTH_HINT_FACILITY_COUNT; i++) {
            struct berth_hint_status status;
            berth_source_hints_status(stage->hints, (enum berth_hint_facility)i, &status);
            assert_int_equal(status.told, is_wanted(stage, i));
        }
        stop(stage);
    }
}

static void close__at_once__nothing_is_reported(void **state)
{
    struct stage *stage = *state;

    start(stage, ALL_GROUPS);
    stop(stage);
    for (unsigned i = 0; i < BERTH_HINT_FACILITY_COUNT; i++) {
        assert_int_equal(stage->states[i], 0);
    }
}

static void hints__burst_of_one_source__is_one_look_at_it_alone(void **state)
{
    struct stage *stage = *state;

    if (source_hints_world.tell == NULL) {
        skip();
    }
    start(stage, ALL_GROUPS);
    await_states(stage);
    for (unsigned i = 0; i < 100; i++) {
        source_hints_world.tell(BERTH_HINT_IIS_EVENTS, BERTH_HINT_BIT(BERTH_SOURCE_IIS));
    }
    while (stage->looks[BERTH_SOURCE_IIS] == 0) {
        (void)uv_run(&stage->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stage->looks[BERTH_SOURCE_IIS], 1);
    assert_int_equal(stage->looks[BERTH_SOURCE_TCP], 0);
    assert_int_equal(stage->looks[BERTH_SOURCE_HTTPSYS], 0);
}

static void facility__fails__says_so_once_and_the_others_go_on(void **state)
{
    struct stage *stage = *state;

    if (source_hints_world.break_down == NULL) {
        skip();
    }
    start(stage, ALL_GROUPS);
    await_states(stage);
    for (unsigned i = 0; i < 3; i++) {
        source_hints_world.break_down(BERTH_HINT_WMI_SITES, "it is gone");
        (void)uv_run(&stage->loop, UV_RUN_NOWAIT);
    }
    while (stage->works[BERTH_HINT_WMI_SITES]) {
        (void)uv_run(&stage->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stage->states[BERTH_HINT_WMI_SITES], 2);
    assert_string_equal(stage->reasons[BERTH_HINT_WMI_SITES], "it is gone");
    assert_int_equal(stage->states[BERTH_HINT_WMI_SERVICES], 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int source_hints_contract_run(void)
{
    const struct CMUnitTest tests[] = {
        CASE(open__all_groups__each_facility_says_how_it_does),
        CASE(open__one_group__the_other_says_nothing),
        CASE(close__at_once__nothing_is_reported),
        CASE(hints__burst_of_one_source__is_one_look_at_it_alone),
        CASE(facility__fails__says_so_once_and_the_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
