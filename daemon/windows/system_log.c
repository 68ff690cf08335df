/* SPDX-License-Identifier: MIT */
#include "daemon/windows/system_log.h"

#include "base/memory.h"
#include "base/windows/fail_system.h"
#include "base/windows/wide.h"

#include <stdatomic.h>

static const struct berth_windows_log_calls windows_calls = {RegisterEventSourceW, ReportEventW,
                                                             DeregisterEventSource};

static const struct berth_windows_log_calls *calls = &windows_calls;
static _Atomic(HANDLE) log_handle; /* NULL: not open */
static atomic_uint opens;          /* reports come from a thread that may be left behind */

void berth_windows_log_use(const struct berth_windows_log_calls *others)
{
    calls = others != NULL ? others : &windows_calls;
}

DWORD berth_windows_log_id(const struct berth_notice_info *info)
{
    static const DWORD severities[] = {[BERTH_NOTICE_SEVERITY_INFO] = 1,
                                       [BERTH_NOTICE_SEVERITY_WARNING] = 2,
                                       [BERTH_NOTICE_SEVERITY_ERROR] = 3};

    return severities[info->severity] << 30 | info->id;
}

enum berth_code berth_system_log_open(struct berth_error *err)
{
    if (log_handle == NULL) {
        log_handle = calls->RegisterEventSourceW(NULL, BERTH_LOG_SOURCE);
    }
    if (log_handle == NULL) {
        return berth_fail_system(err, GetLastError(), "cannot report to the Event Log");
    }
    opens++;
    return BERTH_OK;
}

/* Event Viewer would put another string where a string of ours has "%1": a blank parts them. */
static void part_insertions(char text[BERTH_NOTICE_STRING_SIZE])
{
    size_t length = 0;
    char parted[BERTH_NOTICE_STRING_SIZE];

    for (const char *at = text; *at != '\0' && length + 2 < sizeof parted; at++) {
        parted[length++] = *at;
        if (at[0] == '%' && at[1] >= '0' && at[1] <= '9') {
            parted[length++] = ' ';
        }
    }
    parted[length] = '\0';
    for (size_t i = 0; i <= length; i++) {
        text[i] = parted[i];
    }
}

static wchar_t *wide_string(const char *string)
{
    char clean[BERTH_NOTICE_STRING_SIZE];

    (void)berth_notice_string(clean, string);
    part_insertions(clean);
    return berth_wide(clean);
}

enum berth_code berth_system_log_report(enum berth_notice event, const char *const *strings,
                                        struct berth_error *err)
{
    static const WORD types[] = {[BERTH_NOTICE_SEVERITY_INFO] = EVENTLOG_INFORMATION_TYPE,
                                 [BERTH_NOTICE_SEVERITY_WARNING] = EVENTLOG_WARNING_TYPE,
                                 [BERTH_NOTICE_SEVERITY_ERROR] = EVENTLOG_ERROR_TYPE};
    const struct berth_notice_info *info = berth_notice_info(event);
    HANDLE log = log_handle;
    wchar_t *wide[BERTH_NOTICE_STRINGS_MAX] = {NULL};
    LPCWSTR given[BERTH_NOTICE_STRINGS_MAX];
    enum berth_code code = BERTH_OK;

    if (log == NULL) {
        return berth_fail(err, BERTH_IO, 0, "the Event Log is not open");
    }
    for (unsigned i = 0; i < info->strings; i++) {
        wide[i] = wide_string(strings[i]);
        given[i] = wide[i] != NULL ? wide[i] : L"(no memory)";
    }
    if (!calls->ReportEventW(log, types[info->severity], 0, berth_windows_log_id(info), NULL,
                             (WORD)info->strings, 0, given, NULL)) {
        code = berth_fail_system(err, GetLastError(), "the Event Log refused an event");
    }
    for (unsigned i = 0; i < info->strings; i++) {
        berth_free(wide[i]);
    }
    return code;
}

void berth_system_log_close(void)
{
    if (opens > 0 && --opens == 0) {
        (void)calls->DeregisterEventSource(log_handle);
        log_handle = NULL;
    }
}

void berth_system_log_abandon(void)
{
    opens = 0;
    log_handle = NULL; /* the report that hangs has it */
}
