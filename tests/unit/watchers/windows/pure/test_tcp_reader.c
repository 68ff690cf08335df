/* SPDX-License-Identifier: MIT */
/* The reader on tables of every shape and on a system that fails in every way known. */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "tcp_payload.h"
#include "watchers/windows/tcp_reader.h"

#include <stdio.h>
#include <stdlib.h>

#define OWN 1000u
#define ROWS_MAX 8
#define START_TICKS 1000000u
#define PROCESSES_MAX 600

struct fake_process {
    uint32_t id;
    uint64_t created;
    const char *image; /* NULL: may be opened, but has no name */
};

static struct {
    struct tcp_payload_row rows[BERTH_TCP_ROWS_TABLE_COUNT][ROWS_MAX];
    uint32_t counts[BERTH_TCP_ROWS_TABLE_COUNT];
    struct tcp_payload_row *many; /* instead of LISTENERS4 */
    uint32_t many_count;
    uint32_t results[32]; /* of the next calls; 0: as it is */
    unsigned result_count;
    unsigned calls;
    uint32_t always;  /* every call fails with that */
    unsigned growing; /* calls that want more room each time */
    uint32_t wanted;  /* what a failing call wants */
    struct fake_process processes[PROCESSES_MAX];
    size_t process_count;
    unsigned open; /* handles */
    unsigned opens;
    uint64_t now_ticks;
} os;

static uint32_t fake_table(void *context, enum berth_tcp_rows_table table, void *buffer,
                           uint32_t *size)
{
    static unsigned char bytes[1u << 18];
    bool many = os.many != NULL && table == BERTH_TCP_ROWS_LISTENERS4;
    uint32_t result = os.always;

    assert_ptr_equal(context, &os);
    if (os.calls < os.result_count) {
        result = os.results[os.calls];
    }
    os.calls++;
    if (os.growing > 0) {
        os.growing--;
        os.wanted = *size + 1;
        result = 122;
    }
    if (result != 0) {
        *size = result == 122 ? os.wanted : *size;
        return result;
    }
    size_t filled = tcp_payload_write(bytes, table, many ? os.many : os.rows[table],
                                      many ? os.many_count : os.counts[table]);
    if (filled > *size) {
        *size = (uint32_t)filled;
        return 122;
    }
    memcpy(buffer, bytes, filled);
    return 0; /* and *size stays what was offered, as Windows may leave it */
}

static void *fake_open(void *context, uint32_t process_id, uint64_t *created_ticks)
{
    (void)context;
    os.opens++;
    for (size_t i = 0; i < os.process_count; i++) {
        if (os.processes[i].id == process_id) {
            os.open++;
            *created_ticks = os.processes[i].created;
            return &os.processes[i];
        }
    }
    return NULL;
}

static bool fake_image(void *context, void *process, char *out, size_t size)
{
    const struct fake_process *of = process;

    (void)context;
    (void)snprintf(out, size, "%s", of->image != NULL ? of->image : "");
    return of->image != NULL;
}

static void fake_close(void *context, void *process)
{
    (void)context;
    (void)process;
    assert_true(os.open > 0);
    os.open--;
}

static uint64_t fake_ticks(void *context)
{
    (void)context;
    return os.now_ticks;
}

static uint64_t fake_ns(void *context)
{
    static uint64_t now;

    (void)context;
    return now += 10;
}

static struct berth_tcp_reader *open_reader(bool lists_bound)
{
    const struct berth_tcp_calls calls = {.table = fake_table,
                                          .open_process = fake_open,
                                          .image = fake_image,
                                          .close_process = fake_close,
                                          .now_ticks = fake_ticks,
                                          .now_ns = fake_ns,
                                          .context = &os,
                                          .own_process_id = OWN,
                                          .lists_bound = lists_bound};
    struct berth_tcp_reader *reader = NULL;
    struct berth_error err;

    assert_ok(berth_tcp_reader_open(&reader, &calls, &err), &err);
    return reader;
}

static void close_reader(struct berth_tcp_reader *reader)
{
    berth_tcp_reader_close(reader);
    assert_int_equal(os.open, 0);
}

static int reset(void **state)
{
    (void)state;
    memset(&os, 0, sizeof os);
    os.now_ticks = START_TICKS;
    return 0;
}

static void add_row(enum berth_tcp_rows_table table, struct tcp_payload_row row)
{
    assert_true(os.counts[table] < ROWS_MAX);
    os.rows[table][os.counts[table]++] = row;
}

