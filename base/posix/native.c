/* SPDX-License-Identifier: MIT */
#include "base/native.h"

#include "base/memory.h"

#include <stdlib.h>

FILE *berth_open_file(const char *path, const char *mode)
{
    return fopen(path, mode);
}

bool berth_environment(char **out, const char *name)
{
    const char *value = getenv(name);

    *out = berth_copy(value);
    return *out != NULL || value == NULL;
}
