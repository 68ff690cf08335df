/* SPDX-License-Identifier: MIT */
#include <iphlpapi.h>
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include "watchers/windows/tcp_calls.h"

#include "watchers/windows/process.h"

#include <string.h>
#include <uv.h>

static uv_once_t once = UV_ONCE_INIT;
static berth_bound_table *bound4;
static berth_bound_table *bound6;

/* The functions are of the same library that is linked anyway. */
static void find_functions(void)
{
    HMODULE library = GetModuleHandleW(L"iphlpapi.dll");

    if (library != NULL) {
        bound4 = (berth_bound_table *)(void (*)(void))GetProcAddress(
            library, "InternalGetBoundTcpEndpointTable");
        bound6 = (berth_bound_table *)(void (*)(void))GetProcAddress(
            library, "InternalGetBoundTcp6EndpointTable");
    }
}

uint32_t berth_tcp_calls_copy_bound(berth_bound_table *get, enum berth_tcp_rows_table table,
                                    void *buffer, uint32_t *size)
{
    void *got = NULL;
    unsigned long result = get(&got, GetProcessHeap(), 0);
    uint64_t needed = sizeof(DWORD);
    DWORD count = 0;

    if (result != NO_ERROR) {
        return result;
    }
    if (got != NULL) {
        memcpy(&count, got, sizeof count);
        needed += (uint64_t)count * berth_tcp_rows_row_size(table);
    }
    if (needed > *size) {
        result = ERROR_INSUFFICIENT_BUFFER;
    } else if (got != NULL) {
        memcpy(buffer, got, (size_t)needed);
    } else {
        memcpy(buffer, &count, sizeof count);
    }
    *size = needed < UINT32_MAX ? (uint32_t)needed : UINT32_MAX;
    if (got != NULL) {
        (void)HeapFree(GetProcessHeap(), 0, got);
    }
    return result;
}

static uint32_t get_table(void *context, enum berth_tcp_rows_table table, void *buffer,
                          uint32_t *size)
{
    DWORD bytes = *size;
    DWORD result;

    (void)context;
    switch (table) {
    case BERTH_TCP_ROWS_LISTENERS4:
    case BERTH_TCP_ROWS_LISTENERS6:
        result = GetExtendedTcpTable(buffer, &bytes, FALSE,
                                     table == BERTH_TCP_ROWS_LISTENERS4 ? AF_INET : AF_INET6,
                                     TCP_TABLE_OWNER_MODULE_LISTENER, 0);
        break;
    case BERTH_TCP_ROWS_ALL4:
    case BERTH_TCP_ROWS_ALL6:
        result = GetExtendedTcpTable(buffer, &bytes, FALSE,
                                     table == BERTH_TCP_ROWS_ALL4 ? AF_INET : AF_INET6,
                                     TCP_TABLE_OWNER_PID_ALL, 0);
        break;
    case BERTH_TCP_ROWS_BOUND4:
        return berth_tcp_calls_copy_bound(bound4, table, buffer, size);
    case BERTH_TCP_ROWS_BOUND6:
        return berth_tcp_calls_copy_bound(bound6, table, buffer, size);
    default:
        return ERROR_INVALID_PARAMETER;
    }
    *size = bytes;
    return result;
}

static void *open_process(void *context, uint32_t process_id, uint64_t *created_ticks)
{
    (void)context;
    return berth_process_open(process_id, created_ticks);
}

static bool get_image(void *context, void *process, char *out, size_t size)
{
    (void)context;
    return berth_process_image(process, out, size);
}

static void close_process(void *context, void *process)
{
    (void)context;
    berth_process_close(process);
}

static uint64_t now_ticks(void *context)
{
    FILETIME now;

    (void)context;
    GetSystemTimePreciseAsFileTime(&now);
    return (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
}

static uint64_t now_ns(void *context)
{
    (void)context;
    return uv_hrtime();
}

struct berth_tcp_calls berth_tcp_calls_real(void)
{
    uv_once(&once, find_functions);
    return (struct berth_tcp_calls){
        .table = get_table,
        .open_process = open_process,
        .image = get_image,
        .close_process = close_process,
        .now_ticks = now_ticks,
        .now_ns = now_ns,
        .own_process_id = GetCurrentProcessId(),
        .lists_bound = bound4 != NULL && bound6 != NULL,
    };
}
