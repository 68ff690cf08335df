/* SPDX-License-Identifier: MIT */
/* Any bytes as each of Windows' TCP tables; the first byte says which. */
#include "watchers/windows/tcp_rows.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum berth_code count_row(void *context, const struct berth_tcp_row *row,
                                 struct berth_error *err)
{
    size_t *count = context;

    (void)err;
    if (row->address.family != BERTH_FAMILY_IPV4 && row->address.family != BERTH_FAMILY_IPV6) {
        abort();
    }
    ++*count;
    return BERTH_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct berth_error err = {0};
    size_t count = 0;

    if (size == 0) {
        return 0;
    }
    enum berth_tcp_rows_table table =
        (enum berth_tcp_rows_table)(data[0] % BERTH_TCP_ROWS_TABLE_COUNT);
    enum berth_code code = berth_tcp_rows_read(table, data + 1, size - 1, count_row, &count, &err);
    if (code == BERTH_OK ? count * berth_tcp_rows_row_size(table) > size
                         : code != BERTH_MALFORMED || count != 0 || err.detail[0] == '\0') {
        abort();
    }
    return 0;
}
