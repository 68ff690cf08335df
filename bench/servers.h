/* SPDX-License-Identifier: MIT */
/* The servers that a benchmark measures, as processes of its own, and connections to them.
 *
 * A server ends with the benchmark, whatever happens to that (PR_SET_PDEATHSIG). */
#ifndef BERTH_BENCH_SERVERS_H
#define BERTH_BENCH_SERVERS_H

#include "bench.h"

#include <sys/types.h>

/** No particular processor. */
#define BENCH_ANY_CPU (-1)

/** Binds the calling thread to one processor: the n-th of those that the program was started with,
 *  counted from 0 and starting again behind the last. BENCH_ANY_CPU: all of them again. */
void bench_pin(int cpu);

/** Gives how many processors the program was started with. */
int bench_cpus(void);

/** A server that runs. */
struct bench_server {
    pid_t pid;
    char endpoint[108]; /* empty: one of its own kind */
};

/** Starts a program that ends with this one; what it prints goes to a log.
 *  @param[in] cpu  where it runs, as for bench_pin() */
pid_t bench_launch(const char *log, int cpu, char *const argv[]);

/** Starts a daemon with a configuration and waits until it answers `next`.
 *  @param[in] name    of its files in the work folder
 *  @param[in] config  what stands inside <berth>…</berth>
 *  @param[in] cpu     where it runs, as for bench_pin() */
struct bench_server bench_start_daemon(const struct bench_options *options, const char *name,
                                       const char *config, int cpu);

/** The same without waiting for an answer. */
struct bench_server bench_launch_daemon(const struct bench_options *options, const char *name,
                                        const char *config, int cpu);

/** Starts the echo server, which answers each line with `answer_bytes` bytes, and waits until it
 *  listens. */
struct bench_server bench_start_echo(const struct bench_options *options, const char *name,
                                     size_t answer_bytes, int cpu);

/** Ends a server and waits for its end. */
void bench_stop(struct bench_server *server);

/** Runs a program to its end with standard output thrown away.  @return its exit status; -1: it
 *  could not be started, or a signal ended it */
int bench_run_program(char *const argv[]);

/** Gives the processor time that a process has used so far, all threads. */
uint64_t bench_cpu_time_ns(pid_t pid);

/** One connection. */
struct bench_link {
    int fd;
    size_t length; /* of the last answer, without the line feed */
    char *answer;  /* the last answer, NUL-terminated */
};

/** Connects.  @return false: nobody listens there; *link is unchanged */
bool bench_try_connect(struct bench_link *link, const char *endpoint);

/** Connects, or ends the program. */
void bench_connect(struct bench_link *link, const char *endpoint);

/** Closes a connection and keeps the memory of its answers for the next one. */
void bench_hang_up(struct bench_link *link);

/** Gives all back. */
void bench_disconnect(struct bench_link *link);

/** Sends `length` bytes that end in a line feed and takes the answer.
 *  @return how long it took */
uint64_t bench_call(struct bench_link *link, const char *request, size_t length);

/** Makes the request from a format, without the line feed, and makes the call.
 *  @return how long the call took */
uint64_t bench_ask(struct bench_link *link, const char *format, ...) BERTH_PRINTF(2, 3);

/** Finds `"name":NUMBER` in the last answer, or ends the program. */
uint64_t bench_answer_number(const struct bench_link *link, const char *name);

/** Ends the program unless the last answer has a result. */
void bench_expect_result(const struct bench_link *link);

#endif
