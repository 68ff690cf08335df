/* SPDX-License-Identifier: MIT */
#include "watchers/windows/excluded_calls.h"

#include "base/memory.h"
#include "watchers/tcp_table.h"
#include "watchers/windows/dynamic_range.h"
#include "watchers/windows/netsh.h"

#define SYSTEM_PROCESS 4u

struct excluded_context {
    struct berth_tcp_table *table; /* NULL until it was wanted */
};

static enum berth_code list_ranges(void *of, bool ipv6, struct berth_text *out,
                                   struct berth_error *err)
{
    const char *const words[] = {
        "interface", ipv6 ? "ipv6" : "ipv4", "show", "excludedportrange", "tcp", NULL};

    (void)of;
    return berth_netsh(out, words, err);
}

/* The dynamic range is asked for on the way: it belongs to no watcher, and the loop cannot wait. */
static enum berth_code get_kernel_ports(void *of, struct berth_port_set *out,
                                        struct berth_error *err)
{
    struct excluded_context *context = of;
    struct berth_tcp_claims claims = {0};
    enum berth_code code = BERTH_OK;

    berth_dynamic_range_refresh();
    if (context->table == NULL) {
        code = berth_tcp_table_open(&context->table, err);
    }
    if (code == BERTH_OK) {
        code = berth_tcp_table_read(context->table, BERTH_TCP_LISTENERS, &claims, err);
    }
    for (size_t i = 0; i < claims.parts[BERTH_TCP_PART_LISTENERS].count; i++) {
        const struct berth_claim *claim = &claims.parts[BERTH_TCP_PART_LISTENERS].claims[i];
        if (claim->process_id == SYSTEM_PROCESS) {
            (void)berth_port_set_add(out, claim->port);
        }
    }
    return code;
}

static void close_context(void *of)
{
    struct excluded_context *context = of;

    berth_tcp_table_close(context->table);
    berth_free(context);
}

const struct berth_excluded_calls berth_excluded_calls = {
    .list = list_ranges, .kernel_ports = get_kernel_ports, .close = close_context};

enum berth_code berth_excluded_calls_open(void **out, struct berth_error *err)
{
    struct excluded_context *context = berth_alloc(1, sizeof *context);

    if (context == NULL) {
        return berth_fail_memory(err, "the questions for excluded port ranges");
    }
    *out = context;
    return BERTH_OK;
}
