/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_dir.h"
#include "watchers/iis_sites.h"

#include <libxml/xmlerror.h>
#include <stdio.h>
#include <stdlib.h>

#define BEFORE "<configuration><system.applicationHost>"
#define AFTER "</system.applicationHost></configuration>"
#define SITE                                                                                       \
    "<site name='a' id='1'><bindings><binding protocol='http' bindingInformation='*:81:'/>"        \
    "</bindings></site>"

static enum berth_code parse(struct berth_iis_sites *sites, const char *text,
                             struct berth_error *err)
{
    berth_iis_sites_init(sites);
    return berth_iis_sites_parse(sites, text, strlen(text), NULL, err);
}

static void parse_good(struct berth_iis_sites *sites, const char *text)
{
    struct berth_error err;

    assert_ok(parse(sites, text, &err), &err);
}

static void assert_refused(const char *text, enum berth_code code, const char *words)
{
    struct berth_iis_sites sites;
    struct berth_error err = {0};

    assert_code(parse(&sites, text, &err), code);
    if (strstr(err.detail, words) == NULL) {
        fail_msg("\"%s\" is not in: %s", words, err.detail);
    }
    berth_iis_sites_fini(&sites);
}

static void parse__one_site__gives_all_of_it(void **unused)
{
    struct berth_iis_sites sites;

    (void)unused;
    parse_good(&sites, "<?xml version='1.0'?>\n" BEFORE "<sites>\n"
                       "<site name='Tom &amp; &#74;erry' id='7' serverAutoStart='FALSE'>\n"
                       "<bindings>\n"
                       "<binding protocol=' https ' bindingInformation=' *:443:h '\n"
                       " sslFlags='33'/><clear/>"
                       "<remove protocol='http' bindingInformation='&quot;x&lt;&#38;'/></bindings>"
                       "</site></sites>" AFTER);
    assert_true(sites.has_sites_section);
    assert_null(sites.config_source);
    assert_int_equal(sites.site_count, 1);
    const struct berth_iis_site *site = &sites.sites[0];
    assert_string_equal(site->name, "Tom & Jerry");
    assert_int_equal(site->id, 7);
    assert_int_equal(site->line, 3);
    assert_int_equal(site->auto_start, BERTH_IIS_NO);
    assert_int_equal(site->operation_count, 3);
    const struct berth_iis_operation *operations = sites.operations + site->first_operation;
    assert_int_equal(operations[0].kind, BERTH_IIS_ADD);
    assert_string_equal(operations[0].protocol, "https");
    assert_string_equal(operations[0].information, "*:443:h");
    assert_string_equal(operations[0].text, "https *:443:h");
    assert_int_equal(operations[0].ssl_flags, 33);
    assert_int_equal(operations[0].line, 6);
    assert_int_equal(operations[1].kind, BERTH_IIS_CLEAR);
    assert_int_equal(operations[2].kind, BERTH_IIS_REMOVE);
    assert_string_equal(operations[2].information, "\"x<&");
    berth_iis_sites_fini(&sites);
}

static void parse__missing_attributes__are_empty(void **unused)
{
    struct berth_iis_sites sites;

    (void)unused;
    parse_good(&sites, BEFORE "<sites><site id='x'><bindings><binding/></bindings></site>"
                              "<site serverAutoStart='perhaps'/></sites>" AFTER);
    assert_int_equal(sites.site_count, 2);
    assert_string_equal(sites.sites[0].name, "");
    assert_int_equal(sites.sites[0].id, 0);
    assert_int_equal(sites.sites[1].auto_start, BERTH_IIS_UNSAID);
    assert_int_equal(sites.sites[1].operation_count, 0);
    assert_string_equal(sites.operations[0].protocol, "");
    assert_string_equal(sites.operations[0].information, "");
    berth_iis_sites_fini(&sites);
}

