/* SPDX-License-Identifier: MIT */
#include "check_config.h"

#include "access.h"
#include "base/memory.h"
#include "configure.h"
#include "places.h"

#include <stdio.h>

#define REMARKS_MAX ((size_t)1024 * 1024)

/* The places of this platform, for berth_free(); NULL where it has none. */
struct places {
    char *endpoint;
    char *state;
    char *iis;
    char *log;
};

static struct places find_places(void)
{
    struct places places = {.endpoint = NULL};
    struct berth_error ignored;
    bool lacking;

    (void)berth_place_endpoint(&places.endpoint, &ignored);
    (void)berth_place_state(&places.state, &ignored);
    (void)berth_place_iis_config(&places.iis, &lacking, &ignored);
    (void)berth_place_log(&places.log, &ignored);
    return places;
}

static void print_settings(const struct berth_configuration *configuration,
                           const struct berth_options *options)
{
    struct places places = find_places();
    const struct berth_settings_places shown = {.given_endpoint = options->endpoint,
                                                .given_state = options->state,
                                                .endpoint = places.endpoint,
                                                .state = places.state,
                                                .iis = places.iis,
                                                .log = places.log};
    struct berth_text summary;

    berth_text_init(&summary, BERTH_SETTINGS_FILE_MAX);
    berth_settings_write_summary(&summary, &configuration->settings, &shown);
    (void)printf("configuration %s: ok, %zu warning%s\n%s",
                 configuration->path != NULL ? configuration->path : "(none, the defaults)",
                 configuration->warning_count, configuration->warning_count == 1 ? "" : "s",
                 berth_text_string(&summary));
    berth_text_fini(&summary);
    berth_free(places.endpoint);
    berth_free(places.state);
    berth_free(places.iis);
    berth_free(places.log);
}

/* Looks at what the file itself does not show: accounts, and the files that it names. */
static enum berth_code look_around(struct berth_configuration *configuration,
                                   struct berth_error *err)
{
    struct berth_access access = {.entries = NULL};
    size_t told = configuration->warning_count;
    enum berth_code code =
        berth_access_resolve(&access, &configuration->settings, configuration->path, err);

    if (code != BERTH_OK) {
        return code;
    }
    berth_configuration_add_warnings(configuration, berth_text_string(&access.warnings));
    berth_configuration_check_files(configuration);
    berth_access_fini(&access);
    for (size_t i = told; i < configuration->warning_count; i++) {
        (void)fprintf(stderr, "warning: %s\n", configuration->warnings[i]);
    }
    return BERTH_OK;
}

bool berth_check_config(const struct berth_options *options)
{
    struct berth_configuration configuration = {.path = NULL};
    struct berth_text remarks;
    struct berth_error err;

    berth_text_init(&remarks, REMARKS_MAX);
    enum berth_code code = berth_configuration_check(&configuration, options, &remarks, &err);
    bool said = remarks.length > 0 && code != BERTH_OK;
    (void)fputs(berth_text_string(&remarks), stderr);
    if (code == BERTH_OK) {
        code = look_around(&configuration, &err);
    }
    if (code == BERTH_OK) {
        print_settings(&configuration, options);
    } else if (!said) {
        (void)fprintf(stderr, "berthd: %s\n", err.detail);
    }
    berth_configuration_fini(&configuration);
    berth_text_fini(&remarks);
    return code == BERTH_OK;
}
