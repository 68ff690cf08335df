/* SPDX-License-Identifier: MIT */
#include "iis_look.h"

#define NS_A_MS 1000000u
#define SPACING 9u /* pauses that are so many times as long as what came before */

static void plan_watches(struct berth_iis_look *look, const struct berth_iis_config *config)
{
    /* without a plan (no memory) the watches stay as they are, and the poll goes on */
    enum berth_code code = berth_iis_watch_plan_add(&look->plan, look->path, NULL);

    for (size_t i = 0; i < config->file_count && code == BERTH_OK; i++) {
        code = berth_iis_watch_plan_add(&look->plan, config->files[i].path, NULL);
    }
    if (code != BERTH_OK) {
        berth_iis_watch_plan_fini(&look->plan);
    }
}

static bool is_absent(const struct berth_iis_look *look, enum berth_code code)
{
    return code == BERTH_NOT_FOUND && look->optional && look->current == NULL &&
           berth_iis_folder_is_missing(look->path);
}

static void load(struct berth_iis_look *look)
{
    struct berth_iis_limits limits = berth_iis_default_limits;

    limits.file_bytes = look->file_limit_bytes;
    limits.require_sites =
        look->current != NULL && (look->current->had_claims || look->current->claim_count != 0);
    enum berth_code code = berth_iis_config_load(&look->loaded, look->path, &limits, &look->error);
    plan_watches(look, &look->loaded);
    if (code == BERTH_OK) {
        look->result = BERTH_IIS_LOOK_LOADED;
        return;
    }
    look->result = is_absent(look, code) ? BERTH_IIS_LOOK_ABSENT : BERTH_IIS_LOOK_FAILED;
    berth_iis_config_fini(&look->loaded);
}

void berth_iis_look_run(struct berth_iis_look *look)
{
    look->loaded = (struct berth_iis_config){0};
    look->plan = (struct berth_iis_watch_plan){0};
    look->error = (struct berth_error){0};
    if (look->current != NULL &&
        berth_iis_config_is_current(look->current, look->file_limit_bytes, look->by_content)) {
        look->result = BERTH_IIS_LOOK_SAME;
        plan_watches(look, look->current);
        return;
    }
    load(look);
}

void berth_iis_look_fini(struct berth_iis_look *look)
{
    berth_iis_config_fini(&look->loaded);
    berth_iis_watch_plan_fini(&look->plan);
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t berth_iis_pace_next_ms(const struct berth_iis_pace *pace, unsigned failures, bool blind)
{
    uint32_t rest_ms = failures == 0 ? pace->poll_ms : pace->failing_ms;
    uint64_t delay_ms = pace->retry_first_ms;

    if (blind) {
        rest_ms = lesser(rest_ms, pace->poll_blind_ms);
    }
    if (failures == 0) {
        return rest_ms;
    }
    for (unsigned i = 1; i < failures; i++) {
        if (delay_ms >= pace->retry_max_ms) {
            return rest_ms;
        }
        delay_ms *= 2;
    }
    return lesser((uint32_t)(delay_ms < pace->retry_max_ms ? delay_ms : pace->retry_max_ms),
                  rest_ms);
}

uint32_t berth_iis_pace_spacing_ms(const struct berth_iis_pace *pace, uint64_t took_ns)
{
    uint64_t spacing_ms = took_ns / NS_A_MS * SPACING;

    return spacing_ms < pace->retry_max_ms ? (uint32_t)spacing_ms : pace->retry_max_ms;
}
