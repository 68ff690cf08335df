/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_folder.h"
#include "watchers/iis_config.h"

#include <stdio.h>
#include <stdlib.h>

#define SITES(inner)                                                                               \
    "<configuration><system.applicationHost><sites>" inner                                         \
    "</sites></system.applicationHost></configuration>"
#define ONE(port)                                                                                  \
    SITES("<site name='one'><bindings><binding protocol='http' bindingInformation='*:" port        \
          ":'/></bindings></site>")

static void put(const char *name, const char *text)
{
    write_file(temp_path(folder, name), text, strlen(text));
}

static void load(struct berth_iis_config *config, const char *path)
{
    struct berth_error err;

    assert_ok(berth_iis_config_load(config, path, NULL, &err), &err);
}

static void assert_refused(enum berth_code expected, const char *words)
{
    struct berth_iis_config config;
    struct berth_error err = {0};

    assert_code(berth_iis_config_load(&config, temp_path(folder, "a.config"), NULL, &err),
                expected);
    if (strstr(err.detail, words) == NULL) {
        fail_msg("\"%s\" is not in: %s", words, err.detail);
    }
    assert_int_equal(config.claim_count, 0);
    assert_null(config.claims);
    assert_true(config.file_count >= 1);
    berth_iis_config_fini(&config);
}

/* A claim on one line, for comparison. */
static const char *describe(const struct berth_claim *claim)
{
    static char text[512];
    char address[BERTH_ADDRESS_TEXT_MAX];

    (void)snprintf(text, sizeof text, "%u %s %s %s '%s' %s [%s]%s%s", (unsigned)claim->port,
                   berth_claim_kind_name((enum berth_claim_kind)claim->kind),
                   berth_protocol_name((enum berth_protocol)claim->protocol),
                   berth_address_format(address, sizeof address, &claim->address), claim->holder,
                   claim->host != NULL ? claim->host : "-", claim->detail,
                   (claim->flags & BERTH_CLAIM_STOPPED) != 0 ? " stopped" : "",
                   (claim->flags & BERTH_CLAIM_SNI) != 0 ? " sni" : "");
    return text;
}

#define DEFAULT_OF(site)                                                                           \
    "8999 binding http * '" site "' default.example.com [http *:8999:default.example.com]"

static const char *const variety[] = {
    DEFAULT_OF("Default Web Site"),
    "80 binding http * 'Default Web Site' - [http *:80:]",
    "443 binding https * 'Default Web Site' - [https *:443:]",
    DEFAULT_OF("Shop"),
    "443 binding https * 'Shop' shop.example.com [https *:443:shop.example.com] sni",
    "8443 binding https * 'Shop' *.example.com [https *:8443:*.example.com] sni",
    "8080 binding http 10.0.0.7 'Shop' shop.example.com [HTTP 10.0.0.7:8080:shop.example.com]",
    DEFAULT_OF("Addresses"),
    "8081 binding http * 'Addresses' - [http :8081:]",
    "8082 binding http 0.0.0.0 'Addresses' - [http 0.0.0.0:8082:]",
    "8083 binding http [::1] 'Addresses' - [http [::1]:8083:]",
    "8084 binding http [2001:db8::10] 'Addresses' six.example.com "
    "[http [2001:db8::10]:8084:six.example.com]",
    "8085 binding http [fe80::1%4] 'Addresses' - [http [fe80::1%4]:8085:]",
    "8086 binding http * 'Addresses' - [http :8086:*]",
    DEFAULT_OF("Windows services"),
    "808 binding net.tcp * 'Windows services' - [net.tcp 808:*]",
    "8090 binding net.tcp * 'Windows services' + [net.tcp 8090:+]",
    "8091 binding net.tcp * 'Windows services' Name.DEV [net.tcp 8091:Name.DEV]",
    DEFAULT_OF("Files"),
    "21 binding ftp * 'Files' - [ftp *:21:]",
    "21 binding ftp * 'Files' files.example.com [ftp *::files.example.com]",
    DEFAULT_OF("Stopped & waiting") " stopped",
    "8100 binding http * 'Stopped & waiting' - [http *:8100:] stopped",
    DEFAULT_OF("Odd ones"),
    "8110 binding http * 'Odd ones' - [http *:8110:]",
    DEFAULT_OF("Own transport"),
    "8120 binding other * 'Own transport' - [net.example *:8120:]",
    "8121 binding other * 'Own transport' - [net.example 8121:*]",
    "8130 binding http * 'Without the inherited one' - [http *:8130:]",
    "8140 binding http * 'With one removed' - [http *:8140:]",
    DEFAULT_OF("Ohne Bindung: Müller & Söhne"),
    "80 binding http * 'Empty port' h.example.com [http *::h.example.com]",
    "443 binding https * 'Empty port' h.example.com [https *::h.example.com]",
    "808 binding net.tcp * 'Empty port' - [net.tcp :*]",
    "5000 ftp_data ftp * 'FTP data channel' - [data channel ports 5000-5009]",
};

