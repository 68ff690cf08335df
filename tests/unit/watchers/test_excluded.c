/* SPDX-License-Identifier: MIT */
/* Which claims excluded ranges make, and what the watcher says when they are not to be had. */
#include "memory_faults.h"
#include "watch_case.h"
#include "watchers/excluded.h"

struct world {
    const char *text[2]; /* by family; NULL: it fails with `code` */
    enum berth_code code;
    uint16_t kernel_port;
    enum berth_code kernel_code;
    bool closed;
};

static enum berth_code list(void *context, bool ipv6, struct berth_text *out,
                            struct berth_error *err)
{
    struct world *world = context;

    if (world->text[ipv6] == NULL) {
        return berth_fail(err, world->code, 2, "netsh is not to be had");
    }
    berth_text_puts(out, world->text[ipv6]);
    return out->failed == BERTH_OK ? BERTH_OK : berth_fail_memory(err, "a text");
}

static enum berth_code kernel_ports(void *context, struct berth_port_set *out,
                                    struct berth_error *err)
{
    struct world *world = context;

    if (world->kernel_port != 0) {
        (void)berth_port_set_add(out, world->kernel_port);
    }
    return world->kernel_code != BERTH_OK ? berth_fail(err, world->kernel_code, 0, "no TCP table")
                                          : BERTH_OK;
}

static void close_world(void *context)
{
    struct world *world = context;

    world->closed = true;
}

static const struct berth_excluded_calls calls = {
    .list = list, .kernel_ports = kernel_ports, .close = close_world};

static void start(struct watch_case *stage, struct world *world)
{
    struct berth_watcher *watcher = NULL;
    struct berth_error err;

    watch_case_open(stage);
    assert_ok(berth_excluded_watcher_create(&watcher, &stage->loop, &calls, world, 3600000, &err),
              &err);
    watch_case_start(stage, watcher);
}

static void finish(struct watch_case *stage, struct world *world)
{
    watch_case_close(stage);
    assert_true(world->closed);
}

#define RUNTIME " [reserved at run time (Hyper-V, WinNAT or another): nothing can bind it]\n"
#define ADMINISTERED " [administered: http.sys cannot use it, though a socket may]\n"
#define HTTP_SYS " [reserved by http.sys for a URL that is registered with it]\n"

static void ranges__of_both_kinds_and_families__are_claims_each_port_once(void **state)
{
    struct world world = {
        .text = {"-- --\n5985 5985\n50000 50001 *\n60000 60001\n60001 60002\n7 7\n8 8 *\n",
                 "-- --\n5985 5985\n50001 50002 *\n60000 60000\n"},
        .kernel_port = 5985,
    };
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_READY);
    assert_string_equal(
        stage.claims,
        "8/exclusion 8-8" ADMINISTERED "50000/exclusion 50000-50001" ADMINISTERED
        "50001/exclusion 50000-50001" ADMINISTERED "50002/exclusion 50001-50002" ADMINISTERED
        "7/exclusion 7-7" RUNTIME "5985/url http.sys" HTTP_SYS "60000/exclusion 60000-60001" RUNTIME
        "60001/exclusion 60000-60001" RUNTIME "60002/exclusion 60001-60002" RUNTIME);
    finish(&stage, &world);
}

static void one_port__with_both_kinds__is_kept_as_both(void **state)
{
    struct world world = {.text = {"-- --\n80 80\n80 80 *\n", "-- --\n"}, .kernel_port = 80};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_string_equal(stage.claims, "80/exclusion 80-80" ADMINISTERED "80/url http.sys" HTTP_SYS);
    finish(&stage, &world);
}

static void kernel_port__within_a_wider_range__is_no_own_reservation(void **state)
{
    struct world world = {.text = {"-- --\n79 80\n", "-- --\n"}, .kernel_port = 80};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_string_equal(stage.claims, "79/exclusion 79-80" RUNTIME "80/exclusion 79-80" RUNTIME);
    finish(&stage, &world);
}

