/* SPDX-License-Identifier: MIT */
/* The process that has the sockets of windows/tcp_world.c: requests come in on standard input, a
 * port goes back on standard output for each. It ends with its input. */
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include "tests/contract/tcp_world_sockets.h"

#include <string.h>

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

uint16_t tcp_world_local_port(intptr_t handle)
{
    struct sockaddr_storage address;
    struct sockaddr_in ip4;
    int length = (int)sizeof address;

    if (getsockname((SOCKET)handle, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    memcpy(&ip4, &address, sizeof ip4); /* the port is at the same place in both families */
    return ntohs(ip4.sin_port);
}

intptr_t tcp_world_bind(const struct tcp_world_request *request, bool listening)
{
    struct sockaddr_storage address;
    int length = make_address(&address, &request->address, request->port);
    const DWORD shares = request->port != 0;
    const DWORD v6_only = request->v6_only;
    SOCKET handle = socket(address.ss_family, SOCK_STREAM, IPPROTO_TCP);

    if (handle == INVALID_SOCKET) {
        return TCP_WORLD_NO_SOCKET;
    }
    (void)setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, (const char *)&shares, sizeof shares);
    if (address.ss_family == AF_INET6) {
        (void)setsockopt(handle, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&v6_only, sizeof v6_only);
    }
    if (bind(handle, (struct sockaddr *)&address, length) != 0 ||
        (listening && listen(handle, 8) != 0)) {
        (void)closesocket(handle);
        return TCP_WORLD_NO_SOCKET;
    }
    return (intptr_t)handle;
}

intptr_t tcp_world_connect(const struct tcp_world_request *request)
{
    struct sockaddr_storage address;
    int length = make_address(&address, &request->address, request->port);
    SOCKET handle = socket(address.ss_family, SOCK_STREAM, IPPROTO_TCP);

    if (handle != INVALID_SOCKET && connect(handle, (struct sockaddr *)&address, length) != 0) {
        (void)closesocket(handle);
        return TCP_WORLD_NO_SOCKET;
    }
    return (intptr_t)handle; /* INVALID_SOCKET is TCP_WORLD_NO_SOCKET */
}

intptr_t tcp_world_accept(intptr_t listener)
{
    return (intptr_t)accept((SOCKET)listener, NULL, NULL);
}

void tcp_world_await_end(intptr_t handle)
{
    char byte;

    (void)recv((SOCKET)handle, &byte, 1, 0);
}

void tcp_world_close(intptr_t handle)
{
    (void)closesocket((SOCKET)handle);
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
        uint16_t port = tcp_world_serve(&request);
        if (!WriteFile(output, &port, sizeof port, &count, NULL)) {
            return 1;
        }
    }
    return 0;
}
