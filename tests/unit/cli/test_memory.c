/* SPDX-License-Identifier: MIT */
/* Each allocation of a command, Berth's own and jansson's, made to fail in turn. */
#include "cmocka_all.h"

#include "base/memory.h"
#include "base/version.h"
#include "cli_run.h"
#include "memory_faults.h"

#include <jansson.h>
#include <stdlib.h>

static void *json_take(size_t size)
{
    return berth_alloc(1, size);
}

/* Runs a line with each allocation failing in turn; what failed must end in a status other than 0
 * and say something, and what is printed for status 0 must be `out`. */
static void torture(const char *line, const char *reply, const char *out)
{
    const struct scripted_rule rule = {NULL, reply, false};
    bool failed = true;
    size_t live;

    for (size_t n = 1; failed; n++) {
        memory_faults_begin(n, false);
        json_set_alloc_funcs(json_take, berth_free);
        int status = cli_run(line, &rule, 1);
        json_set_alloc_funcs(malloc, free);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        if (status == 0) {
            assert_string_equal(cli_out, out);
        } else if (cli_err[0] == '\0' && cli_out[0] == '\0') {
            fail_msg("%s: allocation %zu failed in silence, status %d", line, n, status);
        }
        assert_true(failed || status == 0);
        assert_true(n < 2000);
    }
}

static void allocate__each_allocation_fails_in_turn__is_told(void **state)
{
    (void)state;
    torture("allocate shop --meta a=b --range 1-2 --site S --format env",
            "result {\"ports\":[49000,49001]}",
            "BERTH_PORT=49000\nBERTH_PORT_1=49000\nBERTH_PORT_2=49001\n");
}

static void reports__each_allocation_fails_in_turn__is_told(void **state)
{
    (void)state;
    torture("who 80",
            "result {\"why\":\"w\",\"claims\":[{\"source\":\"iis\",\"kind\":\"binding\"}]}",
            "w\n  SOURCE  HOLDER  DETAIL\n  iis     -\n");
    torture("leases", "result {\"leases\":[{\"port\":2},{\"port\":1}]}",
            "PORT  STATE  KEY  GENERATION  HOLDER  OWNER  EXPIRES  LEASE\n   1\n   2\n");
    torture("conflicts", "result {\"conflicts\":[{\"port\":2},{\"port\":1}]}",
            "PORT  SEVERITY  KIND  SINCE  TEXT\n   1\n   2\n");
    torture("status --json", "result {\"version\":\"1\"}", "{\"version\":\"1\"}\n");
    torture("status", "result {\"version\":\"1\",\"sources\":[{\"age_ms\":1}]}",
            "berthd 1 on ? (?), up ?, revision -1\nconfiguration built-in defaults\n\n"
            "SOURCE  STATE   AGE  CLAIMS  NAME\n               1 ms       -\n\n"
            "POOL  RANGE  PORTS  FREE  NEXT\n\nports       none\nleases      none\n");
    torture("version --json", "result {}", "{\"client\":\"" BERTH_VERSION "\",\"daemon\":{}}\n");
}

/* Refusals end in a status other than 0 anyway: here only crashes, leaks and silence are found. */
static void refusal__each_allocation_fails_in_turn__is_told(void **state)
{
    const struct scripted_rule rule = {
        NULL,
        "error {\"code\":1,\"message\":\"m\",\"data\":{\"reason\":\"port_in_use\",\"port\":80,"
        "\"claims\":[{\"source\":\"iis\",\"kind\":\"binding\",\"holder\":\"S\"}]}}",
        false};
    bool failed = true;
    size_t live;

    (void)state;
    for (size_t n = 1; failed; n++) {
        memory_faults_begin(n, false);
        json_set_alloc_funcs(json_take, berth_free);
        int status = cli_run("allocate --port 80", &rule, 1);
        json_set_alloc_funcs(malloc, free);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_int_not_equal(status, 0);
        assert_string_not_equal(cli_err, "");
    }
    assert_string_equal(cli_err, "berth: port 80 is not free: IIS site S (); take another port, or "
                                 "leave --port out\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocate__each_allocation_fails_in_turn__is_told),
        cmocka_unit_test(reports__each_allocation_fails_in_turn__is_told),
        cmocka_unit_test(refusal__each_allocation_fails_in_turn__is_told),
    };
    json_object_seed(1);
    return cmocka_run_group_tests(tests, cli_run_setup, cli_run_teardown);
}
