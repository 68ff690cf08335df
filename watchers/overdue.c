/* SPDX-License-Identifier: MIT */
#include "overdue.h"

#include <inttypes.h>
#include <stdio.h>
#include <uv.h>

#define NS_A_SECOND UINT64_C(1000000000)

static uint32_t patience_ms = BERTH_OVERDUE_MS;

uint32_t berth_overdue_ms(void)
{
    return patience_ms;
}

void berth_overdue_use_ms(uint32_t ms)
{
    patience_ms = ms != 0 ? ms : BERTH_OVERDUE_MS;
}

const char *berth_overdue_reason(char *out, size_t size, const char *what, uint64_t begun_ns)
{
    (void)snprintf(out, size, "reading %s has taken %" PRIu64 " s", what,
                   (uv_hrtime() - begun_ns + NS_A_SECOND / 2) / NS_A_SECOND);
    return out;
}
