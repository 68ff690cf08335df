/* SPDX-License-Identifier: MIT */
/* Reads the tables that Windows gives of TCP endpoints, as bytes: no Windows header is needed, so
 * that it is tested everywhere. */
#ifndef BERTH_WATCHERS_WINDOWS_TCP_ROWS_H
#define BERTH_WATCHERS_WINDOWS_TCP_ROWS_H

#include "allocator/address.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/** The tables that are read, and what Windows calls their rows. */
enum berth_tcp_rows_table {
    BERTH_TCP_ROWS_LISTENERS4, /* MIB_TCPROW_OWNER_MODULE */
    BERTH_TCP_ROWS_LISTENERS6, /* MIB_TCP6ROW_OWNER_MODULE */
    BERTH_TCP_ROWS_ALL4,       /* MIB_TCPROW_OWNER_PID */
    BERTH_TCP_ROWS_ALL6,       /* MIB_TCP6ROW_OWNER_PID */
    BERTH_TCP_ROWS_BOUND4,     /* MIB_TCPROW2 */
    BERTH_TCP_ROWS_BOUND6,     /* MIB_TCP6ROW2 */
    BERTH_TCP_ROWS_TABLE_COUNT
};

/** MIB_TCP_STATE, as far as it is told apart here. */
enum berth_tcp_row_state {
    BERTH_TCP_ROW_LISTEN = 2,
    BERTH_TCP_ROW_TIME_WAIT = 11,
};

/** One endpoint. */
struct berth_tcp_row {
    struct berth_address address;
    uint16_t port; /* 0: it has none */
    uint32_t state;
    uint32_t process_id;    /* 0: none, or not told */
    uint64_t created_ticks; /* when it was made, as a FILETIME counts; 0: not told */
};

/** Reads a whole table.
 *  @param[in] bytes, size  what Windows filled; there may be more behind the rows
 *  @param[in] take         called for each row in turn; another code than BERTH_OK ends the reading
 *  @return BERTH_OK; BERTH_MALFORMED: it is shorter than it says; what `take` returned
 *  @thread any  @blocks no  @source iprtrmib.h, tcpmib.h; sizes measured on x64 */
enum berth_code berth_tcp_rows_read(enum berth_tcp_rows_table table, const void *bytes, size_t size,
                                    enum berth_code (*take)(void *context,
                                                            const struct berth_tcp_row *row,
                                                            struct berth_error *err),
                                    void *context, struct berth_error *err);

/** Gives the size of a row.  @thread any */
size_t berth_tcp_rows_row_size(enum berth_tcp_rows_table table);

#endif
