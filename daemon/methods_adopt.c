/* SPDX-License-Identifier: MIT */
/* adopt */
#include "methods.h"

#include "allocator/adopt.h"

#define REASON_SIZE 600

static void write_item(struct berth_json *json, const struct berth_adopt_plan *plan,
                       const struct berth_adoption *item, const char *lease)
{
    char text[BERTH_ADOPTED_KEY_SIZE + REASON_SIZE];

    berth_json_open_object(json);
    berth_json_member_string(json, "site", item->site);
    berth_json_member_number(json, "port", item->port);
    berth_json_member_string(json, "protocol", berth_protocol_name(item->protocol));
    if (item->verdict == BERTH_ADOPT_DONE) {
        berth_json_member_string(json, "key", berth_adoption_key(text, sizeof text, item));
        if (lease != NULL) {
            berth_json_member_string(json, "lease", lease);
        }
    } else {
        berth_json_member_string(json, "reason",
                                 berth_adoption_reason(text, sizeof text, plan, item));
    }
    berth_json_close_object(json);
}

/* Writes the whole result. `lease` stands for the id of leases that are not made yet; NULL: they
 * are not to be. */
static void write_plan(struct berth_json *json, const struct berth_adopt_plan *plan,
                       const char *lease)
{
    berth_json_open_object(json);
    for (int skipped = 0; skipped <= 1; skipped++) {
        berth_json_key(json, skipped != 0 ? "skipped" : "adopted");
        berth_json_open_array(json);
        for (size_t i = 0; i < plan->count; i++) {
            const struct berth_adoption *item = &plan->items[i];
            if ((item->verdict != BERTH_ADOPT_DONE) == (skipped != 0)) {
                write_item(json, plan, item, item->lease != NULL ? item->lease->id : lease);
            }
        }
        berth_json_close_array(json);
    }
    if (plan->omitted != 0) {
        berth_json_member_number(json, "omitted", (long long)plan->omitted);
    }
    berth_json_close_object(json);
}

/* Takes the memory for the answer before anything is done that it would have to tell. */
static enum berth_code take_room(struct berth_json *json, const struct berth_adopt_plan *plan,
                                 struct berth_error *err)
{
    static const char some_id[] = "0123456789abcdef";
    const struct berth_json before = *json;
    struct berth_text *out = json->out;
    size_t length = out->length;

    write_plan(json, plan, some_id);
    enum berth_code code = out->failed;
    *json = before;
    out->failed = BERTH_OK;
    out->length = length;
    if (out->data != NULL) {
        out->data[length] = '\0';
    }
    return code == BERTH_OK ? BERTH_OK
                            : berth_fail(err, code, 0,
                                         "the answer would be too large; nothing was adopted: ask "
                                         "for one site at a time");
}

enum berth_code berth_method_adopt(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct berth_caller caller = berth_call_caller(call);
    const char *site = NULL;
    bool dry_run = true;
    const struct berth_param table[] = {
        {"site", BERTH_PARAM_STRING, &site},
        {"dry_run", BERTH_PARAM_BOOLEAN, &dry_run},
    };
    struct berth_refusal refusal = {.port = 0};
    struct berth_adopt_plan plan;
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code != BERTH_OK) {
        return code;
    }
    code = berth_allocator_plan_adoption(service->allocator, site, &caller, &plan, &refusal, err);
    if (code != BERTH_OK) {
        berth_call_explain(call, &refusal, code);
        return code;
    }
    if (!dry_run) {
        code = take_room(result, &plan, err);
        if (code == BERTH_OK) {
            code = berth_allocator_adopt(service->allocator, &plan, &caller, service->now(service),
                                         err);
        }
    }
    if (code == BERTH_OK) {
        write_plan(result, &plan, NULL);
    }
    berth_adopt_plan_fini(&plan);
    return code;
}
