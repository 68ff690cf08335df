/* SPDX-License-Identifier: MIT */
/* Clients of a Unix socket. */
#include "tests/contract/listener_contract.h"

#include "temp_dir.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char *folder;
static char endpoint[100];

static const char *set_up(void)
{
    folder = temp_dir_make();
    (void)snprintf(endpoint, sizeof endpoint, "%s/b.sock", folder);
    return endpoint;
}

static void tear_down(void)
{
    temp_dir_remove(folder);
}

static intptr_t world_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static bool world_send(intptr_t client, const void *bytes, size_t size)
{
    return send((int)client, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static size_t world_receive(intptr_t client, void *bytes, size_t size)
{
    ssize_t count = recv((int)client, bytes, size, 0);

    return count > 0 ? (size_t)count : 0;
}

static void world_close(intptr_t client)
{
    (void)close((int)client);
}

static struct berth_account_id own_user(void)
{
    struct berth_account_id user = {0};
    char text[32];

    (void)snprintf(text, sizeof text, "uid:%u", (unsigned)geteuid());
    (void)berth_account_read(text, &user);
    return user;
}

static uint32_t process_id(void)
{
    return (uint32_t)getpid();
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
