/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/support/cmocka_all.h"
#include "watchers/linux/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SEQUENCE 7u
#define PORT_ID 99u

/* --- hand-built messages -------------------------------------------------------------------- */

struct bytes {
    uint8_t data[2048];
    size_t size;
};

static void add_bytes(struct bytes *bytes, const void *data, size_t size)
{
    assert_true(bytes->size + size <= sizeof bytes->data);
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    while (bytes->size % NLMSG_ALIGNTO != 0) {
        bytes->data[bytes->size++] = 0;
    }
}

static void add_message(struct bytes *bytes, uint16_t type, uint16_t flags, uint32_t sequence,
                        const void *payload, size_t size)
{
    const struct nlmsghdr header = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size),
                                    .nlmsg_type = type,
                                    .nlmsg_flags = flags,
                                    .nlmsg_seq = sequence,
                                    .nlmsg_pid = PORT_ID};

    add_bytes(bytes, &header, sizeof header);
    add_bytes(bytes, payload, size);
}

static struct inet_diag_msg make_socket(uint8_t family, uint8_t state, uint16_t port)
{
    struct inet_diag_msg message;

    memset(&message, 0, sizeof message);
    message.idiag_family = family;
    message.idiag_state = state;
    message.id.idiag_sport = htons(port);
    message.idiag_uid = 1000;
    message.idiag_inode = 4242;
    return message;
}

static void add_socket(struct bytes *bytes, uint8_t family, uint8_t state, uint16_t port)
{
    struct inet_diag_msg message = make_socket(family, state, port);

    add_message(bytes, TCPDIAG_GETSOCK, NLM_F_MULTI, SEQUENCE, &message, sizeof message);
}

static void add_done(struct bytes *bytes, uint32_t sequence, int32_t status)
{
    add_message(bytes, NLMSG_DONE, NLM_F_MULTI, sequence, &status, sizeof status);
}

/* --- decoding ------------------------------------------------------------------------------- */

struct seen {
    struct berth_sock_diag_socket sockets[16];
    size_t count;
    unsigned restarts;
    enum berth_code refuse; /* what the row answers */
};

static enum berth_code take_row(void *context, const struct berth_sock_diag_socket *socket,
                                struct berth_error *err)
{
    struct seen *seen = context;

    if (seen->refuse != BERTH_OK) {
        return berth_fail(err, seen->refuse, 0, "refused");
    }
    assert_true(seen->count < BERTH_COUNT(seen->sockets));
    seen->sockets[seen->count++] = *socket;
    return BERTH_OK;
}

static enum berth_code decode(const struct bytes *bytes, struct seen *seen, bool *done,
                              struct berth_error *err)
{
    const struct berth_sock_diag_dialogue dialogue = {SEQUENCE, PORT_ID};
    uint8_t *exact = malloc(bytes->size != 0 ? bytes->size : 1); /* to see a read past its end */
    enum berth_code code;

    assert_non_null(exact);
    memcpy(exact, bytes->data, bytes->size);
    *seen = (struct seen){.refuse = seen->refuse};
    code = berth_sock_diag_decode(&dialogue, exact, bytes->size, take_row, seen, done, err);
    free(exact);
    return code;
}

static void expect_failure(const struct bytes *bytes, enum berth_code expected)
{
    struct berth_error err = {0};
    struct seen seen = {0};
    bool done = false;

    assert_code(decode(bytes, &seen, &done, &err), expected);
    assert_false(done);
    assert_string_not_equal(err.detail, "");
}

static void decode__two_sockets_and_the_end__gives_both(void **state)
{
    struct berth_error err = {0};
    struct bytes bytes = {.size = 0};
    struct seen seen = {0};
    bool done = false;

    (void)state;
    add_socket(&bytes, AF_INET, BERTH_SOCK_LISTEN, 80);
    add_socket(&bytes, AF_INET6, BERTH_SOCK_ESTABLISHED, 443);
    add_done(&bytes, SEQUENCE, 0);
    assert_ok(decode(&bytes, &seen, &done, &err), &err);
    assert_true(done);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.sockets[0].port, 80);
    assert_int_equal(seen.sockets[0].state, BERTH_SOCK_LISTEN);
    assert_int_equal(seen.sockets[0].inode, 4242);
    assert_int_equal(seen.sockets[0].user_id, 1000);
    assert_int_equal(seen.sockets[0].address.family, BERTH_FAMILY_IPV4);
    assert_int_equal(seen.sockets[1].port, 443);
    assert_int_equal(seen.sockets[1].address.family, BERTH_FAMILY_IPV6);
}

