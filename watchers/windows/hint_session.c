/* SPDX-License-Identifier: MIT */
#include "hint_session.h"

#include "base/compiler.h"
#include "base/memory.h"
#include "hint_rules.h"

#include <string.h>

#define FLUSH_MS 250u
#define LEVEL_INFORMATION 4u
#define LEVEL_ALL 5u        /* 29 is one of these */
#define HTTP_KEYWORDS 0x41u /* URL groups, and setting up */
#define IIS_KEYWORDS 0u     /* its events have none */

/* What may have changed where an event was lost. */
#define EVERYTHING                                                                                 \
    (BERTH_HINT_BIT(BERTH_SOURCE_IIS) | BERTH_HINT_BIT(BERTH_SOURCE_HTTPSYS) |                     \
     BERTH_HINT_BIT(BERTH_SOURCE_EXCLUDED) | BERTH_HINT_BIT(BERTH_SOURCE_TCP))

struct berth_hint_session {
    struct berth_etw_session *etw;
    struct berth_hint_queue *queue;
    uint32_t openings; /* when it last ran; 0: never */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void fill(struct berth_etw_request *request, enum berth_hint_facility facility)
{
    const uint16_t *ids = berth_hint_event_ids(facility, &request->id_count);

    memcpy(request->ids, ids, request->id_count * sizeof *ids);
}

const struct berth_etw_request *berth_hint_requests(size_t *count)
{
    static struct berth_etw_request requests[] = {
        {.provider = BERTH_ETW_HTTP_SERVICE,
         .level = LEVEL_INFORMATION,
         .any_keywords = HTTP_KEYWORDS},
        {.provider = BERTH_ETW_IIS_CONFIGURATION, .level = LEVEL_ALL, .any_keywords = IIS_KEYWORDS},
    };

    fill(&requests[0], BERTH_HINT_HTTP_EVENTS);
    fill(&requests[1], BERTH_HINT_IIS_EVENTS);
    *count = BERTH_COUNT(requests);
    return requests;
}

/* Looks at nothing but provider and number: what some events carry is nobody's business. */
static void take_event(void *ctx, const struct berth_etw_event *event)
{
    struct berth_hint_session *session = ctx;
    enum berth_hint_facility facility = BERTH_HINT_FACILITY_COUNT;

    if (event->provider == BERTH_ETW_HTTP_SERVICE) {
        facility = BERTH_HINT_HTTP_EVENTS;
    } else if (event->provider == BERTH_ETW_IIS_CONFIGURATION) {
        facility = BERTH_HINT_IIS_EVENTS;
    }
    unsigned sources = berth_hint_of_event(facility, event->id);
    if (sources != 0) {
        berth_hint_queue_put(session->queue, facility, sources);
    }
}

static void take_lost(void *ctx, uint64_t count)
{
    struct berth_hint_session *session = ctx;

    (void)count;
    berth_hint_queue_put(session->queue, BERTH_HINT_HTTP_EVENTS, EVERYTHING);
}

static void take_state(void *ctx, uint32_t openings, const char *reason)
{
    struct berth_hint_session *session = ctx;

    berth_hint_queue_state(session->queue, BERTH_HINT_HTTP_EVENTS, reason == NULL, reason);
    berth_hint_queue_state(session->queue, BERTH_HINT_IIS_EVENTS, reason == NULL, reason);
    if (reason == NULL) {
        if (session->openings != 0 && session->openings != openings) {
            take_lost(session, 1); /* what happened between the two */
        }
        session->openings = openings;
    }
}

enum berth_code berth_hint_session_open(struct berth_hint_session **out, uv_loop_t *loop,
                                        const struct berth_etw_calls *calls,
                                        const struct berth_etw_times *times,
                                        struct berth_hint_queue *queue, struct berth_error *err)
{
    struct berth_hint_session *session = berth_alloc(1, sizeof *session);

    if (session == NULL) {
        return berth_fail_memory(err, "the session of hints");
    }
    session->queue = queue;
    const struct berth_etw_sink sink = {take_event, take_lost, take_state, session};
    struct berth_etw_options options = {.name = BERTH_HINT_SESSION_NAME,
                                        .times = {.flush = FLUSH_MS}};
    options.requests = berth_hint_requests(&options.request_count);
    if (times != NULL) {
        options.times = *times;
    }
    enum berth_code code = berth_etw_session_open(&session->etw, loop, &options, calls, &sink, err);
    if (code != BERTH_OK) {
        berth_free(session);
        return code;
    }
    *out = session;
    return BERTH_OK;
}

static void etw_closed(void *ctx)
{
    struct berth_hint_session *session = ctx;
    void (*closed)(void *closed_ctx) = session->closed;
    void *closed_ctx = session->closed_ctx;

    berth_free(session);
    closed(closed_ctx);
}

void berth_hint_session_close(struct berth_hint_session *session, void (*closed)(void *ctx),
                              void *ctx)
{
    session->closed = closed;
    session->closed_ctx = ctx;
    berth_etw_session_close(session->etw, etw_closed, session);
}
