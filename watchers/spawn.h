/* SPDX-License-Identifier: MIT */
/* Starts programs, one at a time. On Windows a program inherits every handle that can be inherited
 * at that moment, and libuv makes such ends of pipes for the program that it starts. Another
 * program, started by another thread just then, would get them too: whoever reads the pipe would
 * wait for the end of both. */
#ifndef BERTH_WATCHERS_SPAWN_H
#define BERTH_WATCHERS_SPAWN_H

#include <uv.h>

/** Does what uv_spawn() does, and no other thread does it meanwhile, unless one that began before
 *  has not come to an end within 2 s.
 *  @return as uv_spawn()  @thread of the loop  @blocks for the start of a process, and for that of
 *  another thread before  @source CreateProcessW, bInheritHandles */
int berth_spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options);

#endif
