/* SPDX-License-Identifier: MIT */
/* Windows' own netsh.exe: the only documented way to some of what Berth must know. */
#ifndef BERTH_WATCHERS_WINDOWS_NETSH_H
#define BERTH_WATCHERS_WINDOWS_NETSH_H

#include "base/text.h"

/** Runs netsh.exe of the system folder, without a shell, for at most 20 s.
 *  @param[in,out] out    what it prints is added
 *  @param[in]     words  its arguments, at most 10; NULL ends them
 *  @return as berth_run_command()  @thread any without a loop under way  @blocks some 100 ms */
enum berth_code berth_netsh(struct berth_text *out, const char *const *words,
                            struct berth_error *err);

#endif
