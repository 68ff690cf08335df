/* SPDX-License-Identifier: MIT */
/* What every TCP table must do (watchers/tcp_table.h), as tests over a world in which sockets can
 * be made: real ones of another process, or those of the fake's script. */
#ifndef BERTH_TESTS_TCP_TABLE_CONTRACT_H
#define BERTH_TESTS_TCP_TABLE_CONTRACT_H

#include "allocator/address.h"

#include <stdbool.h>
#include <stdint.h>

enum tcp_world_act {
    TCP_WORLD_LISTEN,    /* a listener on the port, 0: any; it allows others beside it */
    TCP_WORLD_BIND,      /* bound, not listening */
    TCP_WORLD_CONNECT,   /* a connection to the listener on the port; gives its own local port */
    TCP_WORLD_TIME_WAIT, /* such a connection that the connecting side has closed, whose local port
                            it gives */
    TCP_WORLD_CLOSE      /* closes the world's sockets on the port */
};

struct tcp_world_request {
    enum tcp_world_act act;
    struct berth_address address; /* 127.0.0.1, 0.0.0.0, ::1 or :: */
    bool v6_only;
    uint16_t port;
};

/** What a system's sockets or table may lack; the tests of it are skipped. */
enum tcp_world_lack {
    TCP_WORLD_LACKS_TWINS = 1,    /* two listeners on one address and port */
    TCP_WORLD_LACKS_OVERLAP = 2,  /* listeners on 0.0.0.0 and 127.0.0.1 of one port */
    TCP_WORLD_LACKS_TIME_WAIT = 4 /* connections in TIME_WAIT are listed */
};

/** One world; each test program links one. */
struct tcp_world {
    void (*set_up)(void);
    void (*tear_down)(void);
    /** Does it, whole, before it returns. @return the port; 0: this cannot be done here */
    uint16_t (*perform)(const struct tcp_world_request *request);
    /** Who has the world's sockets. */
    uint32_t (*process_id)(void);
    uint32_t (*user_id)(void);
    const char *(*image)(void);
    /** A sum of enum tcp_world_lack, after set_up. NULL: 0. */
    unsigned (*lacks)(void);
};

extern const struct tcp_world tcp_world;

/** Runs the suite. @return as main() */
int tcp_table_contract_run(void);

#endif
