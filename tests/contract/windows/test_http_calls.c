/* SPDX-License-Identifier: MIT */
/* The questions to http.sys: what they make of each answer of its library, played here, and what
 * the real one says. */
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include "allocator/host_facts.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_faults.h"
#include "watchers/windows/http_calls.h"

#define ENTRIES_MAX 3

/* As http.h of a newer SDK has them. */
struct url_set {
    wchar_t *url;
    wchar_t *sddl;
};

struct sni_set {
    SOCKADDR_STORAGE address;
    wchar_t *host;
};

static struct {
    ULONG initialize;
    int initialized;
    ULONG results[13]; /* by id: instead of an answer; 0: there is one */
    ULONG extra;       /* bytes that each answer needs besides */
    struct url_set urls[ENTRIES_MAX];
    SOCKADDR_STORAGE addresses[ENTRIES_MAX];
    wchar_t *host;
    ULONG listen_count;
    unsigned calls;
} os;

static unsigned long __stdcall initialize(uint32_t version, unsigned long flags, void *reserved)
{
    assert_int_equal(version, 1);
    assert_int_equal(flags, 2);
    assert_null(reserved);
    os.initialized += os.initialize == 0;
    return os.initialize;
}

static unsigned long __stdcall terminate(unsigned long flags, void *reserved)
{
    assert_int_equal(flags, 2);
    assert_null(reserved);
    os.initialized--;
    return 0;
}

/* Gives bytes as the library does: only when there is room, else the size. */
static ULONG give(const void *bytes, size_t size, void *answer, ULONG room, ULONG *returned)
{
    *returned = (ULONG)size + os.extra;
    if (*returned > room) {
        return ERROR_INSUFFICIENT_BUFFER;
    }
    memcpy(answer, bytes, size);
    return NO_ERROR;
}

static ULONG give_listen_list(void *answer, ULONG room, ULONG *returned)
{
    struct {
        ULONG count;
        SOCKADDR_STORAGE addresses[ENTRIES_MAX];
    } list = {.count = os.listen_count};

    memcpy(list.addresses, os.addresses, sizeof list.addresses);
    return give(&list, sizeof list, answer, room, returned);
}

static DWORD token_of(int id, const void *question)
{
    /* the token stands behind the key: a pointer, an address and a pointer, an address */
    const size_t at = id == 5   ? 8 + sizeof(struct sni_set)
                      : id == 6 ? 8 + sizeof(SOCKADDR_STORAGE)
                                : 8 + sizeof(void *);
    DWORD token;
    int type;

    memcpy(&type, question, sizeof type);
    assert_int_equal(type, 1); /* the next entry */
    memcpy(&token, (const char *)question + at, sizeof token);
    return token;
}

static unsigned long __stdcall query(void *service, int id, void *question,
                                     unsigned long question_size, void *answer,
                                     unsigned long answer_size, unsigned long *returned,
                                     void *overlapped)
{
    os.calls++;
    assert_null(service);
    assert_null(overlapped);
    assert_true(os.initialized > 0);
    if (os.results[id] != 0) {
        return os.results[id];
    }
    if (id == 0) {
        assert_int_equal(question_size, 0);
        return give_listen_list(answer, answer_size, returned);
    }
    DWORD token = token_of(id, question);
    if (id == 2) {
        return token < ENTRIES_MAX && os.urls[token].url != NULL
                   ? give(&os.urls[token], sizeof os.urls[token], answer, answer_size, returned)
                   : ERROR_NO_MORE_ITEMS;
    }
    if (token > 0) {
        return ERROR_NO_MORE_ITEMS;
    }
    const SOCKADDR_STORAGE *pointer = &os.addresses[0];
    struct sni_set sni = {.address = os.addresses[0], .host = os.host};
    switch (id) {
    case 1:
        return give(&pointer, sizeof pointer, answer, answer_size, returned);
    case 5:
        return give(&sni, sizeof sni, answer, answer_size, returned);
    default:
        return give(&os.addresses[0], sizeof os.addresses[0], answer, answer_size, returned);
    }
}

static const struct berth_http_api api = {initialize, terminate, query};

static int reset(void **state)
{
    struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct sockaddr_in6 ip6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(444), .sin6_addr.s6_addr = {[15] = 1}};

    memset(&os, 0, sizeof os);
    ip4.sin_addr.s_addr = htonl(0x0A000005);
    memcpy(&os.addresses[0], &ip4, sizeof ip4);
    memcpy(&os.addresses[1], &ip6, sizeof ip6);
    os.host = L"shop.\x00e9xample";
    os.urls[0] = (struct url_set){L"http://+:80/", L"D:(A;;GX;;;WD)"};
    os.urls[1] = (struct url_set){L"https://+:8443/x/", NULL};
    *state = NULL;
    assert_code(berth_http_calls_open(state, &api, NULL), BERTH_OK);
    return 0;
}

