/* SPDX-License-Identifier: MIT */
/* What a client may send to berthd, and what it gets: each method's answer, and everything that is
 * not quite a request. */
#include "cmocka_all.h"
#include "daemon_process.h"

#include <stdio.h>
#include <stdlib.h>

/* A daemon of which only its own state matters: no IIS, a table that is hardly read, and a pool
 * outside the ephemeral range. */
#define QUIET                                                                                      \
    "<pools><pool name=\"default\" ports=\"21000-21099\"/><pool name=\"qa\" "                      \
    "ports=\"22000-22009\"/>"                                                                      \
    "</pools><reserved><ports range=\"21005-21006\" reason=\"agents\"/></reserved>"                \
    "<tcp poll=\"1m\" full=\"1m\"/>"

static struct test_client client;

static int setup(void **state)
{
    int status = daemon_setup(state);

    if (status == 0) {
        struct daemon_process *daemon = *state;
        daemon_start(daemon, QUIET);
        client_open(&client, daemon->endpoint);
    }
    return status;
}

static int teardown(void **state)
{
    client_close(&client);
    return daemon_teardown(state);
}

static void assert_keys(const json_t *object, const char *keys)
{
    char name[64];
    size_t count = 0;

    while (*keys != '\0') {
        size_t length = strcspn(keys, " ");
        assert_true(length < sizeof name);
        memcpy(name, keys, length);
        name[length] = '\0';
        (void)json_at(object, name);
        count++;
        keys += length + (keys[length] == ' ');
    }
    assert_int_equal(json_object_size(object), count);
}

/* ---- each method ---- */

static void hello__answer__names_protocol_and_host(void **state)
{
    json_t *hello = client_call(&client, "hello", NULL);

    (void)state;
    assert_keys(hello, "protocol version instance host platform");
    assert_int_equal(json_integer_at(hello, "protocol"), 1);
    assert_int_equal(strlen(json_string_at(hello, "instance")), 16);
    json_decref(hello);
}

static void allocate__answer__has_all_members(void **state)
{
    json_t *lease = client_call(&client, "allocate",
                                "{\"key\":\"web\",\"generation\":\"7\",\"ttl\":\"1h\","
                                "\"holder\":\"site:Shop\",\"protocol\":\"https\","
                                "\"meta\":{\"build\":[1,2,{\"a\":null}]}}");

    (void)state;
    assert_keys(lease, "port ports lease key generation state expires_at reused ephemeral");
    assert_int_equal(json_integer_at(lease, "port"), 21000);
    assert_int_equal(json_integer_at(lease, "ports.0"), 21000);
    assert_int_equal(strlen(json_string_at(lease, "lease")), 16);
    assert_string_equal(json_string_at(lease, "key"), "web");
    assert_string_equal(json_string_at(lease, "generation"), "7");
    assert_string_equal(json_string_at(lease, "state"), "pending");
    assert_true(json_is_false(json_at(lease, "reused")));
    assert_true(json_is_false(json_at(lease, "ephemeral")));
    assert_int_equal(strlen(json_string_at(lease, "expires_at")), 24);
    json_decref(lease);

    json_t *leases = client_call(&client, "leases", "{\"key\":\"web\"}");
    assert_keys(leases, "revision leases");
    assert_int_equal(json_array_size(json_at(leases, "leases")), 1);
    assert_keys(json_at(leases, "leases.0"),
                "port ports lease key generation state expires_at holder protocol owner granted_at "
                "meta");
    assert_string_equal(json_string_at(leases, "leases.0.holder"), "site:Shop");
    assert_string_equal(json_string_at(leases, "leases.0.protocol"), "https");
    assert_int_equal(json_integer_at(leases, "leases.0.meta.build.1"), 2);
    json_decref(leases);
}

