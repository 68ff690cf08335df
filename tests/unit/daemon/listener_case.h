/* SPDX-License-Identifier: MIT */
/* A loop and an endpoint of a test's own, for a listener. */
#ifndef BERTH_TESTS_LISTENER_CASE_H
#define BERTH_TESTS_LISTENER_CASE_H

#include "daemon/listener.h"

#include "cmocka_all.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

static const struct berth_access nobody = {.entries = NULL};

struct listener_case {
    char *folder;
    char endpoint[300];
    uv_loop_t loop;
};

static inline int listener_case_setup(void **state)
{
    struct listener_case *fixture = calloc(1, sizeof *fixture);

    if (fixture == NULL) {
        return -1;
    }
    fixture->folder = temp_dir_make();
    (void)snprintf(fixture->endpoint, sizeof fixture->endpoint, "%s",
                   temp_endpoint(fixture->folder, "b.sock"));
    *state = fixture;
    return uv_loop_init(&fixture->loop);
}

static inline int listener_case_teardown(void **state)
{
    struct listener_case *fixture = *state;

    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    int status = uv_loop_close(&fixture->loop);
    temp_dir_remove(fixture->folder);
    free(fixture);
    return status;
}

/** A callback for a listener to which nobody shall come. */
static inline void never(struct berth_listener *listener, void *ctx)
{
    (void)listener;
    (void)ctx;
    fail();
}

#endif
