/* SPDX-License-Identifier: MIT */
/* A network of the benchmark's own, and many sockets in it. Nothing leaves the machine. */
#ifndef BERTH_BENCH_NETWORK_H
#define BERTH_BENCH_NETWORK_H

#include "bench.h"

#include <sys/types.h>

/** Moves this process, and what it starts from now on, into a network namespace of its own with
 *  nothing but a loopback interface that is up.  @return false: that needs root; nothing changed */
bool bench_own_network(void);

/** Connections over 127.0.0.1, both ends of which are held by processes of the benchmark's own, as
 *  many as the limit of open files asks for. */
struct bench_crowd {
    pid_t *holders;
    int *ropes; /* a holder lets go when its one is closed */
    size_t count;
};

/** Opens `connections` connections, which are twice as many sockets. */
void bench_crowd_open(struct bench_crowd *crowd, size_t connections);

/** Closes them in a way that leaves no TIME_WAIT behind, and waits until that is done. */
void bench_crowd_close(struct bench_crowd *crowd);

/** Opens a listening socket on 127.0.0.1.  @param[in] port  0: any
 *  @return its descriptor; -1: the port is taken */
int bench_listen(uint16_t port);

#endif