static void allocate__same_key_again__same_port_and_reused(void **state)
{
    json_t *first = client_call(&client, "allocate", "{\"key\":\"same\"}");
    json_t *again = client_call(&client, "allocate", "{\"key\":\"same\"}");
    json_t *other = client_call(&client, "allocate", "{\"key\":\"same\",\"generation\":\"2\"}");

    (void)state;
    assert_true(json_is_true(json_at(again, "reused")));
    assert_int_equal(json_integer_at(again, "port"), json_integer_at(first, "port"));
    assert_string_equal(json_string_at(again, "lease"), json_string_at(first, "lease"));
    assert_int_not_equal(json_integer_at(other, "port"), json_integer_at(first, "port"));
    json_decref(first);
    json_decref(again);
    json_decref(other);
}

static void allocate__every_wish__is_respected(void **state)
{
    json_t *qa = client_call(&client, "allocate", "{\"pool\":\"qa\"}");
    json_t *range = client_call(&client, "allocate", "{\"range\":[21050,21060]}");
    json_t *exact = client_call(&client, "allocate", "{\"port\":21042}");
    json_t *prefer = client_call(&client, "allocate", "{\"prefer\":21042}");
    json_t *run = client_call(&client, "allocate",
                              "{\"count\":5,\"contiguous\":true,\"range\":[21000,21042]}");

    (void)state;
    assert_int_equal(json_integer_at(qa, "port"), 22000);
    assert_int_equal(json_integer_at(range, "port"), 21050);
    assert_int_equal(json_integer_at(exact, "port"), 21042);
    assert_int_equal(json_integer_at(prefer, "port"), 21000); /* the preferred one is taken */
    /* 21000 is taken, 21005 and 21006 are reserved */
    assert_int_equal(json_integer_at(run, "ports.0"), 21007);
    assert_int_equal(json_integer_at(run, "ports.4"), 21011);
    json_decref(qa);
    json_decref(range);
    json_decref(exact);
    json_decref(prefer);
    json_decref(run);
}

static void allocate__taken_port__is_refused_with_its_claims(void **state)
{
    (void)state;
    json_decref(client_call(&client, "allocate", "{\"key\":\"first\",\"port\":21010}"));
    json_t *error =
        client_refused(&client, "port_in_use", "allocate", "{\"key\":\"second\",\"port\":21010}");
    assert_int_equal(json_integer_at(error, "code"), -32002);
    assert_int_equal(json_integer_at(error, "data.port"), 21010);
    assert_non_null(strstr(json_string_at(error, "message"),
                           "port 21010 is in use: it is leased to the key first (lease "));
    assert_string_equal(json_string_at(error, "data.claims.0.source"), "lease");
    assert_string_equal(json_string_at(error, "data.claims.0.holder"), "first");
    json_decref(error);
    error = client_refused(&client, "port_in_use", "allocate", "{\"port\":21005}");
    assert_string_equal(json_string_at(error, "data.claims.0.source"), "reserved");
    assert_string_equal(json_string_at(error, "data.claims.0.holder"), "agents");
    json_decref(error);
}

static void allocate__outside_every_pool__is_out_of_range(void **state)
{
    (void)state;
    json_decref(client_refused(&client, "out_of_range", "allocate", "{\"port\":80}"));
    json_decref(client_refused(&client, "out_of_range", "next", "{\"range\":[23000,23010]}"));
    json_decref(client_refused(&client, "not_found", "allocate", "{\"pool\":\"none\"}"));
}

static void renew_and_release__by_each_name__find_the_lease(void **state)
{
    json_t *lease = client_call(&client, "allocate", "{\"key\":\"k\",\"ttl\":60}");
    json_t *renewed = client_call(&client, "renew", "{\"lease\":\"%s\",\"ttl\":\"2h\"}",
                                  json_string_at(lease, "lease"));

    (void)state;
    assert_true(strcmp(json_string_at(renewed, "expires_at"), json_string_at(lease, "expires_at")) >
                0);
    json_decref(renewed);
    json_decref(client_call(&client, "renew", "{\"key\":\"k\"}"));
    json_t *released =
        client_call(&client, "release", "{\"port\":%lld}", json_integer_at(lease, "port"));
    assert_keys(released, "released");
    assert_int_equal(json_integer_at(released, "released.0"), json_integer_at(lease, "port"));
    json_decref(released);
    json_decref(client_refused(&client, "not_found", "release", "{\"key\":\"k\"}"));
    json_decref(client_refused(&client, "not_found", "renew", "{\"lease\":\"%s\"}",
                               json_string_at(lease, "lease")));
    json_decref(client_refused(&client, "invalid_params", "release", "{}"));
    json_decref(
        client_refused(&client, "invalid_params", "release", "{\"key\":\"k\",\"port\":21000}"));
    json_decref(lease);
}