static void decode__without_the_end__says_that_more_comes(void **state)
{
    struct berth_error err = {0};
    struct bytes bytes = {.size = 0};
    struct seen seen = {0};
    bool done = true;

    (void)state;
    add_socket(&bytes, AF_INET, BERTH_SOCK_LISTEN, 80);
    assert_ok(decode(&bytes, &seen, &done, &err), &err);
    assert_false(done);
}

static void decode__attribute_v6only__is_taken(void **state)
{
    struct berth_error err = {0};

    (void)state;
    for (uint8_t value = 0; value <= 1; value++) {
        struct inet_diag_msg message = make_socket(AF_INET6, BERTH_SOCK_LISTEN, 80);
        const struct rtattr other = {.rta_len = 5, .rta_type = INET_DIAG_SHUTDOWN};
        const struct rtattr wanted = {.rta_len = 5, .rta_type = INET_DIAG_SKV6ONLY};
        struct bytes payload = {.size = 0};
        struct bytes bytes = {.size = 0};
        struct seen seen = {0};
        bool done;
        add_bytes(&payload, &message, sizeof message);
        add_bytes(&payload, &other, sizeof other);
        add_bytes(&payload, "\1", 1);
        add_bytes(&payload, &wanted, sizeof wanted);
        add_bytes(&payload, &value, 1);
        add_message(&bytes, TCPDIAG_GETSOCK, 0, SEQUENCE, payload.data, payload.size);
        assert_ok(decode(&bytes, &seen, &done, &err), &err);
        assert_int_equal(seen.sockets[0].v6_only, value);
    }
}

static void decode__attribute_of_wrong_length__is_malformed(void **state)
{
    static const uint16_t lengths[] = {0, 3, 9, 0xFFFF};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lengths); i++) {
        struct inet_diag_msg message = make_socket(AF_INET6, BERTH_SOCK_LISTEN, 80);
        const struct rtattr attribute = {.rta_len = lengths[i], .rta_type = INET_DIAG_SKV6ONLY};
        struct bytes payload = {.size = 0};
        struct bytes bytes = {.size = 0};
        add_bytes(&payload, &message, sizeof message);
        add_bytes(&payload, &attribute, sizeof attribute);
        add_bytes(&payload, "\1", 1);
        add_message(&bytes, TCPDIAG_GETSOCK, 0, SEQUENCE, payload.data, payload.size);
        expect_failure(&bytes, BERTH_MALFORMED);
    }
}

static void decode__mapped_address__is_the_ipv4_address(void **state)
{
    struct inet_diag_msg message = make_socket(AF_INET6, BERTH_SOCK_LISTEN, 80);
    static const uint8_t mapped[16] = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [15] = 1};
    static const uint8_t expected[16] = {10, 0, 0, 1};
    struct berth_error err = {0};
    struct bytes bytes = {.size = 0};
    struct seen seen = {0};
    bool done;

    (void)state;
    memcpy(message.id.idiag_src, mapped, sizeof mapped);
    add_message(&bytes, TCPDIAG_GETSOCK, 0, SEQUENCE, &message, sizeof message);
    assert_ok(decode(&bytes, &seen, &done, &err), &err);
    assert_int_equal(seen.sockets[0].address.family, BERTH_FAMILY_IPV4);
    assert_memory_equal(seen.sockets[0].address.bytes, expected, 16);
}

static void decode__interface__is_a_zone_for_link_local_only(void **state)
{
    static const uint8_t first_bytes[] = {0xFE, 0x20};
    static const uint32_t scopes[] = {3, 0};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(first_bytes); i++) {
        struct inet_diag_msg message = make_socket(AF_INET6, BERTH_SOCK_LISTEN, 80);
        const uint8_t address[16] = {first_bytes[i], 0x80, [15] = 1};
        struct berth_error err = {0};
        struct bytes bytes = {.size = 0};
        struct seen seen = {0};
        bool done;
        memcpy(message.id.idiag_src, address, sizeof address);
        message.id.idiag_if = 3;
        add_message(&bytes, TCPDIAG_GETSOCK, 0, SEQUENCE, &message, sizeof message);
        assert_ok(decode(&bytes, &seen, &done, &err), &err);
        assert_int_equal(seen.sockets[0].address.scope, scopes[i]);
    }
}

