/* SPDX-License-Identifier: MIT */
/* berthd and a real applicationHost.config that people and programs rewrite, damage, remove and put
 * back: what it no longer holds is never free at once, what it holds is never free at all. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "models/test_random.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define POOL                                                                                       \
    "<pools><pool name=\"default\" ports=\"29000-29999\"/><pool name=\"low\" ports=\"1-20999\"/>"  \
    "</pools><tcp poll=\"1m\" full=\"1m\"/>"
#define WITH_IIS POOL "<iis config=\"%s\"/>"
#define SEEN_MS 20000

static struct test_client client;

static int setup(void **state)
{
    client.deadline_ms = 0;
    return daemon_setup(state);
}

static int teardown(void **state)
{
    client_close(&client);
    return daemon_teardown(state);
}

/* ---- files ---- */

/* A configuration with one site for each port; for free(). */
static char *make_config(const unsigned *ports, size_t count, size_t *length)
{
    char *text = malloc(1000 + count * 200);
    size_t used = 0;

    assert_non_null(text);
    used += (size_t)sprintf(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n"
                                  "<system.applicationHost><sites>\n");
    for (size_t i = 0; i < count; i++) {
        used += (size_t)sprintf(text + used,
                                "<site name=\"Site %u\" id=\"%zu\"><bindings>"
                                "<binding protocol=\"http\" bindingInformation=\"*:%u:\" />"
                                "</bindings></site>\n",
                                ports[i], i + 1, ports[i]);
    }
    used += (size_t)sprintf(text + used, "</sites></system.applicationHost>\n</configuration>\n");
    *length = used;
    return text;
}

enum manner { BY_RENAME, IN_PLACE };

static void put_config(const struct daemon_process *daemon, const unsigned *ports, size_t count,
                       enum manner manner)
{
    size_t length;
    char *text = make_config(ports, count, &length);

    if (manner == BY_RENAME) {
        replace_file(daemon->iis, text, length);
    } else {
        write_file(daemon->iis, text, length);
    }
    free(text);
}

static void start_with(struct daemon_process *daemon, const unsigned *ports, size_t count)
{
    put_config(daemon, ports, count, BY_RENAME);
    daemon_start(daemon, WITH_IIS);
    client_open(&client, daemon->endpoint);
    assert_string_equal(client_source_state(&client, "applicationHost.config", NULL), "ready");
}

/* ---- waiting ---- */

static unsigned wanted_port;
static const char *wanted_state;

static bool port_has_state(void *ctx)
{
    (void)ctx;
    return strcmp(client_port_state(&client, wanted_port), wanted_state) == 0;
}

static uint64_t await_port(unsigned port, const char *state, unsigned timeout_ms)
{
    wanted_port = port;
    wanted_state = state;
    uint64_t took_us = daemon_await(port_has_state, NULL, timeout_ms);
    if (took_us == UINT64_MAX) {
        fail_msg("port %u is %s, not %s", port, client_port_state(&client, port), state);
    }
    return took_us;
}

static bool source_has_state(void *ctx)
{
    (void)ctx;
    return strcmp(client_source_state(&client, "applicationHost.config", NULL), wanted_state) == 0;
}

static void await_source(const char *state)
{
    wanted_state = state;
    if (daemon_await(source_has_state, NULL, 20000) == UINT64_MAX) {
        fail_msg("the source is %s, not %s",
                 client_source_state(&client, "applicationHost.config", NULL), state);
    }
}

/* ---- changes are seen ---- */

