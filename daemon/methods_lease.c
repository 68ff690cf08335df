/* SPDX-License-Identifier: MIT */
/* allocate, release, renew, leases */
#include "methods.h"

#include <string.h>

/* Parameters that name a lease, in one of up to three ways. */
struct lease_name {
    const char *lease;
    const char *key;
    const char *generation;
    uint16_t port;
};

static enum berth_code check_name(const struct lease_name *name, const char *ways_text,
                                  struct berth_error *err)
{
    int ways = (name->lease != NULL) + (name->key != NULL) + (name->port != 0);

    if (ways != 1 || (name->generation != NULL && name->key == NULL)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "name the lease by %s", ways_text);
    }
    return BERTH_OK;
}

/* What allocate was asked, as it came. */
struct allocate_params {
    struct berth_allocate_request request;
    const char *protocol;
    json_t *meta;
};

static enum berth_code read_allocate(struct allocate_params *in, json_t *params,
                                     struct berth_error *err)
{
    struct berth_allocate_request *request = &in->request;
    const struct berth_param table[] = {
        {"key", BERTH_PARAM_STRING, &request->key},
        {"generation", BERTH_PARAM_STRING, &request->generation},
        {"keep", BERTH_PARAM_COUNT, &request->keep},
        {"pool", BERTH_PARAM_STRING, &request->wish.pool},
        {"range", BERTH_PARAM_RANGE, &request->wish.range},
        {"port", BERTH_PARAM_PORT, &request->wish.port},
        {"prefer", BERTH_PARAM_PORT, &request->wish.prefer},
        {"count", BERTH_PARAM_PORTS, &request->wish.count},
        {"contiguous", BERTH_PARAM_BOOLEAN, &request->wish.contiguous},
        {"ttl", BERTH_PARAM_DURATION, &request->ttl_ms},
        {"holder", BERTH_PARAM_STRING, &request->holder},
        {"protocol", BERTH_PARAM_STRING, &in->protocol},
        {"hold", BERTH_PARAM_BOOLEAN, &request->hold},
        {"meta", BERTH_PARAM_OBJECT, &in->meta},
    };
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code != BERTH_OK) {
        return code;
    }
    if (in->protocol != NULL) {
        request->protocol = berth_protocol_find(in->protocol);
        if (request->protocol == BERTH_PROTOCOL_COUNT) {
            return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                              "protocol is \"%.40s\"; tcp, http, https, ftp or net.tcp is accepted",
                              in->protocol);
        }
    }
    return BERTH_OK;
}

/* Makes the text of `meta`, for free(); NULL when there is none or on error. */
static enum berth_code dump_meta(const json_t *meta, char **out, struct berth_error *err)
{
    *out = NULL;
    if (meta == NULL) {
        return BERTH_OK;
    }
    char *text = json_dumps(meta, JSON_COMPACT);
    if (text == NULL) {
        return berth_fail_memory(err, "meta");
    }
    *out = text;
    return BERTH_OK;
}

/* Which port the key held until now, and who has come upon it. */
static void write_lost(struct berth_json *json, const struct berth_allocator *allocator,
                       uint16_t port, struct berth_now now)
{
    berth_json_key(json, "lost");
    berth_json_open_object(json);
    berth_json_member_number(json, "port", port);
    berth_present_claims(json, allocator, port, now);
    berth_json_close_object(json);
}