static void load__variety__gives_every_claim_and_warning(void **unused)
{
    static const char *const warnings[] = {
        "site 'Odd ones', line 93: binding net.tcp *: ",
        "site 'Odd ones', line 94: binding http *:0:: ",
        "site 'Odd ones', line 95: binding http *:70000:: ",
        "site 'Odd ones', line 96: binding http ::1:8111:: ",
        "site 'Odd ones', line 97: binding http nonsense: ",
        "site 'Odd ones', line 98: binding http : ",
    };
    struct berth_iis_config config;

    (void)unused;
    load(&config, TEST_DATA "/iis/variety.config");
    for (size_t i = 0; i < config.claim_count && i < BERTH_COUNT(variety); i++) {
        assert_string_equal(describe(&config.claims[i]), variety[i]);
        assert_int_equal(config.claims[i].count, 1);
        assert_true(config.claims[i].process_id == BERTH_ID_NONE);
    }
    assert_int_equal(config.claim_count, BERTH_COUNT(variety) + 9);
    assert_int_equal(config.claims[config.claim_count - 1].port, 5009);
    assert_int_equal(config.site_count, 12);
    assert_int_equal(config.warning_count, BERTH_COUNT(warnings));
    for (size_t i = 0; i < BERTH_COUNT(warnings); i++) {
        char start[200] = "";
        strncat(start, config.warnings[i], strlen(warnings[i]));
        assert_string_equal(start, warnings[i]);
    }
    assert_int_equal(config.file_count, 2);
    assert_string_equal(config.files[0].path, TEST_DATA "/iis/redirection.config");
    assert_false(config.files[0].present);
    assert_string_equal(config.files[1].path, TEST_DATA "/iis/variety.config");
    assert_true(config.files[1].present);
    berth_iis_config_fini(&config);
    berth_iis_config_fini(&config);
}

static void load__shared_configuration__is_followed(void **unused)
{
    struct berth_iis_config config;

    (void)unused;
    set_environment("BERTH_TEST_SHARED", TEST_DATA "/iis/shared");
    load(&config, TEST_DATA "/iis/shared/applicationHost.config");
    assert_int_equal(config.claim_count, 1);
    assert_string_equal(describe(&config.claims[0]),
                        "8200 binding http * 'Central' - [http *:8200:]");
    assert_int_equal(config.file_count, 2);
    assert_true(config.files[0].present);
    assert_string_equal(config.files[1].path,
                        TEST_DATA "/iis/shared/central/applicationHost.config");
    berth_iis_config_fini(&config);
}

static void load__config_source__is_followed(void **unused)
{
    struct berth_iis_config config;

    (void)unused;
    load(&config, TEST_DATA "/iis/source/applicationHost.config");
    assert_int_equal(config.claim_count, 1);
    assert_string_equal(describe(&config.claims[0]),
                        "8300 binding http * 'Included' - [http *:8300:]");
    assert_int_equal(config.warning_count, 1);
    assert_non_null(strstr(config.warnings[0], "'Included', configSource line 5"));
    assert_int_equal(config.file_count, 3);
    assert_string_equal(config.files[2].path, TEST_DATA "/iis/source/parts/sites.config");
    berth_iis_config_fini(&config);
}

