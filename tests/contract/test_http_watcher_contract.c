/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "watcher_contract.h"
#include "watchers/http_sys.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_PORT 8080u

/* Read on the pool's thread while the test may change it on the loop's. */
struct world {
    uv_mutex_t mutex;
    unsigned last_port;
    bool spoiled;
    char url[64]; /* the pool's */
};

static enum berth_code begin(void *context, struct berth_error *err)
{
    (void)context;
    (void)err;
    return BERTH_OK;
}

static enum berth_code entry(void *context, enum berth_http_list list, uint32_t index,
                             struct berth_http_entry *out, struct berth_error *err)
{
    struct world *world = context;

    uv_mutex_lock(&world->mutex);
    bool spoiled = world->spoiled;
    unsigned last_port = world->last_port;
    uv_mutex_unlock(&world->mutex);
    if (spoiled) {
        return berth_fail(err, BERTH_IO, 5, "spoiled");
    }
    if (list != BERTH_HTTP_URL_RESERVATIONS || FIRST_PORT + index > last_port) {
        return BERTH_NOT_FOUND;
    }
    (void)snprintf(world->url, sizeof world->url, "http://+:%u/", FIRST_PORT + index);
    out->url = world->url;
    return BERTH_OK;
}

static void end(void *context)
{
    (void)context;
}

static const struct berth_http_calls calls = {.begin = begin, .entry = entry, .end = end};

static void *set_up(void)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    assert_int_equal(uv_mutex_init(&world->mutex), 0);
    world->last_port = FIRST_PORT;
    return world;
}

static void tear_down(void *mark)
{
    struct world *world = mark;

    uv_mutex_destroy(&world->mutex);
    free(world);
}

static struct berth_watcher *create(void *mark, uv_loop_t *loop)
{
    const struct berth_http_options options = {.poll_ms = 0};
    struct berth_watcher *watcher = NULL;
    struct berth_error err;

    assert_ok(berth_http_watcher_create(&watcher, loop, &calls, mark, &options, &err), &err);
    return watcher;
}

static uint16_t change(void *mark, struct berth_watcher *watcher)
{
    struct world *world = mark;

    (void)watcher;
    uv_mutex_lock(&world->mutex);
    uint16_t port = (uint16_t)++world->last_port;
    uv_mutex_unlock(&world->mutex);
    return port;
}

static void set_spoiled(struct world *world, bool spoiled)
{
    uv_mutex_lock(&world->mutex);
    world->spoiled = spoiled;
    uv_mutex_unlock(&world->mutex);
}

static void spoil(void *mark, struct berth_watcher *watcher)
{
    (void)watcher;
    set_spoiled(mark, true);
}

static void mend(void *mark, struct berth_watcher *watcher)
{
    (void)watcher;
    set_spoiled(mark, false);
}

static const struct watcher_contract http = {
    .name = "http.sys watcher",
    .set_up = set_up,
    .tear_down = tear_down,
    .create = create,
    .change = change,
    .spoil = spoil,
    .mend = mend,
};

int main(void)
{
    return watcher_contract_run(&http);
}
