/* SPDX-License-Identifier: MIT */
#include "ports_world.h"
#include "watchers/http_sys.h"

#include <stdio.h>

static enum berth_code begin(void *context, struct berth_error *err)
{
    (void)context;
    (void)err;
    return BERTH_OK;
}

static enum berth_code entry(void *context, enum berth_http_list list, uint32_t index,
                             struct berth_http_entry *out, struct berth_error *err)
{
    struct ports_world *world = context;
    unsigned last_port;

    if (!ports_world_look(world, &last_port)) {
        return berth_fail(err, BERTH_IO, 5, "spoiled");
    }
    if (list != BERTH_HTTP_URL_RESERVATIONS || PORTS_WORLD_FIRST + index > last_port) {
        return BERTH_NOT_FOUND;
    }
    (void)snprintf(world->text, sizeof world->text, "http://+:%u/", PORTS_WORLD_FIRST + index);
    out->url = world->text;
    return BERTH_OK;
}

static void end(void *context)
{
    (void)context;
}

static const struct berth_http_calls calls = {.begin = begin, .entry = entry, .end = end};

static struct berth_watcher *create(void *mark, uv_loop_t *loop)
{
    const struct berth_http_options options = {.poll_ms = 0};
    struct berth_watcher *watcher = NULL;
    struct berth_error err;

    assert_ok(berth_http_watcher_create(&watcher, loop, &calls, mark, &options, &err), &err);
    return watcher;
}

static const struct watcher_contract http = {
    .name = "http.sys watcher",
    .set_up = ports_world_set_up,
    .tear_down = ports_world_tear_down,
    .create = create,
    .change = ports_world_change,
    .spoil = ports_world_spoil,
    .mend = ports_world_mend,
};

int main(void)
{
    return watcher_contract_run(&http);
}
