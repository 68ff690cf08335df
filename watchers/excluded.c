/* SPDX-License-Identifier: MIT */
#include "excluded.h"

#include "base/memory.h"
#include "poll_watcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 300000u

struct excluded_reader {
    const struct berth_excluded_calls *calls;
    void *context;
    bool told[2]; /* by family: whether the system has listed ranges before */
};

/* All ranges of both families. */
struct ranges {
    struct berth_excluded_range *items;
    size_t count;
    bool silent; /* a family's were not to be had */
};

/* ---- claims ---- */

static int compare_ranges(const void *a, const void *b)
{
    const struct berth_excluded_range *x = a;
    const struct berth_excluded_range *y = b;

    if (x->administered != y->administered) {
        return x->administered ? -1 : 1;
    }
    if (x->ports.first != y->ports.first) {
        return x->ports.first < y->ports.first ? -1 : 1;
    }
    /* the longer one first: what it holds is told once */
    return x->ports.last > y->ports.last ? -1 : x->ports.last < y->ports.last;
}

static bool is_of_http_sys(const struct berth_excluded_range *range,
                           const struct berth_port_set *kernel_ports)
{
    return !range->administered && range->ports.first == range->ports.last &&
           berth_port_set_has(kernel_ports, range->ports.first);
}

/* What all claims of a range have in common; holder NULL: no memory. */
static struct berth_claim claim_range(struct berth_claim_list *list,
                                      const struct berth_excluded_range *range,
                                      const struct berth_port_set *kernel_ports)
{
    struct berth_claim claim = berth_claim_make(0, BERTH_CLAIM_EXCLUSION);

    if (is_of_http_sys(range, kernel_ports)) {
        claim.kind = BERTH_CLAIM_URL;
        claim.holder = "http.sys";
        claim.detail = "reserved by http.sys for a URL that is registered with it";
        return claim;
    }
    claim.holder =
        berth_iis_strings_format(&list->strings, "%u-%u", range->ports.first, range->ports.last);
    claim.detail = range->administered
                       ? "administered: http.sys cannot use it, though a socket may"
                       : "reserved at run time (Hyper-V, WinNAT or another): nothing can bind it";
    return claim;
}

static enum berth_code add_range(struct berth_claim_list *list,
                                 const struct berth_excluded_range *range, uint32_t from,
                                 const struct berth_port_set *kernel_ports, struct berth_error *err)
{
    struct berth_claim claim = claim_range(list, range, kernel_ports);
    enum berth_code code = BERTH_OK;

    if (claim.holder == NULL) {
        return berth_fail_memory(err, "an excluded port range");
    }
    for (uint32_t port = from; port <= range->ports.last && code == BERTH_OK; port++) {
        claim.port = (uint16_t)port;
        code = berth_claim_list_add(list, &claim, err);
    }
    return code;
}

enum berth_code berth_excluded_claims(struct berth_claim_list *list,
                                      struct berth_excluded_range *ranges, size_t count,
                                      const struct berth_port_set *kernel_ports,
                                      struct berth_error *err)
{
    enum berth_code code = BERTH_OK;
    uint32_t next = 0; /* the first port that no range of this kind has held so far */

    if (count > 1) {
        qsort(ranges, count, sizeof *ranges, compare_ranges);
    }
    for (size_t i = 0; i < count && code == BERTH_OK; i++) {
        const struct berth_excluded_range *range = &ranges[i];
        if (i > 0 && range->administered != ranges[i - 1].administered) {
            next = 0;
        }
        uint32_t from = range->ports.first > next ? range->ports.first : next;
        if (from <= range->ports.last) {
            code = add_range(list, range, from, kernel_ports, err);
            next = (uint32_t)range->ports.last + 1;
        }
    }
    return code;
}

/* ---- the reader ---- */

static bool is_silence(enum berth_code code)
{
    return code == BERTH_NOT_FOUND || code == BERTH_NOT_SUPPORTED;
}

