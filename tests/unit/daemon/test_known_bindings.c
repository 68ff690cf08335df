/* SPDX-License-Identifier: MIT */
#include "daemon/known_bindings.h"

#include "memory_faults.h"
#include "methods_case.h"
#include "temp_dir.h"
#include "watchers/file_read.h"

#include <stdlib.h>

static struct berth_text text;

static int setup(void **state)
{
    struct memory_service *memory;
    struct berth_error err;

    if (memory_service_make(&memory, &err) != BERTH_OK) {
        return -1;
    }
    memory->now.ms = 1000;
    *state = memory;
    berth_text_init(&text, BERTH_KNOWN_BINDINGS_MAX);
    return 0;
}

static int teardown(void **state)
{
    memory_service_free(*state);
    berth_text_fini(&text);
    return 0;
}

static void see(struct memory_service *memory, const struct berth_claim *claims, size_t count)
{
    struct berth_error err;

    assert_ok(berth_allocator_report(memory->service.allocator, memory->iis, 0, claims, count,
                                     memory->now, &err),
              &err);
}

/* Bindings of each form. */
static size_t bindings(struct berth_claim out[4])
{
    out[0] = berth_claim_make(49001, BERTH_CLAIM_BINDING);
    out[0].protocol = BERTH_PROTOCOL_HTTPS;
    out[0].flags = BERTH_CLAIM_STOPPED | BERTH_CLAIM_SNI;
    out[0].holder = "Sh\xC3\xB6p = 1";
    out[0].host = "";
    out[0].detail = "*:49001:";
    out[1] = berth_claim_make(49002, BERTH_CLAIM_FTP_DATA);
    out[2] = berth_claim_make(49003, BERTH_CLAIM_BINDING);
    out[2].address = (struct berth_address){
        .family = BERTH_FAMILY_IPV6, .bytes = {0xFE, 0x80, [15] = 0xA1}, .scope = 4000000000u};
    out[2].count = 3;
    out[2].protocol = BERTH_PROTOCOL_OTHER;
    out[3] = out[2];
    out[3].host = "b.example";
    return 4;
}

static void write_and_read__bindings_of_each_form__are_the_same(void **state)
{
    struct memory_service *memory = *state;
    struct berth_allocator *allocator = memory->service.allocator;
    struct berth_claim claims[4];
    struct berth_text again;
    void *other = NULL;

    see(memory, claims, bindings(claims));
    berth_known_bindings_write(&text, allocator, memory->now);
    assert_int_equal(text.failed, BERTH_OK);
    char *copy = malloc(text.length + 1);
    assert_non_null(copy);
    memcpy(copy, text.data, text.length + 1);
    /* the source here has delivered: nothing is to be recalled */
    assert_int_equal(berth_known_bindings_read(allocator, copy, memory->now), 0);

    berth_text_init(&again, BERTH_KNOWN_BINDINGS_MAX);
    berth_text_puts(&again, berth_text_string(&text));
    berth_text_fini(&text); /* the set-up begins a new one */
    assert_int_equal(setup(&other), 0);
    struct memory_service *fresh = other;
    assert_int_equal(berth_known_bindings_read(fresh->service.allocator, again.data, fresh->now),
                     4);
    berth_text_clear(&again);
    berth_known_bindings_write(&again, fresh->service.allocator, fresh->now);
    assert_true(again.length > 200);
    berth_known_bindings_write(&text, allocator, memory->now);
    assert_string_equal(again.data, text.data);
    berth_text_fini(&again);
    free(copy);
    memory_service_free(fresh);
}

/* The first snapshot decides: it confirms, or lets linger. */
static void read__then_a_snapshot_without_one__it_lingers(void **state)
{
    struct memory_service *memory = *state;
    char file[] = "berth known bindings 1\nsource\t=applicationHost.config\n"
                  "binding\t49001\thttp\t0\t*\t1\t0\t=A\t\t\n"
                  "binding\t49002\thttp\t0\t*\t1\t0\t=B\t\t\n";
    struct berth_claim claim = berth_claim_make(49001, BERTH_CLAIM_BINDING);

    claim.protocol = BERTH_PROTOCOL_HTTP;
    claim.holder = "A";
    assert_int_equal(berth_known_bindings_read(memory->service.allocator, file, memory->now), 2);
    see(memory, &claim, 1);
    json_t *who = method_done(memory, BERTH_ROLE_ADMIN, "who", "{\"port\":49001}");
    const json_t *first = json_array_get(json_object_get(who, "claims"), 0);
    assert_null(json_object_get(first, "lingering"));
    json_decref(who);
    who = method_done(memory, BERTH_ROLE_ADMIN, "who", "{\"port\":49002}");
    first = json_array_get(json_object_get(who, "claims"), 0);
    assert_true(json_is_true(json_object_get(first, "lingering")));
    json_decref(who);
}

