/* SPDX-License-Identifier: MIT */
/* Whole runs of the commands that change something, and of what all commands share: what is sent,
 * what is printed, byte by byte, and the exit status. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/version.h"
#include "cli_run.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define ALLOCATED                                                                                  \
    "{\"port\":49000,\"ports\":[49000],\"lease\":\"L1\",\"key\":\"shop\",\"state\":\"pending\"}"

/* Expects the parameters that a line sends, as JSON text. */
static void expect_params(const char *line, const char *method, const char *params)
{
    const struct scripted_rule rule = {NULL, "result {}", false};
    char expected[1000];

    (void)cli_run(line, &rule, 1);
    (void)snprintf(expected, sizeof expected,
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"%s%s}\n", method,
                   params[0] != '\0' ? ",\"params\":" : "", params);
    assert_string_equal(cli_received(), expected);
}

static void expect_usage(const char *line, const char *err)
{
    expect_run(line, "result {}", 2, "", err);
    assert_string_equal(cli_received(), ""); /* a mistake never reaches the daemon */
}

static void allocate__formats__print_exact_bytes(void **state)
{
    (void)state;
    expect_run("allocate shop", "result " ALLOCATED, 0, "49000\n", "");
    expect_run("allocate shop --format plain", "result " ALLOCATED, 0, "49000\n", "");
    expect_run("allocate shop --format octopus", "result " ALLOCATED, 0,
               "##octopus[setVariable name='UG9ydA==' value='NDkwMDA=']\n", "");
    expect_run("allocate shop --format octopus --variable My_Port", "result " ALLOCATED, 0,
               "##octopus[setVariable name='TXkgUG9ydA==' value='NDkwMDA=']\n", "");
    expect_run("allocate shop --format env", "result " ALLOCATED, 0, "BERTH_PORT=49000\n", "");
    expect_run("allocate shop --format env --variable P", "result " ALLOCATED, 0, "P=49000\n", "");
    expect_run("allocate shop --format json", "result " ALLOCATED, 0, ALLOCATED "\n", "");
    expect_run("--json allocate shop", "result " ALLOCATED, 0, ALLOCATED "\n", "");
    expect_run("allocate shop --json --format json", "result " ALLOCATED, 0, ALLOCATED "\n", "");
    expect_run("allocate --count 2", "result {\"port\":49000,\"ports\":[49000,49001]}", 0,
               "49000\n49001\n", "");
    expect_run("allocate --count 2 --format env", "result {\"port\":49000,\"ports\":[49000,49001]}",
               0, "BERTH_PORT=49000\nBERTH_PORT_1=49000\nBERTH_PORT_2=49001\n", "");
}

static void allocate__options__are_sent_as_the_protocol_has_them(void **state)
{
    (void)state;
    expect_params("allocate", "allocate", "");
    expect_params("allocate shop --generation 1.2 --keep 3 --pool qa --range 100-200 --port 101 "
                  "--prefer 102 --count 2 --contiguous --ttl 24h --holder process:nginx --hold "
                  "--protocol https "
                  "--meta a=1 "
                  "--meta b=x=y --meta c=",
                  "allocate",
                  "{\"key\":\"shop\",\"generation\":\"1.2\",\"keep\":3,\"pool\":\"qa\","
                  "\"range\":[100,200],\"port\":101,\"prefer\":102,\"count\":2,"
                  "\"contiguous\":true,\"hold\":true,\"ttl\":\"24h\",\"protocol\":\"https\","
                  "\"holder\":\"process:nginx\","
                  "\"meta\":{\"a\":\"1\",\"b\":\"x=y\",\"c\":\"\"}}");
    expect_params("allocate --site My_Shop --ttl 90", "allocate",
                  "{\"ttl\":90,\"holder\":\"site:My Shop\"}");
    expect_params("allocate -- --odd-key", "allocate", "{\"key\":\"--odd-key\"}");
}

#define SEE "; see 'berth help allocate'\n"

