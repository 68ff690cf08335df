/* SPDX-License-Identifier: MIT */
/* What the process asks of the system for itself. */
#include "cmocka_all.h"
#include "daemon/process.h"
#include "temp_dir.h"

#include <stdlib.h>
#include <uv.h>

#define DEADLINE_NS UINT64_C(10000000000)
#define THREADS_MAX 64

static uv_mutex_t mutex;
static uv_cond_t changed;
static unsigned under_way;
static unsigned wanted;
static bool late;

/* Ends when as many are under way at the same time as shall be. */
static void meet(uv_work_t *work)
{
    (void)work;
    uv_mutex_lock(&mutex);
    under_way++;
    uv_cond_broadcast(&changed);
    while (under_way < wanted && !late) {
        late |= uv_cond_timedwait(&changed, &mutex, DEADLINE_NS) != 0;
    }
    uv_mutex_unlock(&mutex);
}

static void met(uv_work_t *work, int status)
{
    (void)work;
    assert_int_equal(status, 0);
}

static void prepare__pool__reads_so_many_at_once(void **state)
{
    static uv_work_t works[THREADS_MAX];
    uv_loop_t loop;

    (void)state;
    set_environment("UV_THREADPOOL_SIZE", NULL);
    wanted = (unsigned)strtoul(BERTH_PROCESS_POOL_THREADS, NULL, 10);
    assert_in_range(wanted, 5, THREADS_MAX); /* libuv's own number is 4 */
    berth_process_prepare();
    assert_int_equal(uv_mutex_init(&mutex), 0);
    assert_int_equal(uv_cond_init(&changed), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    for (unsigned i = 0; i < wanted; i++) {
        assert_int_equal(uv_queue_work(&loop, &works[i], meet, met), 0);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_false(late);
    assert_int_equal(uv_loop_close(&loop), 0);
    uv_cond_destroy(&changed);
    uv_mutex_destroy(&mutex);
}

static void prepare__number_given__is_left_alone(void **state)
{
    (void)state;
    set_environment("UV_THREADPOOL_SIZE", "7");
    berth_process_prepare();
    assert_string_equal(getenv("UV_THREADPOOL_SIZE"), "7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prepare__pool__reads_so_many_at_once),
        cmocka_unit_test(prepare__number_given__is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