/* Each cut-off file is read up to where it ends, and each damaged byte does no harm. */
static void read__damaged_in_each_way__takes_what_is_whole(void **state)
{
    struct memory_service *memory = *state;
    struct berth_claim claims[4];
    size_t most = 0;

    see(memory, claims, bindings(claims));
    berth_known_bindings_write(&text, memory->service.allocator, memory->now);
    for (size_t i = 0; i < 2 * text.length; i++) {
        struct memory_service *fresh;
        struct berth_error err;
        char *copy = malloc(text.length + 1);
        assert_non_null(copy);
        memcpy(copy, text.data, text.length + 1);
        if (i < text.length) {
            copy[i] = '\0';
        } else {
            copy[i - text.length] ^= 0x11;
        }
        assert_ok(memory_service_make(&fresh, &err), &err);
        size_t count = berth_known_bindings_read(fresh->service.allocator, copy, fresh->now);
        assert_true(count <= 4);
        most = count > most ? count : most;
        memory_service_free(fresh);
        free(copy);
    }
    assert_int_equal(most, 4); /* some bytes do not matter */
}

static void read__what_only_lingered__lingers_anew_unless_a_lease_was_there(void **state)
{
    struct memory_service *memory = *state;
    char file[400];

    /* that it ended by the clock on the wall says nothing: the file may have been unreadable */
    (void)snprintf(file, sizeof file,
                   "berth known bindings 1\nsource\t=applicationHost.config\nbinding\t49001\t"
                   "http\t0\t*\t1\t%lld\t=A\t\t\n",
                   (long long)memory->now.unix_ms - 1);
    assert_int_equal(berth_known_bindings_read(memory->service.allocator, file, memory->now), 1);
}

static void read__a_port_with_a_lease__is_left_to_the_lease(void **state)
{
    struct memory_service *memory = *state;
    char file[] = "berth known bindings 1\nsource\t=applicationHost.config\n"
                  "binding\t49001\thttp\t0\t*\t1\t0\t=A\t\t\n";

    see(memory, NULL, 0);
    (void)berth_allocator_report_state(memory->service.allocator, memory->iis, BERTH_STATE_READY,
                                       NULL, memory->now);
    json_decref(
        method_done(memory, BERTH_ROLE_ADMIN, "allocate", "{\"port\":49001,\"key\":\"k\"}"));
    /* as at a start: the lease is there, the source has delivered nothing */
    memory->service.allocator->sources.at[memory->iis].snapshot_ms = 0;
    assert_int_equal(berth_known_bindings_read(memory->service.allocator, file, memory->now), 0);
}

static void create__each_allocation_fails__is_an_error_without_a_leak(void **state)
{
    struct memory_service *memory = *state;
    bool failed = true;

    for (size_t n = 1; failed; n++) {
        struct berth_known_bindings *known = NULL;
        struct berth_error err;
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code =
            berth_known_bindings_create(&known, NULL, "folder", memory->service.allocator, &err);
        berth_known_bindings_close(known, memory->now); /* no source has delivered: no file */
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
}

/* Without memory for all that is known, the file of before stays. */
static void tick__each_allocation_fails__is_tried_again(void **state)
{
    struct memory_service *memory = *state;
    char *folder = temp_dir_make();
    struct berth_claim claims[4];
    struct berth_error err;
    uv_loop_t loop;
    bool failed = true;

    assert_int_equal(uv_loop_init(&loop), 0);
    see(memory, claims, bindings(claims));
    for (size_t n = 1; failed; n++) {
        struct berth_known_bindings *known;
        struct berth_file file;
        size_t live;
        assert_ok(
            berth_known_bindings_create(&known, &loop, folder, memory->service.allocator, &err),
            &err);
        memory_faults_begin(n, false);
        berth_known_bindings_tick(known, memory->now);
        (void)uv_run(&loop, UV_RUN_DEFAULT);
        failed = memory_faults_end(&live);
        berth_known_bindings_close(known, memory->now); /* writes it, if it was not */
        assert_ok(berth_file_read(&file, temp_path(folder, BERTH_KNOWN_BINDINGS_FILE), 10000, &err),
                  &err);
        assert_non_null(strstr(file.bytes, "49003"));
        berth_file_fini(&file);
        remove_file(temp_path(folder, BERTH_KNOWN_BINDINGS_FILE));
    }
    assert_int_equal(uv_loop_close(&loop), 0);
    temp_dir_remove(folder);
}

/* ---- a text in parts ---- */

#define MANY 3000 /* of which a part takes 1,024 */

struct parts {
    uv_loop_t loop;
    char *folder;
    struct berth_known_bindings *known;
};

/* @param[in] per_port  how many bindings, told apart by their hosts, share a port */
static void begin_parts(struct parts *parts, struct memory_service *memory, unsigned per_port)
{
    static char hosts[MANY][16];
    struct berth_claim *claims = calloc(MANY, sizeof *claims);
    struct berth_error err;

    assert_non_null(claims);
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(hosts[i], sizeof hosts[i], "%u.example", i);
        claims[i] = berth_claim_make((uint16_t)(40000 + i / per_port), BERTH_CLAIM_BINDING);
        claims[i].host = hosts[i];
    }
    see(memory, claims, MANY);
    free(claims);
    parts->folder = temp_dir_make();
    assert_int_equal(uv_loop_init(&parts->loop), 0);
    assert_ok(berth_known_bindings_create(&parts->known, &parts->loop, parts->folder,
                                          memory->service.allocator, &err),
              &err);
}