/* A forgotten generation must not release what is in production. */
static void release__key_without_its_generations__releases_none(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        json_decref(
            client_call(&client, "allocate", "{\"key\":\"shop\",\"generation\":\"1.%d\"}", i));
    }
    json_t *error = client_refused(&client, "not_found", "release", "{\"key\":\"shop\"}");
    assert_string_equal(json_string_at(error, "message"),
                        "key shop has no lease without a generation; it has 3 with one: name the "
                        "generation");
    json_decref(error);
    json_decref(client_call(&client, "release", "{\"key\":\"shop\",\"generation\":\"1.2\"}"));
    json_t *leases = client_call(&client, "leases", "{\"key\":\"shop\"}");
    assert_int_equal(json_array_size(json_at(leases, "leases")), 2);
    json_decref(leases);
    json_decref(client_call(&client, "allocate", "{\"key\":\"shop\"}"));
    json_decref(client_call(&client, "release", "{\"key\":\"shop\"}"));
    leases = client_call(&client, "leases", "{\"key\":\"shop\"}");
    assert_int_equal(json_array_size(json_at(leases, "leases")), 2);
    json_decref(leases);
}

static void next__takes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        json_t *next = client_call(&client, "next", "{\"count\":3}");
        assert_keys(next, "ports revision");
        assert_int_equal(json_array_size(json_at(next, "ports")), 3);
        assert_int_equal(json_integer_at(next, "ports.0"), 21000);
        assert_int_equal(json_integer_at(next, "ports.2"), 21002);
        json_decref(next);
    }
}

static void free__answer__lists_runs(void **state)
{
    json_t *answer = client_call(&client, "free", "{\"pool\":\"default\"}");

    (void)state;
    assert_keys(answer, "revision pools");
    assert_int_equal(json_array_size(json_at(answer, "pools")), 1);
    assert_keys(json_at(answer, "pools.0"), "name range total free ranges next");
    assert_int_equal(json_integer_at(answer, "pools.0.total"), 100);
    assert_int_equal(json_integer_at(answer, "pools.0.free"), 98);
    assert_int_equal(json_integer_at(answer, "pools.0.ranges.0.1"), 21004);
    assert_int_equal(json_integer_at(answer, "pools.0.ranges.1.0"), 21007);
    assert_int_equal(json_integer_at(answer, "pools.0.next"), 21000);
    json_decref(answer);
    answer = client_call(&client, "free", NULL);
    assert_int_equal(json_array_size(json_at(answer, "pools")), 2);
    json_decref(answer);
    json_decref(client_refused(&client, "not_found", "free", "{\"pool\":\"none\"}"));
}

static void who__each_state__is_told(void **state)
{
    (void)state;
    json_decref(client_call(&client, "allocate", "{\"key\":\"mine\",\"port\":21020}"));
    json_decref(client_call(&client, "allocate", "{\"key\":\"gone\",\"port\":21021}"));
    json_decref(client_call(&client, "release", "{\"key\":\"gone\"}"));
    json_t *who = client_call(&client, "who", "{\"port\":21020}");
    assert_keys(who, "port state why ask claims lease conflicts");
    assert_string_equal(json_string_at(who, "state"), "leased");
    assert_string_equal(json_string_at(who, "lease.key"), "mine");
    assert_string_equal(json_string_at(who, "claims.0.kind"), "lease");
    json_decref(who);
    who = client_call(&client, "who", "{\"port\":21021}");
    assert_keys(who, "port state why ask claims conflicts");
    assert_string_equal(json_string_at(who, "state"), "cooling");
    assert_string_equal(json_string_at(who, "claims.0.holder"), "gone");
    (void)json_string_at(who, "claims.0.until");
    json_decref(who);
    assert_string_equal(client_port_state(&client, 21005), "reserved");
    assert_string_equal(client_port_state(&client, 21001), "free");
    assert_string_equal(client_port_state(&client, 1), "outside");
    json_decref(client_refused(&client, "invalid_params", "who", NULL));
    json_decref(client_refused(&client, "invalid_params", "who", "{\"port\":0}"));
    json_decref(client_refused(&client, "invalid_params", "who", "{\"port\":65536}"));
}

