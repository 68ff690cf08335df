/* SPDX-License-Identifier: MIT */
/* What tcp_table.h promises, made of the tables that Windows gives: everything but the system
 * calls, which come as a table of functions, so that it is tested everywhere on tables of any
 * shape.
 *
 * Listeners come from the tables with their time of creation, bound sockets from those of the
 * undocumented InternalGetBoundTcpEndpointTable where it is exported, connections from the table of
 * everything. A row of that which neither listens nor is in TIME_WAIT counts as a connection: what
 * holds a port is never passed over for its state.
 *
 * A process is known by a handle to it, which is kept as long as its number is in a table: Windows
 * gives a number to nobody else meanwhile. A process that was started after the socket was made, or
 * after the table was read, is not its owner. */
#ifndef BERTH_WATCHERS_WINDOWS_TCP_READER_H
#define BERTH_WATCHERS_WINDOWS_TCP_READER_H

#include "tcp_rows.h"
#include "watchers/tcp_table.h"

#include <stdbool.h>
#include <stdint.h>

/** How the system is asked. `context` is the owner's of the table. */
struct berth_tcp_calls {
    /** Fills the buffer with a table.
     *  @param[in,out] size  of the buffer; then how much is needed or was filled
     *  @return a Win32 code: 0; 122 (ERROR_INSUFFICIENT_BUFFER): `*size` says what is needed */
    uint32_t (*table)(void *context, enum berth_tcp_rows_table table, void *buffer, uint32_t *size);

    /** Opens a process.  @param[out] created_ticks  when it was started, as a FILETIME counts
     *  @return NULL: there is none, or it may not be opened */
    void *(*open_process)(void *context, uint32_t process_id, uint64_t *created_ticks);
    /** Writes the file name of its image, without the folder, in UTF-8.  @return false: not known
     */
    bool (*image)(void *context, void *process, char *out, size_t size);
    void (*close_process)(void *context, void *process);

    uint64_t (*now_ticks)(void *context); /* the time, as a FILETIME counts */
    uint64_t (*now_ns)(void *context);    /* a monotonic clock */
    void *context;
    uint32_t own_process_id;
    bool lists_bound; /* the BOUND tables can be asked for */
};

/** The most tries of one table, the most processes that a read opens, and the most that are kept.
 */
#define BERTH_TCP_TRIES_MAX 8u
#define BERTH_TCP_OPENS_MAX 256u
#define BERTH_TCP_PROCESSES_MAX 4096u

/** The largest table that is read, in bytes. */
#define BERTH_TCP_TABLE_BYTES_MAX (64u << 20)

struct berth_tcp_reader;

/** Makes a reader that has read nothing.  @param[in] calls  copied
 *  @return BERTH_OK; BERTH_NO_MEMORY: `out` is unchanged  @thread any  @blocks no */
enum berth_code berth_tcp_reader_open(struct berth_tcp_reader **out,
                                      const struct berth_tcp_calls *calls, struct berth_error *err);

/** Closes the processes and gives the memory back. NULL is accepted. */
void berth_tcp_reader_close(struct berth_tcp_reader *reader);

/** Reads as berth_tcp_table_read() does.
 *
 *  ERROR_INSUFFICIENT_BUFFER is answered with a quarter more than was asked for, and
 *  STATUS_UNSUCCESSFUL, which the system gives now and then without documenting it, with another
 *  try, BERTH_TCP_TRIES_MAX times in all.
 *  @source Microsoft, GetExtendedTcpTable; reports of its failures in the field (psutil 1335, 1676)
 */
enum berth_code berth_tcp_reader_read(struct berth_tcp_reader *reader, unsigned scopes,
                                      struct berth_tcp_claims *out, struct berth_error *err);

#endif
