/* SPDX-License-Identifier: MIT */
/* Runs one command: command line in, texts and exit status out. */
#include "command.h"

#include "base/units.h"
#include "base/version.h"
#include "explain.h"
#include "help.h"
#include "terminal.h"
#include "text_width.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#define TIMEOUT_DEFAULT_MS 10000u
#define TIMEOUT_MAX_MS ((uint64_t)24 * 3600 * 1000)

/* Writing */

static int add_dumped(const char *bytes, size_t length, void *text)
{
    struct berth_text *out = text;

    berth_text_add(out, bytes, length);
    return out->failed == BERTH_OK ? 0 : -1;
}

enum berth_exit berth_cli_put_json(struct berth_cli *cli, const json_t *value)
{
    int dumped = json_dump_callback(value, add_dumped, &cli->out, JSON_COMPACT);

    berth_text_putc(&cli->out, '\n');
    if (dumped != 0 && cli->out.failed == BERTH_OK) {
        cli->out.failed = BERTH_NO_MEMORY;
    }
    return dumped == 0 ? BERTH_EXIT_DONE : BERTH_EXIT_FAILED;
}

/* Writes an error object of this side's making. */
static void put_error_object(struct berth_cli *cli, const char *reason, const char *message)
{
    json_t *object = json_pack("{s:i, s:s, s:{s:s}}", "code", berth_code_number(BERTH_INTERNAL),
                               "message", message, "data", "reason", reason);

    if (object == NULL) {
        cli->out.failed = BERTH_NO_MEMORY;
    } else {
        (void)berth_cli_put_json(cli, object);
    }
    json_decref(object);
}

static void put_sentence(struct berth_cli *cli, const char *reason, const char *sentence)
{
    struct berth_text shown;

    berth_text_init(&shown, strlen(sentence) + 1);
    berth_text_add_shown(&shown, sentence);
    if (cli->json) {
        put_error_object(cli, reason, berth_text_string(&shown));
    } else {
        berth_text_printf(&cli->err, "berth: %s\n", berth_text_string(&shown));
    }
    berth_text_fini(&shown);
}

enum berth_exit berth_cli_fail(struct berth_cli *cli, enum berth_exit status, const char *reason,
                               const char *format, ...)
{
    char sentence[600];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    put_sentence(cli, reason, sentence);
    return status;
}

enum berth_exit berth_cli_fail_call(struct berth_cli *cli, const struct berth_error *err)
{
    return berth_cli_fail(cli, berth_exit_of_call(err->code), berth_reason_of_call(err->code), "%s",
                          err->detail);
}

enum berth_exit berth_cli_fail_answer(struct berth_cli *cli)
{
    return berth_cli_fail(cli, BERTH_EXIT_FAILED, "internal",
                          "the daemon's answer lacks what is needed; are berth and berthd of the "
                          "same version? 'berth version' tells");
}

enum berth_exit berth_cli_usage(struct berth_cli *cli, const char *format, ...)
{
    const char *name = cli->command != NULL ? cli->command->name : NULL;
    char sentence[600];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    berth_text_puts(&cli->err, name != NULL ? "berth " : "berth");
    berth_text_puts(&cli->err, name != NULL ? name : "");
    berth_text_puts(&cli->err, ": ");
    berth_text_add_shown(&cli->err, sentence);
    bool question = sentence[0] != '\0' && sentence[strlen(sentence) - 1] == '?';
    berth_text_puts(&cli->err, question ? " See 'berth help" : "; see 'berth help");
    berth_text_puts(&cli->err, name != NULL ? " " : "");
    berth_text_puts(&cli->err, name != NULL ? name : "");
    berth_text_puts(&cli->err, "'\n");
    return BERTH_EXIT_USAGE;
}

static bool write_all(FILE *stream, struct berth_text *text)
{
    bool written = fwrite(berth_text_string(text), 1, text->length, stream) == text->length;

    written = fflush(stream) == 0 && written;
    berth_text_clear(text);
    return written;
}

bool berth_cli_flush(struct berth_cli *cli)
{
    bool whole = cli->out.failed == BERTH_OK && cli->err.failed == BERTH_OK;

    errno = 0;
    bool written = write_all(cli->out_stream, &cli->out);
    int why = errno;
    bool unread = !written && berth_terminal_reader_gone(why);

    (void)write_all(cli->err_stream, &cli->err);
    if (!whole) {
        (void)fputs("berth: out of memory for the output\n", cli->err_stream);
    } else if (!written && !unread) {
        (void)fprintf(cli->err_stream, "berth: cannot write the output: %s\n", strerror(why));
    }
    return whole && written;
}

/* Calling */

static enum berth_exit refuse(struct berth_cli *cli, const struct berth_remote_error *remote,
                              bool port_asked)
{
    struct berth_text sentence;

    if (cli->json) {
        (void)berth_cli_put_json(cli, remote->object);
        return berth_exit_of_reason(remote->reason);
    }
    berth_text_init(&sentence, BERTH_CLI_OUTPUT_MAX);
    berth_explain_refusal(&sentence, remote, cli->command->name, port_asked);
    put_sentence(cli, remote->reason, berth_text_string(&sentence));
    if (sentence.failed != BERTH_OK) {
        cli->err.failed = sentence.failed;
    }
    berth_text_fini(&sentence);
    return berth_exit_of_reason(remote->reason);
}

