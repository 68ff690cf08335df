/* SPDX-License-Identifier: MIT */
/* What a probe must find out on every real system. libuv makes the sockets. */
#include "cmocka_all.h"
#include "watchers/port_probe.h"

#include <stdlib.h>
#include <uv.h>

struct stage {
    uv_loop_t loop;
    uv_tcp_t server;
};

static void ignore_connection(uv_stream_t *server, int status)
{
    (void)server;
    (void)status;
}

/* Binds an address, port 0: any, and listens if wanted.  @return the port; 0: it cannot be done */
static uint16_t bind_port(struct stage *stage, const char *address, uint16_t port, bool listens)
{
    struct sockaddr_storage name;
    struct sockaddr_in ip4;
    int length = (int)sizeof name;
    int result = strchr(address, ':') != NULL
                     ? uv_ip6_addr(address, port, (struct sockaddr_in6 *)&name)
                     : uv_ip4_addr(address, port, (struct sockaddr_in *)&name);

    assert_int_equal(result, 0);
    assert_int_equal(uv_loop_init(&stage->loop), 0);
    assert_int_equal(uv_tcp_init(&stage->loop, &stage->server), 0);
    if (uv_tcp_bind(&stage->server, (struct sockaddr *)&name, 0) != 0 ||
        (listens && uv_listen((uv_stream_t *)&stage->server, 8, ignore_connection) != 0)) {
        return 0;
    }
    assert_int_equal(uv_tcp_getsockname(&stage->server, (struct sockaddr *)&name, &length), 0);
    memcpy(&ip4, &name, sizeof ip4); /* the port is at the same place in both families */
    return (uint16_t)((ip4.sin_port & 0xFF) << 8 | ip4.sin_port >> 8);
}

static void close_stage(struct stage *stage)
{
    uv_close((uv_handle_t *)&stage->server, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
}

/* A port that nobody has: one that was just had, and is not given again so soon. */
static uint16_t free_port(void)
{
    struct stage stage;
    uint16_t port = bind_port(&stage, "127.0.0.1", 0, false);

    close_stage(&stage);
    assert_int_not_equal(port, 0);
    return port;
}

static void probe__free_port__is_free_as_often_as_it_is_tried(void **state)
{
    uint16_t port = free_port();

    (void)state;
    for (int i = 0; i < 100; i++) {
        int os_code = 4711;
        assert_int_equal(berth_port_probe(port, &os_code), BERTH_PROBE_FREE);
        assert_int_equal(os_code, 0);
    }
}

static void probe__listener_on_any_address_of_either_family__is_in_use(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "0.0.0.0", "::1", "::"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(addresses); i++) {
        struct stage stage;
        int os_code = 0;
        uint16_t port = bind_port(&stage, addresses[i], 0, true);
        if (port != 0) { /* else there is no IPv6 here */
            assert_int_equal(berth_port_probe(port, &os_code), BERTH_PROBE_IN_USE);
            assert_int_not_equal(os_code, 0);
        }
        close_stage(&stage);
        if (port != 0) {
            assert_int_equal(berth_port_probe(port, &os_code), BERTH_PROBE_FREE);
        }
    }
}

static void probe__done__leaves_the_port_to_others(void **state)
{
    uint16_t port = free_port();
    struct stage stage;
    int os_code;

    (void)state;
    assert_int_equal(berth_port_probe(port, &os_code), BERTH_PROBE_FREE);
    assert_int_equal(bind_port(&stage, "0.0.0.0", port, true), port);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe__free_port__is_free_as_often_as_it_is_tried),
        cmocka_unit_test(probe__listener_on_any_address_of_either_family__is_in_use),
        cmocka_unit_test(probe__done__leaves_the_port_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