static void site_added__each_manner__gone_from_the_free_set(void **state)
{
    struct daemon_process *daemon = *state;
    unsigned ports[22] = {29000};
    uint64_t worst_us[2] = {0, 0};

    start_with(daemon, ports, 1);
    for (unsigned i = 1; i <= 20; i++) {
        enum manner manner = i % 2 == 0 ? BY_RENAME : IN_PLACE;
        ports[i] = 29000 + i;
        assert_string_equal(client_port_state(&client, ports[i]), "free");
        put_config(daemon, ports, i + 1, manner);
        uint64_t took_us = await_port(ports[i], "used", SEEN_MS);
        worst_us[manner] = took_us > worst_us[manner] ? took_us : worst_us[manner];
        for (unsigned k = 0; k < i; k++) {
            assert_string_equal(client_port_state(&client, ports[k]), "used");
        }
    }
    (void)printf("seen after at most %.1f ms (rename), %.1f ms (in place)\n",
                 (double)worst_us[BY_RENAME] / 1000, (double)worst_us[IN_PLACE] / 1000);
    json_t *lease = client_call(&client, "allocate", NULL);
    assert_int_equal(json_integer_at(lease, "port"), 29021);
    json_decref(lease);
    daemon_stop(daemon);
}

static void burst__500_rewrites__ends_in_the_right_state(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_random random = test_random_start("burst");
    unsigned ports[2] = {29000, 0};

    start_with(daemon, ports, 1);
    for (unsigned i = 0; i < 500; i++) {
        ports[1] = test_random_in(&random, 29100, 29199);
        put_config(daemon, ports, 2, test_random_chance(&random, 50) ? BY_RENAME : IN_PLACE);
        if (i % 50 == 0) {
            assert_string_equal(client_port_state(&client, 29000), "used");
        }
    }
    ports[1] = 29500;
    put_config(daemon, ports, 2, BY_RENAME);
    (void)await_port(29500, "used", 20000);
    await_source("ready");
    json_t *who = client_call(&client, "who", "{\"port\":29500}");
    assert_false(json_has(who, "claims.0.lingering"));
    assert_string_equal(json_string_at(who, "claims.0.holder"), "Site 29500");
    json_decref(who);
    assert_string_equal(client_port_state(&client, 29000), "used");
    daemon_stop(daemon);
}

static void file_written_in_pieces__slowly__no_port_is_freed(void **state)
{
    struct daemon_process *daemon = *state;
    unsigned ports[51];
    size_t length;

    for (unsigned i = 0; i < 51; i++) {
        ports[i] = 29000 + i;
    }
    start_with(daemon, ports, 50);
    char *text = make_config(ports, 51, &length);
    void *file = platform_rewrite_begin(daemon->iis);
    assert_non_null(file);
    for (size_t at = 0; at < length; at += 100) {
        size_t part = length - at < 100 ? length - at : 100;
        assert_true(platform_rewrite_add(file, text + at, part));
        platform_pause_ms(5);
        json_t *next = client_call(&client, "next", NULL);
        assert_true(json_integer_at(next, "ports.0") >= 29050);
        json_decref(next);
    }
    platform_rewrite_end(file);
    free(text);
    (void)await_port(29050, "used", 20000);
    json_t *ports_now = client_call(&client, "ports", "{\"source\":\"iis\"}");
    const json_t *list = json_at(ports_now, "ports");
    assert_int_equal(json_array_size(list), 51);
    for (size_t i = 0; i < 51; i++) {
        assert_false(json_has(json_array_get(list, i), "claims.0.lingering"));
    }
    json_decref(ports_now);
    daemon_stop(daemon);
}

static void site_removed__lingers_and_then_is_free(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[2] = {29000, 29001};

    put_config(daemon, ports, 2, BY_RENAME);
    daemon_start(daemon, WITH_IIS "<lease linger=\"2s\"/>");
    client_open(&client, daemon->endpoint);
    uint64_t start_ms = platform_now_ms();
    uint64_t end_ms = start_ms + 20000;
    put_config(daemon, ports, 1, BY_RENAME);
    bool lingered = false;
    while (!client_port_is_free(&client, 29001) && platform_now_ms() < end_ms) {
        json_t *who = client_call(&client, "who", "{\"port\":29001}");
        if (json_has(who, "claims.0.lingering")) {
            (void)json_string_at(who, "claims.0.until");
            /* not for others; asked once, at the start, as later on it may end before the answer */
            if (!lingered) {
                json_decref(client_refused(&client, "port_in_use", "allocate",
                                           "{\"port\":29001,\"holder\":\"site:Another\"}"));
            }
            lingered = true;
        }
        json_decref(who);
        platform_pause_ms(10);
    }
    assert_true(lingered);
    assert_true(client_port_is_free(&client, 29001));
    assert_true(platform_now_ms() - start_ms >= 1900);
    assert_string_equal(client_port_state(&client, 29000), "used");
    daemon_stop(daemon);
}

