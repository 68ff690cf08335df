/* SPDX-License-Identifier: MIT */
/* What only the whole configuration can show: pools that overlap, names given twice. */
#include "settings_internal.h"

#include <string.h>

static bool overlap(struct berth_port_range a, struct berth_port_range b)
{
    return a.first != 0 && b.first != 0 && a.first <= b.last && b.first <= a.last;
}

static const char *name_or_none(const char *name)
{
    return name != NULL ? name : "?";
}

/* A port in two pools would count twice in every figure, and `pool` in a request would no longer
 * keep two users of one server apart: refused, whatever the names are. */
static void check_pool_pair(struct berth_settings_reader *reader,
                            const struct berth_pool_settings *first,
                            const struct berth_pool_settings *second)
{
    struct berth_diagnostics *list = reader->diagnostics;

    if (first->name != NULL && second->name != NULL && strcmp(first->name, second->name) == 0) {
        berth_diagnostics_add(list, BERTH_SEVERITY_ERROR, second->line,
                              "<pool> name=\"%s\": the pool on line %u has this name already; "
                              "accepted is a name of its own",
                              second->name, first->line);
    }
    if (overlap(first->ports, second->ports)) {
        berth_diagnostics_add(list, BERTH_SEVERITY_ERROR, second->line,
                              "<pool> ports=\"%u-%u\": pool %s overlaps pool %s (%u-%u) on line "
                              "%u; accepted are ports that no other pool has",
                              second->ports.first, second->ports.last, name_or_none(second->name),
                              name_or_none(first->name), first->ports.first, first->ports.last,
                              first->line);
    }
}

static void check_pools(struct berth_settings_reader *reader)
{
    const struct berth_settings *settings = reader->out;

    for (size_t i = 1; i < settings->pool_count; i++) {
        for (size_t j = 0; j < i; j++) {
            check_pool_pair(reader, &settings->pools[j], &settings->pools[i]);
        }
    }
}

static bool in_some_pool(const struct berth_settings *settings, struct berth_port_range ports)
{
    for (size_t i = 0; i < settings->pool_count; i++) {
        if (overlap(settings->pools[i].ports, ports)) {
            return true;
        }
    }
    return false;
}

static void check_reserved(struct berth_settings_reader *reader)
{
    const struct berth_settings *settings = reader->out;

    for (size_t i = 0; i < settings->reserved_count; i++) {
        const struct berth_reserved_settings *reserved = &settings->reserved[i];
        if (reserved->ports.first != 0 && !in_some_pool(settings, reserved->ports)) {
            berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_WARNING, reserved->line,
                                  "<ports> range=\"%u-%u\": no pool has any of these ports, so "
                                  "reserving them keeps nothing back",
                                  reserved->ports.first, reserved->ports.last);
        }
    }
}

/* A file read twice would make each of its bindings its own duplicate. */
static void check_iis(struct berth_settings_reader *reader)
{
    const struct berth_settings *settings = reader->out;

    for (size_t i = 1; i < settings->iis_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct berth_iis_settings *first = &settings->iis[j];
            const struct berth_iis_settings *second = &settings->iis[i];
            if (first->path != NULL && second->path != NULL &&
                strcmp(first->path, second->path) == 0) {
                berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_ERROR, second->line,
                                      "<iis>: the file is the same as on line %u; accepted is each "
                                      "file once",
                                      first->line);
            }
        }
    }
}

void berth_settings_check(struct berth_settings_reader *reader)
{
    check_pools(reader);
    check_reserved(reader);
    check_iis(reader);
}
