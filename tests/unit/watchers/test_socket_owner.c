/* SPDX-License-Identifier: MIT */
/* Over a folder that looks like /proc, so that each case is the same on every machine. */
#define _GNU_SOURCE
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_faults.h"
#include "tests/support/temp_dir.h"
#include "watchers/linux/socket_owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *proc;

static int set_up(void **state)
{
    (void)state;
    proc = temp_dir_make();
    assert_int_equal(mkdir(temp_path(proc, "self"), 0755), 0);
    assert_int_equal(mkdir(temp_path(proc, "self/fd"), 0755), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temp_dir_remove(proc);
    return 0;
}

/* Lets a process (a number, or "self") have a socket at a descriptor. */
static void give_socket(const char *process, unsigned fd, unsigned inode)
{
    char path[128];
    char target[40];

    (void)snprintf(path, sizeof path, "%s/fd/%u", process, fd);
    (void)snprintf(target, sizeof target, "socket:[%u]", inode);
    assert_int_equal(symlink(target, temp_path(proc, path)), 0);
}

static void take_descriptor(const char *process, unsigned fd)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/fd/%u", process, fd);
    assert_int_equal(unlink(temp_path(proc, path)), 0);
}

static void make_process(const char *process, const char *exe)
{
    char path[128];

    assert_int_equal(mkdir(temp_path(proc, process), 0755), 0);
    (void)snprintf(path, sizeof path, "%s/fd", process);
    assert_int_equal(mkdir(temp_path(proc, path), 0755), 0);
    (void)snprintf(path, sizeof path, "%s/exe", process);
    if (exe != NULL) {
        assert_int_equal(symlink(exe, temp_path(proc, path)), 0);
    }
}

static struct berth_socket_owners *open_owners(size_t links, size_t checks)
{
    const struct berth_socket_owner_options options = {
        .proc = proc, .links_per_scan = links, .checks_per_scan = checks};
    struct berth_socket_owners *owners = NULL;
    struct berth_error err = {0};

    assert_ok(berth_socket_owners_open(&owners, &options, &err), &err);
    return owners;
}

static void update(struct berth_socket_owners *owners, uint32_t first, uint32_t second)
{
    uint32_t inodes[2] = {first, second};
    struct berth_error err = {0};

    assert_ok(berth_socket_owners_update(owners, inodes, 2, false, &err), &err);
}

static uint32_t process_of(const struct berth_socket_owners *owners, uint32_t inode)
{
    const struct berth_socket_holder *holder = berth_socket_owners_find(owners, inode);

    assert_non_null(holder);
    return holder->process_id;
}

static void update__known_process__gives_id_and_image(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 0);

    (void)state;
    make_process("12", "/usr/sbin/nginx");
    make_process("13", "/opt/app/server (deleted)");
    give_socket("12", 3, 100);
    give_socket("13", 5, 101);
    update(owners, 101, 100);
    assert_int_equal(process_of(owners, 100), 12);
    assert_string_equal(berth_socket_owners_find(owners, 100)->image, "nginx");
    assert_int_equal(process_of(owners, 101), 13);
    assert_string_equal(berth_socket_owners_find(owners, 101)->image, "server");
    assert_null(berth_socket_owners_find(owners, 99));
    berth_socket_owners_close(owners);
}

static void update__image_not_to_be_read__falls_back_to_comm_or_none(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 0);

    (void)state;
    make_process("12", NULL);
    make_process("13", NULL);
    write_file(temp_path(proc, "12/comm"), "worker\n", 7);
    give_socket("12", 3, 100);
    give_socket("13", 3, 101);
    update(owners, 100, 101);
    assert_string_equal(berth_socket_owners_find(owners, 100)->image, "worker");
    assert_int_equal(process_of(owners, 101), 13);
    assert_null(berth_socket_owners_find(owners, 101)->image);
    berth_socket_owners_close(owners);
}

static void update__several_processes_have_it__gives_the_lowest(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 0);

    (void)state;
    make_process("100", "/bin/worker");
    make_process("9", "/bin/master");
    make_process("20", "/bin/worker");
    give_socket("100", 3, 100);
    give_socket("20", 3, 100);
    give_socket("9", 7, 100);
    update(owners, 100, 0);
    assert_int_equal(process_of(owners, 100), 9);
    berth_socket_owners_close(owners);
}

