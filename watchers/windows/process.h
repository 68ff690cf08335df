/* SPDX-License-Identifier: MIT */
/* Other processes: their images' names. */
#ifndef BERTH_WATCHERS_WINDOWS_PROCESS_H
#define BERTH_WATCHERS_WINDOWS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Opens a process for questions only.
 *  @param[out] created_ticks  when it was started, as a FILETIME counts
 *  @return for berth_process_close(); NULL: there is none, or it may not be opened. While it is
 * open, no other process gets its number  @thread any  @blocks no */
void *berth_process_open(uint32_t process_id, uint64_t *created_ticks);

/** Writes the file name of its image, without the folder, in UTF-8, cut off where it is too long.
 *  @return false: not to be had  @source QueryFullProcessImageNameW */
bool berth_process_image(void *process, char *out, size_t size);

void berth_process_close(void *process);

#endif
