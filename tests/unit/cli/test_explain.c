/* SPDX-License-Identifier: MIT */
/* Every reason of the protocol: its exit status and its sentence. */
#include "cmocka_all.h"

#include "cli/exit_status.h"
#include "cli/explain.h"

#include <stdio.h>

struct row {
    const char *reason;
    enum berth_exit status;
    const char *message;
    const char *data; /* more members of data, each with a comma before it */
    const char *sentence;
};

static const struct row rows[] = {
    {"pool_exhausted", BERTH_EXIT_NO_FREE_PORT, "no port is free in default 49000-65000",
     ",\"pool\":\"default\",\"range\":[49000,65000],\"total\":16001,\"free\":0,\"not_given\":0,"
     "\"counts\":{\"leased\":12,\"iis\":0,\"tcp\":15989,\"httpsys\":0,\"excluded\":0,"
     "\"reserved\":0,\"cooling\":0}",
     "no port is free in default 49000-65000: of 16001 ports none is free, 12 leased, 15989 used "
     "by tcp; release leases that are done with ('berth leases') or widen the pool"},
    {"pool_exhausted", BERTH_EXIT_NO_FREE_PORT, "m",
     ",\"range\":[80,80],\"total\":1,\"counts\":{\"leased\":1,\"iis\":2,\"tcp\":3,\"httpsys\":4,"
     "\"excluded\":5,\"reserved\":6,\"cooling\":7}",
     "m: of 1 port none is free, 1 leased, 2 used by iis, 3 used by tcp, 4 used by http.sys, 5 "
     "excluded by the system, 6 reserved, 7 cooling down; release leases that are done with "
     "('berth leases') or widen the pool"},
    {"pool_exhausted", BERTH_EXIT_NO_FREE_PORT, "no 5 neighbouring ports are free in qa 1-10",
     ",\"total\":10,\"free\":6,\"not_given\":0,\"counts\":{\"leased\":4}",
     "no 5 neighbouring ports are free in qa 1-10: of 10 ports 6 are free, 4 leased; ask for "
     "fewer, release leases that are done with ('berth leases') or widen the pool"},
    {"pool_exhausted", BERTH_EXIT_NO_FREE_PORT, "m",
     ",\"total\":10,\"free\":1,\"counts\":{\"leased\":0,\"tcp\":9}",
     "m: of 10 ports 1 is free, 9 used by tcp; ask for fewer, or widen the pool"},
    {"pool_exhausted", BERTH_EXIT_NO_FREE_PORT, "m",
     ",\"total\":101,\"free\":101,\"not_given\":101,\"counts\":{\"leased\":0}",
     "m: of 101 ports 101 are free; free ones in the ephemeral range are not given "
     "(ephemeral=\"never\"); widen the pool"},
    {"pool_exhausted", BERTH_EXIT_NO_FREE_PORT, "nothing is left.", "",
     "nothing is left; release leases that are done with ('berth leases') or widen the pool"},
    {"port_in_use", BERTH_EXIT_PORT_IN_USE, "m",
     ",\"port\":8080,\"claims\":[{\"source\":\"iis\",\"kind\":\"binding\",\"protocol\":\"https\","
     "\"holder\":\"Shop\",\"detail\":\"*:443:shop.example\",\"stopped\":true,\"sni\":true},"
     "{\"source\":\"tcp\",\"kind\":\"listener\",\"address\":\"0.0.0.0\",\"holder\":\"nginx\","
     "\"pid\":12}]",
     "port 8080 is not free: IIS site Shop (https *:443:shop.example, stopped, SNI); nginx (pid "
     "12), listening on 0.0.0.0; take another port, or leave --port out"},
    {"port_in_use", BERTH_EXIT_PORT_IN_USE, "the port is in use", "",
     "the port is in use; take another port, or leave --port out"},
    {"out_of_range", BERTH_EXIT_FAILED, "port 80 lies in no pool", "",
     "port 80 lies in no pool; 'berth free' shows the pools"},
    {"not_ready", BERTH_EXIT_NOT_READY, "m", ",\"sources\":[\"iis\",\"tcp\"]",
     "the daemon is not ready: it still waits for iis, tcp; 'berth status' tells why, try again "
     "then"},
    {"not_ready", BERTH_EXIT_NOT_READY, "wait", "",
     "wait; 'berth status' tells why, try again then"},
    {"not_found", BERTH_EXIT_NOT_FOUND, "there is no lease x.", "", "there is no lease x"},
    {"denied", BERTH_EXIT_DENIED, "not yours", ",\"owner\":\"W\\\\deploy\"",
     "not yours (the owner is W\\deploy); let the owner or an administrator do it"},
    {"denied", BERTH_EXIT_DENIED, "it is alice's", ",\"owner\":\"alice\"",
     "it is alice's; let the owner or an administrator do it"},
    {"denied", BERTH_EXIT_DENIED, "allocators only", "", "allocators only; "}, /* and advice */
    {"limit_reached", BERTH_EXIT_FAILED, "too many leases",
     ",\"limit\":\"leasesPerUser\",\"value\":1000",
     "too many leases; give back what is done with, or raise leasesPerUser in berthd.config"},
    {"limit_reached", BERTH_EXIT_FAILED, "512 ports are held already, the most",
     ",\"limit\":\"heldPorts\",\"value\":512",
     "512 ports are held already, the most; give back what is done with"},
    {"limit_reached", BERTH_EXIT_FAILED, "there are 65535 leases already", "",
     "there are 65535 leases already; give back what is done with"},
    {"invalid_params", BERTH_EXIT_USAGE, "ttl is no duration", "",
     "ttl is no duration; see 'berth help allocate'"},
    {"too_large", BERTH_EXIT_FAILED, "more than 64 KiB", "",
     "more than 64 KiB; ask for less at once"},
    {"busy", BERTH_EXIT_FAILED, "busy", "", "busy; try again"},
    {"not_supported", BERTH_EXIT_FAILED, "there is no method history", "",
     "there is no method history"},
    {"store_failed", BERTH_EXIT_FAILED, "disk full", "", "disk full; the daemon's log tells more"},
    {"internal", BERTH_EXIT_FAILED, "oops", "", "oops; the daemon's log tells more"},
    {"brand_new", BERTH_EXIT_FAILED, "something \x1b[31mnew", "", "something ?[31mnew"},
};

