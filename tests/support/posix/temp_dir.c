/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "temp_dir.h"

#include "cmocka_all.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *temp_dir_make(void)
{
    const char *base = getenv("TMPDIR");
    char pattern[512];

    (void)snprintf(pattern, sizeof pattern, "%s/berth-test-XXXXXX", base != NULL ? base : "/tmp");
    char *made = mkdtemp(pattern);
    assert_non_null(made);
    return strdup(made);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void temp_dir_remove(char *path)
{
    if (path != NULL) {
        (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(path);
    }
}

const char *temp_endpoint(const char *dir, const char *name)
{
    return temp_path(dir, name);
}

void replace_file(const char *path, const void *bytes, size_t size)
{
    char temporary[1024];

    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    write_file(temporary, bytes, size);
    assert_int_equal(rename(temporary, path), 0);
}

void move_path(const char *from, const char *to)
{
    assert_int_equal(rename(from, to), 0);
}

void remove_file(const char *path)
{
    assert_int_equal(remove(path), 0);
}

void add_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

bool link_folder(const char *to, const char *path)
{
    assert_int_equal(symlink(to, path), 0);
    return true;
}

void set_environment(const char *name, const char *value)
{
    assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}