static void site_removed__its_own_name__may_have_the_port_meanwhile(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[2] = {29000, 29001};
    bool lingering = false;

    start_with(daemon, ports, 2);
    put_config(daemon, ports, 1, IN_PLACE);
    for (uint64_t end_ms = platform_now_ms() + 5000; !lingering && platform_now_ms() < end_ms;) {
        json_t *who = client_call(&client, "who", "{\"port\":29001}");
        lingering = json_has(who, "claims.0.lingering");
        json_decref(who);
    }
    assert_true(lingering);
    json_t *lease = client_call(&client, "allocate",
                                "{\"port\":29001,\"holder\":\"site:SITE 29001\",\"key\":\"k\"}");
    assert_int_equal(json_integer_at(lease, "port"), 29001);
    json_decref(lease);
    /* it comes back, as in a deployment */
    put_config(daemon, ports, 2, BY_RENAME);
    for (uint64_t end_ms = platform_now_ms() + 5000; lingering && platform_now_ms() < end_ms;) {
        json_t *all = client_call(&client, "ports", "{\"source\":\"iis\"}");
        lingering = json_has(all, "ports.1.claims.1.lingering");
        json_decref(all);
    }
    assert_false(lingering);
    daemon_stop(daemon);
}

/* ---- damaged files ---- */

/* The ports that are claimed by `iis` now; for json_decref(). */
static json_t *iis_ports(void)
{
    json_t *answer = client_call(&client, "ports", "{\"source\":\"iis\"}");
    json_t *ports = json_array();

    assert_non_null(ports);
    for (size_t i = 0; i < json_array_size(json_at(answer, "ports")); i++) {
        const json_t *entry = json_array_get(json_at(answer, "ports"), i);
        assert_int_equal(json_array_append(ports, json_at(entry, "port")), 0);
    }
    json_decref(answer);
    return ports;
}

static void assert_none_freed(const json_t *before, size_t cut)
{
    json_t *now = iis_ports();

    for (size_t i = 0; i < json_array_size(before); i++) {
        const json_t *port = json_array_get(before, i);
        bool found = false;
        for (size_t k = 0; k < json_array_size(now) && !found; k++) {
            found = json_equal(port, json_array_get(now, k));
        }
        if (!found) {
            fail_msg("port %lld is free of claims when the file is cut at %zu",
                     json_integer_value(port), cut);
        }
    }
    json_decref(now);
}

static bool source_is_stale(void *ctx)
{
    (void)ctx;
    return strcmp(client_source_state(&client, "applicationHost.config", NULL), "stale") == 0;
}

static void every_prefix__put_in_its_place__frees_no_port(void **state)
{
    struct daemon_process *daemon = *state;
    size_t length;
    char *text = read_whole_file(TEST_DATA "/iis/variety.config", &length);
    struct test_random random = test_random_start("prefixes");
    bool all = getenv("BERTH_TEST_ALL") != NULL;
    size_t count = 0;
    size_t stale = 0;

    replace_file(daemon->iis, text, length);
    daemon_start(daemon, WITH_IIS);
    client_open(&client, daemon->endpoint);
    json_t *before = iis_ports();
    assert_true(json_array_size(before) > 30);
    for (size_t cut = 0; cut < length - 2; cut += all ? 1 : test_random_in(&random, 1, 60)) {
        if (count % 2 == 0) {
            replace_file(daemon->iis, text, cut);
        } else {
            write_file(daemon->iis, text, cut);
        }
        if (count % 8 == 0) {
            /* see that this very one was looked at, then mend it; the others come in a burst */
            await_source("stale");
            stale++;
            assert_none_freed(before, cut);
            replace_file(daemon->iis, text, length);
            await_source("ready");
        }
        assert_none_freed(before, cut);
        count++;
    }
    (void)printf("%zu prefixes, %zu of them surely looked at\n", count, stale);
    replace_file(daemon->iis, text, length);
    await_source("ready");
    json_t *after = iis_ports();
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    free(text);
    daemon_stop(daemon);
}

