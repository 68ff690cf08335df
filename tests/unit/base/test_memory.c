/* SPDX-License-Identifier: MIT */
/* Tests of base/memory: sizes, overflow, copies, replaced hooks; and of the fault injection. */
#include "cmocka_all.h"

#include "base/memory.h"
#include "memory_faults.h"

#include <errno.h>
#include <stdlib.h>

static void alloc__some_elements__are_zeroed(void **state)
{
    unsigned char *block = berth_alloc(33, 7);

    (void)state;
    assert_non_null(block);
    for (size_t i = 0; i < 33U * 7U; i++) {
        assert_int_equal(block[i], 0);
    }
    berth_free(block);
}

static void alloc__nothing__gives_a_block(void **state)
{
    void *none = berth_alloc(0, 8);
    void *empty = berth_alloc(8, 0);

    (void)state;
    assert_non_null(none);
    assert_non_null(empty);
    berth_free(none);
    berth_free(empty);
}

static void alloc__product_overflows__gives_nothing(void **state)
{
    (void)state;
    assert_null(berth_alloc(SIZE_MAX / 2 + 1, 2));
    assert_null(berth_alloc(2, SIZE_MAX / 2 + 1));
    assert_null(berth_alloc(SIZE_MAX, SIZE_MAX));
}

static void resize__grown_and_shrunk__keeps_what_it_held(void **state)
{
    int *block = berth_resize(NULL, 4, sizeof *block);

    (void)state;
    assert_non_null(block);
    for (int i = 0; i < 4; i++) {
        block[i] = i * 11;
    }
    block = berth_resize(block, 4000, sizeof *block);
    assert_non_null(block);
    assert_int_equal(block[3], 33);
    block = berth_resize(block, 2, sizeof *block);
    assert_non_null(block);
    assert_int_equal(block[1], 11);
    block = berth_resize(block, 0, sizeof *block);
    assert_non_null(block);
    berth_free(block);
}

static void resize__overflow__leaves_the_block(void **state)
{
    char *block = berth_resize(NULL, 3, 1);

    (void)state;
    assert_non_null(block);
    memcpy(block, "ab", 3);
    assert_null(berth_resize(block, SIZE_MAX / 2 + 1, 2));
    assert_string_equal(block, "ab");
    berth_free(block);
}

static void free__null_or_block__keeps_errno(void **state)
{
    (void)state;
    errno = EDOM;
    berth_free(NULL);
    berth_free(berth_alloc(1, 1));
    assert_int_equal(errno, EDOM);
}

static void copy__string__is_equal_and_another(void **state)
{
    char text[] = "caf\xC3\xA9";
    char *copy = berth_copy(text);

    (void)state;
    assert_string_equal(copy, text);
    assert_ptr_not_equal(copy, text);
    berth_free(copy);
    copy = berth_copy("");
    assert_string_equal(copy, "");
    berth_free(copy);
    assert_null(berth_copy(NULL));
}

static void copy_n__part_of_a_text__ends_with_nul(void **state)
{
    char *copy = berth_copy_n("abcdef", 3);

    (void)state;
    assert_string_equal(copy, "abc");
    berth_free(copy);
    copy = berth_copy_n("abc", 0);
    assert_string_equal(copy, "");
    berth_free(copy);
    assert_null(berth_copy_n("abc", SIZE_MAX));
}

static struct {
    int resized;
    int released;
} calls;

static void *count_resize(void *block, size_t size)
{
    assert_true(size > 0);
    calls.resized++;
    return realloc(block, size);
}

static void count_release(void *block)
{
    calls.released++;
    free(block);
}

static void use__own_hooks__are_called_for_everything(void **state)
{
    const struct berth_memory_hooks hooks = {count_resize, count_release};

    (void)state;
    calls.resized = 0;
    calls.released = 0;
    berth_memory_use(&hooks);
    void *block = berth_alloc(0, 0);
    char *copy = berth_copy("x");
    berth_free(block);
    berth_free(copy);
    berth_memory_use(NULL);
    berth_free(berth_alloc(1, 1));
    assert_int_equal(calls.resized, 2);
    assert_int_equal(calls.released, 2);
}

static void faults__second_allocation__fails_once_or_for_ever(void **state)
{
    size_t live;

    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        memory_faults_begin(2, for_ever != 0);
        void *first = berth_alloc(1, 1);
        void *second = berth_alloc(1, 1);
        void *third = berth_alloc(1, 1);
        char *copy = berth_copy("text");
        berth_free(first);
        berth_free(third);
        bool failed = memory_faults_end(&live);
        assert_true(failed);
        assert_non_null(first);
        assert_null(second);
        assert_int_equal(third == NULL, for_ever);
        assert_int_equal(copy == NULL, for_ever);
        assert_int_equal(live, for_ever ? 0 : 1); /* the copy */
        berth_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc__some_elements__are_zeroed),
        cmocka_unit_test(alloc__nothing__gives_a_block),
        cmocka_unit_test(alloc__product_overflows__gives_nothing),
        cmocka_unit_test(resize__grown_and_shrunk__keeps_what_it_held),
        cmocka_unit_test(resize__overflow__leaves_the_block),
        cmocka_unit_test(free__null_or_block__keeps_errno),
        cmocka_unit_test(copy__string__is_equal_and_another),
        cmocka_unit_test(copy_n__part_of_a_text__ends_with_nul),
        cmocka_unit_test(use__own_hooks__are_called_for_everything),
        cmocka_unit_test(faults__second_allocation__fails_once_or_for_ever),
    };
    return cmocka_run_group_tests_name("base.memory", tests, NULL, NULL);
}
