/* SPDX-License-Identifier: MIT */
/* The TCP table of Linux: sock_diag for the sockets, /proc for the processes that have them. */
#define _GNU_SOURCE
#include "watchers/tcp_table.h"

#include "allocator/port_set.h"
#include "base/memory.h"
#include "sock_diag.h"
#include "socket_owner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct rows {
    struct berth_sock_diag_socket *items;
    size_t count;
    size_t capacity;
};

struct claim_list {
    struct berth_claim *items;
    size_t count;
    size_t capacity;
};

/* What the connections of one local port add up to. */
struct tally {
    uint32_t connections;
    uint32_t time_waits;
    uint32_t user_id;
    bool has_user;
};

struct berth_tcp_table {
    struct berth_sock_diag diag;
    struct berth_socket_owners *owners;
    struct berth_tcp_capabilities capabilities;
    struct rows rows[2]; /* of the last read: listeners, bound */
    struct claim_list lists[BERTH_TCP_PART_COUNT];
    uint32_t *inodes;
    size_t inode_capacity;
    struct tally *tallies;         /* one for each port; all zero between reads */
    struct berth_port_set tallied; /* the ports whose tally is not zero */
    const uint32_t *own;           /* inodes of this process's sockets, sorted */
    size_t own_count;
};

#define TALLY_COUNT 65536u

/* What this thread has had of a processor: on a busy machine a reading takes many times that, and
 * is no dearer for it. */
static uint64_t used_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- listeners and bound sockets ------------------------------------------------------------ */

static void forget_rows(void *context)
{
    struct rows *rows = context;

    rows->count = 0;
}

static enum berth_code add_row(void *context, const struct berth_sock_diag_socket *socket,
                               struct berth_error *err)
{
    struct rows *rows = context;

    if (rows->count == BERTH_TCP_SOCKETS_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0,
                          "there are more than %u listening or bound sockets",
                          BERTH_TCP_SOCKETS_MAX);
    }
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity != 0 ? 2 * rows->capacity : 64;
        void *items = berth_resize(rows->items, capacity, sizeof *rows->items);
        if (items == NULL) {
            return berth_fail_memory(err, "the list of sockets");
        }
        rows->items = items;
        rows->capacity = capacity;
    }
    rows->items[rows->count++] = *socket;
    return BERTH_OK;
}

static enum berth_code read_rows(struct berth_tcp_table *table, enum berth_tcp_part part,
                                 struct berth_error *err)
{
    const struct berth_sock_diag_sink sink = {forget_rows, add_row, &table->rows[part]};
    uint32_t states =
        part == BERTH_TCP_PART_LISTENERS ? BERTH_SOCK_DIAG_LISTENERS : BERTH_SOCK_DIAG_BOUND;
    enum berth_code code = berth_sock_diag_read(&table->diag, states, &sink, err);

    if (code != BERTH_OK) {
        table->rows[part].count = 0;
    }
    return code;
}

/* Both parts share one cache of owners, which therefore is told the sockets of both. */
static enum berth_code update_owners(struct berth_tcp_table *table, bool quick,
                                     struct berth_error *err)
{
    size_t n = table->rows[0].count + table->rows[1].count;
    size_t next = 0;

    if (n > table->inode_capacity) {
        uint32_t *inodes = berth_resize(table->inodes, n, sizeof *inodes);
        if (inodes == NULL) {
            return berth_fail_memory(err, "the list of sockets");
        }
        table->inodes = inodes;
        table->inode_capacity = n;
    }
    for (size_t part = 0; part < BERTH_COUNT(table->rows); part++) {
        for (size_t i = 0; i < table->rows[part].count; i++) {
            table->inodes[next++] = table->rows[part].items[i].inode;
        }
    }
    return berth_socket_owners_update(table->owners, table->inodes, n, quick, err);
}

/* --- lists of claims ------------------------------------------------------------------------ */

static enum berth_code reserve_claims(struct claim_list *list, size_t count,
                                      struct berth_error *err)
{
    if (count > list->capacity) {
        void *items = berth_resize(list->items, count, sizeof *list->items);
        if (items == NULL) {
            return berth_fail_memory(err, "the list of TCP claims");
        }
        list->items = items;
        list->capacity = count;
    }
    list->count = 0;
    return BERTH_OK;
}

static enum berth_code claim_rows(struct berth_tcp_table *table, enum berth_tcp_part part,
                                  struct berth_error *err)
{
    const struct rows *rows = &table->rows[part];
    struct claim_list *list = &table->lists[part];
    enum berth_claim_kind kind =
        part == BERTH_TCP_PART_LISTENERS ? BERTH_CLAIM_LISTENER : BERTH_CLAIM_BOUND;
    enum berth_code code = reserve_claims(list, rows->count, err);