static void decode__socket_without_a_port__is_passed_over(void **state)
{
    struct berth_error err = {0};
    struct bytes bytes = {.size = 0};
    struct seen seen = {0};
    bool done;

    (void)state;
    add_socket(&bytes, AF_INET, BERTH_SOCK_CLOSE, 0);
    assert_ok(decode(&bytes, &seen, &done, &err), &err);
    assert_int_equal(seen.count, 0);
}

static void decode__cut_off_at_any_byte__never_ends_and_never_reads_past(void **state)
{
    struct bytes whole = {.size = 0};

    (void)state;
    add_socket(&whole, AF_INET, BERTH_SOCK_LISTEN, 80);
    add_socket(&whole, AF_INET6, BERTH_SOCK_LISTEN, 81);
    size_t sockets_size = whole.size;
    add_done(&whole, SEQUENCE, 0);
    for (size_t size = 0; size < whole.size; size++) {
        struct bytes cut = whole;
        struct berth_error err = {0};
        struct seen seen = {0};
        bool done = false;
        cut.size = size;
        enum berth_code code = decode(&cut, &seen, &done, &err);
        bool between = size == 0 || size == sockets_size / 2 || size == sockets_size;
        assert_code(code, between ? BERTH_OK : BERTH_MALFORMED);
        assert_false(done);
    }
}

static void decode__wrong_message_length__is_malformed(void **state)
{
    static const uint32_t lengths[] = {0, 1, 15, 4000, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lengths); i++) {
        struct bytes bytes = {.size = 0};
        add_socket(&bytes, AF_INET, BERTH_SOCK_LISTEN, 80);
        memcpy(bytes.data, &lengths[i], sizeof lengths[i]);
        expect_failure(&bytes, BERTH_MALFORMED);
    }
}

static void decode__short_socket_message__is_malformed(void **state)
{
    struct inet_diag_msg message = make_socket(AF_INET, BERTH_SOCK_LISTEN, 80);
    struct bytes bytes = {.size = 0};

    (void)state;
    add_message(&bytes, TCPDIAG_GETSOCK, 0, SEQUENCE, &message, sizeof message - 4);
    expect_failure(&bytes, BERTH_MALFORMED);
}

static void decode__other_family_or_type__is_malformed(void **state)
{
    struct bytes family = {.size = 0};
    struct bytes type = {.size = 0};

    (void)state;
    add_socket(&family, AF_UNIX, BERTH_SOCK_LISTEN, 80);
    expect_failure(&family, BERTH_MALFORMED);
    add_message(&type, 1234, 0, SEQUENCE, "", 0);
    expect_failure(&type, BERTH_MALFORMED);
}

static void decode__interrupted_dump__is_unstable(void **state)
{
    struct inet_diag_msg message = make_socket(AF_INET, BERTH_SOCK_LISTEN, 80);
    const int32_t status = 0;
    struct bytes in_socket = {.size = 0};
    struct bytes in_end = {.size = 0};
    struct bytes overrun = {.size = 0};

    (void)state;
    add_message(&in_socket, TCPDIAG_GETSOCK, NLM_F_MULTI | NLM_F_DUMP_INTR, SEQUENCE, &message,
                sizeof message);
    expect_failure(&in_socket, BERTH_UNSTABLE);
    add_message(&in_end, NLMSG_DONE, NLM_F_DUMP_INTR, SEQUENCE, &status, sizeof status);
    expect_failure(&in_end, BERTH_UNSTABLE);
    add_message(&overrun, NLMSG_OVERRUN, 0, SEQUENCE, "", 0);
    expect_failure(&overrun, BERTH_UNSTABLE);
}

static void decode__error_message__is_the_kernels_errno(void **state)
{
    const struct nlmsgerr refusal = {.error = -ENOENT};
    struct berth_error err = {0};
    struct bytes bytes = {.size = 0};
    struct bytes short_one = {.size = 0};
    struct seen seen = {0};
    bool done;

    (void)state;
    add_message(&bytes, NLMSG_ERROR, 0, SEQUENCE, &refusal, sizeof refusal);
    assert_code(decode(&bytes, &seen, &done, &err), BERTH_IO);
    assert_int_equal(err.os_code, ENOENT);
    add_message(&short_one, NLMSG_ERROR, 0, SEQUENCE, "ab", 2);
    expect_failure(&short_one, BERTH_MALFORMED);
}

