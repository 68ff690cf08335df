/* SPDX-License-Identifier: MIT */
#include <winsock2.h>
#include <ws2tcpip.h>

#include "watchers/port_probe.h"

#include <uv.h>

static uv_once_t once = UV_ONCE_INIT;
static int startup_result;

static void start_up(void)
{
    WSADATA data;

    startup_result = WSAStartup(MAKEWORD(2, 2), &data);
}

/* Binds the port on all addresses of a family and lets go of it.  @return 0, or Winsock's code */
static int try_bind(int family, uint16_t port)
{
    const struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const struct sockaddr *address =
        family == AF_INET ? (const struct sockaddr *)&ip4 : (const struct sockaddr *)&ip6;
    int length = family == AF_INET ? (int)sizeof ip4 : (int)sizeof ip6;
    const DWORD on = 1;
    int result = 0;
    SOCKET handle =
        WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);

    if (handle == INVALID_SOCKET) {
        return WSAGetLastError();
    }
    if (setsockopt(handle, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof on) != 0 ||
        (family == AF_INET6 &&
         setsockopt(handle, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&on, sizeof on) != 0) ||
        bind(handle, address, length) != 0) {
        result = WSAGetLastError();
    }
    (void)closesocket(handle);
    return result;
}

static enum berth_probe_answer answer_of(int family, int result)
{
    switch (result) {
    case 0:
        return BERTH_PROBE_FREE;
    case WSAEADDRINUSE:
        return BERTH_PROBE_IN_USE;
    case WSAEACCES:
        return BERTH_PROBE_FORBIDDEN;
    case WSAEAFNOSUPPORT:
    case WSAEADDRNOTAVAIL: /* a machine without IPv6, or with it switched off */
        return family == AF_INET6 ? BERTH_PROBE_FREE : BERTH_PROBE_FAILED;
    default:
        return BERTH_PROBE_FAILED;
    }
}

enum berth_probe_answer berth_port_probe(uint16_t port, int *os_code)
{
    static const int families[] = {AF_INET, AF_INET6};

    uv_once(&once, start_up);
    *os_code = startup_result;
    if (startup_result != 0) {
        return BERTH_PROBE_FAILED;
    }
    for (unsigned i = 0; i < BERTH_COUNT(families); i++) {
        int result = try_bind(families[i], port);
        enum berth_probe_answer answer = answer_of(families[i], result);
        if (answer != BERTH_PROBE_FREE) {
            *os_code = result;
            return answer;
        }
    }
    return BERTH_PROBE_FREE;
}

bool berth_port_probe_by_default(void)
{
    return true;
}
