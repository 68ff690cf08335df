/* SPDX-License-Identifier: MIT */
/* A network namespace for a test, and plain sockets in it. */
#ifndef BERTH_TESTS_OWN_NETWORK_H
#define BERTH_TESTS_OWN_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

/** Moves this process into a network of its own in which loopback is up.  @return false: that takes
 *  root; nothing changed, or loopback stays down */
bool own_network_enter(void);

/** Makes a socket on 127.0.0.1 with SO_REUSEADDR, bound to a port (0: any) and, if wanted,
 *  listening.  @return -1: it cannot be had */
int own_network_socket(uint16_t port, bool listening);

/** Gives a socket's local port; 0: none. */
uint16_t own_network_port(int fd);

/** Connects a socket to a port of 127.0.0.1. */
bool own_network_connect(int fd, uint16_t port);

#endif
