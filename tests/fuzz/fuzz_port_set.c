/* SPDX-License-Identifier: MIT */
/* Fuzz target: sequences of operations on a port_set, each compared with a plain bool[65536].
 * An operation is five bytes: what to do, and two ports, high byte first. */
#include "allocator/port_set.h"
#include "models/plain_ports.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define OPERATION_BYTES 5
#define OPERATIONS_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct berth_port_set set;
static struct plain_ports model;

static void expect(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_range(struct berth_port_range range)
{
    struct berth_port_range run;
    struct berth_port_range expected;
    uint16_t port;
    int32_t next = plain_ports_next(&model, range);
    bool found = berth_port_set_next(&set, range, &port);

    expect(found == (next >= 0));
    expect(!found || port == next);
    found = berth_port_set_next_run(&set, range, &run);
    expect(found == plain_ports_run(&model, range, &expected));
    expect(!found || (run.first == expected.first && run.last == expected.last));
    if (range.first <= range.last) {
        expect(berth_port_set_count(&set, range) == plain_ports_count(&model, range));
    }
}

static void add_range(struct berth_port_range range)
{
    berth_port_set_add_range(&set, range);
    for (uint32_t port = range.first; range.last != 0 && port <= range.last; port++) {
        model.in[port] = true;
    }
}

static void operate(const uint8_t bytes[OPERATION_BYTES])
{
    uint16_t a = (uint16_t)(bytes[1] << 8 | bytes[2]);
    uint16_t b = (uint16_t)(bytes[3] << 8 | bytes[4]);

    switch (bytes[0] % 5) {
    case 0:
        expect(berth_port_set_add(&set, a) == !model.in[a]);
        model.in[a] = true;
        break;
    case 1:
        expect(berth_port_set_remove(&set, a) == model.in[a]);
        model.in[a] = false;
        break;
    case 2:
        add_range((struct berth_port_range){a, b});
        break;
    case 3:
        expect(berth_port_set_has(&set, a) == model.in[a]);
        break;
    default:
        check_range((struct berth_port_range){a, b});
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    berth_port_set_init(&set);
    memset(&model, 0, sizeof model);
    for (size_t i = 0; i < OPERATIONS_MAX && size >= OPERATION_BYTES; i++) {
        operate(data);
        data += OPERATION_BYTES;
        size -= OPERATION_BYTES;
    }
    for (uint32_t port = 0; port <= 65535; port++) {
        expect(berth_port_set_has(&set, (uint16_t)port) == model.in[port]);
    }
    check_range((struct berth_port_range){1, 65535});
    return 0;
}