    for (size_t i = 0; code == BERTH_OK && i < rows->count; i++) {
        const struct berth_sock_diag_socket *row = &rows->items[i];
        const struct berth_socket_holder *holder =
            berth_socket_owners_find(table->owners, row->inode);
        if (holder != NULL && holder->own) {
            continue;
        }
        struct berth_claim *claim = &list->items[list->count++];
        *claim = berth_claim_make(row->port, kind);
        claim->protocol = BERTH_PROTOCOL_TCP;
        /* the kernel sets it for ::1 and the like too, of which it says nothing new */
        claim->flags =
            row->v6_only && berth_address_is_wildcard(&row->address) ? BERTH_CLAIM_V6_ONLY : 0;
        claim->address = row->address;
        claim->user_id = row->user_id;
        if (holder != NULL) {
            claim->process_id = holder->process_id;
            claim->holder = holder->image;
        }
    }
    if (code == BERTH_OK) {
        list->count = berth_claims_merge(list->items, list->count);
    }
    return code;
}

/* --- connections ---------------------------------------------------------------------------- */

static void forget_tallies(void *context)
{
    struct berth_tcp_table *table = context;
    const struct berth_port_range all = {1, UINT16_MAX};
    uint16_t port;

    while (berth_port_set_next(&table->tallied, all, &port)) {
        table->tallies[port] = (struct tally){0};
        (void)berth_port_set_remove(&table->tallied, port);
    }
}

static enum berth_code add_to_tally(void *context, const struct berth_sock_diag_socket *socket,
                                    struct berth_error *err)
{
    struct berth_tcp_table *table = context;
    struct tally *tally = &table->tallies[socket->port];

    (void)err;
    if (socket->inode != 0 && berth_inodes_have(table->own, table->own_count, socket->inode)) {
        return BERTH_OK;
    }
    (void)berth_port_set_add(&table->tallied, socket->port);
    if (socket->state == BERTH_SOCK_TIME_WAIT) {
        tally->time_waits++;
        return BERTH_OK;
    }
    tally->connections++;
    /* without an inode the kernel has no user either and writes 0 */
    if (socket->inode != 0) {
        bool same = !tally->has_user || tally->user_id == socket->user_id;
        tally->user_id = same ? socket->user_id : BERTH_ID_NONE;
        tally->has_user = true;
    }
    return BERTH_OK;
}

static void claim_port(struct claim_list *list, uint16_t port, const struct tally *tally)
{
    if (tally->connections != 0) {
        struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_CONNECTION);
        claim.protocol = BERTH_PROTOCOL_TCP;
        claim.count = tally->connections;
        claim.user_id = tally->has_user ? tally->user_id : BERTH_ID_NONE;
        list->items[list->count++] = claim;
    }
    if (tally->time_waits != 0) {
        struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_TIME_WAIT);
        claim.protocol = BERTH_PROTOCOL_TCP;
        claim.count = tally->time_waits;
        list->items[list->count++] = claim;
    }
}

static enum berth_code claim_connections(struct berth_tcp_table *table, struct berth_error *err)
{
    struct claim_list *list = &table->lists[BERTH_TCP_PART_CONNECTIONS];
    struct berth_port_range rest = {1, UINT16_MAX};
    size_t ports = berth_port_set_count(&table->tallied, rest);
    enum berth_code code = reserve_claims(list, 2 * ports, err);
    uint16_t port;

    while (code == BERTH_OK && berth_port_set_next(&table->tallied, rest, &port)) {
        claim_port(list, port, &table->tallies[port]);
        if (port == UINT16_MAX) {
            break;
        }
        rest.first = (uint16_t)(port + 1);
    }
    return code;
}

static enum berth_code read_connections(struct berth_tcp_table *table, struct berth_error *err)
{
    const struct berth_sock_diag_sink sink = {forget_tallies, add_to_tally, table};
    enum berth_code code = BERTH_OK;

    if (table->tallies == NULL) {
        table->tallies = berth_alloc(TALLY_COUNT, sizeof *table->tallies);
        if (table->tallies == NULL) {
            return berth_fail_memory(err, "the tallies of connections");
        }
    }
    code = berth_socket_owners_list_own(table->owners, &table->own, &table->own_count, err);
    if (code == BERTH_OK) {
        code = berth_sock_diag_read(&table->diag, BERTH_SOCK_DIAG_CONNECTIONS, &sink, err);
    }
    if (code == BERTH_OK) {
        code = claim_connections(table, err);
    }
    forget_tallies(table);
    table->own = NULL;
    table->own_count = 0;
    return code;
}

/* --- a read --------------------------------------------------------------------------------- */

static enum berth_code read_part(struct berth_tcp_table *table, enum berth_tcp_part part,
                                 struct berth_tcp_list *out, struct berth_error *err)
{
    uint64_t start = used_ns();
    enum berth_code code = part == BERTH_TCP_PART_CONNECTIONS ? read_connections(table, err)
                                                              : read_rows(table, part, err);

    out->duration_ns = used_ns() - start;
    return code;
}

static enum berth_code claim_owned(struct berth_tcp_table *table, unsigned scopes,
                                   struct berth_error *err)
{
    enum berth_code code = update_owners(table, (scopes & BERTH_TCP_QUICK) != 0, err);

