/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over the files of a corpus, as an ordinary test. */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return -1;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    /* a block of its own size, so that a sanitizer sees a read past the end */
    uint8_t *copy = malloc(size != 0 ? size : 1);
    if (copy == NULL) {
        return -1;
    }
    memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    int files = 0;

    if (folder == NULL) {
        (void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(folder)) != NULL) {
        char path[2048];
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (entry->d_name[0] != '.' && replay_file(path) != 0) {
            return 1;
        }
        files += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    (void)printf("%d inputs replayed\n", files);
    return files > 0 ? 0 : 1;
}
