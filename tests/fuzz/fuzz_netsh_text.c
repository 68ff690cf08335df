/* SPDX-License-Identifier: MIT */
/* Any text as each of netsh's outputs. */
#include "base/memory.h"
#include "watchers/netsh_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bounds {
    const char *text;
    const char *end;
};

static void check_part(const struct bounds *bounds, const char *at, size_t length)
{
    if (at < bounds->text || at + length > bounds->end) {
        abort();
    }
}

static enum berth_code take(void *context, const struct berth_registered_url *url,
                            struct berth_error *err)
{
    const struct bounds *bounds = context;

    (void)err;
    check_part(bounds, url->url, url->url_length);
    if (url->url_length == 0 || (url->process_count == 0 && url->image != NULL)) {
        abort();
    }
    if (url->image != NULL) {
        check_part(bounds, url->image, url->image_length);
    }
    return BERTH_OK;
}

static void check_excluded(const char *text)
{
    struct berth_excluded_range *ranges = NULL;
    struct berth_error err;
    size_t count = 0;

    if (berth_netsh_parse_excluded(text, &ranges, &count, &err) == BERTH_OK) {
        for (size_t i = 0; i < count; i++) {
            if (ranges[i].ports.first == 0 || ranges[i].ports.first > ranges[i].ports.last) {
                abort();
            }
        }
        berth_free(ranges);
    } else if (ranges != NULL || err.detail[0] == '\0') {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct berth_port_range range = {1, 1};
    struct berth_error err;

    if (text == NULL) {
        return 0;
    }
    if (size != 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    struct bounds bounds = {text, text + strlen(text)};
    check_excluded(text);
    (void)berth_netsh_parse_dynamic(text, &range, &err);
    if (range.first == 0 || range.first > range.last) {
        abort();
    }
    (void)berth_netsh_parse_service_state(text, take, &bounds, &err);
    free(text);
    return 0;
}
