/* SPDX-License-Identifier: MIT */
#include "daemon/peer.h"

#include "daemon/log.h"
#include "daemon/windows/sid.h"
#include "daemon/windows/token.h"

#include <stdlib.h>
#include <windows.h>

/* Ends impersonation. Where that fails, the loop's thread would go on as the client. */
static void revert(void)
{
    if (!RevertToSelf()) {
        berth_log(BERTH_LOG_ERROR,
                  "the thread cannot be taken back from a client (error %lu): berthd ends",
                  GetLastError());
        abort();
    }
}

static enum berth_code fail_impersonation(DWORD number, struct berth_error *err)
{
    if (number == ERROR_CANNOT_IMPERSONATE) {
        return berth_fail(err, BERTH_NOT_READY, (int)number,
                          "who the client is shows with what it sends");
    }
    return berth_fail(err, BERTH_IO, (int)number, "the client cannot be identified: error %lu",
                      number);
}

static enum berth_code fail_token(DWORD number, struct berth_error *err)
{
    if (number == ERROR_CANT_OPEN_ANONYMOUS) {
        return berth_fail(err, BERTH_DENIED, (int)number,
                          "anonymous clients are refused: connect with SECURITY_IDENTIFICATION, or "
                          "without SECURITY_SQOS_PRESENT");
    }
    return berth_fail(err, BERTH_IO, (int)number, "the client's token cannot be had: error %lu",
                      number);
}

/* Gives the token of the client that sent what was read last. No call between impersonation and
 * its end but the one that needs it. */
static enum berth_code take_token(HANDLE pipe, HANDLE *out, struct berth_error *err)
{
    if (!ImpersonateNamedPipeClient(pipe)) {
        return fail_impersonation(GetLastError(), err);
    }
    BOOL opened = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, out);
    DWORD number = GetLastError();
    revert();
    return opened ? BERTH_OK : fail_token(number, err);
}

static enum berth_code read_token(HANDLE token, struct berth_peer *out, struct berth_error *err)
{
    if (!berth_token_user(token, &out->user) ||
        !berth_token_groups(token, 0, out->groups, BERTH_PEER_GROUPS_MAX, &out->group_count)) {
        DWORD number = GetLastError();
        return berth_fail(err, BERTH_IO, (int)number,
                          "the client's token cannot be read: error %lu", number);
    }
    return berth_account_same(&out->user, &berth_sid_anonymous)
               ? fail_token(ERROR_CANT_OPEN_ANONYMOUS, err)
               : BERTH_OK;
}

enum berth_code berth_peer_of(const uv_pipe_t *pipe, struct berth_peer *out,
                              struct berth_error *err)
{
    ULONG process_id = 0;
    HANDLE token = NULL;
    uv_os_fd_t handle;
    int status = uv_fileno((const uv_handle_t *)pipe, &handle);

    if (status != 0) {
        return berth_fail(err, BERTH_IO, status, "no pipe: %s", uv_strerror(status));
    }
    enum berth_code code = take_token(handle, &token, err);
    if (code != BERTH_OK) {
        return code;
    }
    code = read_token(token, out, err);
    (void)CloseHandle(token);
    if (code != BERTH_OK) {
        return code;
    }
    (void)GetNamedPipeClientProcessId(handle, &process_id);
    out->process_id = process_id;
    out->through[0] = '\0';
    out->name[0] = '\0';
    (void)berth_account_text(&out->user, out->id);
    return BERTH_OK;
}
