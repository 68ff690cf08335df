/* SPDX-License-Identifier: MIT */
/* What only a pipe has: permissions, read back from the client's side; instances; who is in the
 * way; clients that do not want to be known. */
#include "tests/contract/listener_contract.h"

#include "base/compiler.h"
#include "cmocka_all.h"
#include "daemon/listener.h"
#include "daemon/windows/sid.h"
#include "daemon/windows/token.h"
#include "tests/support/windows/dacl.h"
#include "tests/support/windows/under_wine.h"

#include <aclapi.h>
#include <io.h>
#include <stdio.h>
#include <windows.h>

#define DEADLINE_MS 60000

struct fixture {
    uv_loop_t loop;
    uv_timer_t deadline;
    const char *endpoint;
    struct berth_access_entry entries[2];
    struct berth_access access;
    struct berth_listener *listener;
    uv_pipe_t pipe; /* of the client that came last */
    bool open;
    unsigned accepted;
    unsigned bytes;
    char buffer[64];
};

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened within a minute");
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct fixture *fixture = handle->data;

    (void)suggested;
    *out = uv_buf_init(fixture->buffer, sizeof fixture->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct fixture *fixture = stream->data;

    (void)buffer;
    fixture->bytes += count > 0 ? (unsigned)count : 0;
}