static int finish(void **state)
{
    berth_http_calls.close(*state);
    assert_int_equal(os.initialized, 0);
    return 0;
}

static enum berth_code get(void *context, enum berth_http_list list, uint32_t index,
                           struct berth_http_entry *out, struct berth_error *err)
{
    return berth_http_calls.entry(context, list, index, out, err);
}

static void entries__of_each_list__are_read_in_utf8(void **state)
{
    struct berth_http_entry entry;
    struct berth_error err;
    char address[BERTH_ADDRESS_TEXT_MAX];

    assert_ok(berth_http_calls.begin(*state, &err), &err);
    assert_ok(get(*state, BERTH_HTTP_URL_RESERVATIONS, 0, &entry, &err), &err);
    assert_string_equal(entry.url, "http://+:80/");
    assert_string_equal(entry.sddl, "D:(A;;GX;;;WD)");
    assert_ok(get(*state, BERTH_HTTP_URL_RESERVATIONS, 1, &entry, &err), &err);
    assert_string_equal(entry.url, "https://+:8443/x/");
    assert_null(entry.sddl);
    assert_code(get(*state, BERTH_HTTP_URL_RESERVATIONS, 2, &entry, &err), BERTH_NOT_FOUND);
    assert_ok(get(*state, BERTH_HTTP_ADDRESS_BINDINGS, 0, &entry, &err), &err);
    assert_int_equal(entry.port, 443);
    assert_string_equal(berth_address_format(address, sizeof address, &entry.address), "10.0.0.5");
    assert_ok(get(*state, BERTH_HTTP_HOST_BINDINGS, 0, &entry, &err), &err);
    assert_int_equal(entry.port, 443);
    assert_string_equal(entry.host, "shop.\xc3\xa9xample");
    assert_int_equal(entry.address.family, BERTH_FAMILY_ALL);
    assert_ok(get(*state, BERTH_HTTP_STORE_BINDINGS, 0, &entry, &err), &err);
    assert_int_equal(entry.port, 443);
    berth_http_calls.end(*state);
}

static void entry__larger_than_the_buffer__is_asked_for_again(void **state)
{
    struct berth_http_entry entry;
    struct berth_error err;

    os.extra = 100000;
    assert_ok(berth_http_calls.begin(*state, &err), &err);
    assert_ok(get(*state, BERTH_HTTP_URL_RESERVATIONS, 0, &entry, &err), &err);
    assert_int_equal(os.calls, 2);
    os.extra = 2u << 20;
    assert_code(get(*state, BERTH_HTTP_URL_RESERVATIONS, 0, &entry, &err), BERTH_IO);
    berth_http_calls.end(*state);
}

static void entry__each_refusal__is_told_apart(void **state)
{
    static const struct {
        enum berth_http_list list;
        int id;
        uint32_t index;
        ULONG result;
        enum berth_code code;
    } rows[] = {
        {BERTH_HTTP_URL_RESERVATIONS, 2, 0, ERROR_FILE_NOT_FOUND, BERTH_NOT_FOUND},
        {BERTH_HTTP_URL_RESERVATIONS, 2, 1, ERROR_FILE_NOT_FOUND, BERTH_IO},
        {BERTH_HTTP_URL_RESERVATIONS, 2, 5, ERROR_NO_MORE_ITEMS, BERTH_NOT_FOUND},
        {BERTH_HTTP_URL_RESERVATIONS, 2, 0, ERROR_INVALID_PARAMETER, BERTH_IO},
        {BERTH_HTTP_URL_RESERVATIONS, 2, 0, ERROR_ACCESS_DENIED, BERTH_IO},
        {BERTH_HTTP_HOST_BINDINGS, 5, 0, ERROR_INVALID_PARAMETER, BERTH_NOT_SUPPORTED},
        {BERTH_HTTP_HOST_BINDINGS, 5, 3, ERROR_INVALID_PARAMETER, BERTH_IO},
        {BERTH_HTTP_STORE_BINDINGS, 6, 0, ERROR_NOT_SUPPORTED, BERTH_NOT_SUPPORTED},
        {BERTH_HTTP_ADDRESS_BINDINGS, 1, 0, ERROR_NOT_ENOUGH_MEMORY, BERTH_NO_MEMORY},
    };
    struct berth_http_entry entry;
    struct berth_error err;

    assert_ok(berth_http_calls.begin(*state, &err), &err);
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        memset(os.results, 0, sizeof os.results);
        os.results[rows[i].id] = rows[i].result;
        assert_code(get(*state, rows[i].list, rows[i].index, &entry, &err), rows[i].code);
    }
    berth_http_calls.end(*state);
}

