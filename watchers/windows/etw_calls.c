/* SPDX-License-Identifier: MIT */
#include <windows.h>

#include <evntrace.h>

#include <evntcons.h>
#include <evntprov.h>

#include "watchers/windows/etw_calls.h"

#include "watchers/windows/etw_session.h"

#include <stddef.h>
#include <string.h>
#include <wchar.h>

/* What mingw-w64's headers lack.  @source Microsoft, evntprov.h of the SDK for Windows 8.1 */
#ifndef EVENT_FILTER_TYPE_EVENT_ID
#define EVENT_FILTER_TYPE_EVENT_ID 0x80000200
#endif

/* EVENT_FILTER_EVENT_ID, with all the room that it can have. */
struct id_filter {
    BOOLEAN filter_in;
    UCHAR reserved;
    USHORT count;
    USHORT ids[BERTH_ETW_IDS_MAX];
};

/* EVENT_TRACE_PROPERTIES and the room for a name that every control call wants behind it. */
struct properties {
    EVENT_TRACE_PROPERTIES head;
    WCHAR name[BERTH_ETW_NAME_SIZE];
};

#define NO_TRACE ((TRACEHANDLE)INVALID_HANDLE_VALUE)
#define ENABLE_WAIT_MS 1000
#define BUFFER_KIB 64
#define BUFFERS_A_CPU 2
#define BUFFERS_MORE 20

/* A name is ASCII. */
static void widen(WCHAR out[BERTH_ETW_NAME_SIZE], const char *name)
{
    size_t i = 0;

    for (; name[i] != '\0' && i + 1 < BERTH_ETW_NAME_SIZE; i++) {
        out[i] = (WCHAR)(unsigned char)name[i];
    }
    out[i] = L'\0';
}

static void fill_properties(struct properties *out)
{
    memset(out, 0, sizeof *out);
    out->head.Wnode.BufferSize = sizeof *out;
    out->head.Wnode.Flags = WNODE_FLAG_TRACED_GUID;
    out->head.LoggerNameOffset = offsetof(struct properties, name);
}

/* --- the name ------------------------------------------------------------------------------- */

/* An object that goes with its process stands for the name: it need not be owned, only be there. */
static uint32_t hold(void *context, const char *name, void **held)
{
    WCHAR path[BERTH_ETW_NAME_SIZE + 32] = L"Global\\";
    size_t length = wcslen(path);

    (void)context;
    widen(path + length, name);
    HANDLE mutex = CreateMutexW(NULL, FALSE, path);
    DWORD code = GetLastError();
    if (mutex == NULL) {
        return code != 0 ? code : ERROR_ACCESS_DENIED;
    }
    if (code == ERROR_ALREADY_EXISTS) {
        (void)CloseHandle(mutex);
        return code;
    }
    *held = mutex;
    return 0;
}

static void release(void *context, void *held)
{
    (void)context;
    (void)CloseHandle(held);
}

/* --- the session ---------------------------------------------------------------------------- */

/* Real-time, in buffers of the kernel's non-paged memory, which kernel providers need, and not
 * troubled by what becomes of other sessions. Stamps are QPC, the clock of uv_hrtime(). */
static uint32_t start(void *context, const char *name, uint64_t *session)
{
    struct properties properties;
    WCHAR wide[BERTH_ETW_NAME_SIZE];
    SYSTEM_INFO system;
    TRACEHANDLE handle = 0;

    (void)context;
    GetSystemInfo(&system);
    fill_properties(&properties);
    properties.head.Wnode.ClientContext = 1;
    properties.head.LogFileMode = EVENT_TRACE_REAL_TIME_MODE | EVENT_TRACE_INDEPENDENT_SESSION_MODE;
    properties.head.BufferSize = BUFFER_KIB;
    properties.head.MinimumBuffers = BUFFERS_A_CPU * system.dwNumberOfProcessors;
    properties.head.MaximumBuffers = properties.head.MinimumBuffers + BUFFERS_MORE;
    properties.head.FlushTimer = 1;
    widen(wide, name);
    ULONG code = StartTraceW(&handle, wide, &properties.head);
    if (code == ERROR_SUCCESS) {
        *session = handle;
    }
    return code;
}

static uint32_t stop(void *context, uint64_t session, const char *name)
{
    struct properties properties;
    WCHAR wide[BERTH_ETW_NAME_SIZE];

    (void)context;
    fill_properties(&properties);
    widen(wide, name);
    return ControlTraceW(session, session == 0 ? wide : NULL, &properties.head,
                         EVENT_TRACE_CONTROL_STOP);
}

/* Waits for providers to have heard of it, so that what happens next is told. One that takes longer
 * will hear of it all the same. */
