/* SPDX-License-Identifier: MIT */
#include "watchers/windows/tcp_reader.h"

#include "allocator/port_set.h"
#include "base/memory.h"

#include <string.h>

#define INSUFFICIENT_BUFFER 122u
#define NOT_SUPPORTED 50u /* a family that is not installed */
#define NO_DATA 232u
#define STATUS_UNSUCCESSFUL 0xC0000001u

#define BUFFER_AT_FIRST 16384u
#define SLACK_MIN 4096u
#define SYSTEM_PROCESS 4u
#define IMAGE_BYTES_MAX 260
#define RETRY_READS 64u
#define TALLY_COUNT (UINT16_MAX + 1u)

/* A process whose number is in a table. */
struct process {
    uint32_t id;
    uint32_t last_read; /* the number of the read that saw it last */
    uint32_t opened_in; /* the read that opened it, or tried to */
    void *handle;       /* NULL: it could not be opened */
    uint64_t created_ticks;
    char image[IMAGE_BYTES_MAX]; /* "": not known */
};

struct claims {
    struct berth_claim *items;
    size_t count;
    size_t capacity;
};

struct tally {
    uint32_t connections;
    uint32_t time_waits;
};

struct berth_tcp_reader {
    struct berth_tcp_calls calls;
    void *buffer;
    size_t buffer_size;
    struct claims lists[BERTH_TCP_PART_COUNT];
    enum berth_tcp_part part;   /* that is being read */
    struct process **processes; /* sorted by id */
    size_t process_count;
    size_t process_capacity;
    uint32_t read_number;
    unsigned opens;         /* in this read */
    uint64_t started_ticks; /* when this read began */
    uint64_t owners_ns;     /* of this read */
    struct tally *tallies;  /* by port; NULL: none yet */
    struct berth_port_set tallied;
};

/* ---- processes ---- */

