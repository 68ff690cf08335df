/* SPDX-License-Identifier: MIT */
/* subscribe */
#include "event_log.h"
#include "methods.h"

#include <inttypes.h>

static enum berth_code read_topics(const json_t *list, unsigned *out, struct berth_error *err)
{
    enum berth_topic topic;

    if (list == NULL) {
        *out = BERTH_TOPICS_ALL;
        return BERTH_OK;
    }
    *out = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL || !berth_topic_find(name, &topic)) {
            return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                              "topics has %.40s; ports, leases, conflicts, sources and pools are "
                              "accepted",
                              name != NULL ? name : "what is no string");
        }
        *out |= 1U << topic;
    }
    return *out != 0 ? BERTH_OK
                     : berth_fail(err, BERTH_INVALID_PARAMS, 0,
                                  "topics is empty; leave it out for all of them");
}

static enum berth_code check_room(struct berth_call *call, struct berth_error *err)
{
    const struct berth_service *service = berth_call_service(call);
    const uint32_t limit = service->settings->limits.subscribers;
    const struct berth_refusal refusal = {.limit = "subscribers", .limit_value = limit};

    if (call->subscription == NULL || service->events == NULL) {
        return berth_fail(err, BERTH_NOT_SUPPORTED, 0, "there is no connection to send events to");
    }
    if (call->subscription->topics == 0 && service->subscribers_now >= limit) {
        berth_call_explain(call, &refusal, BERTH_LIMIT_REACHED);
        return berth_fail(err, BERTH_LIMIT_REACHED, 0,
                          "there are %zu subscribers; the limit is subscribers=\"%" PRIu32
                          "\" in the configuration",
                          service->subscribers_now, limit);
    }
    return BERTH_OK;
}

enum berth_code berth_method_subscribe(struct berth_call *call, json_t *params,
                                       struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    uint64_t now_revision = service->allocator->revision;
    uint64_t since = now_revision;
    json_t *list = NULL;
    unsigned topics;
    const struct berth_param table[] = {
        {"topics", BERTH_PARAM_ARRAY, &list},
        {"since", BERTH_PARAM_REVISION, &since},
    };
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK) {
        code = read_topics(list, &topics, err);
    }
    if (code == BERTH_OK) {
        code = check_room(call, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    service->subscribers_now += call->subscription->topics == 0 ? 1 : 0;
    berth_events_note_follower(service->events, service->now(service));
    berth_event_log_follow(service->events->log, call->subscription, topics, since, now_revision);
    berth_json_open_object(result);
    berth_json_member_number(result, "revision", (long long)now_revision);
    berth_json_close_object(result);
    return BERTH_OK;
}
