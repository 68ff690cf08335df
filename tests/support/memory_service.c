/* SPDX-License-Identifier: MIT */
#include "memory_service.h"

#include "base/memory.h"
#include "daemon/alerts.h"

#include <stdio.h>
#include <string.h>

static uint64_t next_random(void *ctx)
{
    struct memory_service *memory = ctx;
    uint64_t *state = &memory->random;

    *state += 0x9E3779B97F4A7C15U; /* different each time, and the same in each run */
    return *state ^ (*state >> 31);
}

static struct berth_now present(struct berth_service *service)
{
    return BERTH_CONTAINER_OF(service, struct memory_service, service)->now;
}

static void tell_port(void *ctx, uint16_t port, const struct berth_claim *claim)
{
    struct memory_service *memory = ctx;

    berth_events_port(&memory->events, port, claim, memory->now);
}

static void tell_lease(void *ctx, const struct berth_lease *lease, enum berth_lease_event event)
{
    struct memory_service *memory = ctx;

    berth_port_holds_follow(memory->service.holds, lease, event);
    berth_events_lease(&memory->events, lease, event, memory->now);
}

static void tell_conflict(void *ctx, const struct berth_conflict_entry *entry, bool opened)
{
    struct memory_service *memory = ctx;

    berth_events_conflict(&memory->events, entry, opened, memory->now);
    if (memory->service.alerts != NULL) {
        berth_alerts_conflict(memory->service.alerts, entry, opened, memory->now);
    }
}

static uint64_t nothing_to_flush(struct berth_service *service)
{
    (void)service;
    return 0;
}

static uint64_t no_resident_bytes(struct berth_service *service)
{
    (void)service;
    return 0;
}

static enum berth_code reload(struct berth_service *service, struct berth_error *err)
{
    struct memory_service *memory = BERTH_CONTAINER_OF(service, struct memory_service, service);

    memory->reloads++;
    if (memory->reload_outcome != BERTH_OK) {
        return berth_fail(err, memory->reload_outcome, 0, "berthd.config:3: as the test wishes");
    }
    return BERTH_OK;
}

static enum berth_code keep(void *ctx, const struct berth_lease_change *change,
                            struct berth_error *err)
{
    const struct memory_service *memory = ctx;
    enum berth_code code = berth_port_holds_prepare(memory->service.holds, change, err);

    if (code == BERTH_OK && memory->keep_outcome != BERTH_OK) {
        berth_port_holds_undo(memory->service.holds, change);
        code = berth_fail(err, memory->keep_outcome, 0, "as the test wishes");
    }
    return code;
}

static enum berth_code fill_allocator(struct memory_service *memory, struct berth_error *err)
{
    static const struct berth_pool pools[] = {{"default", {49000, 49099}, false},
                                              {"qa", {21000, 21009}, true}};
    static const char *const feeds[] = {"sites"};
    struct berth_allocator *allocator = memory->service.allocator;
    struct berth_claim reserved = berth_claim_make(49005, BERTH_CLAIM_RESERVATION);

    reserved.holder = "agents";
    enum berth_code code = berth_allocator_set_pools(allocator, pools, BERTH_COUNT(pools), err);
    if (code == BERTH_OK) {
        code = berth_allocator_set_reserved(allocator, &reserved, 1, memory->now, err);
    }
    if (code == BERTH_OK) {
        code = berth_allocator_add_source(allocator, BERTH_SOURCE_IIS, "applicationHost.config",
                                          feeds, 1, memory->now, &memory->iis, err);
    }
    return code;
}

static void fill_service(struct memory_service *memory)
{
    struct berth_service *service = &memory->service;

    service->settings = &memory->settings;
    service->facts = &memory->facts;
    service->platform = "memory";
    service->started = memory->now;
    service->now = present;
    service->resident_bytes = no_resident_bytes;
    service->reload = reload;
    service->flush = nothing_to_flush;
    (void)snprintf(service->instance, sizeof service->instance, "0123456789abcdef");
    (void)snprintf(service->host, sizeof service->host, "host");
    (void)snprintf(memory->peer.id, sizeof memory->peer.id, "uid:1000");
    (void)snprintf(memory->peer.name, sizeof memory->peer.name, "alice");
    berth_host_facts_default(&memory->facts);
    berth_text_init(&memory->error_data, BERTH_ANSWER_MAX);
}

enum berth_code memory_service_make(struct memory_service **out, struct berth_error *err)
{
    struct memory_service *memory = berth_alloc(1, sizeof *memory);
    struct berth_allocator_options options = {.ttl_ms = 86400000,
                                              .linger_ms = 600000,
                                              .cooldown_ms = 60000,
                                              .leases_per_user = 50,
                                              .seed = 7,
                                              .random = next_random,
                                              .keep = keep,
                                              .told = tell_lease,
                                              .port = tell_port,
                                              .conflict = tell_conflict};

    if (memory == NULL) {
        return berth_fail_memory(err, "the service");
    }
    memory->now = (struct berth_now){1000, 1700000000000};
    fill_service(memory);
    options.ctx = memory;
    enum berth_code code = berth_settings_default(&memory->settings, err);
    if (code == BERTH_OK) {
        code = berth_allocator_create(&memory->service.allocator, &options, err);
    }
    if (code == BERTH_OK) {
        code = berth_events_init(&memory->events, memory->service.allocator, err);
        memory->service.events = &memory->events;
    }
    if (code == BERTH_OK) {
        code = fill_allocator(memory, err);
    }
    if (code != BERTH_OK) {
        memory_service_free(memory);
        return code;
    }
    *out = memory;
    return BERTH_OK;
}

void memory_service_free(struct memory_service *memory)
{
    if (memory != NULL) {
        berth_allocator_destroy(memory->service.allocator);
        berth_port_holds_destroy(memory->service.holds);
        berth_events_fini(&memory->events);
        berth_settings_fini(&memory->settings);
        berth_text_fini(&memory->error_data);
        berth_free(memory);
    }
}

enum berth_code memory_service_see(struct memory_service *memory, const uint16_t *ports,
                                   size_t count, struct berth_error *err)
{
    struct berth_claim claims[64];
    struct berth_allocator *allocator = memory->service.allocator;

    for (size_t i = 0; i < count && i < BERTH_COUNT(claims); i++) {
        claims[i] = berth_claim_make(ports[i], BERTH_CLAIM_BINDING);
        claims[i].holder = "Shop \"1\"";
        claims[i].detail = "*:80:";
    }
    enum berth_code code =
        berth_allocator_report(allocator, memory->iis, 0, claims, count, memory->now, err);
    if (code == BERTH_OK) {
        (void)berth_allocator_report_state(allocator, memory->iis, BERTH_STATE_READY, NULL,
                                           memory->now);
    }
    return code;
}

enum berth_rpc_outcome memory_service_answer(struct memory_service *memory, enum berth_role role,
                                             const char *line, size_t length,
                                             struct berth_text *out)
{
    size_t count;
    const struct berth_method *methods = berth_methods(&count);
    struct berth_call call = {.service = &memory->service,
                              .peer = &memory->peer,
                              .role = role,
                              .subscription = &memory->subscription,
                              .error_data = &memory->error_data};

    return berth_rpc_answer(&call, methods, count, line, length, out);
}