static void explain__each_reason__has_its_status_and_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        char data[1000];
        char sentence[1000];
        struct berth_text out;
        (void)snprintf(data, sizeof data, "{\"reason\":\"%s\"%s}", rows[i].reason, rows[i].data);
        json_t *object = json_loads(data, 0, NULL);
        assert_non_null(object);
        const struct berth_remote_error remote = {
            .object = object, .reason = rows[i].reason, .message = rows[i].message, .data = object};
        berth_text_init(&out, 10000);
        berth_explain_refusal(&out, &remote, "allocate", true);
        (void)snprintf(sentence, sizeof sentence, "%s%s", rows[i].sentence,
                       rows[i].sentence[strlen(rows[i].sentence) - 1] == ' '
                           ? berth_client_access_advice()
                           : "");
        assert_string_equal(berth_text_string(&out), sentence);
        assert_int_equal(berth_exit_of_reason(rows[i].reason), rows[i].status);
        berth_text_fini(&out);
        json_decref(object);
    }
}

/* The table above must not fall behind the protocol's own list. */
static void explain__every_token_of_the_protocol__is_tested(void **state)
{
    (void)state;
    for (unsigned c = BERTH_OK + 1; c < BERTH_CODE_COUNT; c++) {
        bool found = false;
        for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
            found = found || strcmp(rows[i].reason, berth_code_token((enum berth_code)c)) == 0;
        }
        if (!found) {
            fail_msg("no row for %s", berth_code_token((enum berth_code)c));
        }
    }
}

static void explain__claims_beyond_five__are_counted(void **state)
{
    json_t *data = json_pack("{s:i, s:[]}", "port", 80, "claims");
    struct berth_text out;

    (void)state;
    for (int i = 0; i < 7; i++) {
        (void)json_array_append_new(
            json_object_get(data, "claims"),
            json_pack("{s:s,s:s,s:i}", "source", "tcp", "kind", "bound", "uid", i));
    }
    const struct berth_remote_error remote = {
        .object = data, .reason = "port_in_use", .message = "m", .data = data};
    berth_text_init(&out, 10000);
    berth_explain_refusal(&out, &remote, "allocate", true);
    assert_non_null(strstr(berth_text_string(&out),
                           "uid 4, bound to all addresses, not listening; and 2 more; take"));
    berth_text_fini(&out);
    json_decref(data);
}

struct claim_row {
    const char *claim;
    const char *phrase;
};

