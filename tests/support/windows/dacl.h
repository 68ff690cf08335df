/* SPDX-License-Identifier: MIT */
/* Reads a DACL back from what it protects. */
#ifndef BERTH_TESTS_WINDOWS_DACL_H
#define BERTH_TESTS_WINDOWS_DACL_H

#include <stddef.h>
#include <windows.h>

/** Writes what an object's DACL grants, an entry a line in its order: "allow FLAGS MASK SID", flags
 *  and mask in hexadecimal, any other kind of entry as "other TYPE"; before them "protected" where
 *  it inherits nothing. Fails the test where it cannot be read.  @return `out` */
const char *dacl_read(HANDLE object, int type, char *out, size_t size);

#endif
