/* SPDX-License-Identifier: MIT */
#include "http_sys.h"

#include "allocator/expected_server.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "netsh_text.h"
#include "poll_watcher.h"
#include "url_prefix.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 30000u
#define STATE_MS 300000u
#define NS_PER_MS 1000000u
#define IMAGE_BYTES_MAX 256
#define CLAIMS_MAX (BERTH_HTTP_LIST_COUNT * (size_t)BERTH_HTTP_ENTRIES_MAX + BERTH_HTTP_ENTRIES_MAX)

/* The words for a binding of each list; NULL: its entries are URLs. */
static const char *const binding_words[BERTH_HTTP_LIST_COUNT] = {
    [BERTH_HTTP_ADDRESS_BINDINGS] = "a certificate is bound to the address",
    [BERTH_HTTP_HOST_BINDINGS] = "a certificate is bound to the host name",
    [BERTH_HTTP_STORE_BINDINGS] = "the central certificate store is bound to the port",
};

struct http_reader {
    const struct berth_http_calls *calls;
    void *context;
    uint64_t state_ns;
    struct berth_claim_list registered; /* as last read */
    struct berth_error state_err;       /* why they were not; code BERTH_OK: they were */
    bool state_read;                    /* an attempt was made */
    uint64_t state_at_ns;               /* when */
};

/* ---- claims ---- */

static enum berth_code warn_of_url(struct berth_claim_list *list, const struct berth_error *why,
                                   struct berth_error *err)
{
    return berth_claim_list_warn(list, why->detail, err);
}

/* Makes a claim of a URL; one that makes no sense becomes a warning and gives no claim. */
static enum berth_code add_url(struct berth_claim_list *list, const char *url,
                               struct berth_claim *claim, struct berth_error *err)
{
    struct berth_url_prefix prefix;
    struct berth_error why;

    if (berth_url_prefix_parse(&prefix, url, &why) != BERTH_OK) {
        return warn_of_url(list, &why, err);
    }
    claim->port = prefix.port;
    claim->protocol = (uint8_t)prefix.protocol;
    claim->address = prefix.address;
    claim->holder = berth_iis_strings_copy(&list->strings, url, strlen(url));
    if (prefix.host != NULL) {
        claim->host = berth_iis_strings_copy(&list->strings, prefix.host, prefix.host_length);
    }
    if (claim->holder == NULL || claim->detail == NULL ||
        (prefix.host != NULL && claim->host == NULL)) {
        return berth_fail_memory(err, "a URL");
    }
    return berth_claim_list_add(list, claim, err);
}

static enum berth_code add_reservation(struct berth_claim_list *list,
                                       const struct berth_http_entry *entry,
                                       struct berth_error *err)
{
    struct berth_claim claim = berth_claim_make(0, BERTH_CLAIM_URL);

    claim.detail = berth_iis_strings_format(&list->strings, "URL reservation%s%s",
                                            entry->sddl != NULL ? ", " : "",
                                            entry->sddl != NULL ? entry->sddl : "");
    return add_url(list, entry->url, &claim, err);
}

static enum berth_code add_binding(struct berth_claim_list *list, enum berth_http_list of,
                                   const struct berth_http_entry *entry, struct berth_error *err)
{
    struct berth_claim claim = berth_claim_make(entry->port, BERTH_CLAIM_URL);
    char address[BERTH_ADDRESS_TEXT_MAX];

    if (entry->port == 0) {
        return berth_claim_list_warn(list, "a certificate binding of http.sys names no port", err);
    }
    claim.protocol = BERTH_PROTOCOL_HTTPS;
    claim.address = entry->address;
    (void)berth_address_format(address, sizeof address, &entry->address);
    claim.holder = berth_iis_strings_format(
        &list->strings, "SSL %s:%u", entry->host != NULL ? entry->host : address, entry->port);
    claim.detail = binding_words[of];
    if (entry->host != NULL) {
        claim.flags = BERTH_CLAIM_SNI;
        claim.host = berth_iis_strings_copy(&list->strings, entry->host, strlen(entry->host));
    }
    if (claim.holder == NULL || (entry->host != NULL && claim.host == NULL)) {
        return berth_fail_memory(err, "a certificate binding");
    }
    return berth_claim_list_add(list, &claim, err);
}