static const struct claim_row claim_rows[] = {
    {"\"kind\":\"lease\",\"holder\":\"shop\",\"detail\":\"9451\"",
     "leased to the key shop (lease 9451)"},
    {"\"kind\":\"cooling\",\"holder\":\"shop\",\"until\":\"T\"",
     "cooling down after a lease of shop, until T"},
    {"\"kind\":\"binding\",\"holder\":\"Shop\",\"detail\":\"http *:8080:\"",
     "IIS site Shop (http *:8080:)"},
    {"\"kind\":\"binding\",\"holder\":\"Shop\",\"detail\":\"http *:8080:\",\"lingering\":true,"
     "\"until\":\"T\"",
     "IIS site Shop (http *:8080:, vanished, kept for a while) until T"},
    {"\"kind\":\"ftp_data\"", "in the port range of IIS's FTP data channel"},
    {"\"kind\":\"listener\",\"holder\":\"java\",\"pid\":12,\"address\":\"0.0.0.0\"",
     "java (pid 12), listening on 0.0.0.0"},
    {"\"kind\":\"bound\",\"address\":\"::1\"", "an unknown process, bound to ::1, not listening"},
    {"\"kind\":\"connection\",\"count\":3", "the local port of 3 open connections"},
    {"\"kind\":\"time_wait\"", "the local port of 1 closed connection (TIME_WAIT)"},
    {"\"kind\":\"url\",\"holder\":\"http://+:80/a\",\"detail\":\"URL reservation\",\"pid\":4",
     "http.sys: http://+:80/a (URL reservation)"},
    {"\"kind\":\"exclusion\",\"holder\":\"50000-50059\",\"detail\":\"administered\"",
     "excluded by the system, 50000-50059 (administered)"},
    {"\"kind\":\"reservation\",\"holder\":\"agents\"", "reserved in berthd.config (agents)"},
    {"\"kind\":\"reservation\"", "reserved in berthd.config"},
    {"\"kind\":\"later\",\"holder\":\"h\",\"detail\":\"d\"", "h: d"},
};

static void explain__each_kind_of_claim__is_a_phrase_behind_the_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(claim_rows); i++) {
        char data[1000];
        char expected[1000];
        struct berth_text out;
        (void)snprintf(data, sizeof data, "{\"port\":80,\"claims\":[{%s}]}", claim_rows[i].claim);
        (void)snprintf(expected, sizeof expected, "port 80 is not free: %s", claim_rows[i].phrase);
        json_t *object = json_loads(data, 0, NULL);
        assert_non_null(object);
        const struct berth_remote_error remote = {
            .object = object, .reason = "port_in_use", .message = "m", .data = object};
        berth_text_init(&out, 10000);
        berth_explain_refusal(&out, &remote, "allocate", false);
        assert_string_equal(berth_text_string(&out), expected);
        berth_text_fini(&out);
        json_decref(object);
    }
}

static void exit_of_call__each_failure__has_its_status(void **state)
{
    (void)state;
    assert_int_equal(berth_exit_of_call(BERTH_OK), BERTH_EXIT_DONE);
    assert_int_equal(berth_exit_of_call(BERTH_NOT_FOUND), BERTH_EXIT_NOT_REACHED);
    assert_int_equal(berth_exit_of_call(BERTH_IO), BERTH_EXIT_NOT_REACHED);
    assert_int_equal(berth_exit_of_call(BERTH_BUSY), BERTH_EXIT_NOT_REACHED);
    assert_int_equal(berth_exit_of_call(BERTH_DENIED), BERTH_EXIT_DENIED);
    assert_int_equal(berth_exit_of_call(BERTH_INVALID_PARAMS), BERTH_EXIT_USAGE);
    assert_int_equal(berth_exit_of_call(BERTH_MALFORMED), BERTH_EXIT_FAILED);
    assert_int_equal(berth_exit_of_call(BERTH_NO_MEMORY), BERTH_EXIT_FAILED);
    assert_string_equal(berth_reason_of_call(BERTH_NOT_FOUND), "not_reached");
    assert_string_equal(berth_reason_of_call(BERTH_DENIED), "denied");
    assert_string_equal(berth_reason_of_call(BERTH_MALFORMED), "internal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explain__each_reason__has_its_status_and_sentence),
        cmocka_unit_test(explain__every_token_of_the_protocol__is_tested),
        cmocka_unit_test(explain__claims_beyond_five__are_counted),
        cmocka_unit_test(explain__each_kind_of_claim__is_a_phrase_behind_the_port),
        cmocka_unit_test(exit_of_call__each_failure__has_its_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
