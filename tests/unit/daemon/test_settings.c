/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "daemon/default_access.h"
#include "settings_case.h"
#include "temp_dir.h"

#include "base/memory.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <stdio.h>
#include <stdlib.h>

/* -- support -- */

static char *summary_of(const struct berth_settings *settings)
{
    struct berth_text text;

    berth_text_init(&text, 65536);
    berth_settings_write_summary(&text, settings, &(struct berth_settings_places){.log = NULL});
    assert_int_equal(text.failed, BERTH_OK);
    return text.data; /* for berth_free() */
}

static void print_diagnostics(const struct berth_diagnostics *list)
{
    struct berth_text text;

    berth_text_init(&text, 65536);
    berth_diagnostics_write(&text, "test.config", list);
    print_message("%s", berth_text_string(&text));
    berth_text_fini(&text);
}

static void expect_remark(const struct berth_diagnostics *list, enum berth_severity severity,
                          unsigned line, const char *part)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].line == line && list->items[i].severity == severity &&
            strstr(list->items[i].text, part) != NULL) {
            return;
        }
    }
    print_diagnostics(list);
    fail_msg("no remark on line %u says \"%s\"", line, part);
}

/* Reads a text that must be accepted without a remark. */
static struct berth_settings accept(const char *document)
{
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;

    assert_ok(settings_case_parse(&settings, document, strlen(document), &list, &err), &err);
    if (list.count != 0) {
        print_diagnostics(&list);
    }
    assert_int_equal(list.count, 0);
    berth_diagnostics_fini(&list);
    return settings;
}

static void accept_fixture(struct berth_settings *out, const char *path,
                           struct berth_diagnostics *list)
{
    struct berth_error err;

    berth_diagnostics_init(list);
    assert_ok(berth_settings_load(out, path, list, &err), &err);
}

/* Reads a text that must be refused for one reason only. */
static void refuse(const char *document, unsigned line, const char *part)
{
    struct berth_settings settings;
    struct berth_settings before;
    struct berth_diagnostics list;
    struct berth_error err;

    memset(&settings, 0x5A, sizeof settings);
    before = settings;
    assert_code(settings_case_parse(&settings, document, strlen(document), &list, &err),
                BERTH_MALFORMED);
    assert_memory_equal(&settings, &before, sizeof settings);
    if (list.error_count != 1) {
        print_diagnostics(&list);
    }
    assert_int_equal(list.error_count, 1);
    expect_remark(&list, BERTH_SEVERITY_ERROR, line, part);
    assert_non_null(strstr(err.detail, part));
    berth_diagnostics_fini(&list);
}

/* The same for something inside <berth> on line 2. */
static void refuse_inside(const char *inside, const char *part)
{
    char document[2048];

    (void)snprintf(document, sizeof document, "<berth>\n%s\n</berth>", inside);
    refuse(document, 2, part);
}

static void warn_inside(const char *inside, const char *part)
{
    char document[2048];
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;

    (void)snprintf(document, sizeof document, "<berth>\n%s\n</berth>", inside);
    assert_ok(settings_case_parse(&settings, document, strlen(document), &list, &err), &err);
    assert_int_equal(list.warning_count, 1);
    expect_remark(&list, BERTH_SEVERITY_WARNING, 2, part);
    berth_diagnostics_fini(&list);
    berth_settings_fini(&settings);
}

/* -- defaults -- */