/* ---- the lists ---- */

static enum berth_code read_list(struct http_reader *reader, enum berth_http_list of,
                                 struct berth_claim_list *list, struct berth_error *err)
{
    enum berth_code code = BERTH_OK;
    uint32_t index = 0;

    while (code == BERTH_OK) {
        struct berth_http_entry entry = {.url = NULL};
        if (index == BERTH_HTTP_ENTRIES_MAX) {
            return berth_fail(err, BERTH_TOO_LARGE, 0, "http.sys lists more than %u entries",
                              BERTH_HTTP_ENTRIES_MAX);
        }
        code = reader->calls->entry(reader->context, of, index++, &entry, err);
        if (code == BERTH_OK) {
            code = binding_words[of] == NULL ? add_reservation(list, &entry, err)
                                             : add_binding(list, of, &entry, err);
        }
    }
    return code == BERTH_NOT_FOUND || code == BERTH_NOT_SUPPORTED ? BERTH_OK : code;
}

static enum berth_code read_lists(struct http_reader *reader, struct berth_claim_list *list,
                                  struct berth_error *err)
{
    enum berth_code code = BERTH_OK;

    for (unsigned of = 0; of < BERTH_HTTP_LIST_COUNT && code == BERTH_OK; of++) {
        code = read_list(reader, (enum berth_http_list)of, list, err);
    }
    return code;
}

/* ---- registered URLs ---- */

struct state_reading {
    struct http_reader *reader;
    struct berth_claim_list list;
};

/* Writes the name of a URL's process; "" when it is not known, or there are several. */
static void name_process(const struct http_reader *reader, const struct berth_registered_url *url,
                         char *out, size_t size)
{
    size_t start = url->image_length;

    out[0] = '\0';
    if (url->process_count != 1) {
        return;
    }
    while (start > 0 && url->image[start - 1] != '\\' && url->image[start - 1] != '/') {
        start--;
    }
    if (url->image != NULL) {
        (void)snprintf(out, size, "%.*s", (int)(url->image_length - start), url->image + start);
    } else if (reader->calls->image == NULL ||
               !reader->calls->image(reader->context, url->process_id, out, size)) {
        out[0] = '\0';
    }
}

static const char *describe_owner(struct state_reading *reading,
                                  const struct berth_registered_url *url)
{
    struct berth_iis_strings *strings = &reading->list.strings;
    char image[IMAGE_BYTES_MAX];

    name_process(reading->reader, url, image, sizeof image);
    if (url->process_count == 0) {
        return "registered; no process serves it now";
    }
    if (url->process_count != 1) {
        return berth_iis_strings_format(strings, "registered by %u processes", url->process_count);
    }
    return berth_iis_strings_format(strings, "registered by %s (pid %" PRIu32 ")",
                                    image[0] != '\0' ? image : "a process", url->process_id);
}

static enum berth_code take_url(void *context, const struct berth_registered_url *url,
                                struct berth_error *err)
{
    struct state_reading *reading = context;
    struct berth_claim claim = berth_claim_make(0, BERTH_CLAIM_URL);
    const char *text = berth_iis_strings_copy(&reading->list.strings, url->url, url->url_length);

    if (text == NULL) {
        return berth_fail_memory(err, "a URL");
    }
    claim.detail = describe_owner(reading, url);
    claim.process_id = url->process_count == 1 ? url->process_id : BERTH_ID_NONE;
    return add_url(&reading->list, text, &claim, err);
}

/* netsh writes in the code page of a console, which Berth does not know. */
static void make_utf8(char *text)
{
    while (*text != '\0') {
        size_t length = berth_utf8_sequence(text);
        if (length == 0) {
            *text = '?';
            length = 1;
        }
        text += length;
    }
}