static void allocate__mistakes__are_usage_errors(void **state)
{
    (void)state;
    expect_usage("allocate a b", "berth allocate: 'b' is too much" SEE);
    expect_usage("allocate --port 0", "berth allocate: --port: '0' is not a port (1 to 65535)" SEE);
    expect_usage("allocate --port=", "berth allocate: --port: '' is not a port (1 to 65535)" SEE);
    expect_usage("allocate --range 5-4",
                 "berth allocate: --range: '5-4' is not a range of ports like 49000-49999" SEE);
    expect_usage("allocate --count 0",
                 "berth allocate: --count: '0' is not a number from 1 to 64" SEE);
    expect_usage("allocate --count 65",
                 "berth allocate: --count: '65' is not a number from 1 to 64" SEE);
    expect_usage("allocate --ttl 5x",
                 "berth allocate: --ttl: '5x' is not a duration like 90s, 15m or 24h" SEE);
    expect_usage("allocate --pool=", "berth allocate: --pool: it is empty" SEE);
    expect_usage("allocate a\xFF",
                 "berth allocate: KEY: it is not UTF-8 or has control characters" SEE);
    expect_usage("allocate --keep 2", "berth allocate: --generation and --keep need a KEY" SEE);
    expect_usage("allocate --site a --holder any",
                 "berth allocate: --holder and --site exclude each other" SEE);
    expect_usage("allocate --meta a",
                 "berth allocate: --meta: 'a' is not of the form name=value" SEE);
    expect_usage("allocate --meta a=1 --meta a=2",
                 "berth allocate: --meta: 'a' is given twice" SEE);
    expect_usage("allocate --format xml",
                 "berth allocate: --format: 'xml' is none of plain, json, octopus and env" SEE);
    expect_usage("allocate --json --format env",
                 "berth allocate: --json and --format env exclude each other" SEE);
    expect_usage("allocate --variable X",
                 "berth allocate: --variable needs --format octopus or env" SEE);
    expect_usage("allocate --format env --variable 1X",
                 "berth allocate: --variable: '1X' cannot be a variable's name" SEE);
    expect_usage("allocate --prot 1", "berth allocate: there is no option --prot; did you mean "
                                      "--port? See 'berth help allocate'\n");
}

#define LACKING                                                                                    \
    "berth: the daemon's answer lacks what is needed; are berth and berthd of the same version? "  \
    "'berth version' tells\n"

static void allocate__answers_that_surprise__print_no_port(void **state)
{
    static const char *const replies[] = {
        "result {}",
        "result {\"ports\":[]}",
        "result {\"ports\":49000}",
        "result {\"ports\":[0]}",
        "result {\"ports\":[49000,65536]}",
        "result {\"ports\":[49000,\"49001\"]}",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(replies); i++) {
        expect_run("allocate shop", replies[i], 1, "", LACKING);
        expect_run("next", replies[i], 1, "", LACKING);
    }
}

static void allocate__refused__tells_and_keeps_the_status(void **state)
{
    static const char refusal[] = "{\"code\":-32001,\"message\":\"none left\",\"data\":{\"reason\":"
                                  "\"pool_exhausted\",\"more\":[1]}}";
    char reply[300];
    char line[300];

    (void)state;
    (void)snprintf(reply, sizeof reply, "error %s", refusal);
    (void)snprintf(line, sizeof line, "%s\n", refusal);
    expect_run("allocate shop", reply, 3, "",
               "berth: none left; release leases that are done with ('berth leases') or widen the "
               "pool\n");
    expect_run("allocate shop --json", reply, 3, line, "");
}

static void release__each_form__is_sent_and_told(void **state)
{
    (void)state;
    expect_params("release --lease L1", "release", "{\"lease\":\"L1\"}");
    expect_params("release --key k --generation g", "release",
                  "{\"key\":\"k\",\"generation\":\"g\"}");
    expect_params("release --port 49000", "release", "{\"port\":49000}");
    expect_run("release --key k", "result {\"released\":[49000,49001]}", 0,
               "released port 49000\nreleased port 49001\n", "");
    expect_run("release --key k", "result {\"released\":[]}", 0, "there was nothing to release\n",
               "");
    expect_usage("release", "berth release: one of --lease, --key and --port is needed; see 'berth "
                            "help release'\n");
    expect_usage("release --key k --port 5", "berth release: one of --lease, --key and --port is "
                                             "needed; see 'berth help release'\n");
    expect_usage("release --port 5 --generation g",
                 "berth release: --generation needs --key; see 'berth help release'\n");
}

