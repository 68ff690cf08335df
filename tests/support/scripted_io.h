/* SPDX-License-Identifier: MIT */
/* What the scripted server asks of the system: a listening endpoint, connections of it, one thread
 * and a lock. posix/ and windows/ fulfil it. Whatever waits ends when the server is to stop. */
#ifndef BERTH_TESTS_SCRIPTED_IO_H
#define BERTH_TESTS_SCRIPTED_IO_H

#include <stdbool.h>
#include <stddef.h>

struct scripted_io;

/** Listens at an endpoint.  @return for scripted_io_stop(); NULL: the system refused */
struct scripted_io *scripted_io_listen(const char *endpoint);

/** Runs `body` in a thread.  @return false: the system refused */
bool scripted_io_start(struct scripted_io *io, void (*body)(void *ctx), void *ctx);

/** Waits for the next connection, which is then the current one.  @return false: stop */
bool scripted_io_accept(struct scripted_io *io);

/** Waits for bytes of the current connection.
 *  @return how many; 0: the peer closed, or the server is to stop */
size_t scripted_io_receive(struct scripted_io *io, char *bytes, size_t size);

/** Sends all bytes on the current connection.  @return false: the peer is gone, or stop */
bool scripted_io_send(struct scripted_io *io, const char *bytes, size_t length);

/** Waits until the peer has read all that was sent; gives up after a while. */
void scripted_io_wait_drained(struct scripted_io *io);

/** Closes the current connection; the peer may still read what was sent. */
void scripted_io_close(struct scripted_io *io);

/** Holds the lock, and lets it go. */
void scripted_io_lock(struct scripted_io *io);
void scripted_io_unlock(struct scripted_io *io);

/** Ends the waits and the thread, removes the endpoint and gives the memory back. */
void scripted_io_stop(struct scripted_io *io);

#endif
