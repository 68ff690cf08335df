/* SPDX-License-Identifier: MIT */
/* The sockets of a process that stands for the world of the real TCP table: what is asked for is
 * the same on every system, how sockets are made is linux/'s and windows/'s. Nothing here fails a
 * test: it runs in a process of its own. */
#ifndef BERTH_TESTS_TCP_WORLD_SOCKETS_H
#define BERTH_TESTS_TCP_WORLD_SOCKETS_H

#include "tcp_table_contract.h"

#define TCP_WORLD_NO_SOCKET ((intptr_t)-1)

/** Does what is asked for, with the sockets of this process.
 *  @return the port, as struct tcp_world's perform(); 0: it could not be done */
uint16_t tcp_world_serve(const struct tcp_world_request *request);

/* ---- the system's ---- */

/** Makes a socket that is bound to the request's address and port, which others may share.
 *  @return TCP_WORLD_NO_SOCKET: it could not be */
intptr_t tcp_world_bind(const struct tcp_world_request *request, bool listening);

/** Makes a socket that is connected to the request's address and port. */
intptr_t tcp_world_connect(const struct tcp_world_request *request);

/** Accepts a connection; waits for it if the socket listens. */
intptr_t tcp_world_accept(intptr_t listener);

uint16_t tcp_world_local_port(intptr_t socket);

/** Waits until the other side has closed. */
void tcp_world_await_end(intptr_t socket);

void tcp_world_close(intptr_t socket);

#endif
