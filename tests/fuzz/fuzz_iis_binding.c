/* SPDX-License-Identifier: MIT */
/* Any protocol and information, one line each: the parser ends within its bounds, and what it gives
 * is what its header promises. */
#include "watchers/iis_binding.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct berth_iis_binding *binding, const char *information)
{
    const char *end = information + strlen(information);

    if (binding->has_port && (binding->port == 0 || binding->protocol == BERTH_PROTOCOL_NONE)) {
        abort();
    }
    if (binding->host != NULL && (binding->host < information || binding->host_length == 0 ||
                                  binding->host + binding->host_length > end)) {
        abort();
    }
    if (binding->host == NULL && binding->host_length != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct berth_iis_binding binding;
    struct berth_error err = {0};

    if (text == NULL) {
        return 0;
    }
    if (size != 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    char *information = strchr(text, '\n');
    if (information != NULL) {
        *information++ = '\0';
        enum berth_code code = berth_iis_binding_parse(&binding, text, information, &err);
        if (code == BERTH_OK) {
            check(&binding, information);
        } else if (code != BERTH_MALFORMED || err.detail[0] == '\0') {
            abort();
        }
    }
    free(text);
    return 0;
}
