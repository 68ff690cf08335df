/* SPDX-License-Identifier: MIT */
/* A berth_service without any world around it: an allocator with pools, one source that a test
 * speaks for, and a clock that stands still until it is told otherwise. */
#ifndef BERTH_TESTS_MEMORY_SERVICE_H
#define BERTH_TESTS_MEMORY_SERVICE_H

#include "daemon/service.h"

struct memory_service {
    struct berth_service service;
    struct berth_settings settings;
    struct berth_host_facts facts;
    struct berth_peer peer;
    struct berth_events events;
    struct berth_subscription subscription; /* of the one connection that there seems to be */
    struct berth_now now;
    uint64_t random;
    unsigned iis; /* the number of the source "applicationHost.config", which waits at first */
    enum berth_code reload_outcome;
    unsigned reloads;
    enum berth_code keep_outcome; /* of a store; BERTH_OK: it keeps what it is given */
    struct berth_text error_data;
};

/** Makes a service with the pools default (49000-49099) and qa (21000-21009), 49005 reserved.
 *  @return BERTH_OK; BERTH_NO_MEMORY: nothing is left behind */
enum berth_code memory_service_make(struct memory_service **out, struct berth_error *err);

/** Gives it back. NULL is accepted. */
void memory_service_free(struct memory_service *memory);

/** Lets the IIS source see exactly these ports, and be ready. */
enum berth_code memory_service_see(struct memory_service *memory, const uint16_t *ports,
                                   size_t count, struct berth_error *err);

/** Answers a line as the daemon would, adding to `out`. */
enum berth_rpc_outcome memory_service_answer(struct memory_service *memory, enum berth_role role,
                                             const char *line, size_t length,
                                             struct berth_text *out);

#endif
