/* SPDX-License-Identifier: MIT */
/* conflicts */
#include "methods.h"

#include <string.h>

static bool is_asked_for(const struct berth_conflict *conflict, const char *kind,
                         const char *severity)
{
    return (kind == NULL || strcmp(kind, berth_conflict_kind_name(conflict->kind)) == 0) &&
           (severity == NULL ||
            strcmp(severity, berth_conflict_severity_name(conflict->severity)) == 0);
}

static enum berth_code check_filters(const char *kind, const char *severity,
                                     struct berth_error *err)
{
    const char *kinds[BERTH_CONFLICT_KIND_COUNT];
    const char *severities[] = {berth_conflict_severity_name(BERTH_CONFLICT_ERROR),
                                berth_conflict_severity_name(BERTH_CONFLICT_WARNING)};

    for (int i = 0; i < BERTH_CONFLICT_KIND_COUNT; i++) {
        kinds[i] = berth_conflict_kind_name((enum berth_conflict_kind)i);
    }
    enum berth_code code = berth_params_one_of("kind", kind, kinds, BERTH_COUNT(kinds), err);
    return code == BERTH_OK
               ? berth_params_one_of("severity", severity, severities, BERTH_COUNT(severities), err)
               : code;
}

enum berth_code berth_method_conflicts(struct berth_call *call, json_t *params,
                                       struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    const struct berth_allocator *allocator = service->allocator;
    struct berth_now now = service->now(service);
    const char *kind = NULL;
    const char *severity = NULL;
    uint16_t port = 0;
    const struct berth_param table[] = {
        {"kind", BERTH_PARAM_STRING, &kind},
        {"severity", BERTH_PARAM_STRING, &severity},
        {"port", BERTH_PARAM_PORT, &port},
    };
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK) {
        code = check_filters(kind, severity, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    struct berth_conflict_walk walk = port != 0
                                          ? berth_conflict_book_at(&allocator->conflicts, port)
                                          : berth_conflict_book_all(&allocator->conflicts);
    const struct berth_conflict_entry *entry;
    berth_json_open_object(result);
    berth_call_write_revision(call, result);
    berth_json_key(result, "conflicts");
    berth_json_open_array(result);
    while ((entry = berth_conflict_next(&walk)) != NULL) {
        if (is_asked_for(&entry->conflict, kind, severity)) {
            berth_present_conflict(result, allocator, entry, now);
        }
    }
    berth_json_close_array(result);
    berth_json_close_object(result);
    return BERTH_OK;
}