static void add_process(uint32_t id, uint64_t created, const char *image)
{
    os.processes[os.process_count++] = (struct fake_process){id, created, image};
}

/* Writes the claims of a part: "80 10.0.0.5 kind pid holder xN" a line. */
static const char *shown(const struct berth_tcp_claims *claims, enum berth_tcp_part part)
{
    static char text[2048];
    char address[BERTH_ADDRESS_TEXT_MAX];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < claims->parts[part].count; i++) {
        const struct berth_claim *claim = &claims->parts[part].claims[i];
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%u %s %s %d %s x%u\n", (unsigned)claim->port,
            berth_address_format(address, sizeof address, &claim->address),
            berth_claim_kind_name((enum berth_claim_kind)claim->kind), (int)claim->process_id,
            claim->holder != NULL ? claim->holder : "-", (unsigned)claim->count);
        assert_int_equal(claim->user_id, BERTH_ID_NONE);
        assert_int_equal(claim->protocol, BERTH_PROTOCOL_TCP);
    }
    return text;
}

static void assert_read(struct berth_tcp_reader *reader, unsigned scopes, const char *listeners,
                        const char *bound, const char *connections)
{
    struct berth_tcp_claims claims;
    struct berth_error err;

    assert_ok(berth_tcp_reader_read(reader, scopes, &claims, &err), &err);
    assert_string_equal(shown(&claims, BERTH_TCP_PART_LISTENERS), listeners);
    assert_string_equal(shown(&claims, BERTH_TCP_PART_BOUND), bound);
    assert_string_equal(shown(&claims, BERTH_TCP_PART_CONNECTIONS), connections);
}

static void fill_world(void)
{
    add_process(20, 5, "java.exe");
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 8080, 2, 20, 10, 0});
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{127, 0, 0, 1}, 80, 2, 20, 10, 0});
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 8080, 2, 20, 11, 0});
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 81, 2, OWN, 10, 0});
    add_row(BERTH_TCP_ROWS_LISTENERS6, (struct tcp_payload_row){{0}, 8080, 2, 20, 10, 0});
    add_row(BERTH_TCP_ROWS_BOUND4, (struct tcp_payload_row){{0}, 9000, 100, 20, 0, 0});
    add_row(BERTH_TCP_ROWS_BOUND6, (struct tcp_payload_row){{[15] = 1}, 9001, 100, 21, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL4, (struct tcp_payload_row){{0}, 8080, 2, 20, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL4, (struct tcp_payload_row){{0}, 8080, 5, 20, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL4, (struct tcp_payload_row){{0}, 8080, 11, 0, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL4, (struct tcp_payload_row){{0}, 50000, 3, 20, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL4, (struct tcp_payload_row){{0}, 50001, 5, OWN, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL4, (struct tcp_payload_row){{0}, 0, 1, 20, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL6, (struct tcp_payload_row){{0}, 8080, 8, 20, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL6, (struct tcp_payload_row){{0}, 65535, 12, 20, 0, 0});
}

#define LISTENERS                                                                                  \
    "80 127.0.0.1 listener 20 java.exe x1\n8080 0.0.0.0 listener 20 java.exe x2\n8080 [::] "       \
    "listener 20 java.exe x1\n"
#define BOUND "9000 0.0.0.0 bound 20 java.exe x1\n9001 [::1] bound 21 - x1\n"
#define CONNECTIONS                                                                                \
    "8080 * connection -1 - x2\n8080 * time_wait -1 - x1\n50000 * connection -1 - x1\n"            \
    "65535 * connection -1 - x1\n"

static void read__of_each_scope__gives_its_claims(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);

    (void)state;
    fill_world();
    assert_read(reader, BERTH_TCP_EVERYTHING, LISTENERS, BOUND, CONNECTIONS);
    assert_read(reader, BERTH_TCP_LISTENERS, LISTENERS, "", "");
    assert_read(reader, BERTH_TCP_BOUND, "", BOUND, "");
    assert_read(reader, BERTH_TCP_CONNECTIONS, "", "", CONNECTIONS);
    close_reader(reader);
}

static void read__without_the_undocumented_tables__lists_no_bound_ones(void **state)
{
    struct berth_tcp_reader *reader = open_reader(false);

    (void)state;
    fill_world();
    /* a bound socket in the table of everything holds its port all the same */
    add_row(BERTH_TCP_ROWS_ALL6, (struct tcp_payload_row){{0}, 9000, 100, 20, 0, 0});
    add_row(BERTH_TCP_ROWS_ALL6, (struct tcp_payload_row){{0}, 9001, 1, 20, 0, 0});
    assert_read(reader, BERTH_TCP_EVERYTHING, LISTENERS, "",
                "8080 * connection -1 - x2\n8080 * time_wait -1 - x1\n9000 * connection -1 - x1\n"
                "9001 * connection -1 - x1\n50000 * connection -1 - x1\n"
                "65535 * connection -1 - x1\n");
    close_reader(reader);
}

static void listener__of_the_kernel__is_http_sys_s_but_for_smb_and_nfs(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);

    (void)state;
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 80, 2, 4, 10, 0});
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 445, 2, 4, 10, 0});
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 5000, 2, 0, 10, 0});
    assert_read(reader, BERTH_TCP_LISTENERS,
                "80 0.0.0.0 listener 4 http.sys x1\n445 0.0.0.0 listener 4 System x1\n"
                "5000 0.0.0.0 listener -1 - x1\n",
                "", "");
    assert_int_equal(os.opens, 0); /* nobody may open the kernel */
    close_reader(reader);
}