static void ports__filters__apply(void **state)
{
    (void)state;
    json_decref(client_call(&client, "allocate", "{\"key\":\"p\",\"port\":21030}"));
    json_t *ports = client_call(&client, "ports", "{\"source\":\"reserved\"}");
    assert_keys(ports, "revision ports");
    assert_int_equal(json_array_size(json_at(ports, "ports")), 2);
    assert_keys(json_at(ports, "ports.0"), "port state claims");
    assert_int_equal(json_integer_at(ports, "ports.0.port"), 21005);
    json_decref(ports);
    ports = client_call(&client, "ports", "{\"pool\":\"default\"}");
    assert_int_equal(json_array_size(json_at(ports, "ports")), 3);
    assert_int_equal(json_integer_at(ports, "ports.2.port"), 21030);
    json_decref(ports);
    json_decref(client_refused(&client, "invalid_params", "ports", "{\"source\":\"nobody\"}"));
    json_decref(client_refused(&client, "not_found", "ports", "{\"pool\":\"none\"}"));
}

static void status__answer__has_all_members(void **state)
{
    json_t *status = client_call(&client, "status", NULL);

    (void)state;
    assert_keys(status,
                "protocol version instance host platform started_at uptime_ms revision sources "
                "hints pools ports leases store alerts conflicts ephemeral warnings connections "
                "limits memory "
                "configuration");
    assert_keys(json_at(status, "ports"), "leased iis tcp httpsys excluded reserved cooling");
    assert_int_equal(json_integer_at(status, "ports.reserved"), 2);
    assert_int_equal(json_array_size(json_at(status, "pools")), 2);
    assert_true(json_integer_at(status, "memory.resident_bytes") > 0);
    assert_true(json_integer_at(status, "connections.now") >= 1);
    const char *tcp = client_source_state(&client, "TCP table", NULL);
    assert_true(strcmp(tcp, "ready") == 0 || strcmp(tcp, "degraded") == 0); /* Wine tells less */
    (void)json_string_at(status, "configuration.loaded_at");
    json_decref(status);
}

