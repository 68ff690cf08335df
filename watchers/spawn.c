/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <stdbool.h>

/* How long another start is waited for. One that takes longer may take for ever: its program lies
 * on a share that hangs. That two then may get each other's handles is the lesser evil. */
#define PATIENCE_MS 2000u
#define PAUSE_MS 2u

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static int no_mutex;

static void init(void)
{
    no_mutex = uv_mutex_init(&mutex);
}

static bool lock_for_a_while(void)
{
    bool locked = uv_mutex_trylock(&mutex) == 0;

    for (unsigned waited = 0; !locked && waited < PATIENCE_MS; waited += PAUSE_MS) {
        uv_sleep(PAUSE_MS);
        locked = uv_mutex_trylock(&mutex) == 0;
    }
    return locked;
}

int berth_spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    uv_once(&once, init);
    if (no_mutex != 0) { /* a program that may hold a pipe open is better than none */
        return uv_spawn(loop, process, options);
    }
    bool locked = lock_for_a_while();
    int status = uv_spawn(loop, process, options);
    if (locked) {
        uv_mutex_unlock(&mutex);
    }
    return status;
}
