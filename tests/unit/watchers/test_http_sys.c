/* SPDX-License-Identifier: MIT */
/* What the watcher makes of http.sys's answers. */
#include "memory_faults.h"
#include "watch_case.h"
#include "watchers/http_sys.h"

#include <stdlib.h>

#define ENTRIES_MAX 8

struct world {
    enum berth_code begin;
    struct berth_http_entry entries[BERTH_HTTP_LIST_COUNT][ENTRIES_MAX];
    enum berth_code ends[BERTH_HTTP_LIST_COUNT]; /* behind the last entry; BERTH_OK: NOT_FOUND */
    const char *state_text;                      /* NULL: it fails */
    bool endless;
    int rounds; /* that were begun and not ended */
    unsigned states;
    bool closed;
};

static enum berth_code begin(void *context, struct berth_error *err)
{
    struct world *world = context;

    if (world->begin != BERTH_OK) {
        return berth_fail(err, world->begin, 1060, "no http.sys");
    }
    world->rounds++;
    return BERTH_OK;
}

static enum berth_code entry(void *context, enum berth_http_list list, uint32_t index,
                             struct berth_http_entry *out, struct berth_error *err)
{
    struct world *world = context;

    assert_int_equal(world->rounds, 1);
    if (world->endless && list == BERTH_HTTP_URL_RESERVATIONS) {
        *out = (struct berth_http_entry){.url = "http://+:80/"};
        return BERTH_OK;
    }
    if (index < ENTRIES_MAX &&
        (world->entries[list][index].url != NULL || world->entries[list][index].port != 0)) {
        *out = world->entries[list][index];
        return BERTH_OK;
    }
    if (world->ends[list] != BERTH_OK) {
        return berth_fail(err, world->ends[list], 5, "the list is torn");
    }
    return BERTH_NOT_FOUND;
}

static void end(void *context)
{
    struct world *world = context;

    world->rounds--;
}

static enum berth_code service_state(void *context, struct berth_text *out, struct berth_error *err)
{
    struct world *world = context;

    world->states++;
    if (world->state_text == NULL) {
        return berth_fail(err, BERTH_IO, 0, "netsh is shut");
    }
    berth_text_puts(out, world->state_text);
    return out->failed == BERTH_OK ? BERTH_OK : berth_fail_memory(err, "the state");
}

static bool image(void *context, uint32_t process_id, char *out, size_t size)
{
    (void)context;
    (void)snprintf(out, size, "monitor.exe");
    return process_id == 4796;
}

static void close_world(void *context)
{
    struct world *world = context;

    world->closed = true;
}

static const struct berth_http_calls calls = {.begin = begin,
                                              .entry = entry,
                                              .end = end,
                                              .service_state = service_state,
                                              .image = image,
                                              .close = close_world};

static void start(struct watch_case *stage, struct world *world)
{
    const struct berth_http_options options = {.poll_ms = 3600000, .state_ms = 3600000};
    struct berth_watcher *watcher = NULL;
    struct berth_error err;

    watch_case_open(stage);
    assert_ok(berth_http_watcher_create(&watcher, &stage->loop, &calls, world, &options, &err),
              &err);
    watch_case_start(stage, watcher);
}

static void finish(struct watch_case *stage, struct world *world)
{
    watch_case_close(stage);
    assert_int_equal(world->rounds, 0);
    assert_true(world->closed);
}

static const char two_queues[] = "head\n"
                                 "    Request queue name: a\n"
                                 "        Processes:\n"
                                 "            ID: 2688, image: C:\\w\\svchost.exe\n"
                                 "        Registered URLs:\n"
                                 "            HTTP://+:5985/WSMAN/\n"
                                 "    Request queue name: b\n"
                                 "        Processes:\n"
                                 "            ID: 4796, image: <?>\n"
                                 "            HTTP://+:8000/M\xf6/\n"
                                 "    Request queue name: c\n"
                                 "        Processes:\n"
                                 "            11\n"
                                 "            12\n"
                                 "            HTTP://+:8001/\n"
                                 "    Request queue name: d\n"
                                 "        Processes:\n"
                                 "            HTTP://+:8002/\n"
                                 "    Request queue name: e\n"
                                 "        Processes:\n"
                                 "            99\n"
                                 "            HTTP://+:8003/\n";