static void parameters__wrong_in_each_way__are_named(void **state)
{
    static const struct {
        const char *method;
        const char *params;
        const char *named;
    } cases[] = {
        {"allocate", "{\"count\":0}", "count"},
        {"allocate", "{\"count\":65}", "count"},
        {"next", "{\"count\":65535}", "count"},
        {"allocate", "{\"count\":\"2\"}", "count"},
        {"allocate", "{\"count\":2,\"port\":21000}", "count"},
        {"allocate", "{\"ttl\":0}", "ttl"},
        {"allocate", "{\"ttl\":\"soon\"}", "ttl"},
        {"allocate", "{\"ttl\":1.5}", "ttl"},
        {"allocate", "{\"ttl\":\"900d\"}", "ttl"},
        {"allocate", "{\"key\":\"\"}", "key"},
        {"allocate", "{\"key\":\"a\\nb\"}", "key"},
        {"allocate", "{\"key\":7}", "key"},
        {"allocate", "{\"holder\":\"shop\"}", "holder"},
        {"allocate", "{\"protocol\":\"gopher\"}", "protocol"},
        {"allocate", "{\"meta\":[]}", "meta"},
        {"allocate", "{\"contiguous\":1}", "contiguous"},
        {"allocate", "{\"range\":[2,1]}", "range"},
        {"allocate", "{\"range\":[1,2,3]}", "range"},
        {"allocate", "{\"range\":\"1-2\"}", "range"},
        {"allocate", "{\"prot\":80}", "prot"},
        {"hello", "{\"x\":1}", "x"},
        {"status", "{\"x\":1}", "x"},
        {"reload", "{\"x\":1}", "x"},
        {"leases", "{\"state\":1}", "state"},
        {"leases", "{\"state\":\"live\"}",
         "state is \"live\"; pending, active, lingering, expired or released is accepted"},
        {"ports", "{\"source\":\"netstat\"}", "source is \"netstat\"; "},
        {"conflicts", "{\"kind\":\"clash\"}",
         "kind is \"clash\"; duplicate_binding, scheme_mix, binding_taken, lease_taken, "
         "binding_excluded, reserved_used or listener_overlap is accepted"},
        {"conflicts", "{\"severity\":\"fatal\"}",
         "severity is \"fatal\"; error or warning is accepted"},
        {"renew", "{}", "name the lease by lease, or by key (and generation)"},
        {"renew", "{\"generation\":\"2\"}", "name the lease by lease, or by key"},
        {"release", "{}", "name the lease by lease, by key (and generation), or by port"},
        {"allocate", "{\"count\":70000}",
         "count is 70000; a whole number from 1 to 64 is accepted"},
        {"next", "{\"count\":65}", "count is 65; a whole number from 1 to 64 is accepted"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        json_t *error =
            client_refused(&client, "invalid_params", cases[i].method, "%s", cases[i].params);
        assert_int_equal(json_integer_at(error, "code"), -32602);
        if (strstr(json_string_at(error, "message"), cases[i].named) == NULL) {
            fail_msg("%s: %s", cases[i].params, json_string_at(error, "message"));
        }
        json_decref(error);
    }
}

/* ---- pipelining ---- */

static void pipelining__1000_requests_in_one_write__answered_in_order(void **state)
{
    char *text = malloc(1000 * 100);
    size_t length = 0;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 1000; i++) {
        length +=
            (size_t)sprintf(text + length, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\"}\n", i,
                            i % 3 == 0 ? "next" : "hello");
    }
    client_send(&client, text);
    for (int i = 0; i < 1000; i++) {
        json_t *answer = client_answer(&client);
        assert_int_equal(json_integer_at(answer, "id"), i);
        (void)json_at(answer, i % 3 == 0 ? "result.ports" : "result.protocol");
        json_decref(answer);
    }
    free(text);
    client_expect_silence(&client);
}

/* So many bytes of answers that the daemon must wait for the client in between. */
static void pipelining__large_answers__all_come(void **state)
{
    char *text = malloc(1000 * 60);
    size_t length = 0;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 1000; i++) {
        length += (size_t)sprintf(text + length,
                                  "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"status\"}\n", i);
    }
    client.deadline_ms = 5000;
    client_send(&client, text);
    free(text);
    for (int i = 0; i < 1000; i++) {
        json_t *answer = client_answer(&client);
        assert_int_equal(json_integer_at(answer, "id"), i);
        json_decref(answer);
    }
}

static void pipelining__one_byte_at_a_time__is_understood(void **state)
{
    const char *request = "{\"jsonrpc\":\"2.0\",\"id\":\"slow\",\"method\":\"hello\"}\r\n";

    (void)state;
    for (const char *at = request; *at != '\0'; at++) {
        assert_true(client_try_send(&client, at, 1));
    }
    json_t *answer = client_answer(&client);
    assert_string_equal(json_string_at(answer, "id"), "slow");
    json_decref(answer);
}

static void pipelining__writing_side_closed__answers_still_come(void **state)
{
    (void)state;
    client_send(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}\n"
                         "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hello\"}\n");
    if (!platform_close_writing(client.socket)) {
        skip(); /* a pipe is closed as a whole */
    }
    for (int i = 1; i <= 2; i++) {
        json_t *answer = client_answer(&client);
        assert_int_equal(json_integer_at(answer, "id"), i);
        json_decref(answer);
    }
    client_expect_closed(&client);
}