static void end_parts(struct parts *parts)
{
    assert_int_equal(uv_loop_close(&parts->loop), 0);
    temp_dir_remove(parts->folder);
}

static bool read_parts(const struct parts *parts, struct berth_file *file)
{
    struct berth_error err;

    return berth_file_read(file, temp_path(parts->folder, BERTH_KNOWN_BINDINGS_FILE), 1000000,
                           &err) == BERTH_OK;
}

static void assert_all_are_there(const struct parts *parts)
{
    struct berth_file file;
    size_t lines = 0;

    assert_true(read_parts(parts, &file));
    for (const char *at = file.bytes; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 2 + MANY);
    for (unsigned i = 0; i < MANY; i++) {
        char host[24];
        (void)snprintf(host, sizeof host, "=%u.example", i);
        assert_non_null(strstr(file.bytes, host));
    }
    berth_file_fini(&file);
}

static void assert_written_in_three_parts(struct memory_service *memory, unsigned per_port)
{
    struct parts parts;
    struct berth_file file;

    begin_parts(&parts, memory, per_port);
    for (unsigned i = 0; i < 3; i++) {
        assert_false(read_parts(&parts, &file));
        berth_known_bindings_tick(parts.known, memory->now);
        (void)uv_run(&parts.loop, UV_RUN_DEFAULT);
    }
    assert_all_are_there(&parts);
    berth_known_bindings_close(parts.known, memory->now);
    end_parts(&parts);
}

static void tick__many_ports__writes_all_of_them_in_parts(void **state)
{
    assert_written_in_three_parts(*state, 1);
}

static void tick__many_hosts_on_one_port__writes_all_of_them_in_parts(void **state)
{
    assert_written_in_three_parts(*state, MANY);
}

/* What is new is in a part that was made already: the text begins anew. */
static void tick__snapshot_in_the_midst_of_a_text__writes_one_state(void **state)
{
    struct memory_service *memory = *state;
    struct berth_claim claim = berth_claim_make(39000, BERTH_CLAIM_BINDING);
    struct parts parts;
    struct berth_file file;
    unsigned ticks = 0;

    begin_parts(&parts, memory, 1);
    berth_known_bindings_tick(parts.known, memory->now);
    memory->now.ms++;
    see(memory, &claim, 1); /* the others linger */
    while (!read_parts(&parts, &file)) {
        berth_known_bindings_tick(parts.known, memory->now);
        (void)uv_run(&parts.loop, UV_RUN_DEFAULT);
        ticks++;
        assert_true(ticks <= 3);
    }
    assert_non_null(strstr(file.bytes, "binding\t39000\t"));
    assert_non_null(strstr(file.bytes, "binding\t40000\t"));
    assert_non_null(strstr(file.bytes, "binding\t42999\t"));
    berth_file_fini(&file);
    berth_known_bindings_close(parts.known, memory->now);
    end_parts(&parts);
}

static void close__in_the_midst_of_a_text__writes_all_of_it(void **state)
{
    struct memory_service *memory = *state;
    struct parts parts;

    begin_parts(&parts, memory, 1);
    berth_known_bindings_tick(parts.known, memory->now);
    berth_known_bindings_close(parts.known, memory->now);
    assert_all_are_there(&parts);
    end_parts(&parts);
}

static void tick__source_gone_in_the_midst_of_a_text__leaves_the_file(void **state)
{
    struct memory_service *memory = *state;
    struct parts parts;
    struct berth_file file;

    begin_parts(&parts, memory, 1);
    berth_known_bindings_tick(parts.known, memory->now);
    berth_allocator_remove_source(memory->service.allocator, memory->iis, memory->now);
    for (unsigned i = 0; i < 3; i++) {
        berth_known_bindings_tick(parts.known, memory->now);
        (void)uv_run(&parts.loop, UV_RUN_DEFAULT);
    }
    berth_known_bindings_close(parts.known, memory->now);
    assert_false(read_parts(&parts, &file));
    end_parts(&parts);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(write_and_read__bindings_of_each_form__are_the_same),
        CASE(read__then_a_snapshot_without_one__it_lingers),
        CASE(read__damaged_in_each_way__takes_what_is_whole),
        CASE(read__what_only_lingered__lingers_anew_unless_a_lease_was_there),
        CASE(read__a_port_with_a_lease__is_left_to_the_lease),
        CASE(create__each_allocation_fails__is_an_error_without_a_leak),
        CASE(tick__each_allocation_fails__is_tried_again),
        CASE(tick__many_ports__writes_all_of_them_in_parts),
        CASE(tick__many_hosts_on_one_port__writes_all_of_them_in_parts),
        CASE(tick__snapshot_in_the_midst_of_a_text__writes_one_state),
        CASE(close__in_the_midst_of_a_text__writes_all_of_it),
        CASE(tick__source_gone_in_the_midst_of_a_text__leaves_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