static void parse__same_names_elsewhere__mean_nothing(void **unused)
{
    static const char *const documents[] = {
        "<configuration><location path='x'><system.applicationHost><sites>" SITE
        "</sites></system.applicationHost></location></configuration>",
        "<configuration><sites>" SITE "</sites></configuration>",
        "<configuration><!-- " BEFORE "<sites>" SITE "</sites>" AFTER " --></configuration>",
        "<configuration><![CDATA[" BEFORE "<sites>" SITE "</sites>" AFTER "]]></configuration>",
        "<configuration><?x <sites>" SITE "</sites>?></configuration>",
        "<configuration><system.webServer><sites>" SITE "</sites></system.webServer>"
        "</configuration>",
        "<configuration><system.applicationHost><x><sites>" SITE "</sites></x>" AFTER,
        "<configuration><system.ApplicationHost><sites>" SITE
        "</sites></system.ApplicationHost></configuration>",
        "<configuration><configuration>" BEFORE "<sites>" SITE "</sites>" AFTER
        "</configuration></configuration>",
        "<configuration xmlns:a='urn:a'><a:system.applicationHost><sites>" SITE
        "</sites></a:system.applicationHost></configuration>",
    };
    struct berth_iis_sites sites;

    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(documents); i++) {
        parse_good(&sites, documents[i]);
        assert_int_equal(sites.site_count, 0);
        assert_false(sites.has_sites_section);
        berth_iis_sites_fini(&sites);
    }
    parse_good(&sites,
               BEFORE "<sites><x>" SITE "</x><Site name='b'/><site name='c'>"
                      "<binding protocol='http' bindingInformation='*:1:'/>"
                      "<bindings><x><binding protocol='http'/></x></bindings></site>"
                      "<siteDefaults><binding protocol='http'/></siteDefaults></sites>" AFTER);
    assert_int_equal(sites.site_count, 1);
    assert_string_equal(sites.sites[0].name, "c");
    assert_int_equal(sites.operation_count + sites.default_count, 0);
    berth_iis_sites_fini(&sites);
}

static void parse__default_namespace__is_passed_over(void **unused)
{
    struct berth_iis_sites sites;

    (void)unused;
    parse_good(&sites, "<configuration xmlns='http://schemas.microsoft.com/.NetConfiguration/v2.0'>"
                       "<system.applicationHost><sites>" SITE "</sites>" AFTER);
    assert_int_equal(sites.site_count, 1);
    berth_iis_sites_fini(&sites);
}

static void parse__site_defaults__are_kept_apart(void **unused)
{
    struct berth_iis_sites sites;

    (void)unused;
    parse_good(&sites, BEFORE
               "<sites configSource='x\\y.config'><siteDefaults serverAutoStart='false'><bindings>"
               "<binding protocol='http' bindingInformation='*:1:'/></bindings></siteDefaults>" SITE
               "</sites>" AFTER);
    assert_string_equal(sites.config_source, "x\\y.config");
    assert_int_equal(sites.default_auto_start, BERTH_IIS_NO);
    assert_int_equal(sites.default_count, 1);
    assert_int_equal(sites.operation_count, 1);
    assert_string_equal(sites.defaults[0].information, "*:1:");
    berth_iis_sites_fini(&sites);
}

static void parse__firewall_support__gives_the_range(void **unused)
{
    static const struct {
        const char *attributes;
        const char *low;
        const char *high;
    } rows[] = {
        {"", NULL, NULL},
        {"lowDataChannelPort='0' highDataChannelPort='0'", NULL, NULL},
        {"lowDataChannelPort='0'", NULL, NULL},
        {"lowDataChannelPort='5000' highDataChannelPort='5009'", "5000", "5009"},
        {"highDataChannelPort='5009'", "0", "5009"},
        {"lowDataChannelPort='x'", "x", "0"},
    };
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_iis_sites sites;
        char text[512];
        (void)snprintf(text, sizeof text,
                       "<configuration><system.ftpServer>\n<firewallSupport %s/>"
                       "</system.ftpServer></configuration>",
                       rows[i].attributes);
        parse_good(&sites, text);
        assert_int_equal(sites.has_ftp_range, rows[i].low != NULL);
        if (rows[i].low != NULL) {
            assert_string_equal(sites.ftp_low, rows[i].low);
            assert_string_equal(sites.ftp_high, rows[i].high);
            assert_int_equal(sites.ftp_line, 2);
        }
        berth_iis_sites_fini(&sites);
    }
}