struct damage {
    const char *name;
    const char *content; /* NULL: the file is removed */
    size_t length;
};

static void damage__of_each_kind__is_stale_with_a_reason_and_recovers(void **state)
{
#define TEXT(text) text, sizeof(text) - 1
    static const struct damage kinds[] = {
        {"empty", TEXT("")},
        {"missing", NULL, 0},
        {"blank", TEXT("   \n\n")},
        {"zeros", TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
        {"not xml", TEXT("hello\n")},
        {"another root", TEXT("<config/>")},
        {"two roots", TEXT("<configuration/><configuration/>")},
        {"doctype", TEXT("<!DOCTYPE configuration><configuration><system.applicationHost><sites/>"
                         "</system.applicationHost></configuration>")},
        {"entity", TEXT("<!DOCTYPE c [<!ENTITY e \"*:80:\">]><configuration>"
                        "<system.applicationHost><sites/></system.applicationHost>"
                        "</configuration>")},
        {"outside entity", TEXT("<!DOCTYPE c [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"
                                "<configuration>&e;</configuration>")},
        {"bad utf-8", TEXT("<configuration><!-- \xFF\xFE\xC3 --><system.applicationHost><sites/>"
                           "</system.applicationHost></configuration>")},
    };
#undef TEXT
    struct daemon_process *daemon = *state;
    const unsigned ports[3] = {29000, 29001, 29002};

    start_with(daemon, ports, 3);
    for (size_t i = 0; i < BERTH_COUNT(kinds); i++) {
        char *reason;
        if (kinds[i].content != NULL) {
            replace_file(daemon->iis, kinds[i].content, kinds[i].length);
        } else {
            remove_file(daemon->iis);
        }
        if (daemon_await(source_is_stale, NULL, 20000) == UINT64_MAX) {
            fail_msg("%s: the source is %s", kinds[i].name,
                     client_source_state(&client, "applicationHost.config", NULL));
        }
        (void)client_source_state(&client, "applicationHost.config", &reason);
        assert_non_null(reason);
        (void)printf("%s: %s\n", kinds[i].name, reason);
        free(reason);
        for (size_t k = 0; k < 3; k++) {
            assert_string_equal(client_port_state(&client, ports[k]), "used");
        }
        /* what was known still counts, and allocation goes on */
        json_t *next = client_call(&client, "next", NULL);
        assert_int_equal(json_integer_at(next, "ports.0"), 29003);
        json_decref(next);
        put_config(daemon, ports, 3, BY_RENAME);
        await_source("ready");
    }
    daemon_stop(daemon);
}

static void file__a_folder_in_its_place__is_stale(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[1] = {29000};

    start_with(daemon, ports, 1);
    remove_file(daemon->iis);
    assert_true(platform_make_folder(daemon->iis));
    await_source("stale");
    assert_string_equal(client_port_state(&client, 29000), "used");
    assert_true(platform_remove_folder(daemon->iis));
    put_config(daemon, ports, 1, BY_RENAME);
    await_source("ready");
    daemon_stop(daemon);
}

static void file__larger_than_accepted__is_stale(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[1] = {29000};
    const size_t size = (size_t)65 * 1024 * 1024;
    char *text = malloc(size);

    assert_non_null(text);
    start_with(daemon, ports, 1);
    memset(text, ' ', size);
    replace_file(daemon->iis, text, size);
    free(text);
    await_source("stale");
    assert_string_equal(client_port_state(&client, 29000), "used");
    put_config(daemon, ports, 1, BY_RENAME);
    await_source("ready");
    daemon_stop(daemon);
}

static void file__unreadable__is_stale(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[1] = {29000};
    char moved[400];

    if (!platform_is_administrator()) {
        skip();
    }
    daemon->run_as = 61000;
    start_with(daemon, ports, 1);
    (void)snprintf(moved, sizeof moved, "%s.locked", daemon->iis);
    write_file(moved, "<configuration/>", 16);
    platform_make_unreadable(moved);
    move_path(moved, daemon->iis);
    await_source("stale");
    assert_string_equal(client_port_state(&client, 29000), "used");
    put_config(daemon, ports, 1, BY_RENAME);
    await_source("ready");
    daemon_stop(daemon);
}

/* ---- no good file at the start ---- */

static void expect_not_ready(const struct daemon_process *daemon)
{
    const char *const methods[] = {"allocate", "next"};

    for (size_t i = 0; i < 2; i++) {
        json_t *error = client_refused(&client, "not_ready", methods[i], NULL);
        assert_non_null(strstr(json_string_at(error, "message"), daemon->iis));
        assert_int_equal(json_integer_at(error, "code"), -32004);
        assert_string_equal(json_string_value(json_array_get(json_at(error, "data.sources"), 0)),
                            daemon->iis);
        json_decref(error);
    }
}

static void start__without_the_file__not_ready_until_it_appears(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[1] = {29000};

    daemon_configure(daemon, WITH_IIS);
    daemon_launch(daemon);
    daemon_await_endpoint(daemon);
    client_open(&client, daemon->endpoint);
    expect_not_ready(daemon);
    put_config(daemon, ports, 1, BY_RENAME);
    await_source("ready");
    daemon_await_ready(daemon); /* the other sources too */
    json_t *lease = client_call(&client, "allocate", NULL);
    assert_int_equal(json_integer_at(lease, "port"), 29001);
    json_decref(lease);
    daemon_stop(daemon);
}

static void start__with_a_damaged_file__not_ready_until_it_is_good(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[1] = {29000};

    write_file(daemon->iis, "<configuration><system", 22);
    daemon_configure(daemon, WITH_IIS);
    daemon_launch(daemon);
    daemon_await_endpoint(daemon);
    client_open(&client, daemon->endpoint);
    expect_not_ready(daemon);
    char *reason;
    assert_string_equal(client_source_state(&client, "applicationHost.config", &reason), "waiting");
    free(reason);
    put_config(daemon, ports, 1, IN_PLACE);
    await_source("ready");
    assert_string_equal(client_port_state(&client, 29000), "used");
    daemon_stop(daemon);
}

static void start__without_the_folder__ready_when_both_appear(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[1] = {29000};
    char folder[300];
    char moved[300];

    (void)snprintf(folder, sizeof folder, "%s/later", daemon->folder);
    (void)snprintf(daemon->iis, sizeof daemon->iis, "%s/later/applicationHost.config",
                   daemon->folder);
    daemon_configure(daemon, WITH_IIS);
    daemon_launch(daemon);
    daemon_await_endpoint(daemon);
    client_open(&client, daemon->endpoint);
    expect_not_ready(daemon);
    assert_true(platform_make_folder(folder));
    put_config(daemon, ports, 1, BY_RENAME);
    await_source("ready");
    /* the folder goes away with the file: nothing is freed */
    (void)snprintf(moved, sizeof moved, "%s/moved", daemon->folder);
    move_path(folder, moved);
    await_source("stale");
    assert_string_equal(client_port_state(&client, 29000), "used");
    move_path(moved, folder);
    await_source("ready");
    daemon_stop(daemon);
}

/* ---- over a restart ---- */

static bool bindings_are_kept(void *ctx)
{
    const struct daemon_process *daemon = ctx;
    char path[400];

    (void)snprintf(path, sizeof path, "%s/known-bindings", daemon->state);
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        (void)fclose(file);
    }
    return file != NULL;
}

