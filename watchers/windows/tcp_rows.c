/* SPDX-License-Identifier: MIT */
#include "watchers/windows/tcp_rows.h"

#include <stdbool.h>
#include <string.h>

#define COUNT_BYTES 4
#define NO_TIME 0 /* an offset that no time can have */

/* Where things lie in a row of a family; the tables of connections and bound sockets are alike. */
struct fields {
    bool ipv6;
    size_t address;
    size_t scope;
    size_t port;
    size_t state;
    size_t process;
};

static const struct fields ip4 = {.address = 4, .port = 8, .state = 0, .process = 20};
static const struct fields ip6 = {
    .ipv6 = true, .address = 0, .scope = 16, .port = 20, .state = 48, .process = 52};

struct layout {
    const struct fields *fields;
    size_t first; /* of the table: the first row; what has 64-bit numbers begins at 8 */
    size_t row;
    size_t created;
};

static const struct layout layouts[BERTH_TCP_ROWS_TABLE_COUNT] = {
    [BERTH_TCP_ROWS_LISTENERS4] = {&ip4, .first = 8, .row = 160, .created = 24},
    [BERTH_TCP_ROWS_LISTENERS6] = {&ip6, .first = 8, .row = 192, .created = 56},
    [BERTH_TCP_ROWS_ALL4] = {&ip4, .first = 4, .row = 24, .created = NO_TIME},
    [BERTH_TCP_ROWS_ALL6] = {&ip6, .first = 4, .row = 56, .created = NO_TIME},
    [BERTH_TCP_ROWS_BOUND4] = {&ip4, .first = 4, .row = 28, .created = NO_TIME},
    [BERTH_TCP_ROWS_BOUND6] = {&ip6, .first = 4, .row = 60, .created = NO_TIME},
};

/* Windows runs on little-endian machines, as those do that the tests run on. */
static uint32_t number_at(const unsigned char *bytes)
{
    uint32_t number;

    memcpy(&number, bytes, sizeof number);
    return number;
}

static struct berth_tcp_row row_at(const struct layout *layout, const unsigned char *bytes)
{
    const struct fields *fields = layout->fields;
    struct berth_tcp_row row = {
        .address.family = fields->ipv6 ? BERTH_FAMILY_IPV6 : BERTH_FAMILY_IPV4,
        /* in network order in the lower two bytes; what is in the upper ones means nothing */
        .port = (uint16_t)(bytes[fields->port] << 8 | bytes[fields->port + 1]),
        .state = number_at(bytes + fields->state),
        .process_id = number_at(bytes + fields->process),
    };

    memcpy(row.address.bytes, bytes + fields->address, fields->ipv6 ? 16 : 4);
    /* Windows gives some zone with other addresses too, where it means nothing */
    if (fields->ipv6 && row.address.bytes[0] == 0xFE && (row.address.bytes[1] & 0xC0) == 0x80) {
        row.address.scope = number_at(bytes + fields->scope);
    }
    if (layout->created != NO_TIME) {
        memcpy(&row.created_ticks, bytes + layout->created, sizeof row.created_ticks);
    }
    return row;
}

size_t berth_tcp_rows_row_size(enum berth_tcp_rows_table table)
{
    return layouts[table].row;
}

enum berth_code berth_tcp_rows_read(enum berth_tcp_rows_table table, const void *bytes, size_t size,
                                    enum berth_code (*take)(void *context,
                                                            const struct berth_tcp_row *row,
                                                            struct berth_error *err),
                                    void *context, struct berth_error *err)
{
    const struct layout *layout = &layouts[table];
    const unsigned char *at = bytes;
    enum berth_code code = BERTH_OK;

    uint32_t count = size >= COUNT_BYTES ? number_at(at) : 0;
    if (size < COUNT_BYTES ||
        (count != 0 && (size < layout->first || count > (size - layout->first) / layout->row))) {
        return berth_fail(err, BERTH_MALFORMED, 0,
                          "Windows gave a TCP table of %zu bytes for %u rows", size, count);
    }
    for (uint32_t i = 0; i < count && code == BERTH_OK; i++) {
        struct berth_tcp_row row = row_at(layout, at + layout->first + i * layout->row);
        code = take(context, &row, err);
    }
    return code;
}