static void default__values__are_those_of_the_documentation(void **state)
{
    struct berth_settings s;
    struct berth_error err;

    (void)state;
    assert_ok(berth_settings_default(&s, &err), &err);
    assert_null(s.endpoint);
    assert_null(s.state);
    assert_int_equal(s.pool_count, 1);
    assert_string_equal(s.pools[0].name, "default");
    assert_int_equal(s.pools[0].ports.first, 49000);
    assert_int_equal(s.pools[0].ports.last, 65000);
    assert_int_equal(s.pools[0].ephemeral, BERTH_EPHEMERAL_LAST);
    assert_int_equal(s.pools[0].low_ports, 801);
    assert_int_equal(s.reserved_count, 0);
    assert_int_equal(s.iis_count, 1);
    assert_null(s.iis[0].path);
    assert_true(s.iis[0].optional);
    assert_int_equal(s.tcp.poll_ms, 1000);
    assert_int_equal(s.tcp.full_ms, 30000);
    assert_int_equal(s.tcp.events, BERTH_CHOICE_AUTO);
    assert_int_equal(s.tcp.probe, BERTH_CHOICE_AUTO);
    assert_int_equal(s.hints.etw, BERTH_CHOICE_ON);
    assert_int_equal(s.hints.wmi, BERTH_CHOICE_ON);
    assert_int_equal(s.lease.ttl_ms, 24 * 3600 * 1000);
    assert_int_equal(s.lease.linger_ms, 600000);
    assert_int_equal(s.lease.cooldown_ms, 60000);
    assert_int_equal(s.store.durability, BERTH_DURABILITY_COMMIT);
    assert_true(s.store.history_ms == 90ULL * 24 * 3600 * 1000);
    assert_false(s.access_given);
    assert_int_equal(s.rule_count, 2);
    assert_int_equal(s.rules[0].role, BERTH_ROLE_READER);
    size_t rule_count;
    const struct berth_default_rule *rules = berth_default_access(&rule_count);
    assert_int_equal(rule_count, 2); /* the first one is the platform's idea of local users */
    assert_int_equal(s.rules[0].subject, rules[0].subject);
    assert_string_equal(s.rules[0].name, rules[0].name);
    assert_int_equal(s.rules[1].role, BERTH_ROLE_ALLOCATOR);
    assert_int_equal(s.rules[1].subject, BERTH_SUBJECT_GROUP);
    assert_string_equal(s.rules[1].name, "berth");
    assert_int_equal(s.debounce_ms, 2000);
    assert_false(s.alerts.system_log);
    assert_int_equal(s.alerts.command_count, 0);
    assert_null(s.alerts.metrics_path);
    assert_null(s.log.path);
    assert_int_equal(s.log.size_bytes, 10 * 1024 * 1024);
    assert_int_equal(s.log.keep, 5);
    assert_int_equal(s.limits.connections, 1024);
    assert_int_equal(s.limits.per_user, 256);
    assert_int_equal(s.limits.subscribers, 64);
    assert_int_equal(s.limits.leases_per_user, 1000);
    berth_settings_fini(&s);
}

static void expect_defaults(const struct berth_settings *settings)
{
    struct berth_settings defaults;
    struct berth_error err;

    assert_ok(berth_settings_default(&defaults, &err), &err);
    char *expected = summary_of(&defaults);
    char *found = summary_of(settings);
    assert_string_equal(found, expected);
    berth_free(expected);
    berth_free(found);
    berth_settings_fini(&defaults);
}

static void sample__as_installed__says_the_defaults(void **state)
{
    struct berth_settings settings;
    struct berth_diagnostics list;

    (void)state;
    accept_fixture(&settings, TEST_SOURCE_ROOT "/config/berthd.config", &list);
    assert_int_equal(list.count, 0);
    expect_defaults(&settings);
    berth_settings_fini(&settings);
    berth_diagnostics_fini(&list);
}

static void parse__least_document__gives_the_defaults(void **state)
{
    struct berth_settings settings = accept("<berth/>");

    (void)state;
    expect_defaults(&settings);
    berth_settings_fini(&settings);
    settings = accept("<berth><pools/><reserved/><alerts/><limits/><tcp/></berth>");
    expect_defaults(&settings);
    berth_settings_fini(&settings);
}