/* Reads the registered URLs anew; what was read before stays when that fails. */
static void read_state(struct http_reader *reader)
{
    struct state_reading reading = {.reader = reader, .list.limit = BERTH_HTTP_ENTRIES_MAX};
    struct berth_error err = {0};
    struct berth_text text;

    berth_text_init(&text, BERTH_NETSH_OUTPUT_MAX);
    enum berth_code code = reader->calls->service_state(reader->context, &text, &err);
    if (code == BERTH_OK && text.data != NULL) {
        make_utf8(text.data);
    }
    if (code == BERTH_OK) {
        code = berth_netsh_parse_service_state(berth_text_string(&text), take_url, &reading, &err);
    }
    if (code == BERTH_OK) {
        berth_claim_list_fini(&reader->registered);
        reader->registered = reading.list;
    } else {
        berth_claim_list_fini(&reading.list);
    }
    reader->state_err = err;
    reader->state_err.code = code;
    berth_text_fini(&text);
}

static void read_state_when_due(struct http_reader *reader, bool demanded)
{
    uint64_t now = uv_hrtime();

    if (reader->calls->service_state != NULL &&
        (demanded || !reader->state_read || now - reader->state_at_ns >= reader->state_ns)) {
        read_state(reader);
        reader->state_read = true;
        reader->state_at_ns = now;
    }
}

/* The strings of the registered URLs stay the reader's, which changes them in its next look only.
 */
static enum berth_code add_registered(const struct http_reader *reader,
                                      struct berth_claim_list *list, struct berth_error *err)
{
    const struct berth_claim_list *from = &reader->registered;
    enum berth_code code = BERTH_OK;

    for (size_t i = 0; i < from->count && code == BERTH_OK; i++) {
        code = berth_claim_list_add(list, &from->claims[i], err);
    }
    for (size_t i = 0; i < from->warning_count && code == BERTH_OK; i++) {
        code = berth_claim_list_warn(list, from->warnings[i], err);
    }
    return code;
}

/* ---- the reader ---- */

static enum berth_code read_http(void *context, bool demanded, struct berth_poll_answer *out,
                                 struct berth_error *err)
{
    struct http_reader *reader = context;
    enum berth_code code = reader->calls->begin(reader->context, err);

    out->list.limit = CLAIMS_MAX;
    if (code == BERTH_NOT_FOUND) {
        out->state = BERTH_STATE_ABSENT;
        (void)snprintf(out->reason, sizeof out->reason, "%s", err->detail);
        return BERTH_OK;
    }
    if (code != BERTH_OK) {
        return code;
    }
    code = read_lists(reader, &out->list, err);
    reader->calls->end(reader->context);
    if (code == BERTH_OK) {
        read_state_when_due(reader, demanded);
        code = add_registered(reader, &out->list, err);
    }
    if (code == BERTH_OK && reader->state_err.code != BERTH_OK) {
        out->state = BERTH_STATE_DEGRADED;
        (void)snprintf(out->reason, sizeof out->reason,
                       "who has registered URLs with http.sys is not known: %.380s",
                       reader->state_err.detail);
    }
    return code;
}

static void close_http(void *context)
{
    struct http_reader *reader = context;

    if (reader->calls->close != NULL) {
        reader->calls->close(reader->context);
    }
    berth_claim_list_fini(&reader->registered);
    berth_free(reader);
}

static const struct berth_poll_reader http_reader = {.source = BERTH_SOURCE_HTTPSYS,
                                                     .feed = "urls",
                                                     .what = "the lists of http.sys",
                                                     .read = read_http,
                                                     .close = close_http};

enum berth_code berth_http_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                          const struct berth_http_calls *calls, void *context,
                                          const struct berth_http_options *options,
                                          struct berth_error *err)
{
    struct http_reader *reader = berth_alloc(1, sizeof *reader);

    if (reader == NULL) {
        return berth_fail_memory(err, "the watcher of http.sys");
    }
    reader->calls = calls;
    reader->context = context;
    reader->state_ns = (options->state_ms != 0 ? options->state_ms : STATE_MS) * NS_PER_MS;
    enum berth_code code = berth_poll_watcher_create(
        out, loop, &http_reader, reader, options->poll_ms != 0 ? options->poll_ms : POLL_MS, err);
    if (code != BERTH_OK) {
        berth_free(reader);
    }
    return code;
}