static void renew__each_form__is_sent_and_told(void **state)
{
    (void)state;
    expect_params("renew --key k --ttl 2h", "renew", "{\"key\":\"k\",\"ttl\":\"2h\"}");
    expect_params("renew --key k --generation 7", "renew", "{\"key\":\"k\",\"generation\":\"7\"}");
    expect_run("renew --lease L",
               "result {\"port\":49000,\"lease\":\"L\",\"expires_at\":\"2026-11-24T00:00:00Z\"}", 0,
               "renewed port 49000 until 2026-11-24T00:00:00Z\n", "");
    expect_usage("renew", "berth renew: one of --lease and --key is needed; see 'berth help "
                          "renew'\n");
}

static void import__export_output__is_handed_over_in_portions(void **state)
{
    static const struct scripted_rule rule = {
        "import",
        "result {\"skipped\":[{\"port\":49000,\"key\":\"shop\",\"reason\":\"port 49000 is leased "
        "to "
        "key blog here\"}],\"imported\":300}",
        false};
    static const struct scripted_rule lacking = {"import", "result {}", false};
    char *dir = temp_dir_make();
    const char *path = temp_path(dir, "leases.json");
    FILE *file = fopen(path, "wb");
    char line[600];
    size_t requests = 0;

    (void)state;
    assert_non_null(file);
    (void)fputs("{\"leases\":[", file);
    for (int i = 0; i < 1000; i++) {
        (void)fprintf(file, "%s{\"lease\":\"%0150d\"}", i != 0 ? "," : "", i);
    }
    (void)fputs("]}", file);
    (void)fclose(file);
    (void)snprintf(line, sizeof line, "import %s", path);
    assert_null(strchr(path, '_'));
    assert_int_equal(cli_run(line, &rule, 1), 0);
#define SKIPPED "skipped port 49000 of key shop: port 49000 is leased to key blog here\n"
    assert_string_equal(cli_out, "imported 900 of 1000 leases\n" SKIPPED SKIPPED SKIPPED);
#undef SKIPPED
    for (const char *at = cli_received(); *at != '\0'; requests++) {
        size_t length = strcspn(at, "\n");
        assert_true(length < 64 * 1024);
        at += length + 1;
    }
    assert_int_equal(requests, 3);
    assert_int_equal(cli_run(line, &lacking, 1), 1);
    assert_string_equal(cli_err, LACKING);
    write_file(path, "{}", 2);
    assert_int_equal(cli_run(line, &rule, 1), 1);
    assert_non_null(
        strstr(cli_err, "is not the output of 'berth leases --export': it has no list"));
    write_file(path, "{\n{", 3);
    assert_int_equal(cli_run(line, &rule, 1), 1);
    assert_non_null(strstr(cli_err, "is not the output of 'berth leases --export': line 2: "));
    assert_int_equal(remove(path), 0);
    assert_int_equal(cli_run(line, &rule, 1), 1);
    assert_non_null(strstr(cli_err, "No such file"));
    temp_dir_remove(dir);
}

static void version__both__are_told(void **state)
{
    static const char hello[] = "result {\"protocol\":1,\"version\":\"9.9\",\"instance\":\"ab\","
                                "\"host\":\"web01\",\"platform\":\"linux\"}";

    (void)state;
    expect_run("--version", NULL, 0, "berth " BERTH_VERSION "\n", "");
    expect_run("version", hello, 0,
               "berth " BERTH_VERSION "\nberthd 9.9 on web01 (linux), protocol 1, instance ab\n",
               "");
    expect_run("version --json", hello, 0,
               "{\"client\":\"" BERTH_VERSION
               "\",\"daemon\":{\"protocol\":1,\"version\":\"9.9\",\"instance\":\"ab\","
               "\"host\":\"web01\",\"platform\":\"linux\"}}\n",
               "");
}

