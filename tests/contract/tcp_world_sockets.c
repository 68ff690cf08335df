/* SPDX-License-Identifier: MIT */
#include "tcp_world_sockets.h"

#define SOCKETS_MAX 900

struct held {
    intptr_t socket;
    uint16_t port;
};

static struct held held[SOCKETS_MAX];
static size_t held_count;

static uint16_t hold(intptr_t socket)
{
    if (socket == TCP_WORLD_NO_SOCKET || held_count == SOCKETS_MAX) {
        return 0;
    }
    held[held_count] = (struct held){socket, tcp_world_local_port(socket)};
    return held[held_count++].port;
}

static uint16_t connect_to(const struct tcp_world_request *request, bool then_close)
{
    intptr_t client = tcp_world_connect(request);
    intptr_t server = TCP_WORLD_NO_SOCKET;

    for (size_t i = 0; i < held_count && client != TCP_WORLD_NO_SOCKET; i++) {
        if (held[i].port == request->port && server == TCP_WORLD_NO_SOCKET) {
            server = tcp_world_accept(held[i].socket);
        }
    }
    if (server == TCP_WORLD_NO_SOCKET) {
        return 0;
    }
    if (!then_close) {
        (void)hold(server);
        return hold(client);
    }
    uint16_t port = tcp_world_local_port(client);
    tcp_world_close(client);
    tcp_world_await_end(server);
    tcp_world_close(server);
    return port;
}

static uint16_t close_port(uint16_t port)
{
    size_t kept = 0;
    uint16_t closed = 0;

    for (size_t i = 0; i < held_count; i++) {
        if (held[i].port == port) {
            tcp_world_close(held[i].socket);
            closed = port;
        } else {
            held[kept++] = held[i];
        }
    }
    held_count = kept;
    return closed;
}

uint16_t tcp_world_serve(const struct tcp_world_request *request)
{
    switch (request->act) {
    case TCP_WORLD_LISTEN:
        return hold(tcp_world_bind(request, true));
    case TCP_WORLD_BIND:
        return hold(tcp_world_bind(request, false));
    case TCP_WORLD_CONNECT:
        return connect_to(request, false);
    case TCP_WORLD_TIME_WAIT:
        return connect_to(request, true);
    case TCP_WORLD_CLOSE:
        return close_port(request->port);
    }
    return 0;
}
