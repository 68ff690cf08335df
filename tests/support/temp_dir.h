/* SPDX-License-Identifier: MIT */
/* A folder of its own for a test, files in it, and the environment. */
#ifndef BERTH_TESTS_TEMP_DIR_H
#define BERTH_TESTS_TEMP_DIR_H

#include <stdbool.h>
#include <stddef.h>

/** Makes an empty folder where the system has its temporary ones. Fails the test otherwise.
 *  @return its path, with slashes on every system; for temp_dir_remove() */
char *temp_dir_make(void);

/** Removes the folder with all files and folders in it and frees the path. NULL is accepted. */
void temp_dir_remove(char *path);

/** Gives "dir/name" in a static buffer of which four are used in turn. */
const char *temp_path(const char *dir, const char *name);

/** Gives an endpoint of a test's own, in a static buffer of which four are used in turn: a socket
 * in the folder; a pipe that is named after it. */
const char *temp_endpoint(const char *dir, const char *name);

/** Writes a file in place (created or truncated). Fails the test otherwise. */
void write_file(const char *path, const void *bytes, size_t size);

/** Writes "path.new" and renames it to `path`. Fails the test otherwise. */
void replace_file(const char *path, const void *bytes, size_t size);

/** Gives a file or folder another name. Fails the test otherwise. Where the system moves nothing
 * that somebody has open, as a watcher has while it reads, that moment is waited for. */
void move_path(const char *from, const char *to);

/** Removes a file, and waits until its name can be used again. Fails the test otherwise. */
void remove_file(const char *path);

/** Reads a whole file, with a NUL behind it; for free(). Fails the test otherwise. */
char *read_whole_file(const char *path, size_t *size);

/** Makes a folder. Fails the test otherwise. */
void add_folder(const char *path);

/** Makes a symbolic link to a folder.  @return false: that cannot be done here */
bool link_folder(const char *to, const char *path);

/** Sets an environment variable; value NULL: removes it. Fails the test otherwise. */
void set_environment(const char *name, const char *value);

#endif