static uint32_t enable(void *context, uint64_t session, const struct berth_etw_request *request)
{
    struct id_filter filter = {.filter_in = TRUE, .count = (USHORT)request->id_count};
    EVENT_FILTER_DESCRIPTOR descriptor = {
        .Ptr = (ULONGLONG)(ULONG_PTR)&filter,
        .Size = (ULONG)(offsetof(struct id_filter, ids) + request->id_count * sizeof(USHORT)),
        .Type = EVENT_FILTER_TYPE_EVENT_ID,
    };
    ENABLE_TRACE_PARAMETERS parameters;
    GUID guid;

    (void)context;
    memcpy(filter.ids, request->ids, request->id_count * sizeof(USHORT));
    memset(&parameters, 0, sizeof parameters);
    parameters.Version = ENABLE_TRACE_PARAMETERS_VERSION_2;
    parameters.EnableFilterDesc = request->id_count != 0 ? &descriptor : NULL;
    parameters.FilterDescCount = request->id_count != 0 ? 1 : 0;
    const struct berth_etw_guid *parts =
        berth_etw_provider_guid((enum berth_etw_provider)request->provider);
    guid.Data1 = parts->a;
    guid.Data2 = parts->b;
    guid.Data3 = parts->c;
    memcpy(guid.Data4, parts->d, sizeof guid.Data4);
    ULONG code = EnableTraceEx2(session, &guid, EVENT_CONTROL_CODE_ENABLE_PROVIDER, request->level,
                                request->any_keywords, 0, ENABLE_WAIT_MS, &parameters);
    return code == ERROR_TIMEOUT ? ERROR_SUCCESS : code;
}

static uint32_t flush(void *context, uint64_t session)
{
    struct properties properties;

    (void)context;
    fill_properties(&properties);
    return ControlTraceW(session, NULL, &properties.head, EVENT_TRACE_CONTROL_FLUSH);
}

static uint32_t query(void *context, uint64_t session, uint64_t *lost)
{
    struct properties properties;

    (void)context;
    fill_properties(&properties);
    ULONG code = ControlTraceW(session, NULL, &properties.head, EVENT_TRACE_CONTROL_QUERY);
    if (code == ERROR_SUCCESS) {
        *lost = (uint64_t)properties.head.EventsLost + properties.head.RealTimeBuffersLost;
    }
    return code;
}

/* --- reading -------------------------------------------------------------------------------- */

/* Raw stamps are QueryPerformanceCounter's. */
static uint64_t stamp_ns(LONGLONG stamp)
{
    const uint64_t second = 1000000000u;
    LARGE_INTEGER frequency;

    if (stamp <= 0 || !QueryPerformanceFrequency(&frequency) || frequency.QuadPart <= 0) {
        return 0;
    }
    uint64_t ticks = (uint64_t)stamp;
    uint64_t rate = (uint64_t)frequency.QuadPart;
    return ticks / rate * second + ticks % rate * second / rate;
}

static uint8_t pointer_size(USHORT flags)
{
    if ((flags & EVENT_HEADER_FLAG_64_BIT_HEADER) != 0) {
        return 8;
    }
    return (flags & EVENT_HEADER_FLAG_32_BIT_HEADER) != 0 ? 4 : 0;
}

static VOID WINAPI record_cb(EVENT_RECORD *record)
{
    const struct berth_etw_consumer *consumer = record->UserContext;
    const EVENT_HEADER *header = &record->EventHeader;
    struct berth_etw_guid guid = {
        .a = header->ProviderId.Data1,
        .b = header->ProviderId.Data2,
        .c = header->ProviderId.Data3,
    };

    memcpy(guid.d, header->ProviderId.Data4, sizeof guid.d);
    const struct berth_etw_event event = {
        .provider = (uint8_t)berth_etw_provider_of(&guid),
        .version = header->EventDescriptor.Version,
        .opcode = header->EventDescriptor.Opcode,
        .pointer_size = pointer_size(header->Flags),
        .id = header->EventDescriptor.Id,
        .process_id = header->ProcessId,
        .time_ns = stamp_ns(header->TimeStamp.QuadPart),
        .data = record->UserData,
        .size = record->UserData != NULL ? record->UserDataLength : 0,
    };
    consumer->event(consumer->ctx, &event);
}

static ULONG WINAPI buffer_cb(EVENT_TRACE_LOGFILEW *file)
{
    const struct berth_etw_consumer *consumer = file->Context;

    consumer->buffer(consumer->ctx, file->EventsLost);
    return TRUE;
}

static uint32_t open_trace(void *context, const char *name,
                           const struct berth_etw_consumer *consumer, uint64_t *trace)
{
    EVENT_TRACE_LOGFILEW file;
    WCHAR wide[BERTH_ETW_NAME_SIZE];

    (void)context;
    memset(&file, 0, sizeof file);
    widen(wide, name);
    file.LoggerName = wide;
    file.ProcessTraceMode = PROCESS_TRACE_MODE_REAL_TIME | PROCESS_TRACE_MODE_EVENT_RECORD |
                            PROCESS_TRACE_MODE_RAW_TIMESTAMP;
    file.BufferCallback = buffer_cb;
    file.EventRecordCallback = record_cb;
    file.Context = (void *)(ULONG_PTR)consumer;
    TRACEHANDLE handle = OpenTraceW(&file);
    if (handle == NO_TRACE) {
        DWORD code = GetLastError();
        return code != 0 ? code : ERROR_INVALID_FUNCTION;
    }
    *trace = handle;
    return 0;
}

static uint32_t process(void *context, uint64_t trace)
{
    TRACEHANDLE handle = trace;

    (void)context;
    return ProcessTrace(&handle, 1, NULL, NULL);
}

/* ERROR_CTX_CLOSE_PENDING: `process` ends with what it is reading. */
static void close_trace(void *context, uint64_t trace)
{
    (void)context;
    (void)CloseTrace(trace);
}

struct berth_etw_calls berth_etw_calls_real(void)
{
    return (struct berth_etw_calls){
        .hold = hold,
        .release = release,
        .start = start,
        .stop = stop,
        .enable = enable,
        .flush = flush,
        .query = query,
        .open = open_trace,
        .process = process,
        .close = close_trace,
    };
}
