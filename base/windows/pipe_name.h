/* SPDX-License-Identifier: MIT */
/* An endpoint as Windows names it. No Windows call in here, so that it is tested everywhere. */
#ifndef BERTH_BASE_WINDOWS_PIPE_NAME_H
#define BERTH_BASE_WINDOWS_PIPE_NAME_H

#include "base/error.h"

#define BERTH_PIPE_PREFIX "\\\\.\\pipe\\"
#define BERTH_PIPE_NAME_MAX 256                              /* characters, with the prefix */
#define BERTH_PIPE_NAME_SIZE (4 * (BERTH_PIPE_NAME_MAX + 1)) /* of a buffer for any name */

/** Gives the pipe of an endpoint, which is "berth" or "\\.\pipe\berth".
 *  @param[out] out  BERTH_PIPE_NAME_SIZE bytes
 *  @return BERTH_OK; BERTH_INVALID_PARAMS: no pipe of this machine can have that name.
 *          `err->detail` says what was wrong without naming the endpoint.  @thread any  @blocks no
 *  @source CreateNamedPipeW: at most 256 characters, no backslash in the name, case counts not.
 *          '/' is refused too, as Windows takes it for a backslash */
enum berth_code berth_pipe_name(char *out, const char *endpoint, struct berth_error *err);

#endif