/* ---- batches, notifications ---- */

static void batch__mixed__answers_what_has_an_id(void **state)
{
    (void)state;
    client_send(&client, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"},"
                         "{\"jsonrpc\":\"2.0\",\"method\":\"hello\"},"
                         "{\"jsonrpc\":\"2.0\",\"id\":\"two\",\"method\":\"nothing\"},"
                         "7,null,[],{},"
                         "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"who\",\"params\":{}}]\n");
    json_t *answers = client_answer(&client);
    assert_true(json_is_array(answers));
    assert_int_equal(json_array_size(answers), 7);
    assert_int_equal(json_integer_at(answers, "0.result.protocol"), 1);
    assert_error_answer(json_at(answers, "1"), "\"two\"", -32601, "not_supported");
    for (size_t i = 2; i < 6; i++) {
        assert_error_answer(json_array_get(answers, i), NULL, -32600, "invalid_params");
    }
    assert_error_answer(json_at(answers, "6"), "3", -32602, "invalid_params");
    json_decref(answers);
}

static void batch__empty__is_one_error(void **state)
{
    (void)state;
    client_send(&client, "[]\n");
    json_t *answer = client_answer(&client);
    assert_error_answer(answer, NULL, -32600, "invalid_params");
    json_decref(answer);
}

static void batch__of_invalid_elements__is_a_batch_of_errors(void **state)
{
    (void)state;
    client_send(&client, "[1,2,3]\n"); /* the specification's own example */
    json_t *answers = client_answer(&client);
    assert_int_equal(json_array_size(answers), 3);
    assert_error_answer(json_at(answers, "2"), NULL, -32600, "invalid_params");
    json_decref(answers);
}

static void batch__only_notifications__is_silent(void **state)
{
    (void)state;
    client_send(&client, "[{\"jsonrpc\":\"2.0\",\"method\":\"hello\"},"
                         "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}]\n");
    client_expect_silence(&client);
}

static void notification__of_any_outcome__is_silent_but_done(void **state)
{
    (void)state;
    client_send(&client,
                "{\"jsonrpc\":\"2.0\",\"method\":\"allocate\",\"params\":{\"port\":21077}}\n"
                "{\"jsonrpc\":\"2.0\",\"method\":\"who\",\"params\":{\"port\":0}}\n"
                "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}\n"
                "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":[1]}\n");
    client_expect_silence(&client);
    assert_string_equal(client_port_state(&client, 21077), "leased");
}

/* ---- what is not quite a request ---- */

static void line_ends__crlf_blank_lines_and_bom__are_accepted(void **state)
{
    (void)state;
    client_send(&client, "\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}\r\n"
                         "\n\r\n\n"
                         "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hello\"}\n");
    for (int i = 1; i <= 2; i++) {
        json_t *answer = client_answer(&client);
        assert_int_equal(json_integer_at(answer, "id"), i);
        (void)json_at(answer, "result");
        json_decref(answer);
    }
    client_expect_silence(&client);
    /* only a connection begins with a mark */
    client_send(&client, "\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}\n");
    json_t *answer = client_answer(&client);
    assert_error_answer(answer, NULL, -32700, "invalid_params");
    json_decref(answer);
}

static void ids__of_each_type__come_back_as_they_came(void **state)
{
    static const char *const good[] = {"1",
                                       "0",
                                       "-7",
                                       "9223372036854775807",
                                       "1.5",
                                       "null",
                                       "\"\"",
                                       "\"x\"",
                                       "\"\xC3\xBC \\\"\\\\ \xF0\x9F\x9A\xA2\""};
    static const char *const bad[] = {"true", "false", "{}", "[]", "[1]"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(good); i++) {
        client_sendf(&client, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"hello\"}\n", good[i]);
        json_t *answer = client_answer(&client);
        char *shown = json_dumps(json_at(answer, "id"), JSON_ENCODE_ANY);
        assert_non_null(shown);
        assert_string_equal(shown, good[i]);
        (void)json_at(answer, "result");
        free(shown);
        json_decref(answer);
    }
    for (size_t i = 0; i < BERTH_COUNT(bad); i++) {
        client_sendf(&client, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"hello\"}\n", bad[i]);
        json_t *answer = client_answer(&client);
        assert_error_answer(answer, NULL, -32600, "invalid_params");
        json_decref(answer);
    }
}

