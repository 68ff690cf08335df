/* SPDX-License-Identifier: MIT */
/* Parsing a text as a configuration, for the tests of the configuration. */
#ifndef BERTH_TESTS_SETTINGS_CASE_H
#define BERTH_TESTS_SETTINGS_CASE_H

#include "daemon/settings.h"

#include <string.h>

/* The variables that the tests know. */
static inline bool settings_case_variable(void *context, const char *name, struct berth_text *out)
{
    (void)context;
    if (strcmp(name, "ROOT") == 0) {
        berth_text_puts(out, "/srv/root");
        return true;
    }
    if (strcmp(name, "LONG") == 0) {
        for (int i = 0; i < 500; i++) {
            berth_text_puts(out, "/a long path");
        }
        return true;
    }
    return strcmp(name, "EMPTY") == 0;
}

static const struct berth_variables settings_case_variables = {settings_case_variable, NULL};

static inline enum berth_code settings_case_parse(struct berth_settings *out, const void *bytes,
                                                  size_t length, struct berth_diagnostics *list,
                                                  struct berth_error *err)
{
    berth_diagnostics_init(list);
    return berth_settings_parse(out, bytes, length, "test.config", &settings_case_variables, list,
                                err);
}

#endif
