/* SPDX-License-Identifier: MIT */
/* What only the real table of Linux can show: its own process's sockets, long dumps, lack of
 * memory. */
#define _GNU_SOURCE
#include "tests/contract/tcp_table_contract.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_faults.h"
#include "watchers/tcp_table.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 700

static const struct berth_address loopback = {.family = BERTH_FAMILY_IPV4, .bytes = {127, 0, 0, 1}};

static struct berth_tcp_table *open_table(void)
{
    struct berth_tcp_table *table = NULL;
    struct berth_error err = {0};

    assert_ok(berth_tcp_table_open(&table, &err), &err);
    return table;
}

static size_t count_port(const struct berth_tcp_claims *claims, uint16_t port)
{
    size_t found = 0;

    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        for (size_t i = 0; i < claims->parts[part].count; i++) {
            found += claims->parts[part].claims[i].port == port;
        }
    }
    return found;
}

static size_t read_port(struct berth_tcp_table *table, uint16_t port)
{
    struct berth_tcp_claims claims;
    struct berth_error err = {0};

    assert_ok(berth_tcp_table_read(table, BERTH_TCP_EVERYTHING, &claims, &err), &err);
    return count_port(&claims, port);
}

static int bind_loopback(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &length), 0);
    return fd;
}

static void own_sockets__in_any_state__are_no_claims(void **state)
{
    struct berth_tcp_table *table = open_table();
    struct sockaddr_in address;
    struct sockaddr_in local;
    socklen_t length = sizeof local;
    int listener = bind_loopback(&address);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(read_port(table, ntohs(address.sin_port)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(read_port(table, ntohs(address.sin_port)), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(client, (struct sockaddr *)&local, &length), 0);
    assert_int_equal(read_port(table, ntohs(local.sin_port)), 0);
    (void)close(client);
    (void)close(listener);
    berth_tcp_table_close(table);
}

static void listeners__more_than_a_datagram_holds__are_all_listed(void **state)
{
    const struct tcp_world_request request = {.act = TCP_WORLD_LISTEN, .address = loopback};
    struct berth_tcp_table *table = open_table();
    struct berth_tcp_claims claims;
    struct berth_error err = {0};
    uint16_t ports[MANY];

    (void)state;
    tcp_world.set_up();
    for (size_t i = 0; i < MANY; i++) {
        ports[i] = tcp_world.perform(&request);
        assert_int_not_equal(ports[i], 0);
    }
    assert_ok(berth_tcp_table_read(table, BERTH_TCP_LISTENERS, &claims, &err), &err);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(count_port(&claims, ports[i]), 1);
    }
    tcp_world.tear_down();
    berth_tcp_table_close(table);
}

static enum berth_code use_table(struct berth_error *err)
{
    struct berth_tcp_table *table = NULL;
    struct berth_tcp_claims claims;
    enum berth_code code = berth_tcp_table_open(&table, err);

    if (code == BERTH_OK) {
        code = berth_tcp_table_read(table, BERTH_TCP_EVERYTHING, &claims, err);
    }
    if (code == BERTH_OK) {
        code = berth_tcp_table_read(table, BERTH_TCP_LISTENERS, &claims, err);
    }
    berth_tcp_table_close(table);
    return code;
}

static void table__out_of_memory_at_any_point__is_an_error_and_no_leak(void **state)
{
    const struct tcp_world_request requests[] = {
        {.act = TCP_WORLD_LISTEN, .address = loopback},
        {.act = TCP_WORLD_BIND, .address = loopback},
    };
    bool failed = true;

    (void)state;
    tcp_world.set_up();
    for (size_t i = 0; i < BERTH_COUNT(requests); i++) {
        assert_int_not_equal(tcp_world.perform(&requests[i]), 0);
    }
    for (size_t at = 1; failed; at++) {
        struct berth_error err = {0};
        size_t live = 0;
        memory_faults_begin(at, false);
        enum berth_code code = use_table(&err);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
    tcp_world.tear_down();
}

static void table__after_a_read_without_memory__can_be_read_again(void **state)
{
    struct berth_tcp_table *table = open_table();
    const struct tcp_world_request request = {.act = TCP_WORLD_LISTEN, .address = loopback};
    struct berth_tcp_claims claims;
    struct berth_error err = {0};
    size_t live;

    (void)state;
    tcp_world.set_up();
    uint16_t port = tcp_world.perform(&request);
    memory_faults_begin(1, true);
    enum berth_code code = berth_tcp_table_read(table, BERTH_TCP_EVERYTHING, &claims, &err);
    (void)memory_faults_end(&live);
    assert_code(code, BERTH_NO_MEMORY);
    assert_int_equal(read_port(table, port), 1);
    tcp_world.tear_down();
    berth_tcp_table_close(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_sockets__in_any_state__are_no_claims),
        cmocka_unit_test(listeners__more_than_a_datagram_holds__are_all_listed),
        cmocka_unit_test(table__out_of_memory_at_any_point__is_an_error_and_no_leak),
        cmocka_unit_test(table__after_a_read_without_memory__can_be_read_again),
    };
    return cmocka_run_group_tests_name("tcp_table_linux", tests, NULL, NULL);
}