static void start_again(struct daemon_process *daemon)
{
    client_close(&client);
    daemon_launch(daemon);
    daemon_await_ready(daemon);
    client_open(&client, daemon->endpoint);
}

static void expect_lingering(unsigned port)
{
    json_t *who = client_call(&client, "who", "{\"port\":%u}", port);
    assert_string_equal(json_string_at(who, "state"), "used");
    assert_true(json_is_true(json_at(who, "claims.0.lingering")));
    json_decref(who);
    json_decref(client_refused(&client, "port_in_use", "allocate",
                               "{\"port\":%u,\"holder\":\"site:Another\"}", port));
}

/* A deployment has cleared a site's bindings, and the daemon is killed and started just then. */
static void restart__while_a_binding_is_away__it_is_not_free(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[2] = {29000, 29001};

    start_with(daemon, ports, 2);
    assert_true(daemon_await(bindings_are_kept, daemon, 20000) != UINT64_MAX);
    daemon_kill(daemon);
    put_config(daemon, ports, 1, BY_RENAME); /* it goes while nobody looks */
    start_again(daemon);
    assert_string_equal(client_port_state(&client, 29000), "used");
    expect_lingering(29001);
    daemon_kill(daemon); /* and is still away when the next one starts */
    start_again(daemon);
    expect_lingering(29001);
    json_t *lease = client_call(&client, "allocate",
                                "{\"port\":29001,\"holder\":\"site:Site 29001\",\"key\":\"k\"}");
    assert_int_equal(json_integer_at(lease, "port"), 29001);
    json_decref(lease);
    daemon_stop(daemon);
}

