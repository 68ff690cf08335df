/* SPDX-License-Identifier: MIT */
/* The fake watcher keeps the contract too: else those tested with it would be tested wrongly. */
#include "cmocka_all.h"
#include "watcher_contract.h"
#include "watchers/fake/fake_watcher.h"

#include <stdlib.h>

static const char *const feeds[] = {"first", "second"};

struct world {
    uint16_t last_port;
};

static void *set_up(void)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    world->last_port = 8080;
    return world;
}

static void set_claims(const struct world *world, struct berth_watcher *watcher)
{
    struct berth_claim claims[64];
    const char *warnings[] = {"a warning"};
    struct berth_snapshot snapshot = {.claims = claims, .warnings = warnings, .warning_count = 1};
    struct berth_error err;

    for (uint16_t port = 8080; port <= world->last_port; port++) {
        struct berth_claim *claim = &claims[snapshot.claim_count++];
        *claim = berth_claim_make(port, BERTH_CLAIM_LISTENER);
        claim->holder = "somebody";
    }
    assert_ok(berth_fake_watcher_set_snapshot(watcher, 0, &snapshot, &err), &err);
}

static struct berth_watcher *create(void *mark, uv_loop_t *loop)
{
    struct berth_watcher *watcher = NULL;
    struct berth_error err;

    assert_ok(berth_fake_watcher_create(&watcher, loop, BERTH_SOURCE_TCP, feeds, 2, &err), &err);
    set_claims(mark, watcher);
    berth_fake_watcher_set_state(watcher, BERTH_STATE_READY, NULL);
    return watcher;
}

static uint16_t change(void *mark, struct berth_watcher *watcher)
{
    struct world *world = mark;

    world->last_port++;
    set_claims(world, watcher);
    return world->last_port;
}

static void spoil(void *mark, struct berth_watcher *watcher)
{
    struct berth_watcher *of = watcher;

    (void)mark;
    /* whoever sets the state says which failure it is: before the first look, WAITING */
    berth_fake_watcher_set_state(
        of, berth_fake_watcher_looks(of) != 0 ? BERTH_STATE_STALE : BERTH_STATE_WAITING, "spoiled");
}

static void mend(void *mark, struct berth_watcher *watcher)
{
    (void)mark;
    berth_fake_watcher_set_state(watcher, BERTH_STATE_READY, NULL);
}

static const struct watcher_contract fake = {
    .name = "fake watcher",
    .set_up = set_up,
    .tear_down = free,
    .create = create,
    .change = change,
    .spoil = spoil,
    .mend = mend,
    .looks_on_loop = true,
};

int main(void)
{
    return watcher_contract_run(&fake);
}
