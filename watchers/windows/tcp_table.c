/* SPDX-License-Identifier: MIT */
/* The contract over the reader and the real calls. */
#include "watchers/tcp_table.h"

#include "base/memory.h"
#include "watchers/windows/tcp_calls.h"

#include <stdio.h>

struct berth_tcp_table {
    struct berth_tcp_capabilities capabilities;
    struct berth_tcp_reader *reader;
};

/* Reads once: a system that refuses says so at once, and a function that is exported but does not
 * answer is none to go by. */
static enum berth_code try_out(struct berth_tcp_table *table, struct berth_tcp_calls *calls,
                               struct berth_error *err)
{
    struct berth_tcp_claims unused;
    enum berth_code code = berth_tcp_reader_open(&table->reader, calls, err);

    if (code == BERTH_OK && calls->lists_bound) {
        struct berth_error refusal;
        if (berth_tcp_reader_read(table->reader, BERTH_TCP_BOUND, &unused, &refusal) != BERTH_OK) {
            calls->lists_bound = false;
            berth_tcp_reader_close(table->reader);
            table->reader = NULL;
            code = berth_tcp_reader_open(&table->reader, calls, err);
        }
    }
    return code == BERTH_OK
               ? berth_tcp_reader_read(table->reader, BERTH_TCP_LISTENERS, &unused, err)
               : code;
}

enum berth_code berth_tcp_table_open(struct berth_tcp_table **out, struct berth_error *err)
{
    struct berth_tcp_table *table = berth_alloc(1, sizeof *table);
    struct berth_tcp_calls calls = berth_tcp_calls_real();

    if (table == NULL) {
        return berth_fail_memory(err, "the TCP table");
    }
    enum berth_code code = try_out(table, &calls, err);
    if (code != BERTH_OK) {
        berth_tcp_table_close(table);
        return code;
    }
    table->capabilities.lists_bound = calls.lists_bound;
    if (!calls.lists_bound) {
        (void)snprintf(table->capabilities.detail, sizeof table->capabilities.detail,
                       "this system does not list sockets that are bound and do not listen "
                       "(Windows Server 2019 and later do): the bind probe finds them");
    }
    *out = table;
    return BERTH_OK;
}

void berth_tcp_table_close(struct berth_tcp_table *table)
{
    if (table != NULL) {
        berth_tcp_reader_close(table->reader);
        berth_free(table);
    }
}

const struct berth_tcp_capabilities *
berth_tcp_table_capabilities(const struct berth_tcp_table *table)
{
    return &table->capabilities;
}

enum berth_code berth_tcp_table_read(struct berth_tcp_table *table, unsigned scopes,
                                     struct berth_tcp_claims *out, struct berth_error *err)
{
    return berth_tcp_reader_read(table->reader, scopes, out, err);
}

/* Each row names its process already. */
void berth_tcp_table_suggest(struct berth_tcp_table *table, uint32_t process_id)
{
    (void)table;
    (void)process_id;
}
