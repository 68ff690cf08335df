/* SPDX-License-Identifier: MIT */
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include "watchers/windows/http_calls.h"

#include "base/memory.h"
#include "base/windows/os_text.h"
#include "base/windows/wide.h"
#include "watchers/windows/netsh.h"
#include "watchers/windows/process.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>
#include <wchar.h>

/* Of http.h, which mingw-w64 has for Windows 7 only: HTTPAPI_VERSION_1, HTTP_INITIALIZE_CONFIG,
 * HTTP_SERVICE_CONFIG_ID, HttpServiceConfigQueryNext. */
#define VERSION_1 1u /* two 16-bit numbers, 1 and 0 */
#define INITIALIZE_CONFIG 2u
#define QUERY_NEXT 1
#define ID_LISTEN_LIST 0

#define ANSWER_AT_FIRST 4096u
#define ANSWER_BYTES_MAX (1u << 20)
#define TRIES_MAX 4
#define TEXT_BYTES_MAX 65536
#define BYTES_A_UNIT 3 /* the most that a unit of UTF-16 takes in UTF-8 */

static const int list_ids[BERTH_HTTP_LIST_COUNT] = {
    [BERTH_HTTP_URL_RESERVATIONS] = 2,
    [BERTH_HTTP_ADDRESS_BINDINGS] = 1,
    [BERTH_HTTP_HOST_BINDINGS] = 5,
    [BERTH_HTTP_STORE_BINDINGS] = 6,
};

/* The questions "give the entry number token" of each list: they differ in their keys. */
struct key_question {
    int type;
    void *key;
    DWORD token;
};

struct host_key {
    SOCKADDR_STORAGE address;
    const wchar_t *host;
};

struct host_question {
    int type;
    struct host_key key;
    DWORD token;
};

struct store_question {
    int type;
    SOCKADDR_STORAGE address;
    DWORD token;
};

/* What answers begin with. */
struct url_answer {
    const wchar_t *url;
    const wchar_t *sddl;
};

struct address_answer {
    const SOCKADDR *address;
};

struct listen_answer {
    ULONG count;
    SOCKADDR_STORAGE addresses[];
};

struct http_context {
    const struct berth_http_api *api;
    void *answer;
    size_t answer_size;
    char texts[2][TEXT_BYTES_MAX];
};

static enum berth_code fail_with(struct berth_error *err, enum berth_code code, ULONG os_code,
                                 const char *what)
{
    char words[256];

    return berth_fail(err, code, (int)os_code, "%s: %s", what,
                      berth_os_text(words, sizeof words, os_code));
}

/* ---- questions ---- */

/* Asks, and makes room for the answer as often as it takes.
 * @return the system's code; ERROR_NOT_ENOUGH_MEMORY also for lack of Berth's own */
static ULONG ask(struct http_context *context, int id, void *question, size_t question_size)
{
    ULONG result = ERROR_INSUFFICIENT_BUFFER;

    for (int tries = 0; tries < TRIES_MAX && result == ERROR_INSUFFICIENT_BUFFER; tries++) {
        ULONG returned = 0;
        result = context->api->query(NULL, id, question, (ULONG)question_size, context->answer,
                                     (ULONG)context->answer_size, &returned, NULL);
        if (result != ERROR_INSUFFICIENT_BUFFER) {
            break;
        }
        if (returned > ANSWER_BYTES_MAX) {
            return ERROR_FILE_TOO_LARGE;
        }
        size_t size = returned > context->answer_size ? returned : 2 * context->answer_size;
        void *answer = berth_resize(context->answer, size, 1);
        if (answer == NULL) {
            return ERROR_NOT_ENOUGH_MEMORY;
        }
        context->answer = answer;
        context->answer_size = size;
    }
    return result;
}

static ULONG ask_entry(struct http_context *context, enum berth_http_list list, uint32_t index)
{
    struct key_question key = {.type = QUERY_NEXT, .token = index};
    struct host_question host = {.type = QUERY_NEXT, .token = index};
    struct store_question store = {.type = QUERY_NEXT, .token = index};

    switch (list) {
    case BERTH_HTTP_HOST_BINDINGS:
        return ask(context, list_ids[list], &host, sizeof host);
    case BERTH_HTTP_STORE_BINDINGS:
        return ask(context, list_ids[list], &store, sizeof store);
    default:
        return ask(context, list_ids[list], &key, sizeof key);
    }
}

/* ---- answers ---- */

