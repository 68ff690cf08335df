/* SPDX-License-Identifier: MIT */
#include "watchers/default_watchers.h"

#include "base/compiler.h"
#include "watchers/windows/excluded_calls.h"
#include "watchers/windows/http_calls.h"

static enum berth_code create_http(struct berth_watcher **out, uv_loop_t *loop,
                                   struct berth_error *err)
{
    const struct berth_http_options options = {.poll_ms = 0};
    void *context = NULL;
    enum berth_code code = berth_http_calls_open(&context, berth_http_api_real(), err);

    if (code == BERTH_OK) {
        code = berth_http_watcher_create(out, loop, &berth_http_calls, context, &options, err);
        if (code != BERTH_OK) {
            berth_http_calls.close(context);
        }
    }
    return code;
}

static enum berth_code create_excluded(struct berth_watcher **out, uv_loop_t *loop,
                                       struct berth_error *err)
{
    void *context = NULL;
    enum berth_code code = berth_excluded_calls_open(&context, err);

    if (code == BERTH_OK) {
        code = berth_excluded_watcher_create(out, loop, &berth_excluded_calls, context, 0, err);
        if (code != BERTH_OK) {
            berth_excluded_calls.close(context);
        }
    }
    return code;
}

static const struct berth_default_watcher rows[] = {
    {BERTH_SOURCE_HTTPSYS, "http.sys", create_http},
    {BERTH_SOURCE_EXCLUDED, "excluded port ranges", create_excluded},
};

const struct berth_default_watcher *berth_default_watchers(size_t *count)
{
    *count = BERTH_COUNT(rows);
    return rows;
}