static void parse__redirection__counts_when_enabled(void **unused)
{
    struct berth_iis_sites sites;

    (void)unused;
    parse_good(&sites, "<configuration><configurationRedirection /></configuration>");
    assert_false(sites.redirection_enabled);
    berth_iis_sites_fini(&sites);
    parse_good(&sites, "<configuration><configurationRedirection enabled='false' path='x'/>"
                       "</configuration>");
    assert_false(sites.redirection_enabled);
    berth_iis_sites_fini(&sites);
    parse_good(&sites, "<configuration><configurationRedirection enabled='TRUE' path='\\\\s\\x'/>"
                       "</configuration>");
    assert_true(sites.redirection_enabled);
    assert_string_equal(sites.redirection_path, "\\\\s\\x");
    berth_iis_sites_fini(&sites);
}

static void parse__second_document__may_start_with_sites(void **unused)
{
    struct berth_iis_sites sites;
    struct berth_error err;
    const char *second = "<sites>" SITE "</sites>";

    (void)unused;
    assert_refused("<sites>" SITE "</sites>", BERTH_MALFORMED, "root");
    parse_good(&sites, BEFORE "<sites>" SITE "</sites>" AFTER);
    assert_ok(berth_iis_sites_parse(&sites, second, strlen(second), NULL, &err), &err);
    assert_int_equal(sites.site_count, 2);
    assert_int_equal(sites.sites[0].document, 0);
    assert_int_equal(sites.sites[1].document, 1);
    berth_iis_sites_fini(&sites);
}

static void parse__control_characters__become_blanks(void **unused)
{
    struct berth_iis_sites sites;

    (void)unused;
    parse_good(&sites, BEFORE "<sites><site name='a&#10;b&#9;c&#127;d'/></sites>" AFTER);
    assert_string_equal(sites.sites[0].name, "a b c d");
    berth_iis_sites_fini(&sites);
}

static void parse__every_encoding_accepted__gives_the_same(void **unused)
{
    static const char *const names[] = {"small.config", "bom.config", "crlf.config",
                                        "utf16le.config", "utf16be.config"};
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(names); i++) {
        struct berth_iis_sites sites;
        struct berth_error err;
        size_t size;
        char *bytes = read_whole_file(temp_path(TEST_DATA "/iis", names[i]), &size);
        print_message("%s\n", names[i]);
        berth_iis_sites_init(&sites);
        assert_ok(berth_iis_sites_parse(&sites, bytes, size, NULL, &err), &err);
        free(bytes);
        assert_int_equal(sites.site_count, 2);
        assert_string_equal(sites.sites[0].name, "Gr\xc3\xb6\xc3\x9f"
                                                 "e");
        assert_string_equal(sites.operations[1].text, "https *:8443:two.example.com");
        assert_int_equal(sites.operations[1].line, 12);
        berth_iis_sites_fini(&sites);
    }
}

static void parse__other_encodings__are_refused(void **unused)
{
    static const struct {
        const char bytes[12];
        size_t size;
    } rows[] = {
        {"<\0?\0x\0m\0", 8},          /* UTF-16 without a mark */
        {"\0<\0?\0x\0m", 8},          /* the same, big-endian */
        {"\xff\xfe\0\0<\0\0\0", 8},   /* UTF-32 */
        {"\0\0\xfe\xff\0\0\0<", 8},   /* the same, big-endian */
        {"\x4c\x6f\xa7\x94\x93", 5},  /* EBCDIC */
        {"\0\0\0\0\0\0", 6},          /* a hole where a file should be */
        {"\x1f\x8b\x08\0\0\0\0\0", 8} /* gzip */
    };
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_iis_sites sites;
        struct berth_error err;
        berth_iis_sites_init(&sites);
        assert_code(berth_iis_sites_parse(&sites, rows[i].bytes, rows[i].size, NULL, &err),
                    BERTH_MALFORMED);
        berth_iis_sites_fini(&sites);
    }
    /* a declared one is passed over: the bytes must be UTF-8 */
    assert_refused("<?xml version='1.0' encoding='windows-1252'?><configuration x='\xe9'/>",
                   BERTH_MALFORMED, "UTF-8");
    struct berth_iis_sites sites;
    parse_good(&sites, "<?xml version='1.0' encoding='no-such-thing'?><configuration/>");
    berth_iis_sites_fini(&sites);
}

