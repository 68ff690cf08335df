/* SPDX-License-Identifier: MIT */
/* Names of users, remembered, and looked up beside the loop: the account database may be a server
 * that does not answer.
 *
 * 64 users at most are remembered; a new one takes the place of one who was not asked for lately.
 * A name is good for 10 minutes and then looked up again, as is after one minute what was not
 * found; meanwhile what is known is given, and stays where the next look-up finds nothing. Two
 * look-ups run at once, so that those which hang do not take the thread pool; the others wait. A
 * user is waited for `patience_ms` at most, once: whoever comes later, while the look-up hangs on,
 * is answered at once. */
#ifndef BERTH_DAEMON_ACCOUNT_NAMES_H
#define BERTH_DAEMON_ACCOUNT_NAMES_H

#include "accounts.h"
#include "base/error.h"

#include <uv.h>

#define BERTH_ACCOUNT_NAMES_MAX 64
#define BERTH_ACCOUNT_NAMES_AT_ONCE 2
#define BERTH_ACCOUNT_NAMES_FOUND_MS ((uint64_t)10 * 60 * 1000)
#define BERTH_ACCOUNT_NAMES_FAILED_MS ((uint64_t)60 * 1000)
#define BERTH_ACCOUNT_NAMES_PATIENCE_MS 500

/** Copied. */
struct berth_account_names_options {
    /** berth_account_look_up_user_name(), or a test's own. Is called on threads of the pool. */
    bool (*look_up)(const struct berth_account_id *user, char *out, size_t size);
    /** uv_now(), or a test's own: what the age of names is measured by. */
    uint64_t (*now_ms)(const uv_loop_t *loop);
    uint64_t patience_ms;
    /** Is called on the loop when there may be an answer for somebody who was told to wait: ask
     *  berth_account_names_get() again for each of those. Not called from within that. */
    void (*learned)(void *ctx);
    void *ctx;
};

struct berth_account_names;

/** Makes a memory of names that knows none yet.
 *  @return BERTH_OK; BERTH_NO_MEMORY: `out` is unchanged  @thread loop, as all here */
enum berth_code berth_account_names_create(struct berth_account_names **out, uv_loop_t *loop,
                                           const struct berth_account_names_options *options,
                                           struct berth_error *err);

/** Gives a user's name; has it looked up where it is not known or old.
 *  @param[out] out  the name that is known, else berth_account_nameless()
 *  @return true: `out` stands; false: it is being looked up: `learned` will be called, when the
 *          name is there or the patience is over, and true is the answer then
 *  @blocks no */
bool berth_account_names_get(struct berth_account_names *names, const struct berth_account_id *user,
                             char out[BERTH_ACCOUNT_NAME_SIZE]);

/** Ends: `learned` is not called any more, look-ups that wait are dropped. The memory is given back
 *  when those that run have come back, which one that hangs does not. NULL is accepted: then
 *  nothing is called.
 *  @param[in] closed  is called when the memory is gone, after this has returned */
void berth_account_names_close(struct berth_account_names *names, void (*closed)(void *ctx),
                               void *ctx);

/** Tells how many look-ups are under way. */
unsigned berth_account_names_under_way(const struct berth_account_names *names);

#endif
