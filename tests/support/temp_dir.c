/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "temp_dir.h"

#include "cmocka_all.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
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

const char *temp_path(const char *dir, const char *name)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void replace_file(const char *path, const void *bytes, size_t size)
{
    char temporary[1024];

    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    write_file(temporary, bytes, size);
    assert_int_equal(rename(temporary, path), 0);
}

char *read_whole_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long end = ftell(file);
    assert_true(end >= 0);
    rewind(file);
    char *bytes = malloc((size_t)end + 1);
    assert_non_null(bytes);
    *size = fread(bytes, 1, (size_t)end, file);
    bytes[*size] = '\0';
    assert_int_equal(fclose(file), 0);
    return bytes;
}