static void parse__schema_defaults__are_the_defaults(void **state)
{
    xmlDocPtr schema = xmlReadFile(TEST_SOURCE_ROOT "/config/berthd.xsd", NULL, XML_PARSE_NONET);
    char document[] = "<berth><pools><pool name='default' ports='49000-65000' ephemeral='%s' "
                      "low='%s'/></pools><tcp poll='%s' full='%s' events='%s' probe='%s'/>"
                      "<hints etw='%s' wmi='%s'/>"
                      "<lease ttl='%s' linger='%s' cooldown='%s'/><store durability='%s' "
                      "history='%s'/><conflicts debounce='%s'/><log size='%s' keep='%s'/>"
                      "<limits connections='%s' "
                      "perUser='%s' subscribers='%s' leasesPerUser='%s'/></berth>";
    const char *names[] = {"ephemeral", "low",         "poll",    "full",        "events",
                           "probe",     "etw",         "wmi",     "ttl",         "linger",
                           "cooldown",  "durability",  "history", "debounce",    "size",
                           "keep",      "connections", "perUser", "subscribers", "leasesPerUser"};
    struct berth_text text;
    const char *rest = document;

    (void)state;
    assert_non_null(schema);
    xmlXPathContextPtr xpath = xmlXPathNewContext(schema);
    berth_text_init(&text, 4096);
    for (size_t i = 0; i < BERTH_COUNT(names); i++) {
        char query[100];
        (void)snprintf(query, sizeof query, "string(//*[@name='%s']/@default)", names[i]);
        xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)query, xpath);
        const char *hole = strstr(rest, "%s");
        assert_non_null(found);
        assert_non_null(hole);
        berth_text_add(&text, rest, (size_t)(hole - rest));
        berth_text_puts(&text, (const char *)found->stringval);
        rest = hole + 2;
        xmlXPathFreeObject(found);
    }
    berth_text_puts(&text, rest);
    struct berth_settings settings = accept(berth_text_string(&text));
    expect_defaults(&settings);
    berth_settings_fini(&settings);
    berth_text_fini(&text);
    xmlXPathFreeContext(xpath);
    xmlFreeDoc(schema);
}

/* -- what is accepted -- */

static void parse__everything__is_taken(void **state)
{
    const char *files[] = {"valid-everything", "valid-bom", "valid-utf16"};
    const char *expected =
        "endpoint   /run/berth/other.sock\n"
        "state      /srv/berth\n"
        "pool       qa 21000-21999 (1000 ports), ephemeral ports never, low below 50 free\n"
        "pool       prod.eu-1 49000-49999 (1000 ports), ephemeral ports last, low below 100 free "
        "(10%)\n"
        "reserved   21500-21500 (monitoring & more)\n"
        "reserved   21600-21610\n"
        "iis        /srv/a/applicationHost.config\n"
        "iis        \\\\server\\share\\applicationHost.config\n"
        "tcp        poll 250 ms, full 1 min, events on, probe off\n"
        "hints      etw on, wmi off\n"
        "lease      ttl 2 h, linger 15 min, cooldown 0 ms\n"
        "store      durability sync, history 30 d\n"
        "access     reader: every local user\n"
        "access     allocator: group D\xC3\xA9ployeurs\n"
        "access     admin: user S-1-5-21-1-2-3-500\n"
        "access     admin: the system's administrators\n"
        "conflicts  debounce 500 ms\n"
        "alerts     system log on\n"
        "alerts     command /usr/local/bin/on-conflict, timeout 5 s\n"
        "alerts     command C:\\ops\\on-conflict.exe '-File' 'C:\\ops\\on \"it\".ps1' '', timeout "
        "30 s\n"
        "alerts     metrics /var/metrics/berth.prom, interval 1 min\n"
        "log        C:\\logs\\berthd.log, at most 512 KiB, 9 old ones\n"
        "limits     connections 100, per user 20, subscribers 8, leases per user 10\n";

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(files); i++) {
        struct berth_settings settings;
        struct berth_diagnostics list;
        char path[400];
        (void)snprintf(path, sizeof path, TEST_DATA "/settings/%s.config", files[i]);
        accept_fixture(&settings, path, &list);
        assert_int_equal(list.count, 0);
        char *found = summary_of(&settings);
        assert_string_equal(found, expected);
        assert_true(settings.access_given);
        assert_false(settings.iis[0].optional);
        assert_int_equal(settings.pools[0].line, 31);
        berth_free(found);
        berth_settings_fini(&settings);
        berth_diagnostics_fini(&list);
    }
}

