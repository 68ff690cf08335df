/* SPDX-License-Identifier: MIT */
#include "iis_effective.h"

#include "base/memory.h"

#include <string.h>

#define COMPARISONS_MAX 50000000u

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_same_binding(const struct berth_iis_operation *a,
                            const struct berth_iis_operation *b)
{
    const char *x = a->protocol;
    const char *y = b->protocol;

    if (strcmp(a->information, b->information) != 0) {
        return false;
    }
    while (*x != '\0' && folded(*x) == folded(*y)) {
        x++;
        y++;
    }
    return *x == *y;
}

static enum berth_code add_binding(struct berth_iis_effective *out,
                                   const struct berth_iis_operation *binding,
                                   struct berth_error *err)
{
    if (out->count == out->room) {
        size_t room = out->room != 0 ? out->room * 2 : 16;
        const struct berth_iis_operation **moved =
            berth_resize((void *)out->bindings, room, sizeof(const struct berth_iis_operation *));
        if (moved == NULL) {
            return berth_fail_memory(err, "the bindings of a site");
        }
        out->bindings = moved;
        out->room = room;
    }
    out->bindings[out->count++] = binding;
    return BERTH_OK;
}

static enum berth_code remove_binding(struct berth_iis_effective *out,
                                      const struct berth_iis_operation *pattern,
                                      struct berth_error *err)
{
    size_t kept = 0;

    out->comparisons += out->count;
    if (out->comparisons > COMPARISONS_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "line %d: too many <remove> of bindings",
                          pattern->line);
    }
    for (size_t i = 0; i < out->count; i++) {
        if (!is_same_binding(pattern, out->bindings[i])) {
            out->bindings[kept++] = out->bindings[i];
        }
    }
    out->count = kept;
    return BERTH_OK;
}

static enum berth_code apply(struct berth_iis_effective *out,
                             const struct berth_iis_operation *operations, size_t count,
                             struct berth_error *err)
{
    enum berth_code code = BERTH_OK;

    for (size_t i = 0; i < count && code == BERTH_OK; i++) {
        switch (operations[i].kind) {
        case BERTH_IIS_ADD:
            code = add_binding(out, &operations[i], err);
            break;
        case BERTH_IIS_CLEAR:
            out->count = 0;
            break;
        case BERTH_IIS_REMOVE:
            code = remove_binding(out, &operations[i], err);
            break;
        }
    }
    return code;
}

enum berth_code berth_iis_effective_of(struct berth_iis_effective *out,
                                       const struct berth_iis_sites *sites, size_t site,
                                       struct berth_error *err)
{
    const struct berth_iis_site *of = &sites->sites[site];
    enum berth_code code;

    out->count = 0;
    code = apply(out, sites->defaults, sites->default_count, err);
    if (code == BERTH_OK && of->operation_count != 0) {
        code = apply(out, sites->operations + of->first_operation, of->operation_count, err);
    }
    if (code != BERTH_OK) {
        out->count = 0;
    }
    return code;
}

void berth_iis_effective_fini(struct berth_iis_effective *list)
{
    berth_free((void *)list->bindings);
    *list = (struct berth_iis_effective){0};
}