static void decode__end_with_an_error__is_no_end(void **state)
{
    struct bytes refused = {.size = 0};
    struct bytes odd = {.size = 0};

    (void)state;
    add_done(&refused, SEQUENCE, -ENOBUFS);
    expect_failure(&refused, BERTH_IO);
    add_done(&odd, SEQUENCE, INT32_MIN);
    expect_failure(&odd, BERTH_MALFORMED);
}

static void decode__message_of_another_dialogue__is_passed_over(void **state)
{
    struct berth_error err = {0};
    struct bytes bytes = {.size = 0};
    struct seen seen = {0};
    bool done = true;

    (void)state;
    add_done(&bytes, SEQUENCE - 1, 0);
    assert_ok(decode(&bytes, &seen, &done, &err), &err);
    assert_false(done);
}

static void decode__row_refuses__is_passed_on(void **state)
{
    struct berth_error err = {0};
    struct bytes bytes = {.size = 0};
    struct seen seen = {.refuse = BERTH_TOO_LARGE};
    bool done;

    (void)state;
    add_socket(&bytes, AF_INET, BERTH_SOCK_LISTEN, 80);
    assert_code(decode(&bytes, &seen, &done, &err), BERTH_TOO_LARGE);
}

/* --- the dialogue, over a scripted channel -------------------------------------------------- */

struct script {
    struct berth_error none;
    unsigned opens;
    unsigned closes;
    unsigned sends;
    uint32_t states;
    uint32_t sequence;
    unsigned fail_opens; /* how many of the next ones fail */
    unsigned fail_sends;
    unsigned fail_receives;
    unsigned interrupt;
    unsigned empty;
    bool part_sent;
};

static enum berth_code script_open(void *context, uint32_t *port_id, struct berth_error *err)
{
    struct script *script = context;

    script->opens++;
    if (script->fail_opens != 0) {
        script->fail_opens--;
        return berth_fail(err, BERTH_IO, EMFILE, "no descriptor");
    }
    *port_id = PORT_ID;
    return BERTH_OK;
}

static enum berth_code script_send(void *context, const void *bytes, size_t size,
                                   struct berth_error *err)
{
    struct script *script = context;
    struct nlmsghdr header;
    struct inet_diag_req body;

    assert_int_equal(size, sizeof header + sizeof body);
    memcpy(&header, bytes, sizeof header);
    memcpy(&body, (const uint8_t *)bytes + sizeof header, sizeof body);
    assert_int_equal(header.nlmsg_len, size);
    assert_int_equal(header.nlmsg_flags & NLM_F_DUMP, NLM_F_DUMP);
    assert_int_equal(header.nlmsg_type, TCPDIAG_GETSOCK);
    script->sends++;
    script->states = body.idiag_states;
    script->sequence = header.nlmsg_seq;
    script->part_sent = false;
    if (script->fail_sends != 0) {
        script->fail_sends--;
        return berth_fail(err, BERTH_IO, ENOBUFS, "no buffer");
    }
    return BERTH_OK;
}

/* Each dump comes in two datagrams: one socket, then the end. */
static enum berth_code script_receive(void *context, void *buffer, size_t capacity, size_t *size,
                                      struct berth_error *err)
{
    struct script *script = context;
    struct bytes bytes = {.size = 0};
    struct inet_diag_msg message = make_socket(AF_INET, BERTH_SOCK_LISTEN, 80);
    uint16_t flags = NLM_F_MULTI;

    if (!script->part_sent) {
        add_message(&bytes, TCPDIAG_GETSOCK, flags, script->sequence, &message, sizeof message);
        script->part_sent = true;
    } else if (script->fail_receives != 0) {
        script->fail_receives--;
        return berth_fail(err, BERTH_UNSTABLE, ENOBUFS, "datagrams were lost");
    } else if (script->empty != 0) {
        script->empty--;
    } else {
        const int32_t status = 0;
        if (script->interrupt != 0) {
            script->interrupt--;
            flags |= NLM_F_DUMP_INTR;
        }
        add_message(&bytes, NLMSG_DONE, flags, script->sequence, &status, sizeof status);
    }
    assert_true(bytes.size <= capacity);
    memcpy(buffer, bytes.data, bytes.size);
    *size = bytes.size;
    return BERTH_OK;
}

static void script_close(void *context)
{
    struct script *script = context;

    script->closes++;
}

static void forget_rows(void *context)
{
    struct seen *seen = context;

    seen->count = 0;
    seen->restarts++;
}

