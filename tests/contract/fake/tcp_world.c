/* SPDX-License-Identifier: MIT */
/* The world of the fake table: its script. */
#include "tests/contract/tcp_table_contract.h"
#include "watchers/fake/tcp_table_script.h"

#define PROCESS 4711
#define USER 1001

static uint16_t next_port;

static void set_up(void)
{
    berth_fake_tcp_reset();
    next_port = 20000;
}

static void tear_down(void)
{
    berth_fake_tcp_free();
}

static uint16_t add_owned(const struct tcp_world_request *request, enum berth_claim_kind kind)
{
    uint16_t port = request->port != 0 ? request->port : next_port++;
    struct berth_claim claim = berth_claim_make(port, kind);

    claim.protocol = BERTH_PROTOCOL_TCP;
    claim.address = request->address;
    claim.flags = request->v6_only ? BERTH_CLAIM_V6_ONLY : 0;
    claim.process_id = PROCESS;
    claim.user_id = USER;
    claim.holder = tcp_world.image();
    berth_fake_tcp_add(&claim);
    return port;
}

static uint16_t add_connection(uint16_t port, enum berth_claim_kind kind)
{
    struct berth_claim claim = berth_claim_make(port, kind);

    claim.protocol = BERTH_PROTOCOL_TCP;
    claim.user_id = kind == BERTH_CLAIM_CONNECTION ? USER : BERTH_ID_NONE;
    berth_fake_tcp_add(&claim);
    return port;
}

static uint16_t perform(const struct tcp_world_request *request)
{
    switch (request->act) {
    case TCP_WORLD_LISTEN:
        return add_owned(request, BERTH_CLAIM_LISTENER);
    case TCP_WORLD_BIND:
        return add_owned(request, BERTH_CLAIM_BOUND);
    case TCP_WORLD_CONNECT:
        (void)add_connection(request->port, BERTH_CLAIM_CONNECTION);
        return add_connection(next_port++, BERTH_CLAIM_CONNECTION);
    case TCP_WORLD_TIME_WAIT:
        return add_connection(next_port++, BERTH_CLAIM_TIME_WAIT);
    case TCP_WORLD_CLOSE:
        return berth_fake_tcp_remove(request->port) != 0 ? request->port : 0;
    }
    return 0;
}

static uint32_t process_id(void)
{
    return PROCESS;
}

static uint32_t user_id(void)
{
    return USER;
}

static const char *image(void)
{
    return "w3wp";
}

const struct tcp_world tcp_world = {.set_up = set_up,
                                    .tear_down = tear_down,
                                    .perform = perform,
                                    .process_id = process_id,
                                    .user_id = user_id,
                                    .image = image};
