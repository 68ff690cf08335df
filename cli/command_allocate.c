/* SPDX-License-Identifier: MIT */
/* berth allocate: takes ports for a key and prints them, and nothing else, on standard output. */
#include "commands.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "field.h"
#include "params.h"
#include "port_output.h"

#include <string.h>

#define KEEP_MAX 65535u
#define COUNT_MAX 64u /* ports of a lease */

static const struct berth_option options[] = {
    {"generation", "G", "which generation of the key, such as the release number", false},
    {"keep", "N", "release the key's oldest generations beyond N", false},
    {"pool", "P", "take from this pool", false},
    {"range", "A-B", "take from these ports only", false},
    {"port", "N", "take exactly this port", false},
    {"prefer", "N", "take this port if it is free", false},
    {"count", "N", "take so many ports, 1 to 64", false},
    {"contiguous", NULL, "take ports that follow one another", false},
    {"ttl", "D", "how long the ports are kept until they are used, such as 24h", false},
    {"holder", "H", "who will use the port: site:NAME, process:IMAGE or any", false},
    {"site", "S", "short for --holder site:S", false},
    {"protocol", "P", "what it will speak: tcp, http, https, ftp or net.tcp", false},
    {"hold", NULL, "keep the port from outgoing connections until its holder is there", false},
    {"meta", "K=V", "a note kept with the lease", true},
    {"format", "F", "plain, json, octopus or env", false},
    {"variable", "NAME", "the variable to set: Port with octopus, BERTH_PORT with env", false},
    {NULL, NULL, NULL, false},
};

/* How the ports are to be printed. */
struct output_choice {
    enum berth_port_format format;
    const char *variable;
};

static enum berth_exit read_format(struct berth_cli *cli, const struct berth_parsed *parsed,
                                   struct output_choice *choice)
{
    const char *format = berth_parsed_value(parsed, "format");
    const char *variable = berth_parsed_value(parsed, "variable");

    if (format != NULL && cli->json && strcmp(format, "json") != 0) {
        return berth_cli_usage(cli, "--json and --format %.40s exclude each other", format);
    }
    if (format != NULL && strcmp(format, "json") == 0) {
        cli->json = true;
    } else if (format != NULL && !berth_port_format_find(&choice->format, format)) {
        return berth_cli_usage(cli, "--format: '%.100s' is none of plain, json, octopus and env",
                               format);
    }
    choice->variable = berth_port_format_variable(choice->format);
    if (variable == NULL) {
        return BERTH_EXIT_DONE;
    }
    if (choice->variable == NULL || cli->json) {
        return berth_cli_usage(cli, "--variable needs --format octopus or env");
    }
    if (!berth_utf8_is_name(variable) || !berth_port_format_accepts(choice->format, variable)) {
        return berth_cli_usage(cli, "--variable: '%.100s' cannot be a variable's name", variable);
    }
    choice->variable = variable;
    return BERTH_EXIT_DONE;
}

/* Adds "name=value" to `meta`.  @return false: no memory */
static bool add_one_note(struct berth_params *params, json_t *meta, const char *pair)
{
    size_t length = strcspn(pair, "=");
    char *key = berth_copy_n(pair, length);
    bool added = key != NULL;

    if (!added) {
        return false;
    }
    if (length == 0 || pair[length] != '=') {
        berth_params_wrong(params, "--meta: '%.100s' is not of the form name=value", pair);
    } else if (!berth_utf8_is_name(key) || !berth_utf8_is_name(pair + length + 1)) {
        berth_params_wrong(params, "--meta: it is not UTF-8 or has control characters");
    } else if (json_object_get(meta, key) != NULL) {
        berth_params_wrong(params, "--meta: '%.100s' is given twice", key);
    } else {
        added = json_object_set_new(meta, key, json_string(pair + length + 1)) == 0;
    }
    berth_free(key);
    return added;
}

static void add_notes(struct berth_params *params, const struct berth_parsed *parsed)
{
    size_t cursor = 0;
    const char *pair = berth_parsed_next(parsed, "meta", &cursor);
    json_t *meta;

    if (pair == NULL) {
        return;
    }
    meta = json_object();
    for (; pair != NULL && meta != NULL; pair = berth_parsed_next(parsed, "meta", &cursor)) {
        if (!add_one_note(params, meta, pair)) {
            json_decref(meta);
            meta = NULL;
        }
    }
    berth_params_set(params, "meta", meta);
}

