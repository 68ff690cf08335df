/* SPDX-License-Identifier: MIT */
/* The system's TCP tables. */
#ifndef BERTH_WATCHERS_WINDOWS_TCP_CALLS_H
#define BERTH_WATCHERS_WINDOWS_TCP_CALLS_H

#include "watchers/windows/tcp_reader.h"

/** The two functions of iphlpapi.dll that no document names: a PMIB_TCPTABLE2 or PMIB_TCP6TABLE2
 * from `heap`, for HeapFree().  @source System Informer, since Windows build 17763 */
typedef unsigned long __stdcall berth_bound_table(void **table, void *heap, unsigned long flags);

/** Gives the calls of a reader to the real system. lists_bound: both functions are exported.
 *  @thread any  @blocks no */
struct berth_tcp_calls berth_tcp_calls_real(void);

/** Copies what one of these functions gives into a reader's buffer; for tests.
 *  @return as berth_tcp_calls.table */
uint32_t berth_tcp_calls_copy_bound(berth_bound_table *get, enum berth_tcp_rows_table table,
                                    void *buffer, uint32_t *size);

#endif