static void close_client(struct fixture *fixture)
{
    if (fixture->open) {
        fixture->open = false;
        uv_close((uv_handle_t *)&fixture->pipe, NULL);
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

static void on_client(struct berth_listener *listener, void *ctx)
{
    struct fixture *fixture = ctx;
    struct berth_error err;

    assert_false(fixture->open);
    assert_int_equal(uv_pipe_init(&fixture->loop, &fixture->pipe, 0), 0);
    fixture->pipe.data = fixture;
    fixture->open = true;
    assert_ok(berth_listener_accept(listener, &fixture->pipe, &err), &err);
    assert_int_equal(uv_read_start((uv_stream_t *)&fixture->pipe, on_allocate, on_read), 0);
    fixture->accepted++;
}

static int setup(void **state)
{
    static struct fixture fixture;
    static const struct fixture fresh;

    fixture = fresh;
    fixture.endpoint = listener_world.set_up();
    fixture.entries[0] = (struct berth_access_entry){BERTH_ROLE_READER, BERTH_SUBJECT_GROUP, {0}};
    fixture.entries[1] = (struct berth_access_entry){BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_USER, {0}};
    if (!berth_sid_read("S-1-5-32-545", &fixture.entries[0].account) ||
        !berth_sid_read("S-1-5-21-1-2-3-1001", &fixture.entries[1].account)) {
        return -1;
    }
    fixture.access = (struct berth_access){.entries = fixture.entries, .count = 2};
    *state = &fixture;
    (void)uv_loop_init(&fixture.loop);
    (void)uv_timer_init(&fixture.loop, &fixture.deadline);
    return uv_timer_start(&fixture.deadline, on_deadline, DEADLINE_MS, 0);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    berth_listener_close(fixture->listener);
    close_client(fixture);
    uv_close((uv_handle_t *)&fixture->deadline, NULL);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&fixture->loop);
}

static void start(struct fixture *fixture)
{
    struct berth_error err;

    assert_ok(berth_listener_open(&fixture->listener, &fixture->loop, fixture->endpoint,
                                  &fixture->access, on_client, fixture, &err),
              &err);
}

static HANDLE connect_as(const char *endpoint, DWORD access, DWORD flags)
{
    HANDLE client = CreateFileA(endpoint, access, 0, NULL, OPEN_EXISTING, flags, NULL);

    if (client == INVALID_HANDLE_VALUE) {
        fail_msg("cannot connect: error %lu", GetLastError());
    }
    return client;
}

/* ---- permissions ---- */

static const char *expected_dacl(const char *rules)
{
    static char text[1024];
    struct berth_account_id own = listener_world.own_user();
    char sid[BERTH_ACCOUNT_TEXT_SIZE];

    (void)snprintf(text, sizeof text,
                   "protected\n"
                   "allow 0 1f01ff S-1-5-18\n"
                   "allow 0 1f01ff S-1-5-32-544\n"
                   "allow 0 1f01ff %s\n"
                   "allow 0 20000 S-1-3-4\n"
                   "%s",
                   berth_sid_write(&own, sid), rules);
    return text;
}

#define FIRST_RULES "allow 0 12019b S-1-5-32-545\nallow 0 12019b S-1-5-21-1-2-3-1001\n"
#define OTHER_RULES "allow 0 12019b S-1-5-11\n"

/* Reads what a client sees, of one instance after the other: each is taken by a client. */
static void assert_dacl(struct fixture *fixture, unsigned instances, const char *expected)
{
    char found[2048];

    for (unsigned i = 0; i < instances; i++) {
        unsigned before = fixture->accepted;
        HANDLE client = connect_as(fixture->endpoint, GENERIC_READ | GENERIC_WRITE, 0);
        assert_string_equal(dacl_read(client, SE_KERNEL_OBJECT, found, sizeof found), expected);
        while (fixture->accepted == before) {
            (void)uv_run(&fixture->loop, UV_RUN_ONCE);
        }
        (void)CloseHandle(client);
        close_client(fixture);
    }
}

static void dacl__as_a_client_reads_it__is_the_rules_bit_by_bit(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    assert_dacl(fixture, 1, expected_dacl(FIRST_RULES));
}

/* By its owner a client knows whose the pipe is: an account that not everybody can give it to. */
static void owner__as_a_client_reads_it__is_the_daemon_s(void **state)
{
    struct fixture *fixture = *state;
    struct berth_account_id expected = berth_token_own_owner();
    struct berth_account_id found;
    PSECURITY_DESCRIPTOR security;
    PSID owner;

    start(fixture);
    HANDLE client = connect_as(fixture->endpoint, GENERIC_READ | GENERIC_WRITE, 0);
    assert_int_equal(GetSecurityInfo(client, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner,
                                     NULL, NULL, NULL, &security),
                     ERROR_SUCCESS);
    assert_true(berth_sid_take(owner, GetLengthSid(owner), &found));
    assert_true(berth_account_same(&found, &expected));
    (void)LocalFree(security);
    (void)CloseHandle(client);
}

/* More clients than instances wait at a time: old ones and new ones. */
static void dacl__other_rules__all_instances_have_them(void **state)
{
    struct fixture *fixture = *state;
    struct berth_access_entry entry = {BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, {0}};
    const struct berth_access other = {.entries = &entry, .count = 1};
    struct berth_error err;

    start(fixture);
    assert_dacl(fixture, 3, expected_dacl(FIRST_RULES));
    HANDLE early = connect_as(fixture->endpoint, GENERIC_READ | GENERIC_WRITE, 0);
    assert_ok(berth_listener_set_access(fixture->listener, &other, &err), &err);
    char found[2048];
    assert_string_equal(dacl_read(early, SE_KERNEL_OBJECT, found, sizeof found),
                        expected_dacl(OTHER_RULES));
    (void)CloseHandle(early);
    while (fixture->accepted < 4) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    close_client(fixture);
    assert_dacl(fixture, 150, expected_dacl(OTHER_RULES));
}

/* ---- instances ---- */

static void pipe__as_a_client_sees_it__is_of_bytes_and_without_number(void **state)
{
    struct fixture *fixture = *state;
    DWORD flags;
    DWORD out;
    DWORD in;
    DWORD max;
    DWORD now;

    start(fixture);
    HANDLE client = connect_as(fixture->endpoint, GENERIC_READ | GENERIC_WRITE, 0);
    assert_true(GetNamedPipeInfo(client, &flags, &out, &in, &max));
    assert_int_equal(flags & (PIPE_SERVER_END | PIPE_TYPE_MESSAGE), 0);
    assert_int_equal(out, 65536);
    assert_int_equal(in, 65536);
    assert_true(max == PIPE_UNLIMITED_INSTANCES || max == MAXDWORD); /* Wine says it so */
    assert_true(GetNamedPipeHandleStateA(client, NULL, &now, NULL, NULL, NULL, 0));
    assert_true(now >= 64);
    (void)CloseHandle(client);
}

/* Each descriptor and instance is given back: more clients than the C library has descriptors. */
static void pipe__3000_clients__leave_nothing_behind(void **state)
{
    struct fixture *fixture = *state;
    DWORD before;
    DWORD after;

    start(fixture);
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &before));
    for (unsigned i = 1; i <= 3000; i++) {
        HANDLE client = connect_as(fixture->endpoint, GENERIC_READ | GENERIC_WRITE, 0);
        while (fixture->accepted < i) {
            (void)uv_run(&fixture->loop, UV_RUN_ONCE);
        }
        (void)CloseHandle(client);
        close_client(fixture);
    }
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &after));
    assert_true(after <= before + 16);
}

/* ---- who is in the way ---- */

static void never(struct berth_listener *listener, void *ctx)
{
    (void)listener;
    (void)ctx;
    fail();
}

static void open__squatted__names_the_process_its_image_and_account(void **state)
{
    struct fixture *fixture = *state;
    struct berth_error err;
    char expected[64];
    HANDLE squatter =
        CreateNamedPipeA(fixture->endpoint, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_WAIT,
                         PIPE_UNLIMITED_INSTANCES, 512, 512, 0, NULL);

    assert_true(squatter != INVALID_HANDLE_VALUE);
    assert_code(berth_listener_open(&fixture->listener, &fixture->loop, fixture->endpoint,
                                    &fixture->access, never, NULL, &err),
                BERTH_BUSY);
    assert_null(fixture->listener);
    (void)snprintf(expected, sizeof expected, "process %lu (", GetCurrentProcessId());
    assert_non_null(strstr(err.detail, expected));
    assert_non_null(strstr(err.detail, ".exe, run by "));
    (void)CloseHandle(squatter);
    start(fixture);
}