static void program__no_daemon__is_status_4_and_says_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(cli_run("next", NULL, 0), 4);
    assert_string_equal(cli_out, "");
    assert_int_equal(strncmp(cli_err, "berth: no daemon at ", 20), 0);
    assert_non_null(strstr(cli_err, "start it with "));
    assert_int_equal(cli_run("next --json", NULL, 0), 4);
    assert_string_equal(cli_err, "");
    assert_non_null(strstr(cli_out, "\"data\":{\"reason\":\"not_reached\"}}\n"));
    char *folder = temp_dir_make();
    char line[400];
    (void)snprintf(line, sizeof line, "next --endpoint %s", temp_endpoint(folder, "none"));
    assert_int_equal(cli_run(line, NULL, 0), 4);
    (void)snprintf(line, sizeof line, "%s (no such ", temp_endpoint(folder, "none"));
    assert_non_null(strstr(cli_err, line));
    temp_dir_remove(folder);
}

static void program__silent_daemon__is_status_4_in_time(void **state)
{
    (void)state;
    assert_int_equal(
        cli_run("next --timeout 50ms", &(struct scripted_rule){NULL, "silent", false}, 1), 4);
    assert_non_null(strstr(cli_err, "did not answer within 50 ms"));
}

static void program__mistakes_before_a_command__are_usage_errors(void **state)
{
    (void)state;
    expect_usage("relase",
                 "berth: there is no command 'relase'; did you mean 'release'? See 'berth "
                 "help'\n");
    expect_usage("xyzzy", "berth: there is no command 'xyzzy'; see 'berth help'\n");
    expect_usage("--port 1 allocate", "berth: there is no option --port; see 'berth help'\n");
    expect_usage("--timeout 0 next",
                 "berth next: --timeout: '0' is not a time from 1ms to 24h; see "
                 "'berth help next'\n");
    expect_usage("--endpoint= next",
                 "berth next: --endpoint: it is empty; see 'berth help next'\n");
    expect_usage("who", "berth who: something is missing: berth who PORT...; see 'berth help "
                        "who'\n");
    expect_usage("free --count --list", "berth free: --count, --ranges and --list exclude each "
                                        "other; see 'berth help free'\n");
    expect_usage("help me", "berth help: there is no command 'me'; see 'berth help help'\n");
    expect_usage("leases --export --key k", "berth leases: --export takes all leases: leave the "
                                            "filters out; see 'berth help leases'\n");
}

static void program__help__is_on_standard_output(void **state)
{
    (void)state;
    assert_int_equal(cli_run("", NULL, 0), 0);
    assert_int_equal(strncmp(cli_out, "usage: berth [--endpoint E] ", 28), 0);
    char *overview = strdup(cli_out);
    expect_run("--help", NULL, 0, overview, "");
    expect_run("help", NULL, 0, overview, "");
    free(overview);
    assert_int_equal(cli_run("release --help", NULL, 0), 0);
    char *release = strdup(cli_out);
    assert_int_equal(strncmp(release, "usage: berth release (--lease L ", 32), 0);
    expect_run("help release", NULL, 0, release, "");
    expect_run("--help release", NULL, 0, release, "");
    free(release);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocate__formats__print_exact_bytes),
        cmocka_unit_test(allocate__options__are_sent_as_the_protocol_has_them),
        cmocka_unit_test(allocate__mistakes__are_usage_errors),
        cmocka_unit_test(allocate__answers_that_surprise__print_no_port),
        cmocka_unit_test(allocate__refused__tells_and_keeps_the_status),
        cmocka_unit_test(release__each_form__is_sent_and_told),
        cmocka_unit_test(renew__each_form__is_sent_and_told),
        cmocka_unit_test(import__export_output__is_handed_over_in_portions),
        cmocka_unit_test(version__both__are_told),
        cmocka_unit_test(program__no_daemon__is_status_4_and_says_what_to_do),
        cmocka_unit_test(program__silent_daemon__is_status_4_in_time),
        cmocka_unit_test(program__mistakes_before_a_command__are_usage_errors),
        cmocka_unit_test(program__help__is_on_standard_output),
    };
    return cmocka_run_group_tests(tests, cli_run_setup, cli_run_teardown);
}
