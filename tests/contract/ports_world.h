/* SPDX-License-Identifier: MIT */
/* A scripted system in which ports from PORTS_WORLD_FIRST on are taken, one more with each change:
 * what the contract's suite does to a watcher that reads on the thread pool. */
#ifndef BERTH_TESTS_PORTS_WORLD_H
#define BERTH_TESTS_PORTS_WORLD_H

#include "cmocka_all.h"
#include "watcher_contract.h"

#include <stdlib.h>
#include <uv.h>

#define PORTS_WORLD_FIRST 8080u

/** Read on the pool's thread while the test may change it on the loop's. */
struct ports_world {
    uv_mutex_t mutex;
    unsigned last_port;
    bool spoiled;
    char text[64]; /* the pool's */
};

/** Looks at the last port that is taken.  @return false: the world is spoiled  @thread any */
static inline bool ports_world_look(struct ports_world *world, unsigned *last_port)
{
    uv_mutex_lock(&world->mutex);
    bool good = !world->spoiled;
    *last_port = world->last_port;
    uv_mutex_unlock(&world->mutex);
    return good;
}

static inline void *ports_world_set_up(void)
{
    struct ports_world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    assert_int_equal(uv_mutex_init(&world->mutex), 0);
    world->last_port = PORTS_WORLD_FIRST;
    return world;
}

static inline void ports_world_tear_down(void *mark)
{
    struct ports_world *world = mark;

    uv_mutex_destroy(&world->mutex);
    free(world);
}

static inline uint16_t ports_world_change(void *mark, struct berth_watcher *watcher)
{
    struct ports_world *world = mark;

    (void)watcher;
    uv_mutex_lock(&world->mutex);
    uint16_t port = (uint16_t)++world->last_port;
    uv_mutex_unlock(&world->mutex);
    return port;
}

static inline void ports_world_set_spoiled(struct ports_world *world, bool spoiled)
{
    uv_mutex_lock(&world->mutex);
    world->spoiled = spoiled;
    uv_mutex_unlock(&world->mutex);
}

static inline void ports_world_spoil(void *mark, struct berth_watcher *watcher)
{
    (void)watcher;
    ports_world_set_spoiled(mark, true);
}

static inline void ports_world_mend(void *mark, struct berth_watcher *watcher)
{
    (void)watcher;
    ports_world_set_spoiled(mark, false);
}

#endif
