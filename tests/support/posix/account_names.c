/* SPDX-License-Identifier: MIT */
#include "account_names.h"

#include <stdio.h>

#define BUFFERS 64

static char *number_text(unsigned number)
{
    static char buffers[BUFFERS][16];
    static unsigned next;
    char *out = buffers[next++ % BUFFERS];

    (void)snprintf(out, sizeof buffers[0], "%u", number);
    return out;
}

char *account_user(unsigned number)
{
    return number_text(number);
}

char *account_group(unsigned number)
{
    return number_text(number);
}