static enum berth_code append(struct ranges *ranges, const struct berth_excluded_range *more,
                              size_t count, struct berth_error *err)
{
    if (count == 0) {
        return BERTH_OK;
    }
    void *items = berth_resize(ranges->items, ranges->count + count, sizeof *ranges->items);
    if (items == NULL) {
        return berth_fail_memory(err, "the excluded port ranges");
    }
    ranges->items = items;
    memcpy(ranges->items + ranges->count, more, count * sizeof *more);
    ranges->count += count;
    return BERTH_OK;
}

/* Adds one family's ranges. A system that tells none says so in `err`, and is passed over; one that
 * has told before has failed. */
static enum berth_code read_family(struct excluded_reader *reader, bool ipv6, struct ranges *ranges,
                                   struct berth_error *err)
{
    struct berth_excluded_range *family = NULL;
    size_t count = 0;
    struct berth_text text;

    berth_text_init(&text, BERTH_NETSH_OUTPUT_MAX);
    enum berth_code code = reader->calls->list(reader->context, ipv6, &text, err);
    if (code == BERTH_OK) {
        code = berth_netsh_parse_excluded(berth_text_string(&text), &family, &count, err);
    }
    if (code == BERTH_OK) {
        reader->told[ipv6] = true;
        code = append(ranges, family, count, err);
    } else if (is_silence(code) && !reader->told[ipv6]) {
        ranges->silent = true;
        code = BERTH_OK;
    }
    berth_free(family);
    berth_text_fini(&text);
    return code;
}

static enum berth_code claim_ranges(struct excluded_reader *reader, struct ranges *ranges,
                                    struct berth_claim_list *list, struct berth_error *err)
{
    struct berth_port_set *kernel_ports = berth_alloc(1, sizeof *kernel_ports);

    if (kernel_ports == NULL) {
        return berth_fail_memory(err, "a set of ports");
    }
    enum berth_code code = reader->calls->kernel_ports(reader->context, kernel_ports, err);
    if (code == BERTH_OK) {
        code = berth_excluded_claims(list, ranges->items, ranges->count, kernel_ports, err);
    }
    berth_free(kernel_ports);
    return code;
}

static enum berth_code read_excluded(void *context, bool demanded, struct berth_poll_answer *out,
                                     struct berth_error *err)
{
    struct berth_error silence = {0};
    struct ranges ranges = {.items = NULL};
    enum berth_code code = BERTH_OK;

    (void)demanded;
    out->list.limit = BERTH_EXCLUDED_CLAIMS_MAX;
    for (int ipv6 = 0; ipv6 <= 1 && code == BERTH_OK; ipv6++) {
        code = read_family(context, ipv6 == 1, &ranges, err);
        if (code == BERTH_OK && ranges.silent && silence.code == BERTH_OK) {
            silence = *err;
        }
    }
    if (code == BERTH_OK) {
        code = claim_ranges(context, &ranges, &out->list, err);
    }
    if (code == BERTH_OK && ranges.silent) {
        out->state = BERTH_STATE_DEGRADED;
        (void)snprintf(out->reason, sizeof out->reason,
                       "not all excluded port ranges are known: %.400s", silence.detail);
    }
    berth_free(ranges.items);
    return code;
}

static void close_excluded(void *context)
{
    struct excluded_reader *reader = context;

    if (reader->calls->close != NULL) {
        reader->calls->close(reader->context);
    }
    berth_free(reader);
}

static const struct berth_poll_reader excluded_reader = {.source = BERTH_SOURCE_EXCLUDED,
                                                         .feed = "ranges",
                                                         .what = "the excluded port ranges",
                                                         .read = read_excluded,
                                                         .close = close_excluded};

enum berth_code berth_excluded_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                              const struct berth_excluded_calls *calls,
                                              void *context, uint64_t poll_ms,
                                              struct berth_error *err)
{
    struct excluded_reader *reader = berth_alloc(1, sizeof *reader);

    if (reader == NULL) {
        return berth_fail_memory(err, "the watcher of excluded port ranges");
    }
    reader->calls = calls;
    reader->context = context;
    enum berth_code code = berth_poll_watcher_create(out, loop, &excluded_reader, reader,
                                                     poll_ms != 0 ? poll_ms : POLL_MS, err);
    if (code != BERTH_OK) {
        berth_free(reader);
    }
    return code;
}