static void parse__sections_in_any_order__give_the_same(void **state)
{
    const char *sections[] = {
        "<pools><pool name='a' ports='1000-1999'/></pools>",
        "<reserved><ports range='1500'/></reserved>",
        "<iis config='/x'/>",
        "<tcp poll='2s'/>",
        "<lease ttl='1h'/>",
        "<store history='1d'/>",
        "<access><allow role='reader' user='0'/></access>",
        "<conflicts debounce='1s'/>",
        "<alerts><syslog/></alerts>",
        "<limits connections='50'/>",
    };
    char *expected = NULL;
    unsigned seed = 20261123;

    (void)state;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 50; round++) {
        struct berth_text text;
        berth_text_init(&text, 4096);
        berth_text_puts(&text, "<berth>");
        for (size_t i = 0; i < BERTH_COUNT(sections); i++) {
            berth_text_puts(&text, sections[i]);
        }
        berth_text_puts(&text, "</berth>");
        struct berth_settings settings = accept(berth_text_string(&text));
        char *found = summary_of(&settings);
        if (expected == NULL) {
            expected = berth_copy(found);
        }
        assert_string_equal(found, expected);
        berth_free(found);
        berth_settings_fini(&settings);
        berth_text_fini(&text);
        for (size_t i = BERTH_COUNT(sections) - 1; i > 0; i--) {
            seed = seed * 1103515245U + 12345U;
            size_t j = (seed >> 16) % (i + 1);
            const char *swapped = sections[i];
            sections[i] = sections[j];
            sections[j] = swapped;
        }
    }
    berth_free(expected);
}

static void parse__variables__are_expanded_in_paths(void **state)
{
    struct berth_settings s = accept("<berth state='%ROOT%/state' endpoint='a%%b'>"
                                     "<iis config='%ROOT%/x.config'/></berth>");

    (void)state;
    assert_string_equal(s.state, "/srv/root/state");
    assert_string_equal(s.endpoint, "a%b");
    assert_string_equal(s.iis[0].path, "/srv/root/x.config");
    berth_settings_fini(&s);
}

static void parse__dependent_defaults__follow(void **state)
{
    struct berth_settings s = accept("<berth><tcp poll='1m'/><limits connections='20'/></berth>");

    (void)state;
    assert_int_equal(s.tcp.full_ms, 60000);
    assert_int_equal(s.limits.per_user, 20);
    assert_int_equal(s.limits.subscribers, 20);
    berth_settings_fini(&s);
}

static void parse__bounds__are_inclusive(void **state)
{
    struct berth_settings s =
        accept("<berth><pools><pool name='a' ports='1-65535' low='0'/></pools><tcp poll='10ms' "
               "full='1d'/><lease ttl='365d' linger='7d' cooldown='7d'/><store history='3650d'/>"
               "<conflicts debounce='0ms'/><limits connections='16384' perUser='16384' "
               "subscribers='0' leasesPerUser='65535'/></berth>");

    (void)state;
    assert_int_equal(s.pools[0].low_ports, 0);
    assert_int_equal(s.pools[0].low_percent, 0);
    berth_settings_fini(&s);
    s = accept("<berth><tcp poll='1h'/><lease ttl='1s'/><limits connections='16' perUser='1' "
               "leasesPerUser='1'/></berth>");
    assert_int_equal(s.limits.connections, 16);
    berth_settings_fini(&s);
}

static void parse__warnings__do_not_refuse(void **state)
{
    (void)state;
    warn_inside("<reserved><ports range='100-200'/></reserved>",
                "range=\"100-200\": no pool has any of these ports");
    warn_inside("<lease linger='4m'/>", "linger is shorter than 5 minutes");
}

/* -- what is refused: one reason each -- */

struct refusal {
    const char *inside;
    const char *part;
};

