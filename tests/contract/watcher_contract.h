/* SPDX-License-Identifier: MIT */
/* What any watcher must do, whatever it watches (watchers/watcher.h), as tests. A test program of a
 * watcher describes the world in which it lives and runs the suite:
 *
 *     static const struct watcher_contract subject = {.name = "iis", .set_up = …};
 *     int main(void) { return watcher_contract_run(&subject); }
 */
#ifndef BERTH_TESTS_WATCHER_CONTRACT_H
#define BERTH_TESTS_WATCHER_CONTRACT_H

#include "watchers/watcher.h"

#include <stdbool.h>
#include <uv.h>

struct watcher_contract {
    const char *name;

    /** Makes a world that a watcher can see well, and that holds at least one claim of feed 0.
     *  Fails the test on trouble.  @return its mark for all below */
    void *(*set_up)(void);
    void (*tear_down)(void *world);

    /** Makes a watcher of this world, not started. */
    struct berth_watcher *(*create)(void *world, uv_loop_t *loop);

    /** Makes feed 0 gain a claim on a port that it had none on, and gives that port. It may be up
     *  to ops->look() to make the watcher see it. */
    uint16_t (*change)(void *world, struct berth_watcher *watcher);

    /** Makes looks fail, and mends that. NULL: nothing can fail here. `watcher` is NULL before one
     *  is made. */
    void (*spoil)(void *world, struct berth_watcher *watcher);
    void (*mend)(void *world, struct berth_watcher *watcher);

    bool looks_on_loop; /* it needs no thread: none of its looks can take long */
};

/** Runs the suite.  @return cmocka's number of failures */
int watcher_contract_run(const struct watcher_contract *subject);

#endif