static void binding__of_no_address__has_no_port(void **state)
{
    struct berth_http_entry entry;
    struct berth_error err;

    memset(os.addresses, 0, sizeof os.addresses);
    assert_ok(berth_http_calls.begin(*state, &err), &err);
    assert_ok(get(*state, BERTH_HTTP_ADDRESS_BINDINGS, 0, &entry, &err), &err);
    assert_int_equal(entry.port, 0);
    berth_http_calls.end(*state);
}

static void begin__without_http_sys__is_not_found(void **state)
{
    static const ULONG missing[] = {ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_DISABLED};
    struct berth_error err;
    void *none = NULL;

    for (size_t i = 0; i < BERTH_COUNT(missing); i++) {
        os.initialize = missing[i];
        assert_code(berth_http_calls.begin(*state, &err), BERTH_NOT_FOUND);
        assert_int_equal(err.os_code, missing[i]);
    }
    os.initialize = ERROR_ACCESS_DENIED;
    assert_code(berth_http_calls.begin(*state, &err), BERTH_IO);
    assert_ok(berth_http_calls_open(&none, NULL, &err), &err);
    assert_code(berth_http_calls.begin(none, &err), BERTH_NOT_FOUND);
    berth_http_calls.close(none);
}

static void listen_list__of_both_families__is_read(void **state)
{
    struct berth_address list[BERTH_LISTEN_LIST_MAX];
    char address[BERTH_ADDRESS_TEXT_MAX];
    struct berth_error err;
    size_t count = 4711;

    (void)state;
    os.listen_count = 2;
    assert_ok(berth_http_listen_list(&api, list, 2, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(berth_address_format(address, sizeof address, &list[0]), "10.0.0.5");
    assert_string_equal(berth_address_format(address, sizeof address, &list[1]), "[::1]");
    assert_code(berth_http_listen_list(&api, list, 1, &count, &err), BERTH_TOO_LARGE);
    os.results[0] = ERROR_FILE_NOT_FOUND;
    assert_ok(berth_http_listen_list(&api, list, 1, &count, &err), &err);
    assert_int_equal(count, 0);
    os.results[0] = ERROR_ACCESS_DENIED;
    assert_code(berth_http_listen_list(&api, list, 1, &count, &err), BERTH_IO);
    os.initialize = ERROR_SERVICE_DISABLED;
    count = 4711;
    assert_ok(berth_http_listen_list(&api, list, 1, &count, &err), &err);
    assert_int_equal(count, 0);
}

static void questions__no_memory__is_an_error_without_a_leak(void **state)
{
    struct berth_http_entry entry;
    struct berth_error err;
    void *context = NULL;
    size_t live;

    for (size_t at = 1; at <= 2; at++) {
        memory_faults_begin(at, false);
        assert_code(berth_http_calls_open(&context, &api, &err), BERTH_NO_MEMORY);
        assert_true(memory_faults_end(&live));
        assert_int_equal(live, 0);
    }
    os.extra = 100000;
    assert_ok(berth_http_calls.begin(*state, &err), &err);
    memory_faults_begin(1, false);
    assert_code(get(*state, BERTH_HTTP_URL_RESERVATIONS, 0, &entry, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    berth_http_calls.end(*state);
}

/* Whatever it says, each list ends, and nothing else than an entry or its end comes. */
static void real_library__each_list__ends(void **unused)
{
    void *context = NULL;
    struct berth_error err;

    (void)unused;
    assert_non_null(berth_http_api_real());
    assert_ok(berth_http_calls_open(&context, berth_http_api_real(), &err), &err);
    assert_ok(berth_http_calls.begin(context, &err), &err);
    for (unsigned list = 0; list < BERTH_HTTP_LIST_COUNT; list++) {
        enum berth_code code = BERTH_OK;
        for (uint32_t index = 0; code == BERTH_OK && index < BERTH_HTTP_ENTRIES_MAX; index++) {
            struct berth_http_entry entry;
            code = get(context, (enum berth_http_list)list, index, &entry, &err);
        }
        assert_true(code == BERTH_NOT_FOUND || code == BERTH_NOT_SUPPORTED);
    }
    berth_http_calls.end(context);
    berth_http_calls.close(context);
}

int main(void)
{
#define ON_FAKE(test) cmocka_unit_test_setup_teardown(test, reset, finish)
    const struct CMUnitTest tests[] = {
        ON_FAKE(entries__of_each_list__are_read_in_utf8),
        ON_FAKE(entry__larger_than_the_buffer__is_asked_for_again),
        ON_FAKE(entry__each_refusal__is_told_apart),
        ON_FAKE(binding__of_no_address__has_no_port),
        ON_FAKE(begin__without_http_sys__is_not_found),
        ON_FAKE(listen_list__of_both_families__is_read),
        ON_FAKE(questions__no_memory__is_an_error_without_a_leak),
        cmocka_unit_test(real_library__each_list__ends),
    };
#undef ON_FAKE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