    for (unsigned part = 0; code == BERTH_OK && part < BERTH_COUNT(table->rows); part++) {
        if ((scopes & 1u << part) != 0) {
            code = claim_rows(table, (enum berth_tcp_part)part, err);
        }
    }
    return code;
}

enum berth_code berth_tcp_table_read(struct berth_tcp_table *table, unsigned scopes,
                                     struct berth_tcp_claims *out, struct berth_error *err)
{
    static const enum berth_tcp_part order[] = {BERTH_TCP_PART_BOUND, BERTH_TCP_PART_LISTENERS,
                                                BERTH_TCP_PART_CONNECTIONS};
    struct berth_tcp_claims claims = {0};
    enum berth_code code = BERTH_OK;

    for (size_t i = 0; code == BERTH_OK && i < BERTH_COUNT(order); i++) {
        bool asked = (scopes & 1u << order[i]) != 0;
        /* a kernel that lists no bound sockets walks all others in vain */
        if (asked && (order[i] != BERTH_TCP_PART_BOUND || table->capabilities.lists_bound)) {
            code = read_part(table, order[i], &claims.parts[order[i]], err);
        }
    }
    if (code == BERTH_OK && (scopes & (BERTH_TCP_LISTENERS | BERTH_TCP_BOUND)) != 0) {
        uint64_t start = used_ns();
        code = claim_owned(table, scopes, err);
        claims.owners_ns = used_ns() - start;
    }
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        if ((scopes & 1u << part) != 0) {
            claims.parts[part].claims = table->lists[part].items;
            claims.parts[part].count = table->lists[part].count;
        }
    }
    if (code == BERTH_OK) {
        *out = claims;
    }
    return code;
}

void berth_tcp_table_suggest(struct berth_tcp_table *table, uint32_t process_id)
{
    berth_socket_owners_suggest(table->owners, process_id);
}

/* --- open and close ------------------------------------------------------------------------- */

/* A socket that is bound and does not listen: what the kernel must list if it lists such at all. */
static enum berth_code bind_probe(int *out, uint32_t *inode, struct berth_error *err)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct stat about;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        fstat(fd, &about) != 0) {
        enum berth_code code = berth_fail(
            err, BERTH_IO, errno, "no socket to try the TCP table with: %s", strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return code;
    }
    *out = fd;
    *inode = (uint32_t)about.st_ino;
    return BERTH_OK;
}

/* Kernels before 6.8 pass over the state that they do not know, so that an answer is no proof; one
 * that refuses it says that the request is invalid. */
static enum berth_code find_capabilities(struct berth_tcp_table *table, struct berth_error *err)
{
    struct berth_error refusal = {0};
    int fd = -1;
    uint32_t inode = 0;
    enum berth_code code = bind_probe(&fd, &inode, err);

    if (code == BERTH_OK) {
        code = read_rows(table, BERTH_TCP_PART_BOUND, &refusal);
    }
    if (code == BERTH_IO && (refusal.os_code == EINVAL || refusal.os_code == EOPNOTSUPP)) {
        code = BERTH_OK;
    } else if (code != BERTH_OK && err != NULL && refusal.code != BERTH_OK) {
        *err = refusal;
    }
    for (size_t i = 0; code == BERTH_OK && i < table->rows[BERTH_TCP_PART_BOUND].count; i++) {
        table->capabilities.lists_bound |=
            table->rows[BERTH_TCP_PART_BOUND].items[i].inode == inode;
    }
    table->rows[BERTH_TCP_PART_BOUND].count = 0;
    if (code == BERTH_OK && !table->capabilities.lists_bound) {
        (void)snprintf(table->capabilities.detail, sizeof table->capabilities.detail,
                       "this kernel does not list sockets that are bound and do not listen (Linux "
                       "6.8 and later do): such a port looks free until it is used");
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

enum berth_code berth_tcp_table_open(struct berth_tcp_table **out, struct berth_error *err)
{
    struct berth_tcp_table *table = berth_alloc(1, sizeof *table);
    enum berth_code code;

    if (table == NULL) {
        return berth_fail_memory(err, "the TCP table");
    }
    code = berth_sock_diag_init(&table->diag, NULL, err);
    if (code == BERTH_OK) {
        code = berth_socket_owners_open(&table->owners, NULL, err);
    }
    if (code == BERTH_OK) {
        code = find_capabilities(table, err);
    }
    if (code == BERTH_OK) {
        *out = table;
    } else {
        berth_tcp_table_close(table);
    }
    return code;
}

void berth_tcp_table_close(struct berth_tcp_table *table)
{
    if (table == NULL) {
        return;
    }
    berth_sock_diag_fini(&table->diag);
    berth_socket_owners_close(table->owners);
    for (size_t i = 0; i < BERTH_COUNT(table->rows); i++) {
        berth_free(table->rows[i].items);
    }
    for (size_t i = 0; i < BERTH_COUNT(table->lists); i++) {
        berth_free(table->lists[i].items);
    }
    berth_free(table->inodes);
    berth_free(table->tallies);
    berth_free(table);
}

const struct berth_tcp_capabilities *
berth_tcp_table_capabilities(const struct berth_tcp_table *table)
{
    return &table->capabilities;
}