static void load__config_source_repeating_the_nesting__is_followed(void **unused)
{
    struct berth_iis_config config;

    (void)unused;
    put("a.config", "<configuration><system.applicationHost><sites configSource='b.config'/>"
                    "</system.applicationHost></configuration>");
    put("b.config", ONE("8301"));
    load(&config, temp_path(folder, "a.config"));
    assert_int_equal(config.claim_count, 1);
    assert_int_equal(config.claims[0].port, 8301);
    berth_iis_config_fini(&config);
}

static void load__bad_config_source__is_refused(void **unused)
{
    static const char *const sources[] = {"",    "/etc/x", "\\\\s\\x",  "C:\\x",
                                          "C:x", "../x",   "a/../../x", "a\\..\\x",
                                          "..",  "x/..",   "a:stream"};
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(sources); i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "<configuration><system.applicationHost><sites configSource='%s'/>"
                       "</system.applicationHost></configuration>",
                       sources[i]);
        put("a.config", text);
        assert_refused(BERTH_MALFORMED, "not a file below the same folder");
    }
    put("a.config", "<configuration><system.applicationHost><sites configSource='...b'/>"
                    "</system.applicationHost></configuration>");
    assert_refused(BERTH_NOT_FOUND, "/...b");
    put("...b", "<configuration/>");
    assert_refused(BERTH_MALFORMED, "has no sites section");
    put("...b", "<sites configSource='c'/>");
    assert_refused(BERTH_MALFORMED, "within a configSource");
    put("...b", "<sites>");
    assert_refused(BERTH_MALFORMED, "...b: line 1");
}

static void load__redirection__enabled_must_be_good(void **unused)
{
    struct berth_iis_config config;

    (void)unused;
    put("a.config", ONE("8400"));
    put("redirection.config", "<configuration><configurationRedirection/></configuration>");
    load(&config, temp_path(folder, "a.config"));
    assert_int_equal(config.claim_count, 1);
    berth_iis_config_fini(&config);
    put("redirection.config", "");
    assert_refused(BERTH_MALFORMED, "redirection.config: it is empty");
    put("redirection.config", "<configuration>");
    assert_refused(BERTH_MALFORMED, "redirection.config: line 1");
    put("redirection.config",
        "<configuration><configurationRedirection enabled='true'/></configuration>");
    assert_refused(BERTH_MALFORMED, "absolute");
    put("redirection.config", "<configuration><configurationRedirection enabled='true' "
                              "path='%BERTH_TEST_NO_SUCH%/x'/></configuration>");
    assert_refused(BERTH_MALFORMED, "%BERTH_TEST_NO_SUCH%/x");
    put("redirection.config", "<configuration><configurationRedirection enabled='true' "
                              "path='/no/such/folder/'/></configuration>");
    assert_refused(BERTH_NOT_FOUND, "/no/such/folder/applicationHost.config: no such");
    put("redirection.config", "<configuration><configurationRedirection enabled='true' "
                              "path='C:\\no%a%%%'/></configuration>");
    assert_refused(BERTH_NOT_FOUND, "C:\\no%a%%%\\applicationHost.config");
}

static void load__without_sites__only_where_nothing_was(void **unused)
{
    struct berth_iis_config config;
    struct berth_error err;
    struct berth_iis_limits limits = berth_iis_default_limits;

    (void)unused;
    put("a.config", "<configuration/>");
    assert_ok(berth_iis_config_load(&config, temp_path(folder, "a.config"), &limits, &err), &err);
    assert_int_equal(config.claim_count, 0);
    berth_iis_config_fini(&config);
    limits.require_sites = true;
    assert_code(berth_iis_config_load(&config, temp_path(folder, "a.config"), &limits, &err),
                BERTH_MALFORMED);
    assert_non_null(strstr(err.detail, "has no system.applicationHost/sites section"));
    berth_iis_config_fini(&config);
    put("a.config", SITES(""));
    assert_ok(berth_iis_config_load(&config, temp_path(folder, "a.config"), &limits, &err), &err);
    berth_iis_config_fini(&config);
}