/* ---- processes ---- */

static void process__in_the_table__is_opened_once_and_kept(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);

    (void)state;
    fill_world();
    for (int i = 0; i < 10; i++) {
        assert_read(reader, BERTH_TCP_LISTENERS | BERTH_TCP_BOUND, LISTENERS, BOUND, "");
        assert_int_equal(os.open, 1);
    }
    assert_int_equal(os.opens,
                     2); /* the other one could not be opened, and is not tried each time */
    os.counts[BERTH_TCP_ROWS_LISTENERS4] = 0;
    os.counts[BERTH_TCP_ROWS_LISTENERS6] = 0;
    os.counts[BERTH_TCP_ROWS_BOUND4] = 0;
    assert_read(reader, BERTH_TCP_LISTENERS, "", "", "");
    assert_int_equal(os.open, 1); /* it may still have bound sockets */
    assert_read(reader, BERTH_TCP_LISTENERS | BERTH_TCP_BOUND, "", "9001 [::1] bound 21 - x1\n",
                "");
    assert_int_equal(os.open, 0);
    close_reader(reader);
}

static void process__that_could_not_be_opened__is_tried_again_later(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);
    struct berth_tcp_claims claims;

    (void)state;
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 80, 2, 30, 10, 0});
    assert_read(reader, BERTH_TCP_LISTENERS, "80 0.0.0.0 listener 30 - x1\n", "", "");
    add_process(30, 5, "node.exe");
    for (int i = 0; i < 63; i++) {
        assert_code(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, NULL), BERTH_OK);
    }
    assert_int_equal(os.opens, 1);
    assert_read(reader, BERTH_TCP_LISTENERS, "80 0.0.0.0 listener 30 node.exe x1\n", "", "");
    assert_int_equal(os.opens, 2);
    close_reader(reader);
}

static void process__without_a_name__is_not_kept_open(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);

    (void)state;
    add_process(30, 5, NULL);
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 80, 2, 30, 10, 0});
    assert_read(reader, BERTH_TCP_LISTENERS, "80 0.0.0.0 listener 30 - x1\n", "", "");
    assert_int_equal(os.open, 0);
    close_reader(reader);
}

static void process__younger_than_its_socket__is_another_one(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);

    (void)state;
    add_process(30, 50, "late.exe");
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 80, 2, 30, 49, 0});
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 81, 2, 30, 50, 0});
    add_row(BERTH_TCP_ROWS_LISTENERS4, (struct tcp_payload_row){{0}, 82, 2, 30, 0, 0});
    assert_read(reader, BERTH_TCP_LISTENERS,
                "80 0.0.0.0 listener 30 - x1\n81 0.0.0.0 listener 30 late.exe x1\n"
                "82 0.0.0.0 listener 30 late.exe x1\n",
                "", "");
    close_reader(reader);
}

static void process__started_since_the_table_was_read__is_believed_by_the_next(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);

    (void)state;
    add_process(30, START_TICKS + 1, "new.exe");
    add_row(BERTH_TCP_ROWS_BOUND4, (struct tcp_payload_row){{0}, 80, 100, 30, 0, 0});
    assert_read(reader, BERTH_TCP_BOUND, "", "80 0.0.0.0 bound 30 - x1\n", "");
    assert_int_equal(os.open, 0);
    os.now_ticks = START_TICKS + 2;
    assert_read(reader, BERTH_TCP_BOUND, "", "80 0.0.0.0 bound 30 new.exe x1\n", "");
    close_reader(reader);
}