static void parse__document_type__is_refused(void **unused)
{
    (void)unused;
    assert_refused("<!DOCTYPE configuration><configuration/>", BERTH_MALFORMED, "document type");
    assert_refused("<!DOCTYPE configuration SYSTEM 'file:///etc/passwd'><configuration/>",
                   BERTH_MALFORMED, "document type");
    assert_refused("<!DOCTYPE configuration PUBLIC 'x' 'http://127.0.0.1/x'><configuration/>",
                   BERTH_MALFORMED, "document type");
    assert_refused("\n<!DOCTYPE configuration [<!ENTITY a 'x'>]>" BEFORE
                   "<sites><site name='&a;'/></sites>" AFTER,
                   BERTH_MALFORMED, "line 2: a document type");
    assert_refused("<!DOCTYPE c [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
                   "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><configuration>&c;</configuration>",
                   BERTH_MALFORMED, "document type");
    assert_refused("<configuration>&a;</configuration>", BERTH_MALFORMED, "'a' not defined");
    assert_refused("<configuration x='&a;'/>", BERTH_MALFORMED, "'a' not defined");
}

static void parse__damaged__carries_line_and_words(void **unused)
{
    (void)unused;
    assert_refused("", BERTH_MALFORMED, "empty");
    assert_refused("  ", BERTH_MALFORMED, "line");
    assert_refused("hello", BERTH_MALFORMED, "line 1: Start tag expected");
    assert_refused("<configuration>\n\n<a></b></configuration>", BERTH_MALFORMED,
                   "line 3: Opening and ending tag mismatch");
    assert_refused("<configuration/><configuration/>", BERTH_MALFORMED, "Extra content");
    assert_refused("<configuration a='1' a='2'/>", BERTH_MALFORMED, "redefined");
    assert_refused("<configuration><x:a/></configuration>", BERTH_MALFORMED, "not defined");
    assert_refused("<html/>", BERTH_MALFORMED, "root");
    assert_refused("<configuration>\x01</configuration>", BERTH_MALFORMED, "line 1");
    assert_refused("<configuration>\xff</configuration>", BERTH_MALFORMED, "line 1");
}

static void parse__nul_byte__is_refused(void **unused)
{
    static const char text[] = "<configuration>\0</configuration>";
    static const char padded[] = "<configuration></configuration>\0\0\0\0";
    struct berth_iis_sites sites;

    (void)unused;
    berth_iis_sites_init(&sites);
    assert_code(berth_iis_sites_parse(&sites, text, sizeof text - 1, NULL, NULL), BERTH_MALFORMED);
    berth_iis_sites_fini(&sites);
    assert_code(berth_iis_sites_parse(&sites, padded, sizeof padded, NULL, NULL), BERTH_MALFORMED);
    berth_iis_sites_fini(&sites);
}

static void parse__too_deep__is_refused(void **unused)
{
    char text[8192] = "<configuration>";

    (void)unused;
    for (int i = 0; i < 300; i++) {
        strncat(text, "<a>", sizeof text - strlen(text) - 1);
    }
    assert_refused(text, BERTH_MALFORMED, "depth");
}

static void parse__over_a_ceiling__is_too_large(void **unused)
{
    static const struct berth_iis_sites_limits two = {2, 2, 10};
    static const struct {
        const char *text;
        enum berth_code code;
    } rows[] = {
        {BEFORE "<sites><site/><site/></sites>" AFTER, BERTH_OK},
        {BEFORE "<sites><site/><site/><site/></sites>" AFTER, BERTH_TOO_LARGE},
        {BEFORE "<sites><site><bindings><clear/><clear/></bindings></site></sites>" AFTER,
         BERTH_OK},
        {BEFORE "<sites><site><bindings><clear/><clear/><clear/></bindings></site></sites>" AFTER,
         BERTH_TOO_LARGE},
        {BEFORE "<sites><siteDefaults><bindings><clear/><clear/></bindings></siteDefaults>"
                "<site><bindings><clear/></bindings></site></sites>" AFTER,
         BERTH_TOO_LARGE},
        {BEFORE "<sites><site name='0123456789'/></sites>" AFTER, BERTH_OK},
        {BEFORE "<sites><site name='0123456789x'/></sites>" AFTER, BERTH_TOO_LARGE},
        {BEFORE "<sites><site><bindings><binding bindingInformation='0123456789x'/></bindings>"
                "</site></sites>" AFTER,
         BERTH_TOO_LARGE},
        {BEFORE "<sites><site><bindings><binding protocol='0123456789x'/></bindings>"
                "</site></sites>" AFTER,
         BERTH_TOO_LARGE},
    };
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_iis_sites sites;
        struct berth_error err = {0};
        berth_iis_sites_init(&sites);
        print_message("%s\n", rows[i].text);
        assert_code(berth_iis_sites_parse(&sites, rows[i].text, strlen(rows[i].text), &two, &err),
                    rows[i].code);
        assert_true(rows[i].code == BERTH_OK || err.detail[0] != '\0');
        berth_iis_sites_fini(&sites);
    }
}