/* Reads an address and port; one of another family gives port 0. */
static uint16_t read_address(struct berth_address *out, const SOCKADDR *from)
{
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;

    *out = (struct berth_address){.family = BERTH_FAMILY_ALL};
    if (from != NULL && from->sa_family == AF_INET) {
        memcpy(&ip4, from, sizeof ip4);
        out->family = BERTH_FAMILY_IPV4;
        memcpy(out->bytes, &ip4.sin_addr, sizeof ip4.sin_addr);
        return ntohs(ip4.sin_port);
    }
    if (from != NULL && from->sa_family == AF_INET6) {
        memcpy(&ip6, from, sizeof ip6);
        out->family = BERTH_FAMILY_IPV6;
        memcpy(out->bytes, &ip6.sin6_addr, sizeof ip6.sin6_addr);
        out->scope = ip6.sin6_scope_id;
        return ntohs(ip6.sin6_port);
    }
    return 0;
}

/* Writes a text in UTF-8.  @return false: there is none, or it may not fit */
static bool write_text(char *out, const wchar_t *text)
{
    if (text == NULL || wcslen(text) >= TEXT_BYTES_MAX / BYTES_A_UNIT) {
        return false;
    }
    (void)berth_narrow_into(out, TEXT_BYTES_MAX, text);
    return true;
}

static enum berth_code read_url(struct http_context *context, struct berth_http_entry *out,
                                struct berth_error *err)
{
    const struct url_answer *answer = context->answer;

    if (!write_text(context->texts[0], answer->url)) {
        return berth_fail(err, BERTH_MALFORMED, 0, "a URL reservation of http.sys is too long");
    }
    out->url = context->texts[0];
    /* who may register it is only for people: one that does not fit is left out */
    if (write_text(context->texts[1], answer->sddl)) {
        out->sddl = context->texts[1];
    }
    return BERTH_OK;
}

static enum berth_code read_answer(struct http_context *context, enum berth_http_list list,
                                   struct berth_http_entry *out, struct berth_error *err)
{
    const struct address_answer *pointer = context->answer;
    const struct host_key *host = context->answer;
    const SOCKADDR_STORAGE *storage = context->answer;

    *out = (struct berth_http_entry){.port = 0};
    switch (list) {
    case BERTH_HTTP_ADDRESS_BINDINGS:
        out->port = read_address(&out->address, pointer->address);
        return BERTH_OK;
    case BERTH_HTTP_STORE_BINDINGS:
        out->port = read_address(&out->address, (const SOCKADDR *)storage);
        return BERTH_OK;
    case BERTH_HTTP_HOST_BINDINGS:
        out->port = read_address(&out->address, (const SOCKADDR *)&host->address);
        out->address = (struct berth_address){.family = BERTH_FAMILY_ALL};
        if (write_text(context->texts[0], host->host)) {
            out->host = context->texts[0];
        }
        return BERTH_OK;
    default:
        return read_url(context, out, err);
    }
}

/* Tells whether a list is one that this Windows does not know: those of Windows 8 may be missing.
 */
static bool is_unknown_list(enum berth_http_list list, ULONG result)
{
    bool newer = list == BERTH_HTTP_HOST_BINDINGS || list == BERTH_HTTP_STORE_BINDINGS;

    return newer && (result == ERROR_INVALID_PARAMETER || result == ERROR_NOT_SUPPORTED);
}

static enum berth_code get_entry(void *of, enum berth_http_list list, uint32_t index,
                                 struct berth_http_entry *out, struct berth_error *err)
{
    struct http_context *context = of;
    ULONG result = ask_entry(context, list, index);

    if (result == NO_ERROR) {
        return read_answer(context, list, out, err);
    }
    /* a store that nobody wrote to yet does not exist */
    if (result == ERROR_NO_MORE_ITEMS || (result == ERROR_FILE_NOT_FOUND && index == 0)) {
        return BERTH_NOT_FOUND;
    }
    if (index == 0 && is_unknown_list(list, result)) {
        return BERTH_NOT_SUPPORTED;
    }
    if (result == ERROR_NOT_ENOUGH_MEMORY) {
        return berth_fail_memory(err, "an answer of http.sys");
    }
    return fail_with(err, BERTH_IO, result, "http.sys does not list its configuration");
}

/* ---- rounds ---- */

static enum berth_code begin(void *of, struct berth_error *err)
{
    const struct http_context *context = of;

    if (context->api == NULL) {
        return berth_fail(err, BERTH_NOT_FOUND, 0, "this machine has no httpapi.dll");
    }
    ULONG result = context->api->initialize(VERSION_1, INITIALIZE_CONFIG, NULL);
    switch (result) {
    case NO_ERROR:
        return BERTH_OK;
    case ERROR_SERVICE_DOES_NOT_EXIST:
    case ERROR_SERVICE_DISABLED:
        return fail_with(err, BERTH_NOT_FOUND, result,
                         "this machine has no http.sys, or it is disabled");
    default:
        return fail_with(err, BERTH_IO, result, "http.sys cannot be asked");
    }
}

