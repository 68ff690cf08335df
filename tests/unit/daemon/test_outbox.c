/* SPDX-License-Identifier: MIT */
/* The outbox: what is delivered, what is lost, and that a delivery that hangs keeps nobody. */
#include "daemon/outbox.h"

#include "cmocka_all.h"
#include "memory_faults.h"

#include <stdatomic.h>
#include <uv.h>

#define LONG_MS 20000 /* a deadline of what takes no time */

static uv_sem_t entered; /* a delivery has begun */
static uv_sem_t leave;   /* it may go on */
static uv_sem_t released;
static bool hanging;
static int delivered[16];
static atomic_int delivered_count;
static atomic_int released_count;

static enum berth_code deliver(void *item, struct berth_error *err)
{
    int number = *(int *)item;

    if (hanging) {
        uv_sem_post(&entered);
        uv_sem_wait(&leave);
    }
    delivered[atomic_fetch_add(&delivered_count, 1)] = number;
    return number < 0 ? berth_fail(err, BERTH_IO, 0, "number %d", number) : BERTH_OK;
}

static void release(void *item)
{
    (void)item;
    atomic_fetch_add(&released_count, 1);
    uv_sem_post(&released);
}

static int numbers[] = {0, 1, 2, 3, 4, 5};

static int set_up(void **state)
{
    (void)state;
    hanging = false;
    atomic_store(&delivered_count, 0);
    atomic_store(&released_count, 0);
    return uv_sem_init(&entered, 0) | uv_sem_init(&leave, 0) | uv_sem_init(&released, 0);
}

static int tear_down(void **state)
{
    (void)state;
    uv_sem_destroy(&entered);
    uv_sem_destroy(&leave);
    uv_sem_destroy(&released);
    return 0;
}

static struct berth_outbox *make(size_t room)
{
    const struct berth_outbox_options options = {room, deliver, release};
    struct berth_outbox *outbox;
    struct berth_error err;

    assert_ok(berth_outbox_create(&outbox, &options, &err), &err);
    return outbox;
}

static void close__what_waits__goes_out_in_order(void **state)
{
    struct berth_outbox *outbox = make(8);

    (void)state;
    for (int i = 0; i < 6; i++) {
        berth_outbox_put(outbox, &numbers[i]);
    }
    assert_true(berth_outbox_close(outbox, LONG_MS));
    assert_int_equal(atomic_load(&delivered_count), 6);
    assert_int_equal(atomic_load(&released_count), 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(delivered[i], i);
    }
}

static void put__no_room__the_oldest_that_waits_is_lost(void **state)
{
    struct berth_outbox_state now;
    struct berth_outbox *outbox = make(2);

    (void)state;
    hanging = true;
    berth_outbox_put(outbox, &numbers[0]);
    uv_sem_wait(&entered);
    for (int i = 1; i < 6; i++) {
        berth_outbox_put(outbox, &numbers[i]);
    }
    berth_outbox_look(outbox, &now);
    assert_int_equal(now.waiting, 2);
    assert_int_equal(now.lost, 3);
    assert_true(now.busy_ms > 0);
    for (int i = 0; i < 3; i++) {
        uv_sem_post(&leave);
    }
    assert_true(berth_outbox_close(outbox, LONG_MS));
    assert_int_equal(atomic_load(&delivered_count), 3);
    assert_int_equal(delivered[0], 0);
    assert_int_equal(delivered[1], 4);
    assert_int_equal(delivered[2], 5);
    assert_int_equal(atomic_load(&released_count), 6);
}

static void look__failure__stays_known_until_the_next_success(void **state)
{
    static int bad = -7;
    struct berth_outbox_state now;
    struct berth_outbox *outbox = make(2);

    (void)state;
    hanging = true;
    berth_outbox_put(outbox, &bad);
    berth_outbox_put(outbox, &numbers[1]);
    uv_sem_post(&leave);
    uv_sem_wait(&entered);
    uv_sem_wait(&entered); /* the second one is under way: the first one is over */
    berth_outbox_look(outbox, &now);
    assert_true(now.failing);
    assert_int_equal(now.failed, 1);
    assert_string_equal(now.error.detail, "number -7");
    berth_outbox_put(outbox, &numbers[2]);
    uv_sem_post(&leave);
    uv_sem_wait(&entered);
    berth_outbox_look(outbox, &now);
    assert_false(now.failing);
    assert_int_equal(now.delivered, 1);
    uv_sem_post(&leave);
    assert_true(berth_outbox_close(outbox, LONG_MS));
}

static void close__delivery_hangs__is_left_to_itself(void **state)
{
    struct berth_outbox *outbox = make(2);

    (void)state;
    hanging = true;
    berth_outbox_put(outbox, &numbers[0]);
    uv_sem_wait(&entered);
    berth_outbox_put(outbox, &numbers[1]);
    assert_false(berth_outbox_close(outbox, 1));
    assert_int_equal(atomic_load(&released_count), 1); /* the one that waited */
    uv_sem_wait(&released);
    uv_sem_post(&leave); /* should it ever end, it gives its memory back by itself */
    uv_sem_wait(&released);
    assert_int_equal(atomic_load(&delivered_count), 1);
}

static void close__nothing__is_accepted(void **state)
{
    (void)state;
    assert_true(berth_outbox_close(NULL, 0));
}

static void create__no_memory__is_an_error(void **state)
{
    const struct berth_outbox_options options = {2, deliver, release};
    bool failed = true;

    (void)state;
    for (size_t at = 1; failed; at++) {
        struct berth_outbox *outbox = NULL;
        struct berth_error err;
        size_t live;
        memory_faults_begin(at, false);
        enum berth_code code = berth_outbox_create(&outbox, &options, &err);
        if (code == BERTH_OK) {
            (void)berth_outbox_close(outbox, LONG_MS);
        }
        failed = memory_faults_end(&live);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
        assert_int_equal(live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(close__what_waits__goes_out_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(put__no_room__the_oldest_that_waits_is_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(look__failure__stays_known_until_the_next_success, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(close__nothing__is_accepted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(create__no_memory__is_an_error, set_up, tear_down),
        /* the last one: its thread may outlive it */
        cmocka_unit_test_setup(close__delivery_hangs__is_left_to_itself, set_up),
    };
    return cmocka_run_group_tests_name("daemon.outbox", tests, NULL, NULL);
}
