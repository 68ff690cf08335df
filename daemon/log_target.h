/* SPDX-License-Identifier: MIT */
/* Where the log goes: standard error, or the file that the configuration or the platform names. */
#ifndef BERTH_DAEMON_LOG_TARGET_H
#define BERTH_DAEMON_LOG_TARGET_H

#include "settings.h"

/** Tells what became of the log file; `reason` is why lines are being lost. */
typedef void berth_log_target_trouble(const char *reason);

/** Makes the log of a service go to the platform's log file, before any configuration is read; does
 *  nothing where the platform has none.
 *  @param[in] trouble  told once each time lines begin to be lost, on any thread; may be NULL
 *  @return BERTH_OK; why the file cannot be had, the log staying where it was
 *  @thread main, before others log  @blocks for the disk */
enum berth_code berth_log_target_start(bool service, berth_log_target_trouble *trouble,
                                       struct berth_error *err);

/** Makes the log go where the settings say: to their file, else where berth_log_target_start() had
 *  put it. A file that stays the same is opened anew, so that one that was moved away is let go.
 *  @return BERTH_OK; BERTH_IO, BERTH_NO_MEMORY: the log stays where it was
 *  @thread loop  @blocks for the disk */
enum berth_code berth_log_target_apply(const struct berth_settings *settings,
                                       struct berth_error *err);

/** Closes the log file; later lines go to standard error.  @thread loop, when others have ended */
void berth_log_target_stop(void);

#endif
