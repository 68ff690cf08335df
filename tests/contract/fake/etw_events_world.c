/* SPDX-License-Identifier: MIT */
/* Windows's event source over played calls, in the world of the fake table: what that does is told
 * by the events that Windows's TCP stack writes for it. */
#include "tests/contract/tcp_events_contract.h"
#include "tests/support/etw_payload.h"
#include "tests/support/fake_etw.h"
#include "watchers/windows/etw_tcp_source.h"

#include <stdbool.h>
#include <stddef.h>

#define OWN 1
#define TRIAL_PORT 0xC123

static void tell_event(uint16_t id, uint8_t family, uint16_t port, uint32_t process_id)
{
    const struct etw_payload_facts facts = {
        .id = id, .pointer_size = 8, .family = family, .port = port, .process_id = process_id};
    struct etw_payload payload;

    etw_payload_build(&payload, &facts);
    payload.event.process_id = process_id;
    fake_etw_tell(&payload.event);
}

/* In the order in which a listener's life has them. */
static void tell_all(const uint16_t *ids, size_t count, uint8_t family, uint16_t port,
                     uint32_t process_id)
{
    for (size_t i = 0; i < count; i++) {
        tell_event(ids[i], family, port, process_id);
    }
}

static const uint16_t begins[] = {1191, 1008, 1123};
static const uint16_t ends[] = {1124, 1193, 1009};

static void performed(enum tcp_world_act act, uint8_t family, uint16_t port)
{
    uint32_t process_id = tcp_world.process_id();

    switch (act) {
    case TCP_WORLD_LISTEN:
        tell_all(begins, BERTH_COUNT(begins), family, port, process_id);
        break;
    case TCP_WORLD_BIND:
    case TCP_WORLD_CONNECT:
        tell_all(begins, 2, family, port, process_id);
        break;
    case TCP_WORLD_TIME_WAIT:
        tell_all(ends + 1, 2, family, port, process_id);
        break;
    case TCP_WORLD_CLOSE:
        tell_all(ends, BERTH_COUNT(ends), family, port, process_id);
        break;
    }
}

const struct tcp_events_world tcp_events_world = {.set_up = fake_etw_begin, .performed = performed};

static uint16_t choose(void *context)
{
    (void)context;
    return TRIAL_PORT;
}

static bool use(void *context, uint16_t port)
{
    (void)context;
    tell_all(begins, BERTH_COUNT(begins), BERTH_FAMILY_IPV4, port, OWN);
    tell_all(ends, BERTH_COUNT(ends), BERTH_FAMILY_IPV4, port, OWN);
    return true;
}

/* The contract's functions: the source's own, with the handle under another name. */
enum berth_code berth_tcp_events_open(struct berth_tcp_events **out, uv_loop_t *loop,
                                      const struct berth_tcp_events_sink *sink,
                                      struct berth_error *err)
{
    const struct berth_etw_tcp_options options = {
        .session = fake_etw_calls(),
        .trial = {.choose = choose, .use = use, .process_id = OWN},
        .times = {.flush = 2},
        .tick_ms = 2,
    };

    return berth_etw_tcp_source_open((struct berth_etw_tcp_source **)(void *)out, loop, sink,
                                     &options, err);
}

unsigned berth_tcp_events_drain(struct berth_tcp_events *events)
{
    berth_etw_tcp_source_drain((struct berth_etw_tcp_source *)(void *)events);
    return 0;
}

void berth_tcp_events_close(struct berth_tcp_events *events, void (*closed)(void *ctx), void *ctx)
{
    berth_etw_tcp_source_close((struct berth_etw_tcp_source *)(void *)events, closed, ctx);
}
