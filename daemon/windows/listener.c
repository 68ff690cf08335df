/* SPDX-License-Identifier: MIT */
/* A named pipe of our own making, as libuv's has neither a security descriptor nor turns remote
 * clients away. WAITING instances wait at any time, all with one event; a wait thread of the
 * system's passes the event on to the loop, on which all else happens. Starting an operation resets
 * the event, so after each start the instances are looked at once more. */
#include "daemon/listener.h"

#include "base/memory.h"
#include "base/windows/fail_system.h"
#include "base/windows/pipe_name.h"
#include "base/windows/wide.h"
#include "daemon/windows/pipe_guard.h"
#include "daemon/windows/pipe_sddl.h"
#include "daemon/windows/token.h"

#include <fcntl.h>
#include <io.h>
#include <sddl.h>
#include <windows.h>

#define WAITING 128        /* a burst of 64 finds room although the loop has not looked yet */
#define BUFFER_BYTES 65536 /* of each direction */
#define CONNECT_ATTEMPTS 4 /* on one instance whose clients leave at once */
/* libuv needs a descriptor of the C library for each, which has 2,048; BERTH_UNKNOWN_MAX of them
 * are for clients that do not count yet, and some for files */
#define MOST_CLIENTS 1700
#define RETRY_MS 100      /* until an instance that could not be made is tried again */
#define CANCEL_WAIT_MS 10 /* between two looks at an operation that is being cancelled */

enum instance_state { EMPTY, LISTENING, CONNECTED };

struct instance {
    OVERLAPPED overlapped;
    HANDLE pipe;
    enum instance_state state;
};

struct berth_listener {
    uv_async_t wake;  /* an instance may have a client */
    uv_timer_t retry; /* runs while an instance is missing */
    unsigned open_handles;
    berth_listener_cb connected;
    void *ctx;
    bool telling; /* `connected` was called, and the client not accepted yet */
    bool closing;
    HANDLE guard;
    HANDLE event; /* of all instances */
    HANDLE wait;
    PSECURITY_DESCRIPTOR security; /* for LocalFree() */
    wchar_t *wide_name;
    char name[BERTH_PIPE_NAME_SIZE];
    struct instance instances[WAITING];
};

/* ---- permissions ---- */

static enum berth_code make_security(const struct berth_access *access, PSECURITY_DESCRIPTOR *out,
                                     struct berth_error *err)
{
    const struct berth_account_id own = berth_token_own_account();
    const struct berth_account_id owner =
        own.length != 0 ? berth_token_own_owner() : (struct berth_account_id){0};
    struct berth_text sddl;
    enum berth_code code = BERTH_OK;

    if (owner.length == 0) {
        return berth_fail_system(err, GetLastError(), "cannot find out as whom this process runs");
    }
    berth_text_init(&sddl, BERTH_PIPE_SDDL_MAX);
    berth_pipe_sddl(&sddl, access, &own, &owner);
    if (sddl.failed != BERTH_OK) {
        code = berth_fail(err, sddl.failed, 0, "the pipe's permissions: %s",
                          berth_code_text(sddl.failed));
    } else if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(berth_text_string(&sddl),
                                                                     SDDL_REVISION_1, out, NULL)) {
        code = berth_fail(err, BERTH_IO, (int)GetLastError(),
                          "the pipe's permissions are not accepted: error %lu", GetLastError());
    }
    berth_text_fini(&sddl);
    return code;
}

/* All instances of a pipe share one descriptor. */
static enum berth_code change_security(HANDLE pipe, PSECURITY_DESCRIPTOR security,
                                       struct berth_error *err)
{
    if (!SetKernelObjectSecurity(
            pipe, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, security)) {
        return berth_fail(err, BERTH_IO, (int)GetLastError(),
                          "the pipe's permissions cannot be changed: error %lu", GetLastError());
    }
    return BERTH_OK;
}

enum berth_code berth_listener_set_access(struct berth_listener *listener,
                                          const struct berth_access *access,
                                          struct berth_error *err)
{
    PSECURITY_DESCRIPTOR security = NULL;
    enum berth_code code = make_security(access, &security, err);

    if (code != BERTH_OK) {
        return code;
    }
    for (size_t i = 0; i < WAITING; i++) {
        if (listener->instances[i].state != EMPTY) {
            code = change_security(listener->instances[i].pipe, security, err);
            break;
        }
    }
    if (code == BERTH_OK) {
        (void)LocalFree(listener->security);
        listener->security = security;
    } else {
        (void)LocalFree(security);
    }
    return code;
}

/* ---- instances ---- */

static void close_instance(struct instance *instance)
{
    if (instance->state == LISTENING) {
        (void)CancelIoEx(instance->pipe, &instance->overlapped);
        while (!HasOverlappedIoCompleted(&instance->overlapped)) {
            (void)WaitForSingleObject(instance->overlapped.hEvent, CANCEL_WAIT_MS);
        }
    }
    if (instance->state != EMPTY) {
        (void)CloseHandle(instance->pipe);
        instance->state = EMPTY;
    }
}