static void processes__more_than_a_read_opens__become_known_read_by_read(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);
    const unsigned expected[] = {BERTH_TCP_OPENS_MAX, 2 * BERTH_TCP_OPENS_MAX, PROCESSES_MAX};
    struct berth_tcp_claims claims;
    struct berth_error err;

    (void)state;
    os.many = calloc(PROCESSES_MAX, sizeof *os.many);
    os.many_count = PROCESSES_MAX;
    assert_non_null(os.many);
    for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
        /* not in order, as they come */
        uint32_t id = 10000 + (i * 7919) % PROCESSES_MAX;
        add_process(id, 1, "many.exe");
        os.many[i] = (struct tcp_payload_row){{0}, (uint16_t)(1000 + i), 2, id, 10, 0};
    }
    for (size_t read = 0; read < BERTH_COUNT(expected); read++) {
        unsigned known = 0;
        assert_ok(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, &err), &err);
        for (size_t i = 0; i < claims.parts[BERTH_TCP_PART_LISTENERS].count; i++) {
            known += claims.parts[BERTH_TCP_PART_LISTENERS].claims[i].holder != NULL;
        }
        assert_int_equal(known, expected[read]);
    }
    free(os.many);
    os.many = NULL;
    close_reader(reader);
}

/* ---- failures ---- */

static void set_results(unsigned count, uint32_t result, uint32_t wanted)
{
    os.calls = 0;
    os.result_count = count;
    os.wanted = wanted;
    for (unsigned i = 0; i < count; i++) {
        os.results[i] = result;
    }
}

static void table__larger_than_the_buffer__is_asked_for_again(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);
    struct berth_tcp_claims claims;
    struct berth_error err;

    (void)state;
    os.many = calloc(500, sizeof *os.many);
    os.many_count = 500;
    assert_non_null(os.many);
    for (uint32_t i = 0; i < 500; i++) {
        os.many[i] = (struct tcp_payload_row){{0}, (uint16_t)(1000 + i), 2, 4, 10, 0};
    }
    assert_ok(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, &err), &err);
    assert_int_equal(claims.parts[BERTH_TCP_PART_LISTENERS].count, 500);
    unsigned calls = os.calls;
    assert_ok(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, &err), &err);
    assert_int_equal(os.calls - calls, 2); /* the buffer is kept, with room to spare */
    free(os.many);
    os.many = NULL;
    close_reader(reader);
}

static void table__that_grows_with_each_try__is_followed_and_then_unstable(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);
    struct berth_tcp_claims claims;
    struct berth_error err;

    (void)state;
    fill_world();
    os.growing = BERTH_TCP_TRIES_MAX - 1;
    assert_read(reader, BERTH_TCP_LISTENERS, LISTENERS, "", "");
    os.growing = BERTH_TCP_TRIES_MAX;
    assert_code(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, &err), BERTH_UNSTABLE);
    assert_int_equal(os.growing, 0);
    assert_read(reader, BERTH_TCP_LISTENERS, LISTENERS, "", "");
    close_reader(reader);
}

static void table__that_wants_less_than_it_had__gets_more_all_the_same(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);

    (void)state;
    fill_world();
    set_results(3, 122, 10);
    assert_read(reader, BERTH_TCP_LISTENERS, LISTENERS, "", "");
    close_reader(reader);
}

static void table__unsuccessful_for_a_while__is_tried_again(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);
    struct berth_tcp_claims claims;
    struct berth_error err;

    (void)state;
    fill_world();
    set_results(BERTH_TCP_TRIES_MAX - 1, 0xC0000001u, 0);
    assert_read(reader, BERTH_TCP_LISTENERS, LISTENERS, "", "");
    set_results(BERTH_TCP_TRIES_MAX, 0xC0000001u, 0);
    assert_code(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "0xc0000001"));
    close_reader(reader);
}

static void table__refused__fails_at_once(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);
    struct berth_tcp_claims claims;
    struct berth_error err;

    (void)state;
    set_results(1, 5, 0);
    assert_code(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, &err), BERTH_IO);
    assert_int_equal(err.os_code, 5);
    assert_int_equal(os.calls, 1);
    /* a system without IPv4 is none that Berth knows */
    set_results(1, 50, 0);
    assert_code(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, &err), BERTH_IO);
    close_reader(reader);
}