static void lists__all_kinds__are_claims_for_people(void **state)
{
    struct world world = {
        .entries =
            {
                [BERTH_HTTP_URL_RESERVATIONS] = {{.url = "http://+:80/Temporary_Listen_Addresses/",
                                                  .sddl = "D:(A;;GX;;;WD)"},
                                                 {.url = "https://shop.example:8443/"}},
                [BERTH_HTTP_ADDRESS_BINDINGS] = {{.address = {.family = BERTH_FAMILY_IPV4},
                                                  .port = 443}},
                [BERTH_HTTP_HOST_BINDINGS] = {{.host = "shop.example", .port = 444}},
                [BERTH_HTTP_STORE_BINDINGS] = {{.address = {.family = BERTH_FAMILY_IPV6},
                                                .port = 445}},
            },
        .state_text = two_queues,
    };
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_READY);
    assert_string_equal(
        stage.claims,
        "80/url http://+:80/Temporary_Listen_Addresses/ [URL reservation, D:(A;;GX;;;WD)]\n"
        "8443/url https://shop.example:8443/ [URL reservation]\n"
        "443/url SSL 0.0.0.0:443 [a certificate is bound to the address]\n"
        "444/url SSL shop.example:444 [a certificate is bound to the host name]\n"
        "445/url SSL [::]:445 [the central certificate store is bound to the port]\n"
        "5985/url HTTP://+:5985/WSMAN/ [registered by svchost.exe (pid 2688)]\n"
        "8000/url HTTP://+:8000/M?/ [registered by monitor.exe (pid 4796)]\n"
        "8001/url HTTP://+:8001/ [registered by 2 processes]\n"
        "8002/url HTTP://+:8002/ [registered; no process serves it now]\n"
        "8003/url HTTP://+:8003/ [registered by a process (pid 99)]\n");
    finish(&stage, &world);
}

static void lists__of_older_windows__are_passed_over(void **state)
{
    struct world world = {
        .entries[BERTH_HTTP_URL_RESERVATIONS] = {{.url = "http://+:80/"}},
        .ends = {[BERTH_HTTP_HOST_BINDINGS] = BERTH_NOT_SUPPORTED,
                 [BERTH_HTTP_STORE_BINDINGS] = BERTH_NOT_SUPPORTED},
        .state_text = "none\n",
    };
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_READY);
    assert_int_equal(stage.claim_count, 1);
    finish(&stage, &world);
}

static void entry__that_makes_no_sense__is_a_warning(void **state)
{
    struct world world = {
        .entries[BERTH_HTTP_URL_RESERVATIONS] = {{.url = "net.pipe://x/"}, {.url = "http://+:81/"}},
        .state_text = "none\n",
    };
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_READY);
    assert_string_equal(stage.claims, "81/url http://+:81/ [URL reservation]\n");
    assert_non_null(strstr(stage.warnings, "net.pipe://x/"));
    finish(&stage, &world);
}

static void list__torn_in_the_middle__is_stale_and_what_was_known_stays(void **state)
{
    struct world world = {
        .entries[BERTH_HTTP_URL_RESERVATIONS] = {{.url = "http://+:80/"}},
        .state_text = "none\n",
    };
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    world.ends[BERTH_HTTP_ADDRESS_BINDINGS] = BERTH_IO;
    watch_case_look(&stage);
    assert_int_equal(stage.state, BERTH_STATE_STALE);
    assert_string_equal(stage.reason, "the list is torn");
    assert_int_equal(stage.snapshots, 1);
    finish(&stage, &world);
}

static void list__without_an_end__is_a_failure(void **state)
{
    struct world world = {.endless = true, .state_text = "none\n"};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_WAITING);
    assert_string_equal(stage.reason, "http.sys lists more than 65536 entries");
    finish(&stage, &world);
}