static void parse__wrong_value__is_named_with_what_is_accepted(void **state)
{
    static const struct refusal cases[] = {
        {"<tcp poll='5ms'/>", "<tcp> poll=\"5ms\": accepted is a duration from 10 ms to 1 h"},
        {"<tcp poll='61m'/>", "poll=\"61m\": accepted is a duration from 10 ms to 1 h"},
        {"<tcp poll='1 s'/>", "poll=\"1 s\": accepted is a duration"},
        {"<tcp poll=''/>", "poll=\"\": accepted is a duration"},
        {"<tcp poll='99999999999999999999s'/>", "accepted is a duration"},
        {"<tcp poll='1s' full='999ms'/>", "<tcp>: full is shorter than poll"},
        {"<hints wmi='auto'/>", "wmi=\"auto\": accepted is on or off"},
        {"<tcp events='Auto'/>", "events=\"Auto\": accepted is auto, on or off"},
        {"<store durability='full'/>", "durability=\"full\": accepted is commit or sync"},
        {"<lease ttl='999ms'/>", "ttl=\"999ms\": accepted is a duration from 1 s to 365 d"},
        {"<lease ttl='366d'/>", "ttl=\"366d\": accepted is a duration from 1 s to 365 d"},
        {"<conflicts debounce='11m'/>", "accepted is a duration from 0 ms to 10 min"},
        {"<log size='10MB'/>", "<log> size=\"10MB\": accepted is a size from 64 KiB to 1 GiB"},
        {"<log size='63KiB'/>", "size=\"63KiB\": accepted is a size from 64 KiB to 1 GiB"},
        {"<log size='1025MiB'/>", "accepted is a size from 64 KiB to 1 GiB"},
        {"<log size='99999999999999999999KiB'/>", "accepted is a size"},
        {"<log keep='101'/>", "keep=\"101\": accepted is a whole number from 0 to 100"},
        {"<log file='berthd.log'/>", "\"berthd.log\" is not an absolute path"},
        {"<limits connections='15'/>", "connections=\"15\": accepted is a whole number from 16 to"},
        {"<limits connections='16385'/>", "whole number from 16 to 16384"},
        {"<limits connections=' 20'/>", "connections=\" 20\": accepted is a whole number"},
        {"<limits connections='20' perUser='21'/>", "perUser=\"21\" is more than connections"},
        {"<limits leasesPerUser='0'/>", "whole number from 1 to 65535"},
        {"<pools><pool name='a' ports='0-10'/></pools>", "ports=\"0-10\": accepted is a range"},
        {"<pools><pool name='a' ports='10-65536'/></pools>", "ports=\"10-65536\": accepted"},
        {"<pools><pool name='a' ports='11-10'/></pools>", "the first is not above the last"},
        {"<pools><pool name='' ports='10'/></pools>", "a pool's name is 1 to 64"},
        {"<pools><pool name='-a' ports='10'/></pools>", "name=\"-a\": a pool's name"},
        {"<pools><pool name='a' ports='10-20' low='101%'/></pools>", "low=\"101%\": accepted"},
        {"<pools><pool name='a' ports='10-20' low='5 %'/></pools>", "0% to 100%"},
        {"<pools><pool name='a' ports='10-20' low='12'/></pools>", "more than the 11 ports"},
        {"<pools><pool name='a' ports='10' ephemeral='first'/></pools>",
         "accepted is last or never"},
        {"<reserved><ports range='49000' reason='a&#10;b'/></reserved>",
         "reason=\"a?b\": accepted"},
        {"<iis config=''/>", "config=\"\": accepted is a path"},
        {"<iis config='a/b'/>", "\"a/b\" is not an absolute path"},
        {"<iis config='%NONE%/b'/>", "there is no environment variable NONE"},
        {"<iis config='%EMPTY%/b'/>", "the environment variable EMPTY is empty"},
        {"<iis config='/a%b'/>", "a percent sign is written %%"},
        {"<iis config='%LONG%'/>", "longer than 4096 bytes"},
        {"<alerts><metrics path='berth.prom'/></alerts>", "\"berth.prom\" is not an absolute path"},
        {"<alerts><command path='C:run.cmd'/></alerts>", "\"C:run.cmd\" is not an absolute path"},
        {"<access><allow role='root' user='a'/></access>",
         "accepted is reader, allocator or admin"},
        {"<access><allow role='reader' group=''/></access>", "group=\"\": accepted is the name"},
        {"<access><allow role='reader' group=' '/></access>", "without blanks around it"},
        {"<access><allow role='reader' group='a' user='b'/></access>", "either a group or a user"},
        {"<access><allow role='reader'/></access>", "neither group nor user"},
        {"<access><allow role='admin' group='*'/></access>", "every local user an administrator"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        refuse_inside(cases[i].inside, cases[i].part);
    }
}

static void parse__wrong_structure__is_named_with_what_is_accepted(void **state)
{
    static const struct refusal cases[] = {
        {"<tcp Poll='1s'/>",
         "<tcp>: unknown attribute Poll; accepted is poll, full, events, probe"},
        {"<pools max='1'/>", "<pools>: unknown attribute max; it has none"},
        {"<TCP/>", "unknown element <TCP> in <berth>; accepted is <pools>, <reserved>"},
        {"<tcp><x/></tcp>", "unknown element <x> in <tcp>; nothing is accepted there"},
        {"<pools><pool name='a'/></pools>", "<pool>: the attribute ports is missing"},
        {"<iis/>", "<iis>: the attribute config is missing"},
        {"<tcp>text</tcp>", "<tcp> holds text"},
        {"<pools>text</pools>", "<pools> holds text"},
        {"<tcp xml:lang='en'/>", "unknown attribute lang"},
        {"<x xmlns='urn:x'/>", "unknown element <x> of a namespace"},
        {"<tcp/><tcp/>", "<tcp> is given a second time; the first is on line 2"},
        {"<alerts><metrics path='/a'/><metrics path='/b'/></alerts>",
         "<metrics> is given a second"},
        {"<iis config='/a'/><iis config='/a'/>", "the file is the same as on line 2"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        refuse_inside(cases[i].inside, cases[i].part);
    }
    refuse("<configuration/>", 1, "the outermost element is <configuration>; accepted is <berth>");
    refuse("\n<berth xmlns='urn:x'/>", 2, "of a namespace; accepted is <berth> without xmlns");
}

static void parse__pools_that_overlap__names_both_lines(void **state)
{
    (void)state;
    refuse("<berth><pools>\n<pool name='a' ports='10-20'/>\n<pool name='b' ports='20-30'/>\n"
           "</pools></berth>",
           3, "pool b overlaps pool a (10-20) on line 2");
    refuse("<berth><pools>\n<pool name='a' ports='10-20'/>\n<pool name='a' ports='21-30'/>\n"
           "</pools></berth>",
           3, "name=\"a\": the pool on line 2 has this name already");
}

static void parse__too_many_elements__are_refused(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 65536);
    berth_text_puts(&text, "<berth><alerts>");
    for (int i = 0; i < 20; i++) {
        berth_text_printf(&text, "\n<command path='/a%d'/>", i);
    }
    berth_text_puts(&text, "</alerts></berth>");
    refuse(berth_text_string(&text), 18, "there are more than 16 <command> elements");
    berth_text_fini(&text);
}

static void parse__not_xml__says_where(void **state)
{
    (void)state;
    refuse("", 0, "the file is empty");
    refuse("<?xml version='1.0'?>\n<!DOCTYPE berth SYSTEM 'file:///etc/passwd'>\n<berth/>", 2,
           "a document type");
    refuse("<berth>\n<tcp>\n</berth>\n", 3, "not well-formed XML: Opening and ending tag mismatch");
    refuse("<berth>\n<tcp a='1' a='2'/></berth>", 2, "Attribute a redefined");
    refuse("<berth>\n&a;</berth>", 2, "Entity 'a' not defined");
    refuse("<berth/>\nmore", 2, "Extra content");
}

static void parse__entities_bomb__stops_at_the_doctype(void **state)
{
    (void)state;
    refuse("<!DOCTYPE b [\n<!ENTITY a 'aaaaaaaaaa'>\n<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>\n]>\n"
           "<berth state='&b;&b;&b;&b;'/>",
           1, "a document type");
}

static void parse__too_large__is_refused(void **state)
{
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;
    char *bytes = malloc(BERTH_SETTINGS_FILE_MAX + 1);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, ' ', BERTH_SETTINGS_FILE_MAX + 1);
    memcpy(bytes, "<berth/>", 8);
    assert_code(settings_case_parse(&settings, bytes, BERTH_SETTINGS_FILE_MAX + 1, &list, &err),
                BERTH_TOO_LARGE);
    assert_ok(settings_case_parse(&settings, bytes, BERTH_SETTINGS_FILE_MAX, &list, &err), &err);
    berth_settings_fini(&settings);
    free(bytes);
}