static void update__own_socket__is_marked(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 0);
    const uint32_t *own = NULL;
    struct berth_error err = {0};
    size_t n = 0;

    (void)state;
    give_socket("self", 3, 101);
    give_socket("self", 4, 100);
    update(owners, 100, 102);
    assert_true(berth_socket_owners_find(owners, 100)->own);
    assert_false(berth_socket_owners_find(owners, 102)->own);
    assert_ok(berth_socket_owners_list_own(owners, &own, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_true(berth_inodes_have(own, n, 100) && berth_inodes_have(own, n, 101));
    assert_false(berth_inodes_have(own, n, 102));
    berth_socket_owners_close(owners);
}

static void update__vanished_socket__is_forgotten(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 0);

    (void)state;
    make_process("12", "/bin/a");
    give_socket("12", 3, 100);
    update(owners, 100, 101);
    update(owners, 101, 0);
    assert_null(berth_socket_owners_find(owners, 100));
    assert_non_null(berth_socket_owners_find(owners, 101));
    berth_socket_owners_close(owners);
}

static void update__not_found__is_looked_for_after_1_2_4_and_at_most_60_updates(void **state)
{
    static const unsigned pauses[] = {1, 2, 4, 8, 16, 32, 60, 60};
    struct berth_socket_owners *owners = open_owners(0, 0);

    (void)state;
    make_process("12", "/bin/a");
    update(owners, 100, 0);
    for (size_t i = 0; i < BERTH_COUNT(pauses); i++) {
        for (unsigned quiet = 1; quiet < pauses[i]; quiet++) {
            /* there while nobody looks, gone when somebody does */
            give_socket("12", 3, 100);
            update(owners, 100, 0);
            take_descriptor("12", 3);
            assert_int_equal(process_of(owners, 100), BERTH_ID_NONE);
        }
        update(owners, 100, 0);
    }
    for (unsigned i = 1; i < 60; i++) {
        update(owners, 100, 0);
    }
    give_socket("12", 3, 100);
    update(owners, 100, 0);
    assert_int_equal(process_of(owners, 100), 12);
    berth_socket_owners_close(owners);
}

static void update__more_descriptors_than_its_share__goes_on_next_time(void **state)
{
    struct berth_socket_owners *owners = open_owners(3, 0);
    unsigned updates = 0;

    (void)state;
    make_process("1", "/bin/a");
    make_process("2", "/bin/b");
    make_process("3", "/bin/c");
    give_socket("1", 0, 50);
    give_socket("1", 1, 51);
    give_socket("2", 0, 52);
    give_socket("2", 1, 53);
    give_socket("3", 0, 100);
    do {
        update(owners, 100, 0);
        updates++;
    } while (process_of(owners, 100) == BERTH_ID_NONE && updates < 10);
    assert_int_equal(process_of(owners, 100), 3);
    assert_int_equal(updates, 3);
    berth_socket_owners_close(owners);
}

static void update__socket_passed_on__is_noticed(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 8);

    (void)state;
    make_process("12", "/bin/parent");
    make_process("13", "/bin/child");
    give_socket("12", 3, 100);
    give_socket("13", 3, 100);
    update(owners, 100, 0);
    assert_int_equal(process_of(owners, 100), 12);
    take_descriptor("12", 3);
    update(owners, 100, 0);
    assert_int_equal(process_of(owners, 100), 13);
    assert_string_equal(berth_socket_owners_find(owners, 100)->image, "child");
    berth_socket_owners_close(owners);
}

static void update__other_program_in_the_process__is_noticed(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 8);

    (void)state;
    make_process("12", "/bin/sh");
    give_socket("12", 3, 100);
    update(owners, 100, 0);
    assert_int_equal(unlink(temp_path(proc, "12/exe")), 0);
    assert_int_equal(symlink("/usr/bin/server", temp_path(proc, "12/exe")), 0);
    update(owners, 100, 0);
    assert_string_equal(berth_socket_owners_find(owners, 100)->image, "server");
    berth_socket_owners_close(owners);
}