enum berth_exit berth_cli_call(struct berth_cli *cli, const char *method, json_t *params,
                               json_t **result)
{
    struct berth_remote_error remote = {0};
    struct berth_error err;
    enum berth_exit status = BERTH_EXIT_DONE;
    enum berth_code code = BERTH_OK;
    bool port_asked = json_object_get(params, "port") != NULL; /* the call takes them over */

    if (cli->client == NULL) {
        code = berth_client_connect(&cli->client, cli->endpoint, cli->timeout_ms, &err);
    }
    if (code != BERTH_OK) {
        json_decref(params);
        return berth_cli_fail_call(cli, &err);
    }
    code = berth_client_call(cli->client, method, params, result, &remote, &err);
    if (remote.object != NULL) {
        status = refuse(cli, &remote, port_asked);
    } else if (code != BERTH_OK) {
        status = berth_cli_fail_call(cli, &err);
    }
    berth_remote_error_fini(&remote);
    return status;
}

enum berth_exit berth_cli_ask(struct berth_cli *cli, const char *method, json_t *params,
                              berth_show_cb show)
{
    json_t *result;
    enum berth_exit status = berth_cli_call(cli, method, params, &result);

    if (status == BERTH_EXIT_DONE) {
        status = cli->json ? berth_cli_put_json(cli, result) : show(cli, result);
        json_decref(result);
    }
    return status;
}

/* The command line */

static const struct berth_option no_options[] = {{NULL, NULL, NULL, false}};

/* Reads the options before the command, the command, and then its options and arguments. */
static enum berth_code read_words(struct berth_cli *cli, struct berth_parsed *parsed, int argc,
                                  const char *const *argv, struct berth_error *err)
{
    const struct berth_option *tables[] = {berth_global_options, no_options, NULL};
    int next = 1;
    enum berth_code code = berth_options_read(parsed, tables, argc, argv, 1, true, &next, err);

    if (code != BERTH_OK || parsed->argument_count == 0) {
        return code;
    }
    cli->command = berth_command_find(parsed->arguments[0]);
    if (cli->command == NULL) {
        return BERTH_OK;
    }
    parsed->argument_count = 0;
    tables[1] = cli->command->options != NULL ? cli->command->options : no_options;
    return berth_options_read(parsed, tables, argc, argv, next, false, &next, err);
}

static enum berth_exit read_globals(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    const char *timeout = berth_parsed_value(parsed, "timeout");
    uint64_t number;

    cli->endpoint = berth_parsed_value(parsed, "endpoint");
    cli->json = berth_parsed_has(parsed, "json");
    if (cli->endpoint != NULL && cli->endpoint[0] == '\0') {
        return berth_cli_usage(cli, "--endpoint: it is empty");
    }
    if (timeout == NULL) {
        return BERTH_EXIT_DONE;
    }
    if (berth_parse_number(&number, timeout, 1, TIMEOUT_MAX_MS / 1000)) {
        cli->timeout_ms = (unsigned)number * 1000;
    } else if (berth_parse_duration(&number, timeout) && number >= 1 && number <= TIMEOUT_MAX_MS) {
        cli->timeout_ms = (unsigned)number;
    } else {
        return berth_cli_usage(cli, "--timeout: '%.100s' is not a time from 1ms to 24h", timeout);
    }
    return BERTH_EXIT_DONE;
}

static enum berth_exit check_arguments(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    const struct berth_command *command = cli->command;

    if (parsed->argument_count < command->arguments_min) {
        return berth_cli_usage(cli, "something is missing: berth %s %s", command->name,
                               command->synopsis);
    }
    if (parsed->argument_count > command->arguments_max) {
        return berth_cli_usage(cli, "'%.100s' is too much",
                               parsed->arguments[command->arguments_max]);
    }
    return BERTH_EXIT_DONE;
}

static enum berth_exit dispatch(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    enum berth_exit status = read_globals(cli, parsed);

    if (status != BERTH_EXIT_DONE) {
        return status;
    }
    if (berth_parsed_has(parsed, "version")) {
        berth_text_puts(&cli->out, "berth " BERTH_VERSION "\n");
        return BERTH_EXIT_DONE;
    }
    if (cli->command == NULL && parsed->argument_count != 0) {
        return berth_command_unknown(cli, parsed->arguments[0]);
    }
    if (cli->command == NULL) {
        berth_help_overview(&cli->out);
        return BERTH_EXIT_DONE;
    }
    if (berth_parsed_has(parsed, "help")) {
        berth_help_command(&cli->out, cli->command);
        return BERTH_EXIT_DONE;
    }
    status = check_arguments(cli, parsed);
    return status == BERTH_EXIT_DONE ? cli->command->run(cli, parsed) : status;
}

static enum berth_exit run(struct berth_cli *cli, int argc, const char *const *argv)
{
    struct berth_parsed parsed;
    struct berth_error err;
    enum berth_exit status;

    if (berth_parsed_init(&parsed, argc > 0 ? (size_t)argc : 0, &err) != BERTH_OK) {
        return berth_cli_fail_call(cli, &err);
    }
    if (read_words(cli, &parsed, argc, argv, &err) != BERTH_OK) {
        status = berth_cli_usage(cli, "%s", err.detail);
    } else {
        status = dispatch(cli, &parsed);
    }
    berth_parsed_fini(&parsed);
    return status;
}

int berth_cli_main(int argc, const char *const *argv, FILE *out, FILE *err, unsigned width)
{
    struct berth_cli cli = {
        .timeout_ms = TIMEOUT_DEFAULT_MS, .width = width, .out_stream = out, .err_stream = err};

    berth_text_init(&cli.out, BERTH_CLI_OUTPUT_MAX);
    berth_text_init(&cli.err, BERTH_CLI_OUTPUT_MAX);
    enum berth_exit status = run(&cli, argc, argv);
    if (!berth_cli_flush(&cli) && status == BERTH_EXIT_DONE) {
        status = BERTH_EXIT_FAILED;
    }
    berth_client_close(cli.client);
    berth_text_fini(&cli.out);
    berth_text_fini(&cli.err);
    return (int)status;
}
