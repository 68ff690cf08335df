/* SPDX-License-Identifier: MIT */
/* A berthd of a test's own: in a folder of its own, with a configuration of the test's, started,
 * looked at and ended by the test. Everything here fails the test when it does not go well. */
#ifndef BERTH_TESTS_DAEMON_PROCESS_H
#define BERTH_TESTS_DAEMON_PROCESS_H

#include "base/compiler.h"
#include "system_platform.h"
#include "test_client.h"

#include <stdbool.h>
#include <stddef.h>

#define DAEMON_START_MS 20000 /* deadlines; what they wait for takes milliseconds */
#define DAEMON_STOP_MS 20000

struct daemon_process {
    char *folder;
    char endpoint[256];
    char config[300];
    char iis[300];   /* where the test's applicationHost.config lies, should it write one */
    char state[300]; /* the state folder */
    char log[300];
    long run_as;           /* -1: the test's own user */
    size_t file_bytes_max; /* how large it may make a file; 0: no limit */
    bool is_measured;      /* its memory: AddressSanitizer shall not keep what it frees, for long */
    struct platform_process *process;
};

/** cmocka's setup and teardown: *state is a struct daemon_process in a new folder, not started; at
 *  the end it is killed if it still runs, and the folder removed. */
int daemon_setup(void **state);
int daemon_teardown(void **state);

/** Writes the configuration: `elements` stand inside <berth>. Every "%s" in them is the path of
 *  the test's applicationHost.config. */
void daemon_configure(struct daemon_process *daemon, const char *elements);

/** Starts berthd with the configuration and does not wait for anything. Where `config` is empty, it
 *  is started without one. */
void daemon_launch(struct daemon_process *daemon);

/** Waits until the endpoint can be connected to. */
void daemon_await_endpoint(struct daemon_process *daemon);

/** Waits until no source is waiting. */
void daemon_await_ready(struct daemon_process *daemon);

/** Configures, launches and waits until ready. */
void daemon_start(struct daemon_process *daemon, const char *elements);

/** Waits for the process's end.  @return its exit status */
int daemon_await_end(struct daemon_process *daemon);

/** Asks it to stop and sees that it does so well: status 0, no complaint in the log. */
void daemon_stop(struct daemon_process *daemon);

/** Kills it without any notice. */
void daemon_kill(struct daemon_process *daemon);

/** Tells whether the log holds a text. */
bool daemon_log_has(const struct daemon_process *daemon, const char *text);

/** Waits until it does. */
void daemon_await_log(const struct daemon_process *daemon, const char *text);

/** Prints the log, for a test that is about to fail. */
void daemon_print_log(const struct daemon_process *daemon);

/** Starts a second berthd with other arguments than usual and waits for its end.
 *  @param[in]  arguments  without the program; ends with NULL
 *  @param[out] output     what it printed, for free()  @return its exit status */
int daemon_run(struct daemon_process *daemon, const char *const *arguments, char **output);

/** Waits until `holds` is true of `ctx`, for at most `timeout_ms`.
 *  @return how many microseconds that took; UINT64_MAX: it did not become true */
uint64_t daemon_await(bool (*holds)(void *ctx), void *ctx, unsigned timeout_ms);

#endif