static void port__passed_from_http_sys_to_another__is_held_throughout(void **state)
{
    struct world world = {.text = {"-- --\n80 80\n", "-- --\n"}, .kernel_port = 80};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_string_equal(stage.claims, "80/url http.sys" HTTP_SYS);
    world.kernel_port = 0;
    watch_case_look(&stage);
    assert_string_equal(stage.claims, "80/exclusion 80-80" RUNTIME);
    assert_int_equal(stage.snapshots, 2); /* no snapshot between them that lacks the port */
    finish(&stage, &world);
}

static void range__of_all_ports__fits(void **state)
{
    struct world world = {.text = {"-- --\n1 65535\n1 65535 *\n", "-- --\n"}};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_READY);
    assert_int_equal(stage.claim_count, BERTH_EXCLUDED_CLAIMS_MAX);
    finish(&stage, &world);
}

static void netsh__that_is_not_there_or_prints_nothing__is_degraded(void **state)
{
    struct world worlds[] = {{.code = BERTH_NOT_FOUND}, {.text = {"", ""}}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(worlds); i++) {
        struct watch_case stage;
        start(&stage, &worlds[i]);
        assert_int_equal(stage.state, BERTH_STATE_DEGRADED);
        assert_non_null(strstr(stage.reason, "not all excluded port ranges are known"));
        assert_int_equal(stage.snapshots, 1);
        assert_int_equal(stage.claim_count, 0);
        finish(&stage, &worlds[i]);
    }
}

static void netsh__silent_for_one_family__gives_the_other_s(void **state)
{
    struct world world = {.text = {"-- --\n7 7\n", ""}};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_DEGRADED);
    assert_int_equal(stage.claim_count, 1);
    finish(&stage, &world);
}

static void netsh__silent_after_it_has_told__is_stale(void **state)
{
    static const struct world after[] = {
        {.text = {"", "-- --\n"}},
        {.text = {"-- --\n", ""}},
        {.code = BERTH_NOT_FOUND},
        {.code = BERTH_IO},
        {.text = {"words", "-- --\n"}},
        {.text = {"-- --\n7 7\n", "-- --\n"}, .kernel_code = BERTH_IO},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(after); i++) {
        struct world world = {.text = {"-- --\n7 7\n", "-- --\n"}};
        struct watch_case stage;
        start(&stage, &world);
        assert_int_equal(stage.state, BERTH_STATE_READY);
        world = after[i];
        watch_case_look(&stage);
        assert_int_equal(stage.state, BERTH_STATE_STALE);
        assert_int_equal(stage.snapshots, 1);
        finish(&stage, &world);
    }
}

static void look__memory_fails_at_any_point__is_no_leak_and_no_shorter_list(void **state)
{
    struct world world = {.text = {"-- --\n7 7\n", "-- --\n8 8 *\n"}};
    bool failed = true;

    (void)state;
    for (size_t at = 1; failed; at++) {
        struct berth_watcher *watcher = NULL;
        struct watch_case stage;
        struct berth_error err;
        size_t live = 0;

        watch_case_open(&stage);
        memory_faults_begin(at, false);
        if (berth_excluded_watcher_create(&watcher, &stage.loop, &calls, &world, 3600000, &err) ==
            BERTH_OK) {
            watch_case_start(&stage, watcher);
            assert_true(stage.snapshots == 0 || stage.claim_count == 2);
            assert_true(stage.snapshots == 1 || stage.state == BERTH_STATE_WAITING);
            watch_case_close(&stage);
        } else {
            uv_close((uv_handle_t *)&stage.tick, NULL);
            (void)uv_run(&stage.loop, UV_RUN_DEFAULT);
            assert_int_equal(uv_loop_close(&stage.loop), 0);
        }
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges__of_both_kinds_and_families__are_claims_each_port_once),
        cmocka_unit_test(one_port__with_both_kinds__is_kept_as_both),
        cmocka_unit_test(kernel_port__within_a_wider_range__is_no_own_reservation),
        cmocka_unit_test(port__passed_from_http_sys_to_another__is_held_throughout),
        cmocka_unit_test(range__of_all_ports__fits),
        cmocka_unit_test(netsh__that_is_not_there_or_prints_nothing__is_degraded),
        cmocka_unit_test(netsh__silent_for_one_family__gives_the_other_s),
        cmocka_unit_test(netsh__silent_after_it_has_told__is_stale),
        cmocka_unit_test(look__memory_fails_at_any_point__is_no_leak_and_no_shorter_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
