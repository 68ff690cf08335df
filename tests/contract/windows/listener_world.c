/* SPDX-License-Identifier: MIT */
/* Clients of a named pipe, as libuv and .NET connect to it: for reading and writing, sharing
 * nothing. */
#include "tests/contract/listener_contract.h"

#include <stdio.h>
#include <windows.h>

static char endpoint[100];

static const char *set_up(void)
{
    static unsigned count;

    (void)snprintf(endpoint, sizeof endpoint, "\\\\.\\pipe\\berth-test-%lu-%u",
                   GetCurrentProcessId(), ++count);
    return endpoint;
}

static void tear_down(void)
{
    /* a pipe goes with its last handle */
}

static intptr_t world_connect(const char *path)
{
    HANDLE pipe = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                              SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);

    return pipe != INVALID_HANDLE_VALUE ? (intptr_t)pipe : LISTENER_NO_CLIENT;
}

static bool world_send(intptr_t client, const void *bytes, size_t size)
{
    DWORD count;

    return WriteFile((HANDLE)client, bytes, (DWORD)size, &count, NULL) && count == size;
}

static size_t world_receive(intptr_t client, void *bytes, size_t size)
{
    DWORD count;

    return ReadFile((HANDLE)client, bytes, (DWORD)size, &count, NULL) ? count : 0;
}

static void world_close(intptr_t client)
{
    (void)CloseHandle((HANDLE)client);
}

static struct berth_account_id own_user(void)
{
    struct berth_account_id user = {0};
    union {
        TOKEN_USER user;
        unsigned char bytes[256];
    } info;
    DWORD size;
    HANDLE token;

    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        if (GetTokenInformation(token, TokenUser, &info, sizeof info, &size)) {
            user.length = (uint8_t)GetLengthSid(info.user.User.Sid);
            (void)CopySid(sizeof user.bytes, user.bytes, info.user.User.Sid);
        }
        (void)CloseHandle(token);
    }
    return user;
}

static uint32_t process_id(void)
{
    return GetCurrentProcessId();
}

const struct listener_world listener_world = {
    .set_up = set_up,
    .tear_down = tear_down,
    .connect = world_connect,
    .send = world_send,
    .receive = world_receive,
    .close = world_close,
    .own_user = own_user,
    .process_id = process_id,
};
