/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "tcp_payload.h"

#include <stdlib.h>

struct taken {
    struct berth_tcp_row rows[4];
    unsigned count;
    unsigned most;
};

static enum berth_code take(void *context, const struct berth_tcp_row *row, struct berth_error *err)
{
    struct taken *taken = context;

    if (taken->count == taken->most) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "enough");
    }
    taken->rows[taken->count++] = *row;
    return BERTH_OK;
}

static const struct tcp_payload_row two[] = {
    {.address = {10, 0, 0, 5},
     .port = 0x1F90,
     .state = 2,
     .process_id = 4,
     .created_ticks = 77,
     .scope = 3},
    {.address = {0xFE, 0x80, [15] = 1}, .port = 49152, .state = 11, .process_id = 0, .scope = 9},
};

/* In a block of just that size: a byte too many read is found by the sanitizer. */
static enum berth_code read_two(enum berth_tcp_rows_table table, size_t missing,
                                struct taken *taken, struct berth_error *err)
{
    unsigned char bytes[1024];
    size_t size = tcp_payload_write(bytes, table, two, 2) - missing;
    void *exact = malloc(size);

    assert_non_null(exact);
    memcpy(exact, bytes, size);
    enum berth_code code = berth_tcp_rows_read(table, exact, size, take, taken, err);
    free(exact);
    return code;
}

static void rows__of_each_table__are_read(void **state)
{
    (void)state;
    for (unsigned table = 0; table < BERTH_TCP_ROWS_TABLE_COUNT; table++) {
        enum berth_tcp_rows_table of = (enum berth_tcp_rows_table)table;
        struct taken taken = {.most = 4};
        struct berth_error err;
        size_t length = tcp_payload_is_ipv6(of) ? 16 : 4;

        assert_ok(read_two(of, 0, &taken, &err), &err);
        assert_int_equal(taken.count, 2);
        for (unsigned i = 0; i < 2; i++) {
            const struct berth_tcp_row *row = &taken.rows[i];
            assert_int_equal(row->address.family,
                             length == 16 ? BERTH_FAMILY_IPV6 : BERTH_FAMILY_IPV4);
            assert_memory_equal(row->address.bytes, two[i].address, length);
            assert_int_equal(row->address.scope, length == 16 && i == 1 ? two[i].scope : 0);
            assert_int_equal(row->port, two[i].port);
            assert_int_equal(row->state, two[i].state);
            assert_int_equal(row->process_id, two[i].process_id);
            assert_int_equal(row->created_ticks,
                             tcp_payload_has_time(of) ? two[i].created_ticks : 0);
        }
    }
}

static void table__shorter_than_it_says__is_malformed(void **state)
{
    (void)state;
    for (unsigned table = 0; table < BERTH_TCP_ROWS_TABLE_COUNT; table++) {
        struct taken taken = {.most = 4};
        struct berth_error err;
        for (size_t missing = 1; missing < 50; missing++) {
            assert_code(read_two((enum berth_tcp_rows_table)table, missing, &taken, &err),
                        BERTH_MALFORMED);
        }
        assert_int_equal(taken.count, 0);
    }
}

static void table__of_an_absurd_count__is_malformed(void **state)
{
    const unsigned char bytes[64] = {0xFF, 0xFF, 0xFF, 0xFF};
    struct taken taken = {.most = 4};

    (void)state;
    for (size_t size = 0; size <= sizeof bytes; size++) {
        assert_code(berth_tcp_rows_read(BERTH_TCP_ROWS_ALL4, bytes, size, take, &taken, NULL),
                    BERTH_MALFORMED);
    }
}

static void table__without_rows__is_empty_whatever_follows(void **state)
{
    const unsigned char bytes[5] = {0, 0, 0, 0, 0x55};
    struct taken taken = {.most = 0};

    (void)state;
    for (unsigned table = 0; table < BERTH_TCP_ROWS_TABLE_COUNT; table++) {
        for (size_t size = 4; size <= sizeof bytes; size++) {
            assert_code(berth_tcp_rows_read((enum berth_tcp_rows_table)table, bytes, size, take,
                                            &taken, NULL),
                        BERTH_OK);
        }
    }
}

static void take__that_refuses__ends_the_reading(void **state)
{
    struct taken taken = {.most = 1};
    struct berth_error err;

    (void)state;
    assert_code(read_two(BERTH_TCP_ROWS_ALL6, 0, &taken, &err), BERTH_TOO_LARGE);
    assert_int_equal(taken.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows__of_each_table__are_read),
        cmocka_unit_test(table__shorter_than_it_says__is_malformed),
        cmocka_unit_test(table__of_an_absurd_count__is_malformed),
        cmocka_unit_test(table__without_rows__is_empty_whatever_follows),
        cmocka_unit_test(take__that_refuses__ends_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