/* -- all errors at once -- */

struct expected_remark {
    unsigned line;
    const char *part;
};

static void expect_all(const char *file, const struct expected_remark *expected, size_t count)
{
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;

    berth_diagnostics_init(&list);
    assert_code(berth_settings_load(&settings, file, &list, &err), BERTH_MALFORMED);
    for (size_t i = 0; i < count; i++) {
        expect_remark(&list, BERTH_SEVERITY_ERROR, expected[i].line, expected[i].part);
    }
    for (size_t i = 1; i < list.count; i++) {
        assert_true(list.items[i - 1].line <= list.items[i].line);
    }
    if (list.count != count) {
        print_diagnostics(&list);
    }
    assert_int_equal(list.count, count);
    berth_diagnostics_fini(&list);
}

static void load__many_errors_of_form__are_all_told(void **state)
{
    static const struct expected_remark expected[] = {
        {1, "unknown attribute colour"},
        {3, "name=\"de fault\""},
        {3, "ports=\"0-10\""},
        {4, "ports=\"49000-70000\""},
        {4, "low=\"101%\""},
        {5, "ports is missing"},
        {6, "unknown element <port>"},
        {8, "poll=\"1 s\""},
        {8, "events=\"yes\""},
        {9, "ttl=\"24\""},
        {10, "unknown element <unknown>"},
        {11, "connections=\"many\""},
        {12, "durability=\"none\""},
        {13, "role=\"root\""},
        {13, "group=\"\""},
        {1, "<berth> holds text"},
    };

    (void)state;
    expect_all(TEST_DATA "/settings/schema-many-errors.config", expected, BERTH_COUNT(expected));
}

