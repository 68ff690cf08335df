/* SPDX-License-Identifier: MIT */
/* The event source of Windows: a tracing session (etw_tcp_source.h) on the real system. */
#include <winsock2.h>

#include "watchers/tcp_events.h"

#include "base/memory.h"
#include "watchers/windows/etw_calibration.h"
#include "watchers/windows/etw_tcp_source.h"

#define CHOICES_MAX 16

struct berth_tcp_events {
    struct berth_etw_tcp_source *source;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* Binds a socket of loopback to a port; 0: to one that Windows chooses.
 * @return INVALID_SOCKET: it could not be done */
static SOCKET bind_loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const BOOL on = TRUE;
    SOCKET handle =
        WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (handle != INVALID_SOCKET &&
        (setsockopt(handle, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof on) != 0 ||
         bind(handle, (const struct sockaddr *)&address, sizeof address) != 0)) {
        (void)closesocket(handle);
        handle = INVALID_SOCKET;
    }
    return handle;
}

static uint16_t port_of(SOCKET handle)
{
    struct sockaddr_in address = {0};
    int length = sizeof address;

    if (getsockname(handle, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    return ntohs(address.sin_port);
}

static uint16_t choose_port(void *context)
{
    (void)context;
    for (unsigned i = 0; i < CHOICES_MAX; i++) {
        SOCKET handle = bind_loopback(0);
        if (handle == INVALID_SOCKET) {
            return 0;
        }
        uint16_t port = port_of(handle);
        (void)closesocket(handle);
        if (berth_etw_calibration_suits(port)) {
            return port;
        }
    }
    return 0;
}

static bool use_port(void *context, uint16_t port)
{
    SOCKET handle = bind_loopback(port);
    bool used = false;

    (void)context;
    if (handle != INVALID_SOCKET) {
        used = listen(handle, 1) == 0;
        (void)closesocket(handle);
    }
    return used;
}

enum berth_code berth_tcp_events_open(struct berth_tcp_events **out, uv_loop_t *loop,
                                      const struct berth_tcp_events_sink *sink,
                                      struct berth_error *err)
{
    const struct berth_etw_tcp_options options = {
        .session = berth_etw_calls_real(),
        .trial = {.choose = choose_port, .use = use_port, .process_id = GetCurrentProcessId()},
    };
    struct berth_tcp_events *events = berth_alloc(1, sizeof *events);

    if (events == NULL) {
        return berth_fail_memory(err, "the source of TCP events");
    }
    enum berth_code code = berth_etw_tcp_source_open(&events->source, loop, sink, &options, err);
    if (code != BERTH_OK) {
        berth_free(events);
        return code;
    }
    *out = events;
    return BERTH_OK;
}

unsigned berth_tcp_events_drain(struct berth_tcp_events *events)
{
    berth_etw_tcp_source_drain(events->source);
    return 0;
}

static void source_closed(void *ctx)
{
    struct berth_tcp_events *events = ctx;
    void (*closed)(void *closed_ctx) = events->closed;
    void *closed_ctx = events->closed_ctx;

    berth_free(events);
    closed(closed_ctx);
}

void berth_tcp_events_close(struct berth_tcp_events *events, void (*closed)(void *ctx), void *ctx)
{
    events->closed = closed;
    events->closed_ctx = ctx;
    berth_etw_tcp_source_close(events->source, source_closed, events);
}