static void requests__not_of_json_rpc_2__are_refused(void **state)
{
    static const struct {
        const char *line;
        const char *id;
        int code;
    } cases[] = {
        {"{}", NULL, -32600},
        {"{\"id\":1,\"method\":\"hello\"}", "1", -32600},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"hello\"}", "1", -32600},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"hello\"}", "1", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", "1", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", "1", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Hello\"}", "1", -32601},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", "1", -32601},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":[1]}", "1", -32602},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":7}", "1", -32602},
        {"{\"jsonrpc\":\"2.0\",\"method\":7}", NULL, -32600},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        client_sendf(&client, "%s\n", cases[i].line);
        json_t *answer = client_answer(&client);
        assert_error_answer(answer, cases[i].id, cases[i].code,
                            cases[i].code == -32601 ? "not_supported" : "invalid_params");
        json_decref(answer);
    }
}

static void parse_errors__each__one_answer_and_the_connection_stays(void **state)
{
    static const char *const lines[] = {
        "{",
        "]",
        "hello",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"} x",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"hello\"}",
        "{'jsonrpc':'2.0'}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hel\\u0000lo\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\ud800\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"method\":\"hello\"}",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}",
        "\"\xFF\xFE\"",
        "{\"a\":\"\x01\"}",
        "NaN",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lines); i++) {
        client_sendf(&client, "%s\n", lines[i]);
        json_t *answer = client_answer(&client);
        assert_error_answer(answer, NULL, -32700, "invalid_params");
        json_decref(answer);
    }
    client_expect_silence(&client);
}

static void garbage__binary__is_answered_line_by_line(void **state)
{
    char garbage[2048];
    uint32_t number = 20260724;
    size_t lines = 0;

    (void)state;
    for (size_t i = 0; i < sizeof garbage; i++) {
        number = number * 1664525 + 1013904223;
        garbage[i] = (char)(number >> 24);
    }
    /* no bytes that mean something to the framing, but for one line end in 64 bytes */
    for (size_t i = 0; i < sizeof garbage; i++) {
        if (garbage[i] == '\n' || garbage[i] == '{' || garbage[i] == '[') {
            garbage[i] = '\0';
        }
        if (i % 64 == 63) {
            garbage[i] = '\n';
            lines++;
        }
    }
    assert_true(client_try_send(&client, garbage, sizeof garbage));
    for (size_t i = 0; i < lines; i++) {
        json_t *answer = client_answer(&client);
        assert_error_answer(answer, NULL, -32700, "invalid_params");
        json_decref(answer);
    }
    client_expect_silence(&client);
}

/* ---- limits of one request ---- */

static void depth__16__is_accepted_and_17_closes(void **state)
{
    (void)state;
    /* the request and params are two levels, meta is the third */
    client_send(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":"
                         "{\"meta\":{\"a\":[[[[[[[[[[[[[]]]]]]]]]]]]]}}}\n");
    json_t *answer = client_answer(&client);
    (void)json_at(answer, "result");
    json_decref(answer);
    client_send(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":"
                         "{\"meta\":{\"a\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]}}}\n"
                         "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hello\"}\n");
    answer = client_answer(&client);
    assert_error_answer(answer, NULL, -32008, "too_large");
    json_decref(answer);
    client_expect_closed(&client);
}

/* Sends a request of `size` bytes, line end not counted. */
static void send_request_of(size_t size)
{
    static const char begin[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"x\":\"";
    char *text = malloc(size);

    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, begin, sizeof begin - 1);
    memcpy(text + size - 2, "\"}", 2);
    assert_true(client_try_send(&client, text, size));
    free(text);
}