static void load__many_errors_of_meaning__are_all_told(void **state)
{
    static const struct expected_remark expected[] = {
        {1, "\"state\" is not an absolute path"},
        {4, "pool b overlaps pool a (1000-1999) on line 3"},
        {4, "low=\"2000\" is more than the 1001 ports"},
        {5, "ports=\"3000-2999\""},
        {7, "poll=\"5ms\""},
        {8, "<tcp> is given a second time"},
        {9, "ttl=\"999ms\""},
        {11, "no environment variable NO_SUCH_VARIABLE"},
        {12, "the file is the same as on line 10"},
        {14, "neither group nor user"},
        {15, "either a group or a user"},
        {16, "group=\"*\" would make"},
        {17, "without blanks"},
        {19, "\"berth.prom\" is not an absolute path"},
        {20, "perUser=\"21\" is more than connections"},
    };

    (void)state;
    expect_all(TEST_DATA "/settings/meaning-many-errors.config", expected, BERTH_COUNT(expected));
}

static void load__unknown_schema_attribute__is_refused(void **state)
{
    static const struct expected_remark expected[] = {{2, "unknown attribute nil"}};

    (void)state;
    expect_all(TEST_DATA "/settings/schema-xsi-type.config", expected, 1);
}

static void parse__endless_errors__are_bounded_and_counted(void **state)
{
    struct berth_text text;
    struct berth_text told;
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;

    (void)state;
    berth_text_init(&text, 65536);
    berth_text_puts(&text, "<berth><reserved>");
    for (int i = 0; i < 60; i++) {
        berth_text_puts(&text, "<ports range='1'/>"); /* warnings */
    }
    berth_text_puts(&text, "</reserved>");
    for (int i = 0; i < 60; i++) {
        berth_text_puts(&text, "\n<x/>");
    }
    berth_text_puts(&text, "</berth>");
    assert_code(settings_case_parse(&settings, text.data, text.length, &list, &err),
                BERTH_MALFORMED);
    assert_int_equal(list.count, BERTH_DIAGNOSTICS_MAX);
    assert_true(list.error_count >= 60);
    assert_int_equal(list.warning_count, 60);
    assert_int_equal(list.items[0].severity, BERTH_SEVERITY_ERROR);
    berth_text_init(&told, 65536);
    berth_diagnostics_write(&told, "f", &list);
    assert_non_null(strstr(told.data, "f:2: error: unknown element <x>"));
    assert_non_null(strstr(told.data, "\nf: and "));
    berth_text_fini(&told);
    berth_text_fini(&text);
    berth_diagnostics_fini(&list);
}

/* -- files -- */

static void load__no_file__is_not_found(void **state)
{
    char *dir = temp_dir_make();
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;

    (void)state;
    berth_diagnostics_init(&list);
    assert_code(berth_settings_load(&settings, temp_path(dir, "none"), &list, &err),
                BERTH_NOT_FOUND);
    assert_non_null(strstr(err.detail, "none"));
    write_file(temp_path(dir, "empty"), "", 0);
    assert_code(berth_settings_load(&settings, temp_path(dir, "empty"), &list, &err),
                BERTH_MALFORMED);
    expect_remark(&list, BERTH_SEVERITY_ERROR, 0, "the file is empty");
    berth_diagnostics_fini(&list);
    temp_dir_remove(dir);
}

