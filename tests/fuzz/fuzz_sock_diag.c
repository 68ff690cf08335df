/* SPDX-License-Identifier: MIT */
/* Any bytes as one netlink datagram. The first eight are the dialogue's sequence and port id, so
 * that the fuzzer can make messages that are listened to. */
#include "watchers/linux/sock_diag.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum berth_code check_row(void *context, const struct berth_sock_diag_socket *socket,
                                 struct berth_error *err)
{
    size_t *rows = context;

    (void)err;
    *rows += 1;
    if (socket->port == 0 || (socket->address.family != BERTH_FAMILY_IPV4 &&
                              socket->address.family != BERTH_FAMILY_IPV6)) {
        abort();
    }
    return BERTH_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct berth_sock_diag_dialogue dialogue = {0, 0};
    struct berth_error err = {0};
    size_t rows = 0;
    bool done = false;

    if (size < sizeof dialogue) {
        return 0;
    }
    memcpy(&dialogue.sequence, data, 4);
    memcpy(&dialogue.port_id, data + 4, 4);
    data += 8;
    size -= 8;
    enum berth_code code =
        berth_sock_diag_decode(&dialogue, data, size, check_row, &rows, &done, &err);
    /* 88 bytes are the least that a socket takes; an error has words and is never an end */
    if (rows > size / 88 || (code != BERTH_OK && (done || err.detail[0] == '\0'))) {
        abort();
    }
    return 0;
}