/* Waits for a client, if there is none yet. An instance on which that cannot be is closed. */
static void await_client(struct berth_listener *listener, struct instance *instance)
{
    for (int attempt = 0; attempt < CONNECT_ATTEMPTS; attempt++) {
        instance->overlapped = (OVERLAPPED){.hEvent = listener->event};
        instance->state = CONNECTED;
        if (ConnectNamedPipe(instance->pipe, &instance->overlapped)) {
            return;
        }
        switch (GetLastError()) {
        case ERROR_IO_PENDING:
            instance->state = LISTENING;
            return;
        case ERROR_PIPE_CONNECTED: /* it came before we asked */
            return;
        case ERROR_NO_DATA: /* it came, and is gone */
            (void)DisconnectNamedPipe(instance->pipe);
            break;
        default:
            attempt = CONNECT_ATTEMPTS;
            break;
        }
    }
    close_instance(instance);
}

/* Makes an instance; on failure it stays EMPTY, with the system's reason in GetLastError(). */
static bool make_instance(struct berth_listener *listener, struct instance *instance, DWORD flags)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, listener->security, FALSE};
    HANDLE pipe = CreateNamedPipeW(
        listener->wide_name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | WRITE_DAC | flags,
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, BUFFER_BYTES, BUFFER_BYTES, 0, &attributes);

    if (pipe == INVALID_HANDLE_VALUE) {
        return false;
    }
    instance->pipe = pipe;
    await_client(listener, instance);
    return true;
}

static void look_at_instance(struct instance *instance)
{
    DWORD ignored;

    if (instance->state != LISTENING || !HasOverlappedIoCompleted(&instance->overlapped)) {
        return;
    }
    bool connected =
        GetOverlappedResult(instance->pipe, &instance->overlapped, &ignored, FALSE) != 0 ||
        GetLastError() == ERROR_PIPE_CONNECTED;
    instance->state = CONNECTED;
    if (!connected) {
        close_instance(instance);
    }
}

static void on_retry(uv_timer_t *timer);

/* Makes the instances that are missing. */
static void refill(struct berth_listener *listener)
{
    bool missing = false;
    bool started = false;

    for (size_t i = 0; i < WAITING; i++) {
        struct instance *instance = &listener->instances[i];
        if (instance->state == EMPTY) {
            started = make_instance(listener, instance, 0) || started;
            missing = missing || instance->state == EMPTY;
        }
    }
    if (started) {
        (void)uv_async_send(&listener->wake);
    }
    if (missing) {
        (void)uv_timer_start(&listener->retry, on_retry, RETRY_MS, 0);
    }
}

static struct instance *find_connected(struct berth_listener *listener)
{
    for (size_t i = 0; i < WAITING; i++) {
        if (listener->instances[i].state == CONNECTED) {
            return &listener->instances[i];
        }
    }
    return NULL;
}

/* Tells of one client after the other, as long as each is accepted. */
static void tell_of_clients(struct berth_listener *listener)
{
    for (size_t i = 0; i < WAITING && !listener->closing && !listener->telling; i++) {
        if (find_connected(listener) == NULL) {
            return;
        }
        listener->telling = true;
        listener->connected(listener, listener->ctx);
    }
}

static void work(struct berth_listener *listener)
{
    if (listener->closing) {
        return;
    }
    for (size_t i = 0; i < WAITING; i++) {
        look_at_instance(&listener->instances[i]);
    }
    tell_of_clients(listener);
    if (!listener->closing) {
        refill(listener);
    }
}

static void on_wake(uv_async_t *async)
{
    work(async->data);
}

static void on_retry(uv_timer_t *timer)
{
    work(timer->data);
}

/* On a thread of the system's. */
static void CALLBACK on_event(void *context, BOOLEAN timed_out)
{
    struct berth_listener *listener = context;

    (void)timed_out;
    (void)uv_async_send(&listener->wake);
}

size_t berth_listener_most_clients(void)
{
    return MOST_CLIENTS;
}

enum berth_code berth_listener_accept(struct berth_listener *listener, uv_pipe_t *pipe,
                                      struct berth_error *err)
{
    struct instance *instance = find_connected(listener);

    listener->telling = false;
    if (instance == NULL) {
        return berth_fail(err, BERTH_IO, 0, "no client waits");
    }
    HANDLE handle = instance->pipe;
    instance->state = EMPTY;
    (void)uv_async_send(&listener->wake); /* for the next client, and a new instance */
    int fd = _open_osfhandle((intptr_t)handle, _O_RDWR | _O_BINARY);
    if (fd < 0) {
        (void)CloseHandle(handle);
        return berth_fail(err, BERTH_IO, 0, "cannot accept a client: no descriptors are left");
    }
    int status = uv_pipe_open(pipe, fd);
    if (status != 0) {
        (void)_close(fd);
        return berth_fail(err, BERTH_IO, status, "cannot accept a client: %s", uv_strerror(status));
    }
    return BERTH_OK;
}

/* ---- start and end ---- */