/* Where a process is, or would be. */
static size_t process_place(const struct berth_tcp_reader *reader, uint32_t id)
{
    size_t low = 0;
    size_t high = reader->process_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reader->processes[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void close_handle(struct berth_tcp_reader *reader, struct process *process)
{
    if (process->handle != NULL) {
        reader->calls.close_process(reader->calls.context, process->handle);
        process->handle = NULL;
    }
    process->image[0] = '\0';
}

/* Opens a process and keeps it, if it is one that ran when the table was read. */
static void open_process(struct berth_tcp_reader *reader, struct process *process)
{
    const struct berth_tcp_calls *calls = &reader->calls;

    process->opened_in = reader->read_number;
    reader->opens++;
    process->handle = calls->open_process(calls->context, process->id, &process->created_ticks);
    if (process->handle == NULL) {
        return;
    }
    if (process->created_ticks > reader->started_ticks) {
        close_handle(reader, process);
        process->opened_in = 0; /* the next read may trust it */
    } else if (!calls->image(calls->context, process->handle, process->image,
                             sizeof process->image)) {
        close_handle(reader, process);
    }
}

static struct process *add_process(struct berth_tcp_reader *reader, size_t place, uint32_t id)
{
    struct process *process;

    if (reader->process_count == BERTH_TCP_PROCESSES_MAX) {
        return NULL;
    }
    if (reader->process_count == reader->process_capacity) {
        size_t capacity = reader->process_capacity != 0 ? 2 * reader->process_capacity : 64;
        void *moved = berth_resize(reader->processes, capacity, sizeof(struct process *));
        if (moved == NULL) {
            return NULL;
        }
        reader->processes = moved;
        reader->process_capacity = capacity;
    }
    process = berth_alloc(1, sizeof *process);
    if (process == NULL) {
        return NULL;
    }
    process->id = id;
    memmove(reader->processes + place + 1, reader->processes + place,
            (reader->process_count - place) * sizeof(struct process *));
    reader->processes[place] = process;
    reader->process_count++;
    return process;
}

/* Finds the name of the process that has a socket; NULL: not known, or not yet. What cannot be kept
 * for lack of memory is not known either: a name is no reason to fail. */
static const char *find_image(struct berth_tcp_reader *reader, const struct berth_tcp_row *row)
{
    size_t place = process_place(reader, row->process_id);
    struct process *process =
        place < reader->process_count && reader->processes[place]->id == row->process_id
            ? reader->processes[place]
            : add_process(reader, place, row->process_id);

    if (process == NULL) {
        return NULL;
    }
    bool due = process->opened_in == 0 || reader->read_number - process->opened_in >= RETRY_READS;
    process->last_read = reader->read_number;
    if (process->handle == NULL && due && reader->opens < BERTH_TCP_OPENS_MAX) {
        open_process(reader, process);
    }
    bool older = row->created_ticks == 0 || process->created_ticks <= row->created_ticks;
    return process->handle != NULL && older ? process->image : NULL;
}

/* Lets go of the processes that no table has named since. */
static void forget_processes(struct berth_tcp_reader *reader)
{
    size_t kept = 0;

    for (size_t i = 0; i < reader->process_count; i++) {
        struct process *process = reader->processes[i];
        if (process->last_read == reader->read_number) {
            reader->processes[kept++] = process;
        } else {
            close_handle(reader, process);
            berth_free(process);
        }
    }
    reader->process_count = kept;
}

/* The kernel's listeners are http.sys's, but for the ports of its other servers. */
static const char *kernel_image(uint16_t port)
{
    static const uint16_t others[] = {111, 139, 445, 2049, 5445}; /* NFS, NetBIOS, SMB */

    for (size_t i = 0; i < BERTH_COUNT(others); i++) {
        if (others[i] == port) {
            return "System";
        }
    }
    return "http.sys";
}

static void name_owner(struct berth_tcp_reader *reader, const struct berth_tcp_row *row,
                       struct berth_claim *claim)
{
    if (row->process_id == 0) {
        return;
    }
    claim->process_id = row->process_id;
    if (row->process_id == SYSTEM_PROCESS) {
        claim->holder = kernel_image(row->port);
        return;
    }
    uint64_t start = reader->calls.now_ns(reader->calls.context);
    claim->holder = find_image(reader, row);
    reader->owners_ns += reader->calls.now_ns(reader->calls.context) - start;
}

/* ---- claims ---- */

static enum berth_code add_claim(struct claims *list, const struct berth_claim *claim,
                                 struct berth_error *err)
{
    if (list->count == BERTH_TCP_SOCKETS_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "more than %u TCP sockets",
                          BERTH_TCP_SOCKETS_MAX);
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity != 0 ? 2 * list->capacity : 64;
        void *items = berth_resize(list->items, capacity, sizeof *list->items);
        if (items == NULL) {
            return berth_fail_memory(err, "the list of TCP claims");
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *claim;
    return BERTH_OK;
}

static enum berth_code take_socket(void *context, const struct berth_tcp_row *row,
                                   struct berth_error *err)
{
    struct berth_tcp_reader *reader = context;
    bool listeners = reader->part == BERTH_TCP_PART_LISTENERS;

    if (row->port == 0 || row->process_id == reader->calls.own_process_id) {
        return BERTH_OK;
    }
    struct berth_claim claim =
        berth_claim_make(row->port, listeners ? BERTH_CLAIM_LISTENER : BERTH_CLAIM_BOUND);
    claim.protocol = BERTH_PROTOCOL_TCP;
    claim.address = row->address;
    name_owner(reader, row, &claim);
    return add_claim(&reader->lists[reader->part], &claim, err);
}

static enum berth_code take_connection(void *context, const struct berth_tcp_row *row,
                                       struct berth_error *err)
{
    struct berth_tcp_reader *reader = context;

    (void)err;
    if (row->port == 0 || row->state == BERTH_TCP_ROW_LISTEN ||
        row->process_id == reader->calls.own_process_id) {
        return BERTH_OK;
    }
    (void)berth_port_set_add(&reader->tallied, row->port);
    if (row->state == BERTH_TCP_ROW_TIME_WAIT) {
        reader->tallies[row->port].time_waits++;
    } else {
        reader->tallies[row->port].connections++;
    }
    return BERTH_OK;
}

static enum berth_code claim_tally(struct claims *list, uint16_t port, enum berth_claim_kind kind,
                                   uint32_t count, struct berth_error *err)
{
    struct berth_claim claim = berth_claim_make(port, kind);

    if (count == 0) {
        return BERTH_OK;
    }
    claim.protocol = BERTH_PROTOCOL_TCP;
    claim.count = count;
    return add_claim(list, &claim, err);
}

/* Makes claims of the tallies, ports ascending, and forgets them. */
static enum berth_code claim_tallies(struct berth_tcp_reader *reader, enum berth_code code,
                                     struct berth_error *err)
{
    const struct berth_port_range all = {1, UINT16_MAX};
    struct claims *list = &reader->lists[BERTH_TCP_PART_CONNECTIONS];
    uint16_t port;

    while (berth_port_set_next(&reader->tallied, all, &port)) {
        struct tally *tally = &reader->tallies[port];
        if (code == BERTH_OK) {
            code = claim_tally(list, port, BERTH_CLAIM_CONNECTION, tally->connections, err);
        }
        if (code == BERTH_OK) {
            code = claim_tally(list, port, BERTH_CLAIM_TIME_WAIT, tally->time_waits, err);
        }
        *tally = (struct tally){0};
        (void)berth_port_set_remove(&reader->tallied, port);
    }
    return code;
}

/* ---- tables ---- */

/* Makes room for what the system wants and some more, as the table grows meanwhile. */
static enum berth_code grow_buffer(struct berth_tcp_reader *reader, uint32_t wanted,
                                   struct berth_error *err)
{
    size_t slack = wanted / 4 > SLACK_MIN ? wanted / 4 : SLACK_MIN;
    size_t size = (size_t)wanted + slack;
    void *buffer;

    if (wanted > BERTH_TCP_TABLE_BYTES_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "the TCP table has %u bytes; %u are accepted",
                          wanted, BERTH_TCP_TABLE_BYTES_MAX);
    }
    if (size <= reader->buffer_size) {
        /* it asks for less than it had: it must get more than last time all the same */
        size = reader->buffer_size + slack;
    }
    buffer = berth_resize(reader->buffer, size, 1);
    if (buffer == NULL) {
        return berth_fail_memory(err, "the TCP table");
    }
    reader->buffer = buffer;
    reader->buffer_size = size;
    return BERTH_OK;
}

static bool is_family_missing(enum berth_tcp_rows_table table, uint32_t result)
{
    bool ipv6 = table == BERTH_TCP_ROWS_LISTENERS6 || table == BERTH_TCP_ROWS_ALL6 ||
                table == BERTH_TCP_ROWS_BOUND6;

    return ipv6 && (result == NOT_SUPPORTED || result == NO_DATA);
}

/* Gets a whole table into the buffer. `*size` 0: there is no such family. */
static enum berth_code get_table(struct berth_tcp_reader *reader, enum berth_tcp_rows_table table,
                                 uint32_t *size, struct berth_error *err)
{
    uint32_t result = INSUFFICIENT_BUFFER;

    for (unsigned tries = 0; tries < BERTH_TCP_TRIES_MAX; tries++) {
        *size = (uint32_t)reader->buffer_size;
        result = reader->calls.table(reader->calls.context, table, reader->buffer, size);
        if (result == 0) {
            *size = *size < reader->buffer_size ? *size : (uint32_t)reader->buffer_size;
            return BERTH_OK;
        }
        if (is_family_missing(table, result)) {
            *size = 0;
            return BERTH_OK;
        }
        if (result != INSUFFICIENT_BUFFER && result != STATUS_UNSUCCESSFUL) {
            break;
        }
        if (result == INSUFFICIENT_BUFFER) {
            enum berth_code code = grow_buffer(reader, *size, err);
            if (code != BERTH_OK) {
                return code;
            }
        }
    }
    if (result == INSUFFICIENT_BUFFER) {
        return berth_fail(err, BERTH_UNSTABLE, (int)result,
                          "the TCP table grew faster than it could be read, %u times in a row",
                          BERTH_TCP_TRIES_MAX);
    }
    return berth_fail(err, BERTH_IO, (int)result, "Windows gives no TCP table: code 0x%x", result);
}

typedef enum berth_code take_row(void *context, const struct berth_tcp_row *row,
                                 struct berth_error *err);

static enum berth_code read_table(struct berth_tcp_reader *reader, enum berth_tcp_rows_table table,
                                  take_row *take, struct berth_error *err)
{
    uint32_t size;
    enum berth_code code = get_table(reader, table, &size, err);

    if (code == BERTH_OK && size != 0) {
        /* Windows may leave `size` at what was offered; the rows are counted in the table itself */
        code = berth_tcp_rows_read(table, reader->buffer, size, take, reader, err);
    }
    return code;
}

/* Which tables a part is read from. */
static const enum berth_tcp_rows_table part_tables[BERTH_TCP_PART_COUNT][2] = {
    [BERTH_TCP_PART_LISTENERS] = {BERTH_TCP_ROWS_LISTENERS4, BERTH_TCP_ROWS_LISTENERS6},
    [BERTH_TCP_PART_BOUND] = {BERTH_TCP_ROWS_BOUND4, BERTH_TCP_ROWS_BOUND6},
    [BERTH_TCP_PART_CONNECTIONS] = {BERTH_TCP_ROWS_ALL4, BERTH_TCP_ROWS_ALL6},
};

static enum berth_code prepare_tallies(struct berth_tcp_reader *reader, struct berth_error *err)
{
    if (reader->tallies == NULL) {
        reader->tallies = berth_alloc(TALLY_COUNT, sizeof *reader->tallies);
        if (reader->tallies == NULL) {
            return berth_fail_memory(err, "the tallies of connections");
        }
    }
    return BERTH_OK;
}

static enum berth_code read_part(struct berth_tcp_reader *reader, enum berth_tcp_part part,
                                 struct berth_error *err)
{
    bool connections = part == BERTH_TCP_PART_CONNECTIONS;
    enum berth_code code = connections ? prepare_tallies(reader, err) : BERTH_OK;

    reader->part = part;
    reader->lists[part].count = 0;
    for (size_t i = 0; i < 2 && code == BERTH_OK; i++) {
        code = read_table(reader, part_tables[part][i], connections ? take_connection : take_socket,
                          err);
    }
    if (connections) {
        return claim_tallies(reader, code, err);
    }
    if (code == BERTH_OK) {
        reader->lists[part].count =
            berth_claims_merge(reader->lists[part].items, reader->lists[part].count);
    }
    return code;
}

static void begin_read(struct berth_tcp_reader *reader)
{
    reader->read_number++;
    if (reader->read_number == 0) {
        reader->read_number = 1; /* 0 is that of no read */
    }
    reader->opens = 0;
    reader->owners_ns = 0;
    reader->started_ticks = reader->calls.now_ticks(reader->calls.context);
}

enum berth_code berth_tcp_reader_read(struct berth_tcp_reader *reader, unsigned scopes,
                                      struct berth_tcp_claims *out, struct berth_error *err)
{
    static const enum berth_tcp_part order[] = {BERTH_TCP_PART_BOUND, BERTH_TCP_PART_LISTENERS,
                                                BERTH_TCP_PART_CONNECTIONS};
    const unsigned owners = BERTH_TCP_LISTENERS | BERTH_TCP_BOUND;
    struct berth_tcp_claims claims = {0};
    enum berth_code code = BERTH_OK;

    begin_read(reader);
    for (size_t i = 0; i < BERTH_COUNT(order) && code == BERTH_OK; i++) {
        enum berth_tcp_part part = order[i];
        bool asked = (scopes & 1u << part) != 0;
        if (!asked || (part == BERTH_TCP_PART_BOUND && !reader->calls.lists_bound)) {
            continue;
        }
        uint64_t start = reader->calls.now_ns(reader->calls.context);
        code = read_part(reader, part, err);
        claims.parts[part] = (struct berth_tcp_list){
            .claims = reader->lists[part].items,
            .count = reader->lists[part].count,
            .duration_ns = reader->calls.now_ns(reader->calls.context) - start,
        };
    }
    claims.owners_ns = reader->owners_ns;
    /* whoever is missing from a part that was not read may be in that */
    if (code == BERTH_OK && (scopes & owners) == owners) {
        forget_processes(reader);
    }
    if (code == BERTH_OK) {
        *out = claims;
    }
    return code;
}

/* ---- open and close ---- */

enum berth_code berth_tcp_reader_open(struct berth_tcp_reader **out,
                                      const struct berth_tcp_calls *calls, struct berth_error *err)
{
    struct berth_tcp_reader *reader = berth_alloc(1, sizeof *reader);
    void *buffer = berth_resize(NULL, BUFFER_AT_FIRST, 1);

    if (reader == NULL || buffer == NULL) {
        berth_free(reader);
        berth_free(buffer);
        return berth_fail_memory(err, "the TCP table");
    }
    reader->calls = *calls;
    reader->buffer = buffer;
    reader->buffer_size = BUFFER_AT_FIRST;
    berth_port_set_init(&reader->tallied);
    *out = reader;
    return BERTH_OK;
}

void berth_tcp_reader_close(struct berth_tcp_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    for (size_t i = 0; i < reader->process_count; i++) {
        close_handle(reader, reader->processes[i]);
        berth_free(reader->processes[i]);
    }
    for (size_t i = 0; i < BERTH_TCP_PART_COUNT; i++) {
        berth_free(reader->lists[i].items);
    }
    berth_free(reader->processes);
    berth_free(reader->tallies);
    berth_free(reader->buffer);
    berth_free(reader);
}
