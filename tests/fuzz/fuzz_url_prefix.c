/* SPDX-License-Identifier: MIT */
/* Any text as a URL prefix: the parser ends within its bounds, and what it gives is what its header
 * promises. */
#include "watchers/url_prefix.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct berth_url_prefix *prefix, const char *text)
{
    const char *end = text + strlen(text);

    if (prefix->port == 0 ||
        (prefix->protocol != BERTH_PROTOCOL_HTTP && prefix->protocol != BERTH_PROTOCOL_HTTPS)) {
        abort();
    }
    if (prefix->host != NULL && (prefix->host < text || prefix->host_length == 0 ||
                                 prefix->host + prefix->host_length > end)) {
        abort();
    }
    if (prefix->host == NULL && prefix->host_length != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct berth_url_prefix prefix;
    struct berth_error err = {0};

    if (text == NULL) {
        return 0;
    }
    if (size != 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    enum berth_code code = berth_url_prefix_parse(&prefix, text, &err);
    if (code == BERTH_OK) {
        check(&prefix, text);
    } else if (code != BERTH_MALFORMED || err.detail[0] == '\0') {
        abort();
    }
    free(text);
    return 0;
}