/* What is not written yet is written at a stop. */
static void restart__after_a_stop__remembers_the_latest_bindings(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[3] = {29000, 29001, 29002};

    start_with(daemon, ports, 1);
    put_config(daemon, ports, 3, BY_RENAME);
    (void)await_port(29002, "used", SEEN_MS);
    put_config(daemon, ports, 2, BY_RENAME);
    daemon_stop(daemon);
    put_config(daemon, ports, 1, BY_RENAME);
    start_again(daemon);
    expect_lingering(29001);
    expect_lingering(29002);
    assert_string_equal(client_port_state(&client, 29003), "free");
    daemon_stop(daemon);
}

static void two_files__one_damaged__the_other_goes_on(void **state)
{
    struct daemon_process *daemon = *state;
    const unsigned ports[2] = {29000, 29001};
    char elements[900];
    char second[300];

    (void)snprintf(second, sizeof second, "%s/second.config", daemon->folder);
    (void)snprintf(elements, sizeof elements, "%s<iis config=\"%s\"/>", WITH_IIS, second);
    put_config(daemon, ports, 1, BY_RENAME);
    move_path(daemon->iis, second);
    put_config(daemon, ports, 1, BY_RENAME);
    daemon_start(daemon, elements);
    client_open(&client, daemon->endpoint);
    write_file(second, "<", 1);
    put_config(daemon, ports, 2, BY_RENAME);
    (void)await_port(29001, "used", SEEN_MS);
    json_t *who = client_call(&client, "who", "{\"port\":29000}");
    assert_int_equal(json_array_size(json_at(who, "claims")), 2);
    json_decref(who);
    daemon_stop(daemon);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(site_added__each_manner__gone_from_the_free_set),
        CASE(burst__500_rewrites__ends_in_the_right_state),
        CASE(file_written_in_pieces__slowly__no_port_is_freed),
        CASE(site_removed__lingers_and_then_is_free),
        CASE(site_removed__its_own_name__may_have_the_port_meanwhile),
        CASE(every_prefix__put_in_its_place__frees_no_port),
        CASE(damage__of_each_kind__is_stale_with_a_reason_and_recovers),
        CASE(file__a_folder_in_its_place__is_stale),
        CASE(file__larger_than_accepted__is_stale),
        CASE(file__unreadable__is_stale),
        CASE(start__without_the_file__not_ready_until_it_appears),
        CASE(start__with_a_damaged_file__not_ready_until_it_is_good),
        CASE(start__without_the_folder__ready_when_both_appear),
        CASE(restart__while_a_binding_is_away__it_is_not_free),
        CASE(restart__after_a_stop__remembers_the_latest_bindings),
        CASE(two_files__one_damaged__the_other_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
