/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration file: refused with a reason, or claims that keep their promises. */
#include "watchers/iis_config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct berth_iis_config *config)
{
    size_t bytes = 0; /* every string is read to its end */

    for (size_t i = 0; i < config->claim_count; i++) {
        const struct berth_claim *claim = &config->claims[i];
        if (claim->port == 0 || claim->count != 1 || claim->holder == NULL ||
            claim->detail == NULL || berth_claim_source(claim->kind) != BERTH_SOURCE_IIS) {
            abort();
        }
        bytes += strlen(claim->holder) + strlen(claim->detail);
        bytes += claim->host != NULL ? strlen(claim->host) : 0;
    }
    for (size_t i = 0; i < config->warning_count; i++) {
        bytes += strlen(config->warnings[i]);
    }
    if (config->warning_count > BERTH_IIS_WARNINGS_MAX || bytes == SIZE_MAX) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct berth_iis_config config;
    struct berth_error err = {0};
    enum berth_code code = berth_iis_config_read(&config, data, size, NULL, &err);

    if (code == BERTH_OK) {
        check(&config);
    } else if (err.detail[0] == '\0' || config.claim_count != 0) {
        abort();
    }
    berth_iis_config_fini(&config);
    return 0;
}