static enum berth_code read_scripted(struct script *script, struct seen *seen)
{
    const struct berth_sock_diag_channel channel = {script_open, script_send, script_receive,
                                                    script_close, script};
    const struct berth_sock_diag_sink sink = {forget_rows, take_row, seen};
    struct berth_sock_diag diag;
    struct berth_error err = {0};

    assert_ok(berth_sock_diag_init(&diag, &channel, &err), &err);
    enum berth_code code = berth_sock_diag_read(&diag, BERTH_SOCK_DIAG_LISTENERS, &sink, &err);
    berth_sock_diag_fini(&diag);
    assert_int_equal(script->opens, script->closes);
    return code;
}

static void read__undisturbed__asks_once(void **state)
{
    struct script script = {.opens = 0};
    struct seen seen = {.count = 0};

    (void)state;
    assert_code(read_scripted(&script, &seen), BERTH_OK);
    assert_int_equal(script.sends, 1);
    assert_int_equal(script.states, 1u << 10);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.restarts, 1);
}

/* A disturbance of some kind, `times` in a row. */
static struct script disturbed(unsigned kind, unsigned times)
{
    struct script script = {.opens = 0};
    unsigned *const counters[] = {&script.fail_opens, &script.fail_sends, &script.fail_receives,
                                  &script.interrupt, &script.empty};

    *counters[kind] = times;
    return script;
}

static void read__disturbed_less_often_than_it_tries__is_whole_in_the_end(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 5; kind++) {
        struct script script = disturbed(kind, BERTH_SOCK_DIAG_ATTEMPTS - 1);
        struct seen seen = {.count = 0};
        assert_code(read_scripted(&script, &seen), BERTH_OK);
        assert_int_equal(seen.count, 1);
        assert_int_equal(seen.restarts, BERTH_SOCK_DIAG_ATTEMPTS);
        assert_int_equal(script.opens, BERTH_SOCK_DIAG_ATTEMPTS);
    }
}

static void read__disturbed_again_and_again__is_an_error(void **state)
{
    static const enum berth_code codes[] = {BERTH_IO, BERTH_IO, BERTH_UNSTABLE, BERTH_UNSTABLE,
                                            BERTH_MALFORMED};

    (void)state;
    for (unsigned kind = 0; kind < BERTH_COUNT(codes); kind++) {
        struct script script = disturbed(kind, BERTH_SOCK_DIAG_ATTEMPTS);
        struct seen seen = {.count = 0};
        assert_code(read_scripted(&script, &seen), codes[kind]);
        assert_int_equal(seen.restarts, BERTH_SOCK_DIAG_ATTEMPTS);
    }
}

static void read__row_has_no_memory__is_not_repeated(void **state)
{
    struct script script = {.opens = 0};
    struct seen seen = {.refuse = BERTH_NO_MEMORY};

    (void)state;
    assert_code(read_scripted(&script, &seen), BERTH_NO_MEMORY);
    assert_int_equal(seen.restarts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode__two_sockets_and_the_end__gives_both),
        cmocka_unit_test(decode__without_the_end__says_that_more_comes),
        cmocka_unit_test(decode__attribute_v6only__is_taken),
        cmocka_unit_test(decode__attribute_of_wrong_length__is_malformed),
        cmocka_unit_test(decode__mapped_address__is_the_ipv4_address),
        cmocka_unit_test(decode__interface__is_a_zone_for_link_local_only),
        cmocka_unit_test(decode__socket_without_a_port__is_passed_over),
        cmocka_unit_test(decode__cut_off_at_any_byte__never_ends_and_never_reads_past),
        cmocka_unit_test(decode__wrong_message_length__is_malformed),
        cmocka_unit_test(decode__short_socket_message__is_malformed),
        cmocka_unit_test(decode__other_family_or_type__is_malformed),
        cmocka_unit_test(decode__interrupted_dump__is_unstable),
        cmocka_unit_test(decode__error_message__is_the_kernels_errno),
        cmocka_unit_test(decode__end_with_an_error__is_no_end),
        cmocka_unit_test(decode__message_of_another_dialogue__is_passed_over),
        cmocka_unit_test(decode__row_refuses__is_passed_on),
        cmocka_unit_test(read__undisturbed__asks_once),
        cmocka_unit_test(read__disturbed_less_often_than_it_tries__is_whole_in_the_end),
        cmocka_unit_test(read__disturbed_again_and_again__is_an_error),
        cmocka_unit_test(read__row_has_no_memory__is_not_repeated),
    };
    return cmocka_run_group_tests_name("sock_diag", tests, NULL, NULL);
}
