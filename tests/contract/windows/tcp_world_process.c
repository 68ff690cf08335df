/* SPDX-License-Identifier: MIT */
/* The process that has the sockets of windows/tcp_world.c: requests come in on standard input, a
 * port goes back on standard output for each. It ends with its input. */
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include "tests/contract/tcp_table_contract.h"

#include <string.h>

#define SOCKETS_MAX 900

struct held {
    SOCKET handle;
    uint16_t port;
};

static struct held held[SOCKETS_MAX];
static size_t held_count;

static int make_address(struct sockaddr_storage *out, const struct berth_address *address,
                        uint16_t port)
{
    struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(out, 0, sizeof *out);
    if (address->family == BERTH_FAMILY_IPV4) {
        memcpy(&ip4.sin_addr, address->bytes, 4);
        memcpy(out, &ip4, sizeof ip4);
        return (int)sizeof ip4;
    }
    memcpy(&ip6.sin6_addr, address->bytes, 16);
    memcpy(out, &ip6, sizeof ip6);
    return (int)sizeof ip6;
}

static uint16_t local_port(SOCKET handle)
{
    struct sockaddr_storage address;
    struct sockaddr_in ip4;
    int length = (int)sizeof address;

    if (getsockname(handle, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    memcpy(&ip4, &address, sizeof ip4); /* the port is at the same place in both families */
    return ntohs(ip4.sin_port);
}

static uint16_t hold(SOCKET handle)
{
    if (held_count == SOCKETS_MAX) {
        return 0;
    }
    held[held_count] = (struct held){handle, local_port(handle)};
    return held[held_count++].port;
}

static uint16_t open_bound(const struct tcp_world_request *request, bool listening)
{
    struct sockaddr_storage address;
    int length = make_address(&address, &request->address, request->port);
    const DWORD shares = request->port != 0;
    const DWORD v6_only = request->v6_only;
    SOCKET handle = socket(address.ss_family, SOCK_STREAM, IPPROTO_TCP);

    if (handle == INVALID_SOCKET) {
        return 0;
    }
    (void)setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, (const char *)&shares, sizeof shares);
    if (address.ss_family == AF_INET6) {
        (void)setsockopt(handle, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&v6_only, sizeof v6_only);
    }
    if (bind(handle, (struct sockaddr *)&address, length) != 0 ||
        (listening && listen(handle, 8) != 0)) {
        (void)closesocket(handle);
        return 0;
    }
    return hold(handle);
}

static uint16_t connect_to(const struct tcp_world_request *request, bool then_close)
{
    struct sockaddr_storage address;
    int length = make_address(&address, &request->address, request->port);
    SOCKET client = socket(address.ss_family, SOCK_STREAM, IPPROTO_TCP);
    SOCKET server = INVALID_SOCKET;
    char byte;

    for (size_t i = 0; i < held_count && server == INVALID_SOCKET; i++) {
        if (held[i].port == request->port && client != INVALID_SOCKET &&
            connect(client, (struct sockaddr *)&address, length) == 0) {
            server = accept(held[i].handle, NULL, NULL);
        }
    }
    if (server == INVALID_SOCKET) {
        return 0;
    }
    if (!then_close) {
        (void)hold(server);
        return hold(client);
    }
    uint16_t port = local_port(client);
    (void)closesocket(client);
    (void)recv(server, &byte, 1, 0); /* its end, once the client has closed */
    (void)closesocket(server);
    return port;
}

static uint16_t close_port(uint16_t port)
{
    size_t kept = 0;
    uint16_t closed = 0;

    for (size_t i = 0; i < held_count; i++) {
        if (held[i].port == port) {
            (void)closesocket(held[i].handle);
            closed = port;
        } else {
            held[kept++] = held[i];
        }
    }
    held_count = kept;
    return closed;
}

static uint16_t serve_request(const struct tcp_world_request *request)
{
    switch (request->act) {
    case TCP_WORLD_LISTEN:
        return open_bound(request, true);
    case TCP_WORLD_BIND:
        return open_bound(request, false);
    case TCP_WORLD_CONNECT:
        return connect_to(request, false);
    case TCP_WORLD_TIME_WAIT:
        return connect_to(request, true);
    case TCP_WORLD_CLOSE:
        return close_port(request->port);
    }
    return 0;
}

int main(void)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
    struct tcp_world_request request;
    WSADATA data;
    DWORD count;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 1;
    }
    while (ReadFile(input, &request, sizeof request, &count, NULL) && count == sizeof request) {
        uint16_t port = serve_request(&request);
        if (!WriteFile(output, &port, sizeof port, &count, NULL)) {
            return 1;
        }
    }
    return 0;
}