static void load__environment__is_used(void **state)
{
    char *dir = temp_dir_make();
    const char *text = "<berth state='%BERTH_TEST_STATE%/x'/>";
    struct berth_settings settings;
    struct berth_diagnostics list;
    struct berth_error err;

    (void)state;
    berth_diagnostics_init(&list);
    write_file(temp_path(dir, "c"), text, strlen(text));
    set_environment("BERTH_TEST_STATE", "/a place");
    assert_ok(berth_settings_load(&settings, temp_path(dir, "c"), &list, &err), &err);
    assert_string_equal(settings.state, "/a place/x");
    berth_settings_fini(&settings);
    set_environment("BERTH_TEST_STATE", "");
    assert_code(berth_settings_load(&settings, temp_path(dir, "c"), &list, &err), BERTH_MALFORMED);
    set_environment("BERTH_TEST_STATE", NULL);
    berth_diagnostics_fini(&list);
    assert_code(berth_settings_load(&settings, temp_path(dir, "c"), &list, &err), BERTH_MALFORMED);
    expect_remark(&list, BERTH_SEVERITY_ERROR, 1, "no environment variable BERTH_TEST_STATE");
    berth_diagnostics_fini(&list);
    temp_dir_remove(dir);
}

/* -- documentation -- */

static void documents__every_name_of_the_schema__is_described(void **state)
{
    xmlDocPtr schema = xmlReadFile(TEST_SOURCE_ROOT "/config/berthd.xsd", NULL, XML_PARSE_NONET);
    size_t size;
    char *texts[] = {read_whole_file(TEST_SOURCE_ROOT "/docs/configuration.md", &size),
                     read_whole_file(TEST_SOURCE_ROOT "/docs/man/berthd.config.5", &size)};

    (void)state;
    assert_non_null(schema);
    xmlXPathContextPtr xpath = xmlXPathNewContext(schema);
    xmlXPathObjectPtr names = xmlXPathEvalExpression(
        (const xmlChar *)"//*[local-name()='attribute' or local-name()='element']/@name", xpath);
    assert_non_null(names);
    assert_true(names->nodesetval->nodeNr > 30);
    for (int i = 0; i < names->nodesetval->nodeNr; i++) {
        const char *name = (const char *)names->nodesetval->nodeTab[i]->children->content;
        for (size_t j = 0; j < BERTH_COUNT(texts); j++) {
            if (strstr(texts[j], name) == NULL) {
                fail_msg("document %zu does not mention %s", j, name);
            }
        }
    }
    xmlXPathFreeObject(names);
    xmlXPathFreeContext(xpath);
    xmlFreeDoc(schema);
    free(texts[0]);
    free(texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default__values__are_those_of_the_documentation),
        cmocka_unit_test(sample__as_installed__says_the_defaults),
        cmocka_unit_test(parse__least_document__gives_the_defaults),
        cmocka_unit_test(parse__schema_defaults__are_the_defaults),
        cmocka_unit_test(parse__everything__is_taken),
        cmocka_unit_test(parse__sections_in_any_order__give_the_same),
        cmocka_unit_test(parse__variables__are_expanded_in_paths),
        cmocka_unit_test(parse__dependent_defaults__follow),
        cmocka_unit_test(parse__bounds__are_inclusive),
        cmocka_unit_test(parse__warnings__do_not_refuse),
        cmocka_unit_test(parse__wrong_value__is_named_with_what_is_accepted),
        cmocka_unit_test(parse__wrong_structure__is_named_with_what_is_accepted),
        cmocka_unit_test(parse__pools_that_overlap__names_both_lines),
        cmocka_unit_test(parse__too_many_elements__are_refused),
        cmocka_unit_test(parse__not_xml__says_where),
        cmocka_unit_test(parse__entities_bomb__stops_at_the_doctype),
        cmocka_unit_test(parse__too_large__is_refused),
        cmocka_unit_test(load__many_errors_of_form__are_all_told),
        cmocka_unit_test(load__many_errors_of_meaning__are_all_told),
        cmocka_unit_test(load__unknown_schema_attribute__is_refused),
        cmocka_unit_test(parse__endless_errors__are_bounded_and_counted),
        cmocka_unit_test(load__no_file__is_not_found),
        cmocka_unit_test(load__environment__is_used),
        cmocka_unit_test(documents__every_name_of_the_schema__is_described),
    };

    int failures = cmocka_run_group_tests_name("settings", tests, NULL, NULL);
    xmlCleanupParser();
    return failures;
}
