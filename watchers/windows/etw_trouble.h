/* SPDX-License-Identifier: MIT */
/* What Windows says against a tracing session, in words that an operator can act on. Pure. */
#ifndef BERTH_WATCHERS_WINDOWS_ETW_TROUBLE_H
#define BERTH_WATCHERS_WINDOWS_ETW_TROUBLE_H

#include <stddef.h>
#include <stdint.h>

/** What was being done. */
enum berth_etw_step {
    BERTH_ETW_STEP_HOLD,
    BERTH_ETW_STEP_START,
    BERTH_ETW_STEP_ENABLE,
    BERTH_ETW_STEP_OPEN,
    BERTH_ETW_STEP_THREAD, /* of our own, to read on: the code is libuv's */
    BERTH_ETW_STEP_READ,   /* it ended, though nobody here asked for that */
    BERTH_ETW_STEP_KEEP,   /* flushing and asking */
    BERTH_ETW_STEP_COUNT
};

/** The longest sentence, with its NUL. */
#define BERTH_ETW_TROUBLE_SIZE 200u

/** Win32 codes that have a meaning of their own here. */
#define BERTH_ETW_ACCESS_DENIED 5u
#define BERTH_ETW_INVALID_HANDLE 6u
#define BERTH_ETW_ALREADY_EXISTS 183u
#define BERTH_ETW_NO_SYSTEM_RESOURCES 1450u
#define BERTH_ETW_INSTANCE_NOT_FOUND 4201u

/** Writes a sentence without the final stop, cut off where it would be too long.
 *  @param[in] name  the session's  @param[in] code  0 with READ only  @thread any  @blocks no */
void berth_etw_trouble(enum berth_etw_step step, uint32_t code, const char *name,
                       char out[BERTH_ETW_TROUBLE_SIZE]);

#endif
