/* SPDX-License-Identifier: MIT */
#include "spawn.h"

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static int no_mutex;

static void init(void)
{
    no_mutex = uv_mutex_init(&mutex);
}

int berth_spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    uv_once(&once, init);
    if (no_mutex != 0) { /* a program that may hold a pipe open is better than none */
        return uv_spawn(loop, process, options);
    }
    uv_mutex_lock(&mutex);
    int status = uv_spawn(loop, process, options);
    uv_mutex_unlock(&mutex);
    return status;
}
