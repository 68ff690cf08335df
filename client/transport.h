/* SPDX-License-Identifier: MIT */
/* What a platform must supply so that the client can talk to the daemon: one connection, bytes in
 * and out with a deadline, a clock for it, the places where a daemon is looked for, and the words
 * that differ. posix/ speaks over a Unix socket, windows/ over a named pipe. */
#ifndef BERTH_CLIENT_TRANSPORT_H
#define BERTH_CLIENT_TRANSPORT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One connection. It has one user at a time; any thread may be it. */
struct berth_transport;

/** A deadline that never comes. */
#define BERTH_NO_DEADLINE UINT64_MAX

/** Gives the milliseconds of a clock that only goes forward; deadlines are values of it.
 *  @thread any  @blocks no */
uint64_t berth_transport_now_ms(void);

/** Connects to `endpoint`.
 *  @param[out] out       set only on BERTH_OK; close with berth_transport_close()
 *  @param[in]  endpoint  a Unix socket's path; a pipe's name, "berth" or "\\.\pipe\berth"; not
 * empty
 *  @return BERTH_OK · BERTH_NOT_FOUND: no such endpoint, or nobody listens there · BERTH_DENIED ·
 *          BERTH_BUSY: the deadline passed · BERTH_INVALID_PARAMS: the system cannot have an
 *          endpoint of that name · BERTH_IO, on Windows too when the pipe is that of a stranger ·
 *          BERTH_NO_MEMORY. `err->detail` says what was wrong without naming the endpoint.
 *  @thread any  @blocks until the deadline at most  @source unix(7), connect(2), CreateFileW,
 *          WaitNamedPipeW */
enum berth_code berth_transport_open(struct berth_transport **out, const char *endpoint,
                                     uint64_t deadline_ms, struct berth_error *err);

/** Sends all of `length` bytes. No signal is raised when the peer is gone.
 *  @return BERTH_OK · BERTH_BUSY: the deadline passed · BERTH_IO: the peer is gone or the system
 *          refused. On an error part of the bytes may have been sent.
 *  @thread any  @blocks until the deadline at most  @source send(2) */
enum berth_code berth_transport_send(struct berth_transport *transport, const char *bytes,
                                     size_t length, uint64_t deadline_ms, struct berth_error *err);

/** Receives what has come, at least one byte unless the peer closed.
 *  @param[out] received  1 to `size`; 0: the peer closed and nothing is left to read
 *  @return BERTH_OK · BERTH_BUSY: the deadline passed, nothing was read · BERTH_IO
 *  @thread any  @blocks until the deadline at most  @source recv(2) */
enum berth_code berth_transport_receive(struct berth_transport *transport, char *buffer,
                                        size_t size, size_t *received, uint64_t deadline_ms,
                                        struct berth_error *err);

/** Closes the connection and gives its memory back. NULL is accepted.  @thread any  @blocks no */
void berth_transport_close(struct berth_transport *transport);

/** Gives the places where a daemon is looked for when none was named, first to last.
 *  @param[in]  index  from 0
 *  @param[out] out    `size` bytes, at least BERTH_ENDPOINT_MAX
 *  @return false: there is none of that index (a place that needs an environment variable which is
 *          not set is left out)  @thread any, while nobody changes the environment  @blocks no */
bool berth_transport_default_endpoint(unsigned index, char *out, size_t size);

#define BERTH_ENDPOINT_MAX 256

/** How a person here starts the daemon, and gets access to it or a higher role: halves of a
 *  sentence. */
struct berth_transport_words {
    const char *start;  /* "start it with …" */
    const char *access; /* "have an administrator put you into …" */
};

extern const struct berth_transport_words berth_transport_words;

#endif