static void release(struct berth_listener *listener)
{
    if (listener->event != NULL) {
        (void)CloseHandle(listener->event);
    }
    (void)LocalFree(listener->security);
    berth_free(listener->wide_name);
    berth_free(listener);
}

static void on_closed(uv_handle_t *handle)
{
    struct berth_listener *listener = handle->data;

    if (--listener->open_handles == 0) {
        release(listener);
    }
}

/* A connection is told by a thread of the system's and Ctrl-C by another: either may be first. */
void berth_listener_drain(struct berth_listener *listener)
{
    if (listener == NULL || listener->closing) {
        return;
    }
    for (size_t i = 0; i < WAITING; i++) {
        look_at_instance(&listener->instances[i]);
    }
    tell_of_clients(listener);
}

void berth_listener_close(struct berth_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    listener->closing = true;
    if (listener->wait != NULL) {
        /* returns when on_event() runs no more */
        (void)UnregisterWaitEx(listener->wait, INVALID_HANDLE_VALUE);
    }
    for (size_t i = 0; i < WAITING; i++) {
        close_instance(&listener->instances[i]);
    }
    if (listener->guard != NULL) {
        (void)CloseHandle(listener->guard);
    }
    uv_close((uv_handle_t *)&listener->wake, on_closed);
    uv_close((uv_handle_t *)&listener->retry, on_closed);
}

/* The system refuses a first instance where there is another; Wine does not, so they are counted.
 */
static bool is_alone(HANDLE pipe)
{
    DWORD count = 1;

    return !GetNamedPipeHandleStateW(pipe, NULL, &count, NULL, NULL, NULL, 0) || count == 1;
}

static enum berth_code make_first(struct berth_listener *listener, struct berth_error *err)
{
    struct instance *first = &listener->instances[0];

    if (!make_instance(listener, first, FILE_FLAG_FIRST_PIPE_INSTANCE)) {
        DWORD number = GetLastError();
        if (number == ERROR_ACCESS_DENIED || number == ERROR_PIPE_BUSY) {
            return berth_pipe_fail_taken(listener->wide_name, listener->name, err);
        }
        return berth_fail(err, BERTH_IO, (int)number, "cannot make the pipe %s: error %lu",
                          listener->name, number);
    }
    if (first->state != EMPTY && !is_alone(first->pipe)) {
        close_instance(first);
        return berth_pipe_fail_taken(listener->wide_name, listener->name, err);
    }
    return BERTH_OK;
}

static enum berth_code start_waiting(struct berth_listener *listener, struct berth_error *err)
{
    listener->event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (listener->event == NULL) {
        return berth_fail(err, BERTH_IO, (int)GetLastError(), "cannot make an event: error %lu",
                          GetLastError());
    }
    enum berth_code code = make_first(listener, err);
    if (code != BERTH_OK) {
        return code;
    }
    refill(listener);
    if (!RegisterWaitForSingleObject(&listener->wait, listener->event, on_event, listener, INFINITE,
                                     WT_EXECUTEINWAITTHREAD)) {
        listener->wait = NULL;
        return berth_fail(err, BERTH_IO, (int)GetLastError(), "cannot wait for clients: error %lu",
                          GetLastError());
    }
    return BERTH_OK;
}

static enum berth_code start_listening(struct berth_listener *listener,
                                       const struct berth_access *access, struct berth_error *err)
{
    listener->wide_name = berth_wide(listener->name);
    if (listener->wide_name == NULL) {
        return berth_fail_memory(err, "the listener");
    }
    enum berth_code code = make_security(access, &listener->security, err);
    if (code == BERTH_OK) {
        code = berth_pipe_guard(listener->wide_name, listener->name, &listener->guard, err);
    }
    if (code == BERTH_OK) {
        code = start_waiting(listener, err);
    }
    return code;
}

enum berth_code berth_listener_open(struct berth_listener **out, uv_loop_t *loop,
                                    const char *endpoint, const struct berth_access *access,
                                    berth_listener_cb connected, void *ctx, struct berth_error *err)
{
    struct berth_listener *listener = berth_alloc(1, sizeof *listener);

    if (listener == NULL) {
        return berth_fail_memory(err, "the listener");
    }
    listener->connected = connected;
    listener->ctx = ctx;
    enum berth_code code = berth_pipe_name(listener->name, endpoint, err);
    if (code != BERTH_OK) {
        berth_error_prefix(err, "the endpoint %s", endpoint);
        berth_free(listener);
        return code;
    }
    int status = uv_async_init(loop, &listener->wake, on_wake);
    if (status != 0) {
        berth_free(listener);
        return berth_fail(err, BERTH_IO, status, "no listener: %s", uv_strerror(status));
    }
    (void)uv_timer_init(loop, &listener->retry);
    listener->wake.data = listener;
    listener->retry.data = listener;
    listener->open_handles = 2;
    code = start_listening(listener, access, err);
    if (code != BERTH_OK) {
        berth_listener_close(listener);
        return code;
    }
    *out = listener;
    return BERTH_OK;
}
