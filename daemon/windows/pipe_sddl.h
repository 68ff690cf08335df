/* SPDX-License-Identifier: MIT */
/* The pipe's permissions: access rules in, a security descriptor's text out. No Windows call in
 * here, so that it is tested everywhere. */
#ifndef BERTH_DAEMON_WINDOWS_PIPE_SDDL_H
#define BERTH_DAEMON_WINDOWS_PIPE_SDDL_H

#include "base/text.h"
#include "daemon/access.h"

/** What a client needs: FILE_GENERIC_READ and FILE_GENERIC_WRITE without FILE_CREATE_PIPE_INSTANCE
 *  (0x4), which would let it serve clients of ours.  @source CreateNamedPipeW, "Named Pipe
 *  Security and Access Rights"; libuv and .NET ask for GENERIC_READ | GENERIC_WRITE, from which
 *  the pipe file system drops 0x4 for a client */
#define BERTH_PIPE_CLIENT_ACCESS 0x12019b

#define BERTH_PIPE_SDDL_MAX ((size_t)64 * 1024) /* bytes; 256 rules take less */

/** Writes a protected DACL: SYSTEM, Administrators and `own` in full, every account of a rule with
 *  BERTH_PIPE_CLIENT_ACCESS whatever its role is, and nobody else. `*` is the authenticated users.
 *  The owner as such may read the descriptor only: a service's owner is an account that other
 *  services share. There is no entry about network logons: remote clients are turned away by the
 *  pipe's mode, and sessions of WinRM or OpenSSH on this machine are network logons too.
 *  @param[in,out] out    empty; its failure says whether all is in it
 *  @param[in]     own    who serves: the service's SID, or the user of a console
 *  @param[in]     owner  to whom the pipe belongs, by which clients know it; none: not said
 *  @thread any  @blocks no  @source [MS-DTYP] 2.5.1, SDDL */
void berth_pipe_sddl(struct berth_text *out, const struct berth_access *access,
                     const struct berth_account_id *own, const struct berth_account_id *owner);

#endif
