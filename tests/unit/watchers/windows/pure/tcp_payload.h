/* SPDX-License-Identifier: MIT */
/* Tables as Windows fills them, byte by byte. */
#ifndef BERTH_TESTS_TCP_PAYLOAD_H
#define BERTH_TESTS_TCP_PAYLOAD_H

#include "watchers/windows/tcp_rows.h"

#include <stdbool.h>
#include <string.h>

/** What a row says; `address` in network order. */
struct tcp_payload_row {
    uint8_t address[16];
    uint16_t port;
    uint32_t state;
    uint32_t process_id;
    uint64_t created_ticks;
    uint32_t scope;
};

static inline bool tcp_payload_is_ipv6(enum berth_tcp_rows_table table)
{
    return table == BERTH_TCP_ROWS_LISTENERS6 || table == BERTH_TCP_ROWS_ALL6 ||
           table == BERTH_TCP_ROWS_BOUND6;
}

static inline bool tcp_payload_has_time(enum berth_tcp_rows_table table)
{
    return table == BERTH_TCP_ROWS_LISTENERS4 || table == BERTH_TCP_ROWS_LISTENERS6;
}

/** Writes a table, junk where Windows leaves junk.  @return its size in bytes */
static inline size_t tcp_payload_write(unsigned char *out, enum berth_tcp_rows_table table,
                                       const struct tcp_payload_row *rows, uint32_t count)
{
    size_t row_size = berth_tcp_rows_row_size(table);
    unsigned char *at = out + (tcp_payload_has_time(table) ? 8 : 4);

    memcpy(out, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++, at += row_size) {
        const struct tcp_payload_row *row = &rows[i];
        const unsigned char port[4] = {(unsigned char)(row->port >> 8), (unsigned char)row->port,
                                       0xAB, 0xCD};
        memset(at, 0xEE, row_size);
        if (tcp_payload_is_ipv6(table)) {
            memcpy(at, row->address, 16);
            memcpy(at + 16, &row->scope, 4);
            memcpy(at + 20, port, 4);
            memcpy(at + 48, &row->state, 4);
            memcpy(at + 52, &row->process_id, 4);
            if (tcp_payload_has_time(table)) {
                memcpy(at + 56, &row->created_ticks, 8);
            }
        } else {
            memcpy(at, &row->state, 4);
            memcpy(at + 4, row->address, 4);
            memcpy(at + 8, port, 4);
            memcpy(at + 20, &row->process_id, 4);
            if (tcp_payload_has_time(table)) {
                memcpy(at + 24, &row->created_ticks, 8);
            }
        }
    }
    return (size_t)(at - out);
}

#endif
