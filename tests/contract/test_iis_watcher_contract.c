/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "temp_dir.h"
#include "watcher_contract.h"
#include "watchers/iis_watcher.h"

#include <stdio.h>
#include <stdlib.h>

struct world {
    char *folder;
    char path[1024];
    unsigned last_port;
};

static void write_config(const struct world *world)
{
    static char text[65536];
    int used = snprintf(text, sizeof text,
                        "<configuration><system.applicationHost><sites>"
                        "<site name='One' id='1'><bindings>");

    for (unsigned port = 8080; port <= world->last_port; port++) {
        used += snprintf(text + used, sizeof text - (size_t)used,
                         "<binding protocol='http' bindingInformation='*:%u:'/>", port);
    }
    used += snprintf(text + used, sizeof text - (size_t)used,
                     "<binding protocol='http' bindingInformation='bad'/></bindings></site></sites>"
                     "</system.applicationHost></configuration>");
    replace_file(world->path, text, (size_t)used);
}

static void *set_up(void)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    world->folder = temp_dir_make();
    world->last_port = 8080;
    (void)snprintf(world->path, sizeof world->path, "%s/applicationHost.config", world->folder);
    write_config(world);
    return world;
}

static void tear_down(void *mark)
{
    struct world *world = mark;

    temp_dir_remove(world->folder);
    free(world);
}

static struct berth_watcher *create(void *mark, uv_loop_t *loop)
{
    struct world *world = mark;
    struct berth_watcher *watcher = NULL;
    struct berth_error err;
    struct berth_iis_watcher_options options = {.path = world->path};

    assert_ok(berth_iis_watcher_create(&watcher, loop, &options, &err), &err);
    return watcher;
}

static uint16_t change(void *mark, struct berth_watcher *watcher)
{
    struct world *world = mark;

    (void)watcher;
    world->last_port++;
    write_config(world);
    return (uint16_t)world->last_port;
}

static void spoil(void *mark, struct berth_watcher *watcher)
{
    struct world *world = mark;

    (void)watcher;
    write_file(world->path, "<configuration>", 15);
}

static void mend(void *mark, struct berth_watcher *watcher)
{
    (void)watcher;
    write_config(mark);
}

static const struct watcher_contract iis = {
    .name = "iis watcher",
    .set_up = set_up,
    .tear_down = tear_down,
    .create = create,
    .change = change,
    .spoil = spoil,
    .mend = mend,
};

int main(void)
{
    return watcher_contract_run(&iis);
}