static void size__64_KiB__is_accepted(void **state)
{
    (void)state;
    send_request_of(65536);
    client_send(&client, "\r\n");
    json_t *answer = client_answer(&client);
    (void)json_at(answer, "result");
    json_decref(answer);
}

static void size__one_byte_more__is_refused_and_closed(void **state)
{
    (void)state;
    send_request_of(65537);
    (void)client_try_send(&client, "\n", 1); /* it may be closed already */
    json_t *answer = client_answer(&client);
    assert_error_answer(answer, NULL, -32008, "too_large");
    json_decref(answer);
    client_expect_closed(&client);
}

static void size__a_line_without_end__is_refused_and_closed(void **state)
{
    char *text = malloc(200000);

    (void)state;
    assert_non_null(text);
    memset(text, '[', 200000);
    (void)client_try_send(&client, text, 200000);
    free(text);
    json_t *answer = client_answer(&client);
    assert_error_answer(answer, NULL, -32008, "too_large");
    json_decref(answer);
    client_expect_closed(&client);
}

/* The same behind a good request whose answer is not read yet. */
static void size__a_line_without_end_behind_a_request__both_are_answered(void **state)
{
    char *text = malloc(200000);

    (void)state;
    assert_non_null(text);
    client_send(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ports\"}\n");
    memset(text, 'x', 200000);
    (void)client_try_send(&client, text, 200000);
    free(text);
    json_t *answer = client_answer(&client);
    assert_int_equal(json_integer_at(answer, "id"), 1);
    json_decref(answer);
    answer = client_answer(&client);
    assert_error_answer(answer, NULL, -32008, "too_large");
    json_decref(answer);
    client_expect_closed(&client);
}

static void meta__too_large__is_refused_and_the_connection_stays(void **state)
{
    char meta[6000];

    (void)state;
    memset(meta, 'm', sizeof meta);
    meta[sizeof meta - 1] = '\0';
    json_decref(
        client_refused(&client, "too_large", "allocate", "{\"meta\":{\"m\":\"%s\"}}", meta));
    client_expect_silence(&client);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(hello__answer__names_protocol_and_host),
        CASE(allocate__answer__has_all_members),
        CASE(allocate__same_key_again__same_port_and_reused),
        CASE(allocate__every_wish__is_respected),
        CASE(allocate__taken_port__is_refused_with_its_claims),
        CASE(allocate__outside_every_pool__is_out_of_range),
        CASE(renew_and_release__by_each_name__find_the_lease),
        CASE(release__key_without_its_generations__releases_none),
        CASE(next__takes_nothing),
        CASE(free__answer__lists_runs),
        CASE(who__each_state__is_told),
        CASE(ports__filters__apply),
        CASE(status__answer__has_all_members),
        CASE(parameters__wrong_in_each_way__are_named),
        CASE(pipelining__1000_requests_in_one_write__answered_in_order),
        CASE(pipelining__large_answers__all_come),
        CASE(pipelining__one_byte_at_a_time__is_understood),
        CASE(pipelining__writing_side_closed__answers_still_come),
        CASE(batch__mixed__answers_what_has_an_id),
        CASE(batch__empty__is_one_error),
        CASE(batch__of_invalid_elements__is_a_batch_of_errors),
        CASE(batch__only_notifications__is_silent),
        CASE(notification__of_any_outcome__is_silent_but_done),
        CASE(line_ends__crlf_blank_lines_and_bom__are_accepted),
        CASE(ids__of_each_type__come_back_as_they_came),
        CASE(requests__not_of_json_rpc_2__are_refused),
        CASE(parse_errors__each__one_answer_and_the_connection_stays),
        CASE(garbage__binary__is_answered_line_by_line),
        CASE(depth__16__is_accepted_and_17_closes),
        CASE(size__64_KiB__is_accepted),
        CASE(size__one_byte_more__is_refused_and_closed),
        CASE(size__a_line_without_end__is_refused_and_closed),
        CASE(size__a_line_without_end_behind_a_request__both_are_answered),
        CASE(meta__too_large__is_refused_and_the_connection_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