static void suggest__new_socket__is_found_by_a_quick_update(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 8);
    struct berth_error err = {0};
    uint32_t inodes[] = {100, 200};

    (void)state;
    make_process("12", "/bin/one");
    make_process("13", "/bin/two");
    give_socket("12", 3, 100);
    give_socket("13", 3, 200);
    assert_ok(berth_socket_owners_update(owners, inodes, 2, true, &err), &err);
    assert_int_equal(process_of(owners, 100), BERTH_ID_NONE);
    berth_socket_owners_suggest(owners, 13);
    berth_socket_owners_suggest(owners, 4711); /* who is gone */
    assert_ok(berth_socket_owners_update(owners, inodes, 2, true, &err), &err);
    assert_int_equal(process_of(owners, 200), 13);
    assert_string_equal(berth_socket_owners_find(owners, 200)->image, "two");
    assert_int_equal(process_of(owners, 100), BERTH_ID_NONE);
    update(owners, 100, 200); /* and the other one by the usual pass */
    assert_int_equal(process_of(owners, 100), 12);
    assert_int_equal(process_of(owners, 200), 13);
    berth_socket_owners_close(owners);
}

static void suggest__more_than_there_is_room_for__are_forgotten(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 8);

    (void)state;
    make_process("13", "/bin/two");
    give_socket("13", 3, 200);
    for (uint32_t i = 0; i < 100; i++) {
        berth_socket_owners_suggest(owners, 5000 + i);
    }
    berth_socket_owners_suggest(owners, 13);
    update(owners, 200, 0);
    assert_int_equal(process_of(owners, 200), 13);
    berth_socket_owners_close(owners);
}

static void update__odd_links_and_names__are_passed_over(void **state)
{
    struct berth_socket_owners *owners = open_owners(0, 0);

    (void)state;
    make_process("12", "/bin/bad\nname");
    assert_int_equal(symlink("/dev/null", temp_path(proc, "12/fd/0")), 0);
    assert_int_equal(symlink("socket:[]", temp_path(proc, "12/fd/1")), 0);
    assert_int_equal(symlink("socket:[99999999999]", temp_path(proc, "12/fd/2")), 0);
    assert_int_equal(symlink("socket:[100", temp_path(proc, "12/fd/4")), 0);
    give_socket("12", 5, 101);
    update(owners, 100, 101);
    assert_int_equal(process_of(owners, 100), BERTH_ID_NONE);
    assert_int_equal(process_of(owners, 101), 12);
    assert_null(berth_socket_owners_find(owners, 101)->image);
    berth_socket_owners_close(owners);
}

static enum berth_code use_owners(struct berth_error *err)
{
    const struct berth_socket_owner_options options = {.proc = proc, .checks_per_scan = 8};
    struct berth_socket_owners *owners = NULL;
    uint32_t inodes[] = {100, 101, 102};
    enum berth_code code = berth_socket_owners_open(&owners, &options, err);

    for (size_t n = 1; code == BERTH_OK && n <= BERTH_COUNT(inodes); n++) {
        code = berth_socket_owners_update(owners, inodes, n, false, err);
    }
    berth_socket_owners_close(owners);
    return code;
}

static void owners__out_of_memory_at_any_point__is_an_error_and_no_leak(void **state)
{
    bool failed = true;

    (void)state;
    make_process("12", "/bin/a");
    give_socket("12", 3, 100);
    give_socket("12", 4, 101);
    give_socket("self", 4, 102);
    for (size_t at = 1; failed; at++) {
        struct berth_error err = {0};
        size_t live = 0;
        memory_faults_begin(at, false);
        enum berth_code code = use_owners(&err);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
}

int main(void)
{
#define IN_PROC(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_PROC(update__known_process__gives_id_and_image),
        IN_PROC(update__image_not_to_be_read__falls_back_to_comm_or_none),
        IN_PROC(update__several_processes_have_it__gives_the_lowest),
        IN_PROC(update__own_socket__is_marked),
        IN_PROC(update__vanished_socket__is_forgotten),
        IN_PROC(update__not_found__is_looked_for_after_1_2_4_and_at_most_60_updates),
        IN_PROC(update__more_descriptors_than_its_share__goes_on_next_time),
        IN_PROC(update__socket_passed_on__is_noticed),
        IN_PROC(update__other_program_in_the_process__is_noticed),
        IN_PROC(suggest__new_socket__is_found_by_a_quick_update),
        IN_PROC(suggest__more_than_there_is_room_for__are_forgotten),
        IN_PROC(update__odd_links_and_names__are_passed_over),
        IN_PROC(owners__out_of_memory_at_any_point__is_an_error_and_no_leak),
    };
#undef IN_PROC
    return cmocka_run_group_tests_name("socket_owner", tests, NULL, NULL);
}