static void end(void *of)
{
    const struct http_context *context = of;

    (void)context->api->terminate(INITIALIZE_CONFIG, NULL);
}

static enum berth_code get_state(void *of, struct berth_text *out, struct berth_error *err)
{
    static const char *const words[] = {"http", "show", "servicestate", "view=requestq", NULL};

    (void)of;
    return berth_netsh(out, words, err);
}

static bool get_image(void *of, uint32_t process_id, char *out, size_t size)
{
    uint64_t created;
    void *process = berth_process_open(process_id, &created);
    bool known = process != NULL && berth_process_image(process, out, size);

    (void)of;
    if (process != NULL) {
        berth_process_close(process);
    }
    return known;
}

static void close_context(void *of)
{
    struct http_context *context = of;

    berth_free(context->answer);
    berth_free(context);
}

const struct berth_http_calls berth_http_calls = {.begin = begin,
                                                  .entry = get_entry,
                                                  .end = end,
                                                  .service_state = get_state,
                                                  .image = get_image,
                                                  .close = close_context};

/* NULL: no memory. */
static struct http_context *make_context(const struct berth_http_api *api)
{
    struct http_context *context = berth_alloc(1, sizeof *context);
    void *answer = berth_alloc(ANSWER_AT_FIRST, 1);

    if (context == NULL || answer == NULL) {
        berth_free(context);
        berth_free(answer);
        return NULL;
    }
    context->api = api;
    context->answer = answer;
    context->answer_size = ANSWER_AT_FIRST;
    return context;
}

enum berth_code berth_http_calls_open(void **out, const struct berth_http_api *api,
                                      struct berth_error *err)
{
    struct http_context *context = make_context(api);

    if (context == NULL) {
        return berth_fail_memory(err, "the questions to http.sys");
    }
    *out = context;
    return BERTH_OK;
}

/* ---- the listen list ---- */

static enum berth_code read_listen_list(struct http_context *context, struct berth_address *out,
                                        size_t room, size_t *count, struct berth_error *err)
{
    ULONG result = ask(context, ID_LISTEN_LIST, NULL, 0);
    const struct listen_answer *answer = context->answer;

    if (result == ERROR_FILE_NOT_FOUND || result == ERROR_NO_MORE_ITEMS) {
        *count = 0;
        return BERTH_OK;
    }
    if (result != NO_ERROR) {
        return fail_with(err, BERTH_IO, result, "http.sys does not tell its listen list");
    }
    if (answer->count > room) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "http.sys listens on %lu addresses; up to %zu",
                          answer->count, room);
    }
    for (ULONG i = 0; i < answer->count; i++) {
        (void)read_address(&out[i], (const SOCKADDR *)&answer->addresses[i]);
    }
    *count = answer->count;
    return BERTH_OK;
}

enum berth_code berth_http_listen_list(const struct berth_http_api *api, struct berth_address *out,
                                       size_t room, size_t *count, struct berth_error *err)
{
    struct http_context *context = make_context(api);

    if (context == NULL) {
        return berth_fail_memory(err, "the questions to http.sys");
    }
    enum berth_code code = begin(context, err);
    if (code == BERTH_NOT_FOUND) {
        *count = 0;
        code = BERTH_OK;
    } else if (code == BERTH_OK) {
        code = read_listen_list(context, out, room, count, err);
        end(context);
    }
    close_context(context);
    return code;
}

/* ---- the real library ---- */

static uv_once_t once = UV_ONCE_INIT;
static struct berth_http_api real;
static bool found;

static void find_functions(void)
{
    HMODULE library = LoadLibraryExW(L"httpapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);

    if (library == NULL) {
        return;
    }
    /* by way of a type that any function pointer may be cast to and from */
    void (*functions[])(void) = {
        (void (*)(void))GetProcAddress(library, "HttpInitialize"),
        (void (*)(void))GetProcAddress(library, "HttpTerminate"),
        (void (*)(void))GetProcAddress(library, "HttpQueryServiceConfiguration"),
    };
    memcpy(&real.initialize, &functions[0], sizeof functions[0]);
    memcpy(&real.terminate, &functions[1], sizeof functions[1]);
    memcpy(&real.query, &functions[2], sizeof functions[2]);
    found = functions[0] != NULL && functions[1] != NULL && functions[2] != NULL;
}

const struct berth_http_api *berth_http_api_real(void)
{
    uv_once(&once, find_functions);
    return found ? &real : NULL;
}
