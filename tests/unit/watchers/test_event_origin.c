/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/support/cmocka_all.h"
#include "watchers/linux/event_origin.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct berth_event_origin *make_origin(const char *proc)
{
    struct berth_event_origin *origin = malloc(sizeof *origin);

    assert_non_null(origin);
    berth_event_origin_init(origin, proc);
    return origin;
}

static struct berth_address ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const struct berth_address address = {.family = BERTH_FAMILY_IPV4, .bytes = {a, b, c, d}};

    return address;
}

static void process__of_our_own_network__is_not_foreign(void **state)
{
    struct berth_event_origin *origin = make_origin(NULL);

    (void)state;
    assert_false(berth_event_origin_is_foreign_process(origin, (uint32_t)getpid(), 1));
    assert_false(berth_event_origin_is_foreign_process(origin, 0, 1));
    free(origin);
}

/* A child in a network of its own, which says whether it has one. */
static pid_t start_elsewhere(void)
{
    int ready[2];
    char answer = 'n';

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        answer = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
        (void)!write(ready[1], &answer, 1);
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(read(ready[0], &answer, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    if (answer == 'n') {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return 0;
    }
    return pid;
}

static void process__of_another_network__is_foreign_until_the_answer_is_old(void **state)
{
    struct berth_event_origin *origin = make_origin(NULL);
    pid_t pid = start_elsewhere();

    (void)state;
    if (pid == 0) {
        free(origin);
        skip();
    }
    assert_true(berth_event_origin_is_foreign_process(origin, (uint32_t)pid, 1));
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    assert_true(
        berth_event_origin_is_foreign_process(origin, (uint32_t)pid, BERTH_ORIGIN_PROCESS_NS));
    /* one that is gone counts as ours */
    assert_false(
        berth_event_origin_is_foreign_process(origin, (uint32_t)pid, BERTH_ORIGIN_PROCESS_NS + 1));
    free(origin);
}

static void process__without_proc__is_not_foreign(void **state)
{
    struct berth_event_origin *origin = make_origin("/nowhere");

    (void)state;
    assert_false(berth_event_origin_is_foreign_process(origin, 1, 1));
    free(origin);
}

static void address__of_loopback_and_wildcard__is_not_foreign(void **state)
{
    struct berth_event_origin *origin = make_origin(NULL);
    const struct berth_address inside = ipv4(127, 9, 8, 7);
    const struct berth_address any = {.family = BERTH_FAMILY_IPV6};

    (void)state;
    assert_false(berth_event_origin_is_foreign_address(origin, &inside, 1));
    assert_false(berth_event_origin_is_foreign_address(origin, &any, 1));
    free(origin);
}

static void address__that_is_none_of_ours__is_foreign(void **state)
{
    struct berth_event_origin *origin = make_origin(NULL);
    const struct berth_address documentation = ipv4(192, 0, 2, 77); /* RFC 5737: nobody's */

    (void)state;
    assert_true(berth_event_origin_is_foreign_address(origin, &documentation, 1));
    assert_true(origin->addresses_whole);
    free(origin);
}

static void address__of_ours__is_listed_anew_only_now_and_then(void **state)
{
    struct berth_event_origin *origin = make_origin(NULL);
    const struct berth_address later = ipv4(192, 0, 2, 78);

    (void)state;
    assert_true(berth_event_origin_is_foreign_address(origin, &later, 1));
    origin->addresses[origin->address_count++] = later; /* as if it had come */
    assert_false(berth_event_origin_is_foreign_address(origin, &later, 2));
    origin->address_count--;
    uint64_t listed = origin->addresses_ns;
    (void)berth_event_origin_is_foreign_address(origin, &later, BERTH_ORIGIN_ADDRESS_NS);
    assert_int_equal(origin->addresses_ns, listed);
    (void)berth_event_origin_is_foreign_address(origin, &later, BERTH_ORIGIN_ADDRESS_NS + 1);
    assert_int_equal(origin->addresses_ns, BERTH_ORIGIN_ADDRESS_NS + 1);
    free(origin);
}

static void address__more_of_ours_than_are_listed__is_not_foreign(void **state)
{
    struct berth_event_origin *origin = make_origin(NULL);
    const struct berth_address documentation = ipv4(192, 0, 2, 77);

    (void)state;
    (void)berth_event_origin_is_foreign_address(origin, &documentation, 1);
    origin->addresses_whole = false;
    assert_false(berth_event_origin_is_foreign_address(origin, &documentation, 2));
    free(origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process__of_our_own_network__is_not_foreign),
        cmocka_unit_test(process__of_another_network__is_foreign_until_the_answer_is_old),
        cmocka_unit_test(process__without_proc__is_not_foreign),
        cmocka_unit_test(address__of_loopback_and_wildcard__is_not_foreign),
        cmocka_unit_test(address__that_is_none_of_ours__is_foreign),
        cmocka_unit_test(address__of_ours__is_listed_anew_only_now_and_then),
        cmocka_unit_test(address__more_of_ours_than_are_listed__is_not_foreign),
    };
    return cmocka_run_group_tests_name("event_origin", tests, NULL, NULL);
}
