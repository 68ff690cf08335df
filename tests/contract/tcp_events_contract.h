/* SPDX-License-Identifier: MIT */
/* What every source of TCP events must do (watchers/tcp_events.h), as tests over the world of
 * tcp_table_contract.h, in which another process's sockets come and go. */
#ifndef BERTH_TESTS_TCP_EVENTS_CONTRACT_H
#define BERTH_TESTS_TCP_EVENTS_CONTRACT_H

#include "tcp_table_contract.h"

/** What a world must do besides for its events to be told; each test program links one. */
struct tcp_events_world {
    /** Prepares a source that can be opened. NULL: nothing is to be done. */
    void (*set_up)(void);
    /** Is told that something was performed in the world. NULL: the system tells by itself. */
    void (*performed)(enum tcp_world_act act, uint8_t family, uint16_t port);
};

extern const struct tcp_events_world tcp_events_world;

/** Runs the suite. @return as main() */
int tcp_events_contract_run(void);

#endif
