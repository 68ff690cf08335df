/* SPDX-License-Identifier: MIT */
/* handover, and allocate with a hold */
#include "methods.h"

#define HELD_TRIES_MAX 16 /* ports that cannot be held, before that is the answer */

enum berth_code berth_allocate_with_hold(struct berth_service *service,
                                         const struct berth_allocate_request *request,
                                         const struct berth_caller *caller, struct berth_now now,
                                         struct berth_grant *out, struct berth_refusal *refusal,
                                         struct berth_error *err)
{
    uint16_t avoid[HELD_TRIES_MAX];
    struct berth_allocate_request asked = *request;
    struct berth_refusal first_refusal = {.port = 0};
    struct berth_error first_error = {.code = BERTH_OK};

    if (service->holds == NULL) {
        return berth_fail(err, BERTH_NOT_SUPPORTED, 0, "ports cannot be held on this system");
    }
    asked.wish.avoid = avoid;
    asked.wish.avoid_count = 0;
    for (;;) {
        berth_port_holds_demand(service->holds, true);
        enum berth_code code =
            berth_allocator_allocate(service->allocator, &asked, caller, now, out, refusal, err);
        berth_port_holds_demand(service->holds, false);
        bool by_hold = berth_port_holds_explain(service->holds, refusal) && code != BERTH_OK;
        if (code == BERTH_OK || (!by_hold && asked.wish.avoid_count == 0)) {
            return code;
        }
        if (asked.wish.avoid_count == 0) {
            first_refusal = *refusal;
            first_error = *err;
        }
        if (code != BERTH_PORT_IN_USE || !by_hold || asked.wish.port != 0 ||
            asked.wish.avoid_count == HELD_TRIES_MAX) {
            /* that nothing else is left is no news to one who was not told of the first port */
            *refusal = first_refusal;
            *err = first_error;
            return first_error.code;
        }
        avoid[asked.wish.avoid_count++] = refusal->port;
    }
}

enum berth_code berth_method_handover(struct berth_call *call, json_t *params,
                                      struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_caller caller = berth_call_caller(call);
    struct berth_now now = service->now(service);
    const char *id = NULL;
    const struct berth_param table[] = {{"lease", BERTH_PARAM_STRING, &id}};
    struct berth_refusal refusal = {.port = 0};
    struct berth_lease *lease;
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK && id == NULL) {
        code = berth_fail(err, BERTH_INVALID_PARAMS, 0, "lease is missing: the id of a lease");
    }
    if (code == BERTH_OK) {
        code = berth_allocator_find(service->allocator, id, NULL, NULL, 0, &lease, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    code = berth_allocator_hand_over(service->allocator, lease, &caller, now, &refusal, err);
    if (code != BERTH_OK) {
        berth_call_explain(call, &refusal, code);
        return code;
    }
    berth_json_open_object(result);
    berth_present_lease_members(result, service->allocator, lease, now);
    berth_json_close_object(result);
    return BERTH_OK;
}
