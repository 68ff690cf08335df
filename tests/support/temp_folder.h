/* SPDX-License-Identifier: MIT */
/* A folder of its own for each test of a program, as cmocka's setup and teardown. */
#ifndef BERTH_TESTS_TEMP_FOLDER_H
#define BERTH_TESTS_TEMP_FOLDER_H

#include "temp_dir.h"

static char *folder;

static inline int make_folder(void **unused)
{
    (void)unused;
    folder = temp_dir_make();
    return 0;
}

static inline int remove_folder(void **unused)
{
    (void)unused;
    temp_dir_remove(folder);
    return 0;
}

#endif
