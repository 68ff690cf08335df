/* SPDX-License-Identifier: MIT */
/* The watcher contract for the TCP watcher, over the fake table. */
#include "watcher_contract.h"

#include "cmocka_all.h"
#include "watchers/fake/tcp_table_script.h"
#include "watchers/tcp_watcher.h"

static uint16_t next_port;

static uint16_t add_listener(void)
{
    const struct berth_claim claim = berth_claim_make(next_port++, BERTH_CLAIM_LISTENER);

    berth_fake_tcp_add(&claim);
    return claim.port;
}

static void *set_up(void)
{
    berth_fake_tcp_reset();
    next_port = 20000;
    (void)add_listener();
    return &next_port;
}

static void tear_down(void *world)
{
    (void)world;
    berth_fake_tcp_free();
}

static struct berth_watcher *create(void *world, uv_loop_t *loop)
{
    /* so rarely that nothing but the start, a look and a failure makes it read */
    const struct berth_tcp_watcher_options options = {.poll_ms = 3600000, .full_ms = 3600000};
    struct berth_watcher *watcher = NULL;
    struct berth_error err = {0};

    (void)world;
    assert_ok(berth_tcp_watcher_create(&watcher, loop, &options, &err), &err);
    return watcher;
}

static uint16_t change(void *world, struct berth_watcher *watcher)
{
    (void)world;
    (void)watcher;
    return add_listener();
}

static void spoil(void *world, struct berth_watcher *watcher)
{
    (void)world;
    (void)watcher;
    berth_fake_tcp_fail_reads(UINT32_MAX, BERTH_IO, "the system refuses");
}

static void mend(void *world, struct berth_watcher *watcher)
{
    (void)world;
    (void)watcher;
    berth_fake_tcp_fail_reads(0, BERTH_OK, "");
}

int main(void)
{
    static const struct watcher_contract subject = {.name = "tcp",
                                                    .set_up = set_up,
                                                    .tear_down = tear_down,
                                                    .create = create,
                                                    .change = change,
                                                    .spoil = spoil,
                                                    .mend = mend};

    return watcher_contract_run(&subject);
}
