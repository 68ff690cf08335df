/* SPDX-License-Identifier: MIT */
/* What every listener must do (daemon/listener.h), and who is at its other end (daemon/peer.h), as
 * tests over a world in which clients can connect. */
#ifndef BERTH_TESTS_LISTENER_CONTRACT_H
#define BERTH_TESTS_LISTENER_CONTRACT_H

#include "daemon/accounts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LISTENER_NO_CLIENT ((intptr_t)-1)

/** One world; each test program links one. None of its functions fails a test by itself. */
struct listener_world {
    /** Gives an endpoint that nobody else has; the same one until tear_down(). */
    const char *(*set_up)(void);
    void (*tear_down)(void);
    /** Connects, without waiting for anybody to accept.  @return LISTENER_NO_CLIENT: refused */
    intptr_t (*connect)(const char *endpoint);
    /** Writes some bytes, which the connection has room for.  @return false: it is broken */
    bool (*send)(intptr_t client, const void *bytes, size_t size);
    /** Waits for bytes.  @return how many; 0: the other side closed */
    size_t (*receive)(intptr_t client, void *bytes, size_t size);
    void (*close)(intptr_t client);
    /** Gives this process's user as the system knows it. */
    struct berth_account_id (*own_user)(void);
    uint32_t (*process_id)(void);
};

extern const struct listener_world listener_world;

/** Runs the suite. @return as main() */
int listener_contract_run(void);

#endif