static void http_sys__not_there__is_absent(void **state)
{
    struct world world = {.begin = BERTH_NOT_FOUND};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_ABSENT);
    assert_string_equal(stage.reason, "no http.sys");
    assert_int_equal(world.states, 0);
    finish(&stage, &world);
}

static void http_sys__that_fails__is_waiting(void **state)
{
    struct world world = {.begin = BERTH_IO};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.state, BERTH_STATE_WAITING);
    finish(&stage, &world);
}

static void service_state__fails_later__is_degraded_and_its_urls_stay(void **state)
{
    struct world world = {.state_text = two_queues};
    struct watch_case stage;

    (void)state;
    start(&stage, &world);
    assert_int_equal(stage.claim_count, 5);
    world.state_text = NULL;
    watch_case_look(&stage);
    assert_int_equal(stage.state, BERTH_STATE_DEGRADED);
    assert_non_null(strstr(stage.reason, "netsh is shut"));
    assert_int_equal(stage.claim_count, 5);
    world.state_text = "";
    watch_case_look(&stage);
    assert_int_equal(stage.state, BERTH_STATE_DEGRADED);
    assert_int_equal(stage.claim_count, 5);
    world.state_text = "nothing is registered\n";
    watch_case_look(&stage);
    assert_int_equal(stage.state, BERTH_STATE_READY);
    assert_int_equal(stage.claim_count, 0);
    finish(&stage, &world);
}

static void service_state__between_demands__is_asked_for_rarely(void **state)
{
    struct world world = {.state_text = two_queues};
    const struct berth_http_options options = {.poll_ms = 1, .state_ms = 3600000};
    struct berth_watcher *watcher = NULL;
    struct watch_case stage;
    struct berth_error err;

    (void)state;
    watch_case_open(&stage);
    assert_ok(berth_http_watcher_create(&watcher, &stage.loop, &calls, &world, &options, &err),
              &err);
    watch_case_start(&stage, watcher);
    watch_case_wait(&stage, 5);
    assert_int_equal(world.states, 1);
    assert_int_equal(stage.claim_count, 5);
    finish(&stage, &world);
}

static void look__memory_fails_at_any_point__is_no_leak_and_no_shorter_list(void **state)
{
    struct world world = {
        .entries[BERTH_HTTP_URL_RESERVATIONS] = {{.url = "http://host:80/", .sddl = "D:"}},
        .entries[BERTH_HTTP_HOST_BINDINGS] = {{.host = "shop.example", .port = 444}},
        .state_text = two_queues,
    };
    bool failed = true;

    (void)state;
    for (size_t at = 1; failed; at++) {
        struct berth_watcher *watcher = NULL;
        struct watch_case stage;
        struct berth_error err;
        const struct berth_http_options options = {.poll_ms = 3600000};
        size_t live = 0;

        watch_case_open(&stage);
        memory_faults_begin(at, false);
        world.closed = false;
        if (berth_http_watcher_create(&watcher, &stage.loop, &calls, &world, &options, &err) ==
            BERTH_OK) {
            watch_case_start(&stage, watcher);
            /* registered URLs may be missing, which is said */
            assert_true(stage.snapshots == 0 || stage.claim_count == 7 ||
                        (stage.claim_count == 2 && stage.state == BERTH_STATE_DEGRADED));
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
        cmocka_unit_test(lists__all_kinds__are_claims_for_people),
        cmocka_unit_test(lists__of_older_windows__are_passed_over),
        cmocka_unit_test(entry__that_makes_no_sense__is_a_warning),
        cmocka_unit_test(list__torn_in_the_middle__is_stale_and_what_was_known_stays),
        cmocka_unit_test(list__without_an_end__is_a_failure),
        cmocka_unit_test(http_sys__not_there__is_absent),
        cmocka_unit_test(http_sys__that_fails__is_waiting),
        cmocka_unit_test(service_state__fails_later__is_degraded_and_its_urls_stay),
        cmocka_unit_test(service_state__between_demands__is_asked_for_rarely),
        cmocka_unit_test(look__memory_fails_at_any_point__is_no_leak_and_no_shorter_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
