/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration: accepted or refused with a remark, and what is accepted is within
 * the documented bounds. */
#include "daemon/settings.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool add_variable(void *context, const char *name, struct berth_text *out)
{
    (void)context;
    if (strcmp(name, "ProgramData") != 0) {
        return false;
    }
    berth_text_puts(out, "C:\\ProgramData");
    return true;
}

static void check_settings(const struct berth_settings *s)
{
    require(s->pool_count >= 1 && s->pool_count <= BERTH_SETTINGS_POOLS_MAX);
    for (size_t i = 0; i < s->pool_count; i++) {
        const struct berth_pool_settings *pool = &s->pools[i];
        require(pool->name != NULL && pool->name[0] != '\0');
        require(pool->ports.first >= 1 && pool->ports.first <= pool->ports.last);
        require(pool->low_ports <= (uint32_t)pool->ports.last - pool->ports.first + 1);
        for (size_t j = 0; j < i; j++) {
            require(pool->ports.first > s->pools[j].ports.last ||
                    pool->ports.last < s->pools[j].ports.first);
        }
    }
    for (size_t i = 0; i < s->reserved_count; i++) {
        require(s->reserved[i].ports.first >= 1);
    }
    for (size_t i = 0; i < s->iis_count; i++) {
        require(s->iis[i].path != NULL || s->iis[i].optional);
    }
    for (size_t i = 0; i < s->rule_count; i++) {
        require(s->rules[i].name != NULL && s->rules[i].role != BERTH_ROLE_NONE);
    }
    require(s->tcp.poll_ms >= 10 && s->tcp.full_ms >= s->tcp.poll_ms);
    require(s->lease.ttl_ms >= 1000);
    require(s->limits.connections >= 16 && s->limits.per_user <= s->limits.connections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct berth_variables variables = {add_variable, NULL};
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;
    struct berth_text text;

    berth_diagnostics_init(&list);
    berth_text_init(&text, 1 << 20);
    enum berth_code code =
        berth_settings_parse(&settings, data, size, "fuzz", &variables, &list, &err);
    berth_diagnostics_write(&text, "fuzz", &list);
    if (code == BERTH_OK) {
        require(list.error_count == 0);
        check_settings(&settings);
        berth_settings_write_summary(&text, &settings,
                                     &(struct berth_settings_places){.log = NULL});
        berth_settings_fini(&settings);
    } else {
        require(err.detail[0] != '\0');
        require(code != BERTH_MALFORMED || list.error_count > 0);
        require(code != BERTH_INTERNAL);
    }
    berth_text_fini(&text);
    berth_diagnostics_fini(&list);
    return 0;
}
