/* SPDX-License-Identifier: MIT */
#include "watchers/windows/dynamic_range.h"

#include "watchers/netsh_text.h"
#include "watchers/windows/netsh.h"

#include <stdbool.h>
#include <uv.h>

#define OUTPUT_BYTES_MAX 65536u

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static bool usable; /* there is a lock */
static bool asked;
static struct berth_port_range kept;
static struct berth_error kept_err; /* code BERTH_OK: `kept` is the answer */

static enum berth_code ask(const char *family, struct berth_port_range *out,
                           struct berth_error *err)
{
    const char *const words[] = {"interface", family, "show", "dynamicport", "tcp", NULL};
    struct berth_text text;

    berth_text_init(&text, OUTPUT_BYTES_MAX);
    enum berth_code code = berth_netsh(&text, words, err);
    if (code == BERTH_OK) {
        code = berth_netsh_parse_dynamic(berth_text_string(&text), out, err);
    }
    berth_text_fini(&text);
    return code;
}

static enum berth_code ask_both(struct berth_port_range *out, struct berth_error *err)
{
    struct berth_port_range ip6;
    enum berth_code code = ask("ipv4", out, err);

    if (code == BERTH_OK) {
        code = ask("ipv6", &ip6, err);
    }
    if (code == BERTH_OK) {
        out->first = ip6.first < out->first ? ip6.first : out->first;
        out->last = ip6.last > out->last ? ip6.last : out->last;
    }
    return code;
}

static void set_up(void)
{
    usable = uv_mutex_init(&mutex) == 0;
}

void berth_dynamic_range_refresh(void)
{
    struct berth_port_range range = {0, 0};
    struct berth_error err = {0};

    uv_once(&once, set_up);
    if (!usable) {
        return;
    }
    enum berth_code code = ask_both(&range, &err);
    uv_mutex_lock(&mutex);
    if (code == BERTH_OK) {
        kept = range;
    }
    kept_err = err;
    kept_err.code = code;
    asked = true;
    uv_mutex_unlock(&mutex);
}

enum berth_code berth_dynamic_range(struct berth_port_range *out, struct berth_error *err)
{
    uv_once(&once, set_up);
    if (!usable) {
        return berth_fail(err, BERTH_IO, 0, "there is no lock for the dynamic port range");
    }
    uv_mutex_lock(&mutex);
    bool first = !asked;
    uv_mutex_unlock(&mutex);
    if (first) {
        berth_dynamic_range_refresh();
    }
    uv_mutex_lock(&mutex);
    struct berth_error why = kept_err;
    struct berth_port_range range = kept;
    uv_mutex_unlock(&mutex);
    if (why.code != BERTH_OK) {
        return berth_fail(err, why.code, why.os_code, "%s", why.detail);
    }
    *out = range;
    return BERTH_OK;
}