static void load__missing_or_odd__says_which_file(void **unused)
{
    (void)unused;
    assert_refused(BERTH_NOT_FOUND, "a.config: no such");
    put("a.config", "");
    assert_refused(BERTH_MALFORMED, "a.config: it is empty");
    assert_int_equal(remove(temp_path(folder, "a.config")), 0);
    add_folder(temp_path(folder, "a.config"));
    assert_refused(BERTH_IO, "it is a folder");
}

static void read__bad_ftp_range__is_a_warning(void **unused)
{
    static const char *const ranges[] = {"lowDataChannelPort='10' highDataChannelPort='9'",
                                         "lowDataChannelPort='10'", "highDataChannelPort='9'",
                                         "lowDataChannelPort='1' highDataChannelPort='65536'",
                                         "lowDataChannelPort='a' highDataChannelPort='9'"};
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(ranges); i++) {
        struct berth_iis_config config;
        struct berth_error err;
        char text[512];
        (void)snprintf(text, sizeof text,
                       "<configuration><system.ftpServer><firewallSupport %s/></system.ftpServer>"
                       "</configuration>",
                       ranges[i]);
        assert_ok(berth_iis_config_read(&config, text, strlen(text), NULL, &err), &err);
        assert_int_equal(config.claim_count, 0);
        assert_int_equal(config.warning_count, 1);
        assert_non_null(strstr(config.warnings[0], "is no range of ports"));
        berth_iis_config_fini(&config);
    }
}

static void read__many_warnings__the_last_counts_the_rest(void **unused)
{
    static char text[100000];
    struct berth_iis_config config;
    struct berth_error err;
    int used = snprintf(text, sizeof text,
                        "<configuration><system.applicationHost><sites><site><bindings>");

    (void)unused;
    for (int i = 0; i < 250; i++) {
        used += snprintf(text + used, sizeof text - (size_t)used,
                         "<binding protocol='http' bindingInformation='%d'/>", i);
    }
    used += snprintf(text + used, sizeof text - (size_t)used,
                     "</bindings></site></sites></system.applicationHost></configuration>");
    assert_ok(berth_iis_config_read(&config, text, (size_t)used, NULL, &err), &err);
    assert_int_equal(config.warning_count, 100);
    assert_non_null(strstr(config.warnings[98], "binding http 98: "));
    assert_string_equal(config.warnings[99], "… and 151 more");
    berth_iis_config_fini(&config);
}

static void read__inheritance_times_sites__has_a_ceiling(void **unused)
{
    struct berth_iis_limits limits = berth_iis_default_limits;
    struct berth_iis_config config;
    struct berth_error err;
    const char *text = SITES("<site/><site/><siteDefaults><bindings>"
                             "<binding protocol='http' bindingInformation='*:1:'/>"
                             "<binding protocol='http' bindingInformation='*:2:'/>"
                             "</bindings></siteDefaults>");

    (void)unused;
    limits.sites.bindings = 4;
    assert_ok(berth_iis_config_read(&config, text, strlen(text), &limits, &err), &err);
    assert_int_equal(config.claim_count, 4);
    berth_iis_config_fini(&config);
    limits.sites.bindings = 3;
    assert_code(berth_iis_config_read(&config, text, strlen(text), &limits, &err), BERTH_TOO_LARGE);
    berth_iis_config_fini(&config);
}

static void read__more_inherited_than_own__all_have_room(void **unused)
{
    struct berth_iis_config config;
    struct berth_error err;
    const char *text =
        SITES("<site name='a'><bindings>"
              "<binding protocol='http' bindingInformation='*:1:'/></bindings></site>"
              "<site name='b'/><site name='c'/><siteDefaults><bindings>"
              "<binding protocol='http' bindingInformation='*:2:'/>"
              "<binding protocol='http' bindingInformation='*:3:'/>"
              "</bindings></siteDefaults>");

    (void)unused;
    assert_ok(berth_iis_config_read(&config, text, strlen(text), NULL, &err), &err);
    assert_int_equal(config.claim_count, 7);
    assert_int_equal(config.claims[2].port, 1);
    assert_int_equal(config.claims[6].port, 3);
    berth_iis_config_fini(&config);
}

