/* SPDX-License-Identifier: MIT */
#include "methods.h"

static const struct berth_method methods[] = {
    {"allocate", BERTH_ROLE_ALLOCATOR, berth_method_allocate, BERTH_METHOD_ACTS},
    {"next", BERTH_ROLE_READER, berth_method_next, BERTH_METHOD_TELLS},
    {"release", BERTH_ROLE_ALLOCATOR, berth_method_release, BERTH_METHOD_ACTS},
    {"renew", BERTH_ROLE_ALLOCATOR, berth_method_renew, BERTH_METHOD_ACTS},
    {"handover", BERTH_ROLE_ALLOCATOR, berth_method_handover, BERTH_METHOD_ACTS},
    {"adopt", BERTH_ROLE_ALLOCATOR, berth_method_adopt, BERTH_METHOD_ACTS},
    {"who", BERTH_ROLE_READER, berth_method_who, BERTH_METHOD_TELLS},
    {"free", BERTH_ROLE_READER, berth_method_free, BERTH_METHOD_TELLS},
    {"ports", BERTH_ROLE_READER, berth_method_ports, BERTH_METHOD_TELLS},
    {"leases", BERTH_ROLE_READER, berth_method_leases, BERTH_METHOD_TELLS},
    {"conflicts", BERTH_ROLE_READER, berth_method_conflicts, BERTH_METHOD_TELLS},
    {"status", BERTH_ROLE_READER, berth_method_status, BERTH_METHOD_TELLS},
    {"subscribe", BERTH_ROLE_READER, berth_method_subscribe, BERTH_METHOD_ACTS},
    {"history", BERTH_ROLE_READER, berth_method_history, BERTH_METHOD_TELLS},
    {"export", BERTH_ROLE_ADMIN, berth_method_export, BERTH_METHOD_TELLS},
    {"import", BERTH_ROLE_ADMIN, berth_method_import, BERTH_METHOD_ACTS},
    {"hello", BERTH_ROLE_NONE, berth_method_hello, BERTH_METHOD_TELLS},
    {"reload", BERTH_ROLE_ADMIN, berth_method_reload, BERTH_METHOD_ACTS},
};

const struct berth_method *berth_methods(size_t *count)
{
    *count = BERTH_COUNT(methods);
    return methods;
}

struct berth_service *berth_call_service(const struct berth_call *call)
{
    return call->service;
}

static bool peer_in_group(const void *ctx, const char *group)
{
    return berth_peer_in_group(ctx, group);
}

struct berth_caller berth_call_caller(const struct berth_call *call)
{
    const struct berth_peer *peer = call->peer;

    return (struct berth_caller){
        .identity = {.id = peer->id, .name = peer->name, .group = peer->through},
        .administrator = call->role == BERTH_ROLE_ADMIN,
        .in_group = peer_in_group,
        .ctx = peer,
    };
}

void berth_call_write_revision(struct berth_call *call, struct berth_json *result)
{
    struct berth_service *service = berth_call_service(call);

    berth_json_member_number(result, "revision", (long long)service->allocator->revision);
    if (service->events != NULL) {
        berth_events_note_follower(service->events, service->now(service));
    }
}

/* Counts the free ports that a pool with ephemeral="never" keeps to itself. */
static uint32_t count_not_given(const struct berth_free_set *set,
                                const struct berth_windows *windows)
{
    uint32_t count = 0;

    for (size_t i = 0; i < windows->count; i++) {
        const struct berth_window *window = &windows->at[i];
        if (window->ephemeral_never) {
            count += berth_port_set_count(&set->ports[BERTH_PORT_FREE], window->range) -
                     berth_port_set_count(&set->plain, window->range);
        }
    }
    return count;
}

static void explain_exhausted(struct berth_json *data, const struct berth_allocator *allocator,
                              const struct berth_windows *windows)
{
    uint32_t total = 0;
    uint32_t free_ports = berth_allocator_count(allocator, windows, BERTH_PORT_FREE);
    const struct berth_pool *pool = berth_policy_pool_of_all(&allocator->policy, windows);

    for (size_t i = 0; i < windows->count; i++) {
        total += (uint32_t)windows->at[i].range.last - windows->at[i].range.first + 1;
    }
    if (pool != NULL) {
        berth_json_member_string(data, "pool", pool->name);
    }
    berth_json_key(data, "range");
    berth_present_range(data,
                        (struct berth_port_range){windows->at[0].range.first,
                                                  windows->at[windows->count - 1].range.last});
    berth_json_member_number(data, "total", total);
    /* free ones there may be all the same: too few, not neighbours, or ephemeral and not wanted */
    berth_json_member_number(data, "free", free_ports);
    berth_json_member_number(data, "not_given", count_not_given(&allocator->free_set, windows));
    berth_present_counts(data, "counts", allocator, windows);
}

static void explain_waiting(struct berth_json *data, const struct berth_sources *sources)
{
    berth_json_key(data, "sources");
    berth_json_open_array(data);
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        if (sources->at[i].in_use && sources->at[i].state == BERTH_STATE_WAITING) {
            berth_json_string(data, sources->at[i].name);
        }
    }
    berth_json_close_array(data);
}

void berth_call_explain(struct berth_call *call, const struct berth_refusal *refusal,
                        enum berth_code code)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_json data;

    berth_json_init(&data, call->error_data);
    data.comma = true; /* the members follow "reason" */
    if (code == BERTH_POOL_EXHAUSTED) {
        explain_exhausted(&data, service->allocator, &refusal->windows);
    } else if (code == BERTH_PORT_IN_USE) {
        berth_json_member_number(&data, "port", refusal->port);
        berth_present_claims(&data, service->allocator, refusal->port, service->now(service));
    } else if (code == BERTH_NOT_READY) {
        explain_waiting(&data, &service->allocator->sources);
    } else if (code == BERTH_LIMIT_REACHED && refusal->limit != NULL) {
        berth_json_member_string(&data, "limit", refusal->limit);
        berth_json_member_number(&data, "value", (long long)refusal->limit_value);
    } else if (code == BERTH_DENIED && refusal->owner != NULL) {
        berth_json_member_string(&data, "owner", refusal->owner);
    }
}
