/* SPDX-License-Identifier: MIT */
/* next, free, who, ports */
#include "allocator/explain.h"
#include "methods.h"
#include "whom_to_ask.h"

#include <string.h>

enum berth_code berth_method_next(struct berth_call *call, json_t *params,
                                  struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_wish wish = {.count = 1};
    const struct berth_param table[] = {
        {"pool", BERTH_PARAM_STRING, &wish.pool},
        {"range", BERTH_PARAM_RANGE, &wish.range},
        {"count", BERTH_PARAM_PORTS, &wish.count},
    };
    struct berth_refusal refusal = {.port = 0};
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX];
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code != BERTH_OK) {
        return code;
    }
    code = berth_allocator_next(service->allocator, &wish, ports, &refusal, err);
    if (code != BERTH_OK) {
        berth_call_explain(call, &refusal, code);
        return code;
    }
    berth_json_open_object(result);
    berth_json_key(result, "ports");
    berth_json_open_array(result);
    for (unsigned i = 0; i < wish.count; i++) {
        berth_json_number(result, ports[i]);
    }
    berth_json_close_array(result);
    berth_call_write_revision(call, result);
    berth_json_close_object(result);
    return BERTH_OK;
}

/* Finds the pool that a parameter names; NULL name: none asked for. */
static enum berth_code find_pool(const struct berth_service *service, const char *name,
                                 const struct berth_pool **out, struct berth_error *err)
{
    *out = name != NULL ? berth_policy_pool(&service->allocator->policy, name) : NULL;
    if (name != NULL && *out == NULL) {
        return berth_fail(err, BERTH_NOT_FOUND, 0, "there is no pool named %.80s", name);
    }
    return BERTH_OK;
}

enum berth_code berth_method_free(struct berth_call *call, json_t *params,
                                  struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    const struct berth_policy *policy = &service->allocator->policy;
    const char *name = NULL;
    const struct berth_pool *wanted;
    const struct berth_param table[] = {{"pool", BERTH_PARAM_STRING, &name}};
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK) {
        code = find_pool(service, name, &wanted, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    berth_json_open_object(result);
    berth_call_write_revision(call, result);
    berth_json_key(result, "pools");
    berth_json_open_array(result);
    for (size_t i = 0; i < policy->pool_count; i++) {
        if (wanted == NULL || wanted == &policy->pools[i]) {
            berth_present_pool(result, service->allocator, &policy->pools[i], true);
        }
    }
    berth_json_close_array(result);
    berth_json_close_object(result);
    return BERTH_OK;
}

static void write_conflicts(struct berth_json *json, const struct berth_allocator *allocator,
                            uint16_t port, struct berth_now now)
{
    struct berth_conflict_walk walk = berth_conflict_book_at(&allocator->conflicts, port);
    const struct berth_conflict_entry *entry;

    berth_json_key(json, "conflicts");
    berth_json_open_array(json);
    while ((entry = berth_conflict_next(&walk)) != NULL) {
        berth_present_conflict(json, allocator, entry, now);
    }
    berth_json_close_array(json);
}

enum berth_code berth_method_who(struct berth_call *call, json_t *params, struct berth_json *result,
                                 struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_now now = service->now(service);
    uint16_t port = 0;
    const struct berth_param table[] = {{"port", BERTH_PARAM_PORT, &port}};
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);
    struct berth_lease *lease;
    struct berth_text why;

    if (code == BERTH_OK && port == 0) {
        code = berth_fail(err, BERTH_INVALID_PARAMS, 0, "port is missing; 1 to 65535 is accepted");
    }
    if (code != BERTH_OK) {
        return code;
    }
    berth_text_init(&why, 16384);
    berth_explain_port(&why, service->allocator, port);
    berth_json_open_object(result);
    berth_json_member_number(result, "port", port);
    berth_json_member_string(result, "state", berth_explain_state(service->allocator, port));
    berth_json_member_string(result, "why", berth_text_string(&why));
    berth_text_fini(&why);
    berth_whom_to_ask_write(result, service, port, now);
    berth_present_claims(result, service->allocator, port, now);
    if (berth_allocator_find(service->allocator, NULL, NULL, NULL, port, &lease, NULL) ==
        BERTH_OK) {
        berth_json_key(result, "lease");
        berth_present_lease(result, service->allocator, lease, now);
    }
    write_conflicts(result, service->allocator, port, now);
    berth_json_close_object(result);
    return BERTH_OK;
}

/* Tells whether a claim of the source stands on a port; NULL: any source will do. */
static bool claimed_by(const struct berth_allocator *allocator, uint16_t port, const char *source)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim;

    while (source != NULL && (claim = berth_claims_next_feed(&walk)) != NULL) {
        enum berth_source of = berth_claim_source((enum berth_claim_kind)claim->kind);
        if (strcmp(berth_source_name(of), source) == 0) {
            return true;
        }
    }
    return source == NULL;
}

static enum berth_code check_source(const char *source, struct berth_error *err)
{
    const char *names[BERTH_SOURCE_COUNT];

    for (int i = 0; i < BERTH_SOURCE_COUNT; i++) {
        names[i] = berth_source_name((enum berth_source)i);
    }
    return berth_params_one_of("source", source, names, BERTH_COUNT(names), err);
}

enum berth_code berth_method_ports(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    const struct berth_allocator *allocator = service->allocator;
    struct berth_now now = service->now(service);
    const char *source = NULL;
    const char *pool_name = NULL;
    const struct berth_pool *pool;
    const struct berth_param table[] = {{"source", BERTH_PARAM_STRING, &source},
                                        {"pool", BERTH_PARAM_STRING, &pool_name}};
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK) {
        code = check_source(source, err);
    }
    if (code == BERTH_OK) {
        code = find_pool(service, pool_name, &pool, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    uint32_t first = pool != NULL ? pool->range.first : 1;
    uint32_t last = pool != NULL ? pool->range.last : 65535;
    berth_json_open_object(result);
    berth_call_write_revision(call, result);
    berth_json_key(result, "ports");
    berth_json_open_array(result);
    for (uint32_t port = first; port <= last; port++) {
        if (berth_free_set_state(&allocator->free_set, (uint16_t)port) == BERTH_PORT_FREE ||
            !claimed_by(allocator, (uint16_t)port, source)) {
            continue;
        }
        berth_json_open_object(result);
        berth_json_member_number(result, "port", port);
        berth_json_member_string(result, "state", berth_explain_state(allocator, (uint16_t)port));
        berth_present_claims(result, allocator, (uint16_t)port, now);
        berth_json_close_object(result);
    }
    berth_json_close_array(result);
    berth_json_close_object(result);
    return BERTH_OK;
}