enum berth_code berth_method_allocate(struct berth_call *call, json_t *params,
                                      struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_caller caller = berth_call_caller(call);
    struct berth_now now = service->now(service);
    struct allocate_params in = {.request = {.wish = {.count = 1}}};
    struct berth_refusal refusal = {.port = 0};
    struct berth_grant grant;
    char *meta;
    enum berth_code code = read_allocate(&in, params, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = dump_meta(in.meta, &meta, err);
    if (code != BERTH_OK) {
        return code;
    }
    in.request.meta = meta;
    code = in.request.hold
               ? berth_allocate_with_hold(service, &in.request, &caller, now, &grant, &refusal, err)
               : berth_allocator_allocate(service->allocator, &in.request, &caller, now, &grant,
                                          &refusal, err);
    free(meta);
    if (code != BERTH_OK) {
        berth_call_explain(call, &refusal, code);
        return code;
    }
    berth_json_open_object(result);
    berth_present_lease_members(result, service->allocator, grant.lease, now);
    berth_json_member_boolean(result, "reused", grant.reused);
    berth_json_member_boolean(result, "ephemeral", grant.ephemeral);
    if (grant.adopted) {
        berth_json_member_boolean(result, "adopted", true);
    }
    if (grant.lost_port != 0) {
        write_lost(result, service->allocator, grant.lost_port, now);
    }
    berth_json_close_object(result);
    return BERTH_OK;
}

/* Finds the lease that a caller named; `ways_text`: how the method lets it be named. */
static enum berth_code find_lease(struct berth_service *service, const struct lease_name *name,
                                  const char *ways_text, struct berth_lease **out,
                                  struct berth_error *err)
{
    enum berth_code code = check_name(name, ways_text, err);

    if (code != BERTH_OK) {
        return code;
    }
    return berth_allocator_find(service->allocator, name->lease, name->key, name->generation,
                                name->port, out, err);
}

enum berth_code berth_method_release(struct berth_call *call, json_t *params,
                                     struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_caller caller = berth_call_caller(call);
    struct lease_name name = {.port = 0};
    const struct berth_param table[] = {
        {"lease", BERTH_PARAM_STRING, &name.lease},
        {"key", BERTH_PARAM_STRING, &name.key},
        {"generation", BERTH_PARAM_STRING, &name.generation},
        {"port", BERTH_PARAM_PORT, &name.port},
    };
    struct berth_refusal refusal = {.port = 0};
    struct berth_lease *lease;
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX];
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK) {
        code =
            find_lease(service, &name, "lease, by key (and generation), or by port", &lease, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    unsigned count = lease->port_count;
    memcpy(ports, lease->ports, count * sizeof *ports);
    code = berth_allocator_release(service->allocator, lease, &caller, service->now(service),
                                   &refusal, err);
    if (code != BERTH_OK) {
        berth_call_explain(call, &refusal, code);
        return code;
    }
    berth_json_open_object(result);
    berth_json_key(result, "released");
    berth_json_open_array(result);
    for (unsigned i = 0; i < count; i++) {
        berth_json_number(result, ports[i]);
    }
    berth_json_close_array(result);
    berth_json_close_object(result);
    return BERTH_OK;
}

enum berth_code berth_method_renew(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_caller caller = berth_call_caller(call);
    struct berth_now now = service->now(service);
    struct lease_name name = {.port = 0};
    uint64_t ttl_ms = 0;
    const struct berth_param table[] = {
        {"lease", BERTH_PARAM_STRING, &name.lease},
        {"key", BERTH_PARAM_STRING, &name.key},
        {"generation", BERTH_PARAM_STRING, &name.generation},
        {"ttl", BERTH_PARAM_DURATION, &ttl_ms},
    };
    struct berth_refusal refusal = {.port = 0};
    struct berth_lease *lease;
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK) {
        code = find_lease(service, &name, "lease, or by key (and generation)", &lease, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    code = berth_allocator_renew(service->allocator, lease, &caller, ttl_ms, now, &refusal, err);
    if (code != BERTH_OK) {
        berth_call_explain(call, &refusal, code);
        return code;
    }
    berth_json_open_object(result);
    berth_present_lease_members(result, service->allocator, lease, now);
    berth_json_close_object(result);
    return BERTH_OK;
}

static enum berth_code check_state(const char *state, struct berth_error *err)
{
    const char *names[BERTH_LEASE_STATE_COUNT];

    for (int i = 0; i < BERTH_LEASE_STATE_COUNT; i++) {
        names[i] = berth_lease_state_name((enum berth_lease_state)i);
    }
    return berth_params_one_of("state", state, names, BERTH_COUNT(names), err);
}

static bool holds_port(const struct berth_lease *lease, uint16_t port)
{
    for (unsigned i = 0; i < lease->port_count; i++) {
        if (lease->ports[i] == port) {
            return true;
        }
    }
    return port == 0;
}

enum berth_code berth_method_leases(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_now now = service->now(service);
    const char *key = NULL;
    const char *state = NULL;
    uint16_t port = 0;
    const struct berth_param table[] = {
        {"key", BERTH_PARAM_STRING, &key},
        {"state", BERTH_PARAM_STRING, &state},
        {"port", BERTH_PARAM_PORT, &port},
    };
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK) {
        code = check_state(state, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    berth_json_open_object(result);
    berth_call_write_revision(call, result);
    berth_json_key(result, "leases");
    berth_json_open_array(result);
    /* ended ones are told only where somebody asks for their state */
    const struct berth_lease_book *book = &service->allocator->book;
    bool ended = state != NULL && (strcmp(state, "expired") == 0 || strcmp(state, "released") == 0);
    for (const struct berth_lease *lease = ended ? book->ended.first : book->live.first;
         lease != NULL; lease = lease->next) {
        if ((key == NULL || strcmp(key, lease->key) == 0) &&
            (state == NULL || strcmp(state, berth_lease_state_name(lease->state)) == 0) &&
            holds_port(lease, port)) {
            berth_present_lease(result, service->allocator, lease, now);
        }
    }
    berth_json_close_array(result);
    berth_json_close_object(result);
    return BERTH_OK;
}