static void parse__cut_off_anywhere__is_refused(void **unused)
{
    static const char *const names[] = {"variety.config", "utf16le.config", "utf16be.config",
                                        "bom.config", "source/parts/sites.config"};
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(names); i++) {
        size_t size;
        char *bytes = read_whole_file(temp_path(TEST_DATA "/iis", names[i]), &size);
        size_t end = size; /* behind the root element only white space may follow */
        while (end > 0 && (bytes[end - 1] == '\n' || bytes[end - 1] == '\0')) {
            end--;
        }
        for (size_t length = 0; length < end; length++) {
            struct berth_iis_sites sites;
            berth_iis_sites_init(&sites);
            sites.document_count = 1; /* so that any of the files may be read */
            assert_code(berth_iis_sites_parse(&sites, bytes, length, NULL, NULL), BERTH_MALFORMED);
            berth_iis_sites_fini(&sites);
        }
        free(bytes);
    }
}

static void parse__no_memory_anywhere__is_an_error(void **unused)
{
    size_t size;
    char *bytes = read_whole_file(TEST_DATA "/iis/variety.config", &size);
    bool failed = true;

    (void)unused;
    for (size_t fail_at = 1; failed; fail_at++) {
        struct berth_iis_sites sites;
        struct berth_error err;
        size_t live;
        memory_faults_begin(fail_at, false);
        berth_iis_sites_init(&sites);
        enum berth_code code = berth_iis_sites_parse(&sites, bytes, size, NULL, &err);
        berth_iis_sites_fini(&sites);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
        assert_true(fail_at < 10000);
    }
    free(bytes);
}

static void count_error(void *context, xmlErrorPtr error)
{
    (void)error;
    (*(int *)context)++;
}

static void parse__errors__leave_the_threads_error_function_alone(void **unused)
{
    int count = 0;

    (void)unused;
    xmlSetStructuredErrorFunc(&count, count_error);
    assert_refused("<configuration>", BERTH_MALFORMED, "line 1");
    assert_ptr_equal(xmlStructuredError, count_error);
    assert_ptr_equal(xmlStructuredErrorContext, &count);
    assert_int_equal(count, 0);
    xmlSetStructuredErrorFunc(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__one_site__gives_all_of_it),
        cmocka_unit_test(parse__missing_attributes__are_empty),
        cmocka_unit_test(parse__same_names_elsewhere__mean_nothing),
        cmocka_unit_test(parse__default_namespace__is_passed_over),
        cmocka_unit_test(parse__site_defaults__are_kept_apart),
        cmocka_unit_test(parse__firewall_support__gives_the_range),
        cmocka_unit_test(parse__redirection__counts_when_enabled),
        cmocka_unit_test(parse__second_document__may_start_with_sites),
        cmocka_unit_test(parse__control_characters__become_blanks),
        cmocka_unit_test(parse__every_encoding_accepted__gives_the_same),
        cmocka_unit_test(parse__other_encodings__are_refused),
        cmocka_unit_test(parse__document_type__is_refused),
        cmocka_unit_test(parse__damaged__carries_line_and_words),
        cmocka_unit_test(parse__nul_byte__is_refused),
        cmocka_unit_test(parse__too_deep__is_refused),
        cmocka_unit_test(parse__over_a_ceiling__is_too_large),
        cmocka_unit_test(parse__cut_off_anywhere__is_refused),
        cmocka_unit_test(parse__no_memory_anywhere__is_an_error),
        cmocka_unit_test(parse__errors__leave_the_threads_error_function_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
