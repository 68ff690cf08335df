/* SPDX-License-Identifier: MIT */
#include "account_names.h"

#include <stdio.h>

#define BUFFERS 64

static char *sid_text(const char *domain, unsigned number)
{
    static char buffers[BUFFERS][64];
    static unsigned next;
    char *out = buffers[next++ % BUFFERS];

    (void)snprintf(out, sizeof buffers[0], "%s-%u", domain, number);
    return out;
}

char *account_user(unsigned number)
{
    return number == 0 ? sid_text("S-1-5", 18) : sid_text("S-1-5-21-1-2-3", number);
}

char *account_group(unsigned number)
{
    return sid_text("S-1-5-21-4-5-6", number);
}