static void table__of_ipv6_missing__leaves_ipv4(void **state)
{
    static const uint32_t codes[] = {50, 232};
    struct berth_tcp_reader *reader = open_reader(true);

    (void)state;
    fill_world();
    for (size_t i = 0; i < BERTH_COUNT(codes); i++) {
        set_results(2, codes[i], 0);
        os.results[0] = 0;
        assert_read(reader, BERTH_TCP_LISTENERS,
                    "80 127.0.0.1 listener 20 java.exe x1\n8080 0.0.0.0 listener 20 java.exe x2\n",
                    "", "");
    }
    close_reader(reader);
}

static void table__beyond_the_ceiling__is_too_large(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);
    struct berth_tcp_claims claims;
    struct berth_error err;

    (void)state;
    set_results(1, 122, BERTH_TCP_TABLE_BYTES_MAX + 1);
    assert_code(berth_tcp_reader_read(reader, BERTH_TCP_LISTENERS, &claims, &err), BERTH_TOO_LARGE);
    close_reader(reader);
}

static void connections__failing_half_way__leave_no_tallies(void **state)
{
    struct berth_tcp_reader *reader = open_reader(true);
    struct berth_tcp_claims claims;
    struct berth_error err;

    (void)state;
    fill_world();
    set_results(2, 5, 0);
    os.results[0] = 0; /* IPv4 is read, IPv6 is not */
    assert_code(berth_tcp_reader_read(reader, BERTH_TCP_CONNECTIONS, &claims, &err), BERTH_IO);
    assert_read(reader, BERTH_TCP_CONNECTIONS, "", "", CONNECTIONS);
    close_reader(reader);
}

static void read__memory_fails_at_any_point__is_an_error_or_whole(void **state)
{
    bool failed = true;

    (void)state;
    fill_world();
    for (size_t at = 1; failed; at++) {
        const struct berth_tcp_calls calls = {.table = fake_table,
                                              .open_process = fake_open,
                                              .image = fake_image,
                                              .close_process = fake_close,
                                              .now_ticks = fake_ticks,
                                              .now_ns = fake_ns,
                                              .context = &os,
                                              .own_process_id = OWN,
                                              .lists_bound = true};
        struct berth_tcp_reader *reader = NULL;
        struct berth_tcp_claims claims;
        struct berth_error err = {0};
        size_t live = 0;

        memory_faults_begin(at, false);
        enum berth_code code = berth_tcp_reader_open(&reader, &calls, &err);
        if (code == BERTH_OK) {
            code = berth_tcp_reader_read(reader, BERTH_TCP_EVERYTHING, &claims, &err);
        }
        if (code == BERTH_OK) {
            /* without memory a name may be missing, never a socket */
            assert_int_equal(claims.parts[BERTH_TCP_PART_LISTENERS].count, 3);
            assert_int_equal(claims.parts[BERTH_TCP_PART_BOUND].count, 2);
            assert_int_equal(claims.parts[BERTH_TCP_PART_CONNECTIONS].count, 4);
        } else {
            assert_code(code, BERTH_NO_MEMORY);
        }
        berth_tcp_reader_close(reader);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_int_equal(os.open, 0);
    }
}

int main(void)
{
#define ON_FAKE(test) cmocka_unit_test_setup(test, reset)
    const struct CMUnitTest tests[] = {
        ON_FAKE(read__of_each_scope__gives_its_claims),
        ON_FAKE(read__without_the_undocumented_tables__lists_no_bound_ones),
        ON_FAKE(listener__of_the_kernel__is_http_sys_s_but_for_smb_and_nfs),
        ON_FAKE(process__in_the_table__is_opened_once_and_kept),
        ON_FAKE(process__that_could_not_be_opened__is_tried_again_later),
        ON_FAKE(process__without_a_name__is_not_kept_open),
        ON_FAKE(process__younger_than_its_socket__is_another_one),
        ON_FAKE(process__started_since_the_table_was_read__is_believed_by_the_next),
        ON_FAKE(processes__more_than_a_read_opens__become_known_read_by_read),
        ON_FAKE(table__larger_than_the_buffer__is_asked_for_again),
        ON_FAKE(table__that_grows_with_each_try__is_followed_and_then_unstable),
        ON_FAKE(table__that_wants_less_than_it_had__gets_more_all_the_same),
        ON_FAKE(table__unsuccessful_for_a_while__is_tried_again),
        ON_FAKE(table__refused__fails_at_once),
        ON_FAKE(table__of_ipv6_missing__leaves_ipv4),
        ON_FAKE(table__beyond_the_ceiling__is_too_large),
        ON_FAKE(connections__failing_half_way__leave_no_tallies),
        ON_FAKE(read__memory_fails_at_any_point__is_an_error_or_whole),
    };
#undef ON_FAKE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
