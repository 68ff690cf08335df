/* SPDX-License-Identifier: MIT */
#include "ports_world.h"
#include "watchers/excluded.h"

static enum berth_code list(void *context, bool ipv6, struct berth_text *out,
                            struct berth_error *err)
{
    struct ports_world *world = context;
    unsigned last_port;

    if (!ports_world_look(world, &last_port)) {
        return berth_fail(err, BERTH_IO, 5, "spoiled");
    }
    berth_text_printf(out, "-- --\n%u %u *\n", PORTS_WORLD_FIRST,
                      ipv6 ? PORTS_WORLD_FIRST : last_port);
    return out->failed;
}

static enum berth_code kernel_ports(void *context, struct berth_port_set *out,
                                    struct berth_error *err)
{
    (void)context;
    (void)out;
    (void)err;
    return BERTH_OK;
}

static const struct berth_excluded_calls calls = {.list = list, .kernel_ports = kernel_ports};

static struct berth_watcher *create(void *mark, uv_loop_t *loop)
{
    struct berth_watcher *watcher = NULL;
    struct berth_error err;

    assert_ok(berth_excluded_watcher_create(&watcher, loop, &calls, mark, 0, &err), &err);
    return watcher;
}

static const struct watcher_contract excluded = {
    .name = "excluded ranges watcher",
    .set_up = ports_world_set_up,
    .tear_down = ports_world_tear_down,
    .create = create,
    .change = ports_world_change,
    .spoil = ports_world_spoil,
    .mend = ports_world_mend,
};

int main(void)
{
    return watcher_contract_run(&excluded);
}