static void add_holder(struct berth_params *params, const struct berth_parsed *parsed)
{
    const char *holder = berth_parsed_value(parsed, "holder");
    const char *site = berth_parsed_value(parsed, "site");

    if (holder != NULL && site != NULL) {
        berth_params_wrong(params, "--holder and --site exclude each other");
    } else if (site != NULL && (site[0] == '\0' || !berth_utf8_is_name(site))) {
        berth_params_wrong(params, "--site: it is empty, not UTF-8 or has control characters");
    } else if (site != NULL) {
        berth_params_set(params, "holder", json_sprintf("site:%s", site));
    } else {
        berth_params_string(params, "holder", "--holder", holder);
    }
}

static void add_wishes(struct berth_params *params, const struct berth_parsed *parsed)
{
    berth_params_string(params, "pool", "--pool", berth_parsed_value(parsed, "pool"));
    berth_params_range(params, "range", "--range", berth_parsed_value(parsed, "range"));
    berth_params_port(params, "port", "--port", berth_parsed_value(parsed, "port"));
    berth_params_port(params, "prefer", "--prefer", berth_parsed_value(parsed, "prefer"));
    berth_params_number(params, "count", "--count", berth_parsed_value(parsed, "count"), 1,
                        COUNT_MAX);
    if (berth_parsed_has(parsed, "contiguous")) {
        berth_params_set(params, "contiguous", json_true());
    }
    if (berth_parsed_has(parsed, "hold")) {
        berth_params_set(params, "hold", json_true());
    }
    berth_params_duration(params, "ttl", "--ttl", berth_parsed_value(parsed, "ttl"));
    berth_params_string(params, "protocol", "--protocol", berth_parsed_value(parsed, "protocol"));
}

/* Prints the ports of a result; an answer without good ports prints none. */
static enum berth_exit print_ports(struct berth_cli *cli, const json_t *result,
                                   const struct output_choice *choice)
{
    const json_t *values = berth_field_array(result, "ports");
    size_t count = json_array_size(values);
    uint16_t *ports = berth_alloc(count + 1, sizeof *ports);
    enum berth_exit status = BERTH_EXIT_DONE;

    if (ports == NULL) {
        return berth_cli_fail(cli, BERTH_EXIT_FAILED, "internal", "out of memory");
    }
    for (size_t i = 0; i < count && status == BERTH_EXIT_DONE; i++) {
        if (!berth_field_port(&ports[i], json_array_get(values, i))) {
            status = berth_cli_fail_answer(cli);
        }
    }
    if (count == 0) {
        status = berth_cli_fail_answer(cli);
    }
    if (status == BERTH_EXIT_DONE) {
        berth_port_format_write(&cli->out, choice->format, choice->variable, ports, count);
    }
    berth_free(ports);
    return status;
}

static enum berth_exit build(struct berth_cli *cli, const struct berth_parsed *parsed,
                             json_t **object)
{
    const char *key = berth_parsed_argument(parsed, 0);
    struct berth_params params;

    berth_params_init(&params, cli);
    berth_params_string(&params, "key", "KEY", key);
    if (key == NULL &&
        (berth_parsed_has(parsed, "generation") || berth_parsed_has(parsed, "keep"))) {
        berth_params_wrong(&params, "--generation and --keep need a KEY");
    }
    berth_params_string(&params, "generation", "--generation",
                        berth_parsed_value(parsed, "generation"));
    berth_params_number(&params, "keep", "--keep", berth_parsed_value(parsed, "keep"), 1, KEEP_MAX);
    add_wishes(&params, parsed);
    add_holder(&params, parsed);
    add_notes(&params, parsed);
    return berth_params_take(&params, object);
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    struct output_choice choice = {BERTH_PORT_FORMAT_PLAIN, NULL};
    json_t *params = NULL;
    json_t *result = NULL;
    enum berth_exit status = read_format(cli, parsed, &choice);

    if (status == BERTH_EXIT_DONE) {
        status = build(cli, parsed, &params);
    }
    if (status == BERTH_EXIT_DONE) {
        status = berth_cli_call(cli, "allocate", params, &result);
    }
    if (status == BERTH_EXIT_DONE) {
        status = cli->json ? berth_cli_put_json(cli, result) : print_ports(cli, result, &choice);
        json_decref(result);
    }
    return status;
}

const struct berth_command berth_command_allocate = {
    .name = "allocate",
    .summary = "Take a free port for a key and print it",
    .synopsis =
        "[KEY] [--generation G] [--keep N] [--pool P] [--range A-B] [--port N] [--prefer N] "
        "[--count N [--contiguous]] [--ttl D] [--holder H [--hold] | --site S] [--protocol P] "
        "[--meta K=V]... "
        "[--format plain|json|octopus|env] [--variable NAME]",
    .options = options,
    .arguments_max = 1,
    .notes = "The same key and generation give the same port again, however often it is asked.\n"
             "With several ports, plain prints one a line; octopus and env set NAME to the first\n"
             "and NAME_1, NAME_2, ... to all of them in order.\n",
    .run = run,
};
