/* SPDX-License-Identifier: MIT */
/* What a command is, and what it works with. Each command lies in a file of its own,
 * command_<name>.c, and the table of all in commands.c. */
#ifndef BERTH_CLI_COMMAND_H
#define BERTH_CLI_COMMAND_H

#include "base/text.h"
#include "client/berth_client.h"
#include "exit_status.h"
#include "options.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/** The most that a command may print. */
#define BERTH_CLI_OUTPUT_MAX ((size_t)256 * 1024 * 1024)

/** One run of the program. Commands write into `out`; it is printed when they return. */
struct berth_cli {
    const char *endpoint; /* NULL: the usual places */
    unsigned timeout_ms;
    unsigned width; /* of the terminal; 0: none */
    bool json;      /* print the result or error object instead of texts */
    const struct berth_command *command;
    struct berth_client *client; /* NULL until the first call */
    struct berth_text out;
    struct berth_text err;
    FILE *out_stream;
    FILE *err_stream;
};

struct berth_command {
    const char *name;
    const char *summary;                /* one line, without a full stop */
    const char *synopsis;               /* what follows the name in the usage; "" for nothing */
    const struct berth_option *options; /* ends with a row without a name; NULL: none */
    unsigned arguments_min;
    unsigned arguments_max;
    const char *notes; /* further lines for the help, each ended by '\n'; NULL: none */
    enum berth_exit (*run)(struct berth_cli *cli, const struct berth_parsed *parsed);
};

/** All commands in the order of the help; the last is NULL. */
extern const struct berth_command *const berth_commands[];

/** The options that every command takes. */
extern const struct berth_option berth_global_options[];

/** Finds a command by its whole name.  @return NULL: there is none */
const struct berth_command *berth_command_find(const char *name);

/** Says that there is no such command, with a suggestion.  @return BERTH_EXIT_USAGE */
enum berth_exit berth_command_unknown(struct berth_cli *cli, const char *name);

/** Shows what an answer holds as texts; a command's half of berth_cli_ask(). */
typedef enum berth_exit (*berth_show_cb)(struct berth_cli *cli, const json_t *result);

/** Calls a method, connecting first where that was not done yet. On a failure the sentence (or
 *  with --json the error object) is written already.
 *  @param[in]  params  taken over, as berth_client_call() takes it
 *  @param[out] result  set only on BERTH_EXIT_DONE: for json_decref() */
enum berth_exit berth_cli_call(struct berth_cli *cli, const char *method, json_t *params,
                               json_t **result);

/** Calls a method and shows the answer: as a JSON line with --json, else with `show`. */
enum berth_exit berth_cli_ask(struct berth_cli *cli, const char *method, json_t *params,
                              berth_show_cb show);

/** Writes a JSON value as one line on `out`.  @return BERTH_EXIT_DONE, _FAILED: no memory */
enum berth_exit berth_cli_put_json(struct berth_cli *cli, const json_t *value);

/** Writes a sentence of failure ("berth: …") or, with --json, an error object with `reason`.
 *  @return `status` */
enum berth_exit berth_cli_fail(struct berth_cli *cli, enum berth_exit status, const char *reason,
                               const char *format, ...) BERTH_PRINTF(4, 5);

/** The same for a call that failed on this side.  @return its status */
enum berth_exit berth_cli_fail_call(struct berth_cli *cli, const struct berth_error *err);

/** The same for an answer that lacks what the command needs.  @return BERTH_EXIT_FAILED */
enum berth_exit berth_cli_fail_answer(struct berth_cli *cli);

/** Says on `err` what is wrong with the command line, and how to get help.
 *  @return BERTH_EXIT_USAGE */
enum berth_exit berth_cli_usage(struct berth_cli *cli, const char *format, ...) BERTH_PRINTF(2, 3);

/** Prints and empties `out` and `err`.
 *  @return false: standard output took not all of it; a reader that went away is not told of, any
 *          other reason is written on the error stream */
bool berth_cli_flush(struct berth_cli *cli);

/** Runs the program: reads the command line, runs the command, prints.
 *  @param[in] argv  as main() gets it
 *  @return an exit status  @thread main  @blocks up to the timeout for each call */
int berth_cli_main(int argc, const char *const *argv, FILE *out, FILE *err, unsigned width);

#endif
