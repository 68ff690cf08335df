/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watchers/host_facts.h"

#include "base/memory.h"
#include "proc_ports.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RANGE_PATH "/proc/sys/net/ipv4/ip_local_port_range"
#define RESERVED_PATH "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* 32,768 single ports of five digits with their commas, the longest list, are 192 KiB. */
#define TEXT_BYTES_MAX (256u * 1024u)

static enum berth_code read_text(const char *path, char *out, size_t size, struct berth_error *err)
{
    enum berth_code code = BERTH_OK;
    size_t length = 0;
    ssize_t got = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && length < size - 1) {
        got = read(fd, out + length, size - 1 - length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        length += (size_t)got;
    }
    if (got < 0) {
        code = berth_fail(err, BERTH_IO, errno, "%s: %s", path, strerror(errno));
    } else if (length == size - 1) {
        code = berth_fail(err, BERTH_TOO_LARGE, 0, "%s is longer than %zu bytes", path, size - 2);
    }
    out[length] = '\0';
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

enum berth_code berth_host_facts_read(struct berth_host_facts *out, struct berth_error *err)
{
    struct berth_port_range range = {0, 0};
    struct berth_port_set *reserved = berth_alloc(1, sizeof *reserved);
    char *text = berth_alloc(TEXT_BYTES_MAX, 1);
    enum berth_code code = BERTH_OK;

    berth_host_facts_default(out);
    if (reserved == NULL || text == NULL) {
        code = berth_fail_memory(err, "the host's port settings");
        goto out;
    }
    code = read_text(RANGE_PATH, text, TEXT_BYTES_MAX, err);
    if (code == BERTH_OK && !berth_proc_ports_parse_range(&range, text)) {
        code = berth_fail(err, BERTH_MALFORMED, 0, "%s is not two ports", RANGE_PATH);
    }
    if (code == BERTH_OK) {
        code = read_text(RESERVED_PATH, text, TEXT_BYTES_MAX, err);
    }
    if (code == BERTH_OK && !berth_proc_ports_parse_list(reserved, text)) {
        code = berth_fail(err, BERTH_MALFORMED, 0, "%s is not a list of ports", RESERVED_PATH);
    }
    if (code == BERTH_OK) {
        berth_host_facts_make(out, range, reserved);
    }
out:
    berth_free(text);
    berth_free(reserved);
    return code;
}
