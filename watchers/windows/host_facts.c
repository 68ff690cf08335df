/* SPDX-License-Identifier: MIT */
#include "watchers/host_facts.h"

#include "watchers/windows/dynamic_range.h"
#include "watchers/windows/http_calls.h"

/* Each on its own, so that one does not take the other with it. */
enum berth_code berth_host_facts_read(struct berth_host_facts *out, struct berth_error *err)
{
    struct berth_port_range range;
    struct berth_error no_list;
    size_t count = 0;
    enum berth_code code = berth_dynamic_range(&range, err);

    if (code == BERTH_OK) {
        berth_host_facts_make(out, range, NULL);
    } else {
        berth_host_facts_default(out);
    }
    out->http_sys = true;
    if (berth_http_listen_list(berth_http_api_real(), out->listen_list, BERTH_LISTEN_LIST_MAX,
                               &count, &no_list) == BERTH_OK) {
        out->listen_count = count;
    } else if (code == BERTH_OK) {
        code = berth_fail(err, no_list.code, no_list.os_code, "%s", no_list.detail);
    }
    return code;
}