/* All its instances are taken, so that nobody can be asked. */
static void open__squatted_and_busy__is_told_without_a_name(void **state)
{
    struct fixture *fixture = *state;
    struct berth_error err;
    HANDLE squatter = CreateNamedPipeA(fixture->endpoint, PIPE_ACCESS_DUPLEX,
                                       PIPE_TYPE_BYTE | PIPE_WAIT, 1, 512, 512, 0, NULL);

    assert_true(squatter != INVALID_HANDLE_VALUE);
    HANDLE client = connect_as(fixture->endpoint, GENERIC_READ | GENERIC_WRITE, 0);
    assert_code(berth_listener_open(&fixture->listener, &fixture->loop, fixture->endpoint,
                                    &fixture->access, never, NULL, &err),
                BERTH_BUSY);
    assert_non_null(strstr(err.detail, fixture->endpoint));
    assert_non_null(strstr(err.detail, "another process"));
    (void)CloseHandle(client);
    (void)CloseHandle(squatter);
}

/* The guard is one for all spellings of a name, as the pipe is. */
static void open__name_in_other_case__busy(void **state)
{
    struct fixture *fixture = *state;
    struct berth_listener *second = NULL;
    struct berth_error err;
    char upper[128];

    start(fixture);
    (void)snprintf(upper, sizeof upper, "%s", strrchr(fixture->endpoint, '\\') + 1);
    (void)CharUpperA(upper);
    assert_code(
        berth_listener_open(&second, &fixture->loop, upper, &fixture->access, never, NULL, &err),
        BERTH_BUSY);
    assert_null(second);
}

static void open__no_pipe_s_name__is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct berth_error err;

    assert_code(berth_listener_open(&fixture->listener, &fixture->loop, "C:\\berth",
                                    &fixture->access, never, NULL, &err),
                BERTH_INVALID_PARAMS);
    assert_null(fixture->listener);
}

/* ---- clients ---- */

static enum berth_code identify_as(struct fixture *fixture, DWORD flags, struct berth_peer *peer,
                                   struct berth_error *err)
{
    unsigned before = fixture->bytes;
    DWORD count;
    HANDLE client = connect_as(fixture->endpoint, GENERIC_READ | GENERIC_WRITE, flags);

    assert_true(WriteFile(client, "x", 1, &count, NULL));
    while (fixture->bytes == before) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    enum berth_code code = berth_peer_of(&fixture->pipe, peer, err);
    (void)CloseHandle(client);
    close_client(fixture);
    return code;
}

static void peer__each_level_of_the_client_s_choice__is_known_or_refused(void **state)
{
    struct fixture *fixture = *state;
    static struct berth_peer peer;
    struct berth_account_id own = listener_world.own_user();
    struct berth_error err;
    HANDLE token;

    start(fixture);
    assert_ok(identify_as(fixture, SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, &peer, &err),
              &err);
    assert_true(berth_account_same(&peer.user, &own));
    assert_ok(identify_as(fixture, 0, &peer, &err), &err);
    assert_true(berth_account_same(&peer.user, &own));
    assert_ok(identify_as(fixture,
                          SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION |
                              SECURITY_CONTEXT_TRACKING | SECURITY_EFFECTIVE_ONLY,
                          &peer, &err),
              &err);
    assert_true(berth_account_same(&peer.user, &own));
    /* the thread is itself again, whatever came of it */
    assert_false(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token));
    assert_int_equal(GetLastError(), ERROR_NO_TOKEN);
}

static void peer__anonymous__is_denied(void **state)
{
    struct fixture *fixture = *state;
    static struct berth_peer peer;
    struct berth_error err;
    HANDLE token;

    skip_under_wine("it identifies clients whatever level they ask for");
    start(fixture);
    assert_code(identify_as(fixture, SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, &peer, &err),
                BERTH_DENIED);
    assert_non_null(strstr(err.detail, "anonymous"));
    assert_false(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token));
    assert_int_equal(GetLastError(), ERROR_NO_TOKEN);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(dacl__as_a_client_reads_it__is_the_rules_bit_by_bit),
        CASE(owner__as_a_client_reads_it__is_the_daemon_s),
        CASE(dacl__other_rules__all_instances_have_them),
        CASE(pipe__as_a_client_sees_it__is_of_bytes_and_without_number),
        CASE(pipe__3000_clients__leave_nothing_behind),
        CASE(open__squatted__names_the_process_its_image_and_account),
        CASE(open__squatted_and_busy__is_told_without_a_name),
        CASE(open__name_in_other_case__busy),
        CASE(open__no_pipe_s_name__is_refused),
        CASE(peer__each_level_of_the_client_s_choice__is_known_or_refused),
        CASE(peer__anonymous__is_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