static void read__defaults_not_started__stop_all_but_those_that_say_so(void **unused)
{
    struct berth_iis_config config;
    struct berth_error err;
    const char *text = SITES("<site/><site serverAutoStart='true'/>"
                             "<siteDefaults serverAutoStart='false'><bindings>"
                             "<binding protocol='http' bindingInformation='*:1:'/>"
                             "</bindings></siteDefaults>");

    (void)unused;
    assert_ok(berth_iis_config_read(&config, text, strlen(text), NULL, &err), &err);
    assert_int_equal(config.claims[0].flags, BERTH_CLAIM_STOPPED);
    assert_int_equal(config.claims[1].flags, 0);
    berth_iis_config_fini(&config);
}

static void is_current__as_files_change__tells(void **unused)
{
    struct berth_iis_config config;
    const size_t limit = 1000000;

    (void)unused;
    put("a.config", ONE("8500"));
    load(&config, temp_path(folder, "a.config"));
    assert_true(berth_iis_config_is_current(&config, limit, false));
    assert_true(berth_iis_config_is_current(&config, limit, true));
    put("a.config", ONE("8501")); /* the same size, and maybe the same time */
    assert_false(berth_iis_config_is_current(&config, limit, false));
    put("a.config", ONE("8500"));
    assert_true(berth_iis_config_is_current(&config, limit, false));
    put("redirection.config", "<configuration/>");
    assert_false(berth_iis_config_is_current(&config, limit, false));
    assert_int_equal(remove(temp_path(folder, "redirection.config")), 0);
    assert_true(berth_iis_config_is_current(&config, limit, false));
    assert_int_equal(remove(temp_path(folder, "a.config")), 0);
    assert_false(berth_iis_config_is_current(&config, limit, false));
    berth_iis_config_fini(&config);
    assert_false(berth_iis_config_is_current(&config, limit, false));
}

static void load__no_memory_anywhere__is_an_error(void **unused)
{
    static const char *const paths[] = {TEST_DATA "/iis/variety.config",
                                        TEST_DATA "/iis/shared/applicationHost.config",
                                        TEST_DATA "/iis/source/applicationHost.config"};
    (void)unused;
    set_environment("BERTH_TEST_SHARED", TEST_DATA "/iis/shared");
    for (size_t i = 0; i < BERTH_COUNT(paths); i++) {
        bool failed = true;
        for (size_t fail_at = 1; failed; fail_at++) {
            struct berth_iis_config config;
            struct berth_error err;
            size_t live;
            memory_faults_begin(fail_at, false);
            enum berth_code code = berth_iis_config_load(&config, paths[i], NULL, &err);
            size_t claim_count = config.claim_count;
            berth_iis_config_fini(&config);
            failed = memory_faults_end(&live);
            assert_int_equal(live, 0);
            if (code == BERTH_OK) {
                /* the array that is made in one go when there is memory grows when there is not */
                assert_int_equal(claim_count, i == 0 ? BERTH_COUNT(variety) + 9 : 1);
            } else {
                assert_code(code, BERTH_NO_MEMORY);
                assert_int_equal(claim_count, 0);
            }
            assert_true(fail_at < 10000);
        }
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load__variety__gives_every_claim_and_warning),
        cmocka_unit_test(load__shared_configuration__is_followed),
        cmocka_unit_test(load__config_source__is_followed),
        IN_FOLDER(load__config_source_repeating_the_nesting__is_followed),
        IN_FOLDER(load__bad_config_source__is_refused),
        IN_FOLDER(load__redirection__enabled_must_be_good),
        IN_FOLDER(load__without_sites__only_where_nothing_was),
        IN_FOLDER(load__missing_or_odd__says_which_file),
        cmocka_unit_test(read__bad_ftp_range__is_a_warning),
        cmocka_unit_test(read__many_warnings__the_last_counts_the_rest),
        cmocka_unit_test(read__inheritance_times_sites__has_a_ceiling),
        cmocka_unit_test(read__more_inherited_than_own__all_have_room),
        cmocka_unit_test(read__defaults_not_started__stop_all_but_those_that_say_so),
        IN_FOLDER(is_current__as_files_change__tells),
        cmocka_unit_test(load__no_memory_anywhere__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
