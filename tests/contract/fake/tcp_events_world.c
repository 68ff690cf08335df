/* SPDX-License-Identifier: MIT */
/* The fake source tells what the world's script did. */
#include "tests/contract/tcp_events_contract.h"
#include "watchers/fake/tcp_events_script.h"

static void performed(enum tcp_world_act act, uint8_t family, uint16_t port)
{
    static const enum berth_tcp_event_what told[] = {
        [TCP_WORLD_LISTEN] = BERTH_TCP_EVENT_LISTEN,
        [TCP_WORLD_BIND] = BERTH_TCP_EVENT_OTHER,
        [TCP_WORLD_CONNECT] = BERTH_TCP_EVENT_CONNECT,
        [TCP_WORLD_TIME_WAIT] = BERTH_TCP_EVENT_DISCONNECT,
        [TCP_WORLD_CLOSE] = BERTH_TCP_EVENT_RELEASE,
    };
    const struct berth_tcp_event event = {
        .port = port, .what = (uint8_t)told[act], .process_id = tcp_world.process_id()};

    (void)family;
    berth_fake_events_tell(&event, 1);
}

const struct tcp_events_world tcp_events_world = {.set_up = berth_fake_events_reset,
                                                  .performed = performed};
