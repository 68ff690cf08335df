/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_folder.h"
#include "watchers/file_read.h"

#include <stdio.h>
#include <stdlib.h>

static void read__a_file__gives_content_stamp_and_hash(void **unused)
{
    struct berth_file file = {0};
    struct berth_file_stamp stamp;
    struct berth_error err;
    const char *path = temp_path(folder, "f");

    (void)unused;
    write_file(path, "hello\0you", 9);
    assert_ok(berth_file_read(&file, path, 9, &err), &err);
    assert_int_equal(file.stamp.size, 9);
    assert_memory_equal(file.bytes, "hello\0you", 10);
    assert_true(file.hash == berth_file_hash("hello\0you", 9));
    assert_true(file.stamp.fresh);
    assert_ok(berth_file_stat(&stamp, path, &err), &err);
    assert_int_equal(stamp.size, 9);
    assert_true(stamp.modified_ns == file.stamp.modified_ns);
    berth_file_fini(&file);
    berth_file_fini(&file);
}

static void read__what_it_does_not_take__is_told_apart(void **unused)
{
    struct berth_file file = {.hash = 4711};
    struct berth_file_stamp stamp;
    struct berth_error err;

    (void)unused;
    write_file(temp_path(folder, "empty"), "", 0);
    write_file(temp_path(folder, "large"), "0123456789", 10);
    assert_code(berth_file_read(&file, temp_path(folder, "empty"), 9, &err), BERTH_MALFORMED);
    assert_string_equal(err.detail, "it is empty");
    assert_code(berth_file_read(&file, temp_path(folder, "large"), 9, &err), BERTH_TOO_LARGE);
    assert_string_equal(err.detail, "it has 10 bytes; 9 are accepted");
    assert_code(berth_file_read(&file, temp_path(folder, "none"), 9, &err), BERTH_NOT_FOUND);
    assert_code(berth_file_read(&file, temp_path(folder, "large/x"), 9, &err), BERTH_NOT_FOUND);
    assert_code(berth_file_read(&file, folder, 9, &err), BERTH_IO);
    assert_string_equal(err.detail, "it is a folder");
    assert_code(berth_file_stat(&stamp, temp_path(folder, "none"), &err), BERTH_NOT_FOUND);
    assert_true(file.hash == 4711);
}

static void read__no_memory__is_an_error(void **unused)
{
    struct berth_file file;
    struct berth_error err;
    const char *path = temp_path(folder, "f");
    size_t live;

    (void)unused;
    write_file(path, "x", 1);
    memory_faults_begin(1, false);
    assert_code(berth_file_read(&file, path, 9, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
}

static void hash__one_bit_changed__differs(void **unused)
{
    unsigned char bytes[100];

    (void)unused;
    for (size_t size = 0; size <= sizeof bytes; size++) {
        memset(bytes, 0, sizeof bytes);
        uint64_t before = berth_file_hash(bytes, size);
        assert_true(size == sizeof bytes || before != berth_file_hash(bytes, size + 1));
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_true(berth_file_hash(bytes, size) != before);
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read__a_file__gives_content_stamp_and_hash, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(read__what_it_does_not_take__is_told_apart, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(read__no_memory__is_an_error, make_folder, remove_folder),
        cmocka_unit_test(hash__one_bit_changed__differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
