/* SPDX-License-Identifier: MIT */
/* What the C library does with names, for names in UTF-8 on every system: on Windows its own
 * functions take the system's code page. posix/ and windows/ fulfil it. */
#ifndef BERTH_BASE_NATIVE_H
#define BERTH_BASE_NATIVE_H

#include "compiler.h"

#include <stdbool.h>
#include <stdio.h>

/** Opens a file as fopen() does.
 *  @param[in] mode  as fopen()'s  @return NULL: it cannot be, errno says why
 *  @thread any  @blocks for the file system  @source fopen(3), _wfopen */
FILE *berth_open_file(const char *path, const char *mode);

/** Gives a copy of an environment variable's value.
 *  @param[out] out  for berth_free(); NULL: it is not set
 *  @return false: no memory  @thread any, while nobody changes the environment  @blocks no
 *  @source getenv(3), GetEnvironmentVariableW */
BERTH_MUST_USE
bool berth_environment(char **out, const char *name);

#endif
