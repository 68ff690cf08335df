/* SPDX-License-Identifier: MIT */
/* Whole runs of the commands that report: the exact texts. */
#include "cmocka_all.h"

#include "cli_run.h"

#include <stdio.h>
#include <stdlib.h>

#define IIS_CLAIM                                                                                  \
    "{\"source\":\"iis\",\"kind\":\"binding\",\"protocol\":\"http\",\"address\":\"*\","            \
    "\"holder\":\"Shop\",\"detail\":\"*:8080:\",\"lingering\":true}"
#define TCP_CLAIM                                                                                  \
    "{\"source\":\"tcp\",\"kind\":\"listener\",\"address\":\"::\",\"holder\":\"nginx\","           \
    "\"pid\":12,\"uid\":0,\"v6_only\":true}"

static void next__port__is_all_that_is_printed(void **state)
{
    (void)state;
    expect_run("next", "result {\"ports\":[49000],\"revision\":7}", 0, "49000\n", "");
    assert_string_equal(cli_received(), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\"}\n");
    expect_run("next --json", "result {\"ports\":[49000],\"revision\":7}", 0,
               "{\"ports\":[49000],\"revision\":7}\n", "");
    expect_run("next --pool qa --range 1-2 --count 2", "result {\"ports\":[1,2]}", 0, "1\n2\n", "");
    assert_string_equal(cli_received(),
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\",\"params\":"
                        "{\"pool\":\"qa\",\"range\":[1,2],\"count\":2}}\n");
}

static void free__each_form__is_exact(void **state)
{
    static const char pools[] =
        "result {\"revision\":1,\"pools\":[{\"name\":\"default\",\"range\":[49000,65000],"
        "\"total\":16001,\"free\":4,\"ranges\":[[49000,49002],[50000,50000]],\"next\":49000},"
        "{\"name\":\"qa\",\"range\":[21000,21001],\"total\":2,\"free\":0,\"ranges\":[],"
        "\"next\":null}]}";

    (void)state;
    expect_run("free", pools, 0,
               "POOL     RANGE        PORTS  FREE   NEXT\n"
               "default  49000-65000  16001     4  49000\n"
               "qa       21000-21001      2     0      -\n",
               "");
    expect_run("free --count", pools, 0, "4\n", "");
    expect_run("free --ranges", pools, 0, "49000-49002\n50000\n", "");
    expect_run("free --list", pools, 0, "49000\n49001\n49002\n50000\n", "");
    expect_run("free --list --pool full", "result {\"pools\":[{\"ranges\":[[65535,65535]]}]}", 0,
               "65535\n", "");
    assert_int_equal(cli_run("free --list",
                             &(struct scripted_rule){
                                 NULL, "result {\"pools\":[{\"ranges\":[[1,2],[7,3]]}]}", false},
                             1),
                     1);
    assert_string_equal(cli_out, "");
}

static void who__ports__are_told_in_the_order_asked(void **state)
{
    static const char reply[] =
        "result {\"port\":8080,\"state\":\"used\",\"why\":\"port 8080 is used by IIS site 'Shop'\","
        "\"ask\":[\"Ask the \\u001b shop\",\"Ask nginx by: ps -fp 12\"],\"claims\":[" IIS_CLAIM
        "," TCP_CLAIM "],\"lease\":{\"lease\":\"L1\",\"state\":\"active\","
        "\"key\":\"shop\",\"generation\":\"\",\"owner\":\"root\"},"
        "\"conflicts\":[{\"text\":\"two of them\"}]}";
    static const char text[] =
        "port 8080 is used by IIS site 'Shop'\n"
        "Ask the ? shop\n"
        "Ask nginx by: ps -fp 12\n"
        "  SOURCE  HOLDER          DETAIL\n"
        "  iis     Shop            http *:8080: (vanished, kept for a while)\n"
        "  tcp     nginx (pid 12)  listening on :: (IPv6 only)\n"
        "  lease L1, active, key shop, owner root\n"
        "  conflict: two of them\n";
    char *twice = malloc(2 * sizeof text);

    (void)state;
    assert_non_null(twice);
    (void)snprintf(twice, 2 * sizeof text, "%s%s", text, text);
    expect_run("who 8080", reply, 0, text, "");
    expect_run("who 8080 8081", reply, 0, twice, "");
    free(twice);
    assert_string_equal(cli_received(),
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"who\",\"params\":{\"port\":"
                        "8080}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"who\",\"params\":{"
                        "\"port\":8081}}\n");
    expect_run("who 5", "result {\"port\":5,\"why\":\"nobody\"}", 0, "nobody\n", "");
    expect_run("who http", "result {}", 2, "",
               "berth who: PORT: 'http' is not a port (1 to 65535); see 'berth help who'\n");
}

static void ports__each_kind_of_claim__has_its_words(void **state)
{
    static const char reply[] =
        "result {\"revision\":1,\"ports\":["
        "{\"port\":80,\"state\":\"used\",\"claims\":[" IIS_CLAIM "," TCP_CLAIM "]},"
        "{\"port\":5000,\"state\":\"leased\",\"claims\":[{\"source\":\"lease\",\"kind\":\"lease\","
        "\"holder\":\"shop\"}]},"
        "{\"port\":5001,\"state\":\"cooling\",\"claims\":[{\"source\":\"lease\","
        "\"kind\":\"cooling\",\"holder\":\"shop\",\"until\":\"2026-11-23T00:00:00Z\"}]},"
        "{\"port\":5002,\"state\":\"used\",\"claims\":[{\"source\":\"tcp\",\"kind\":\"connection\","
        "\"address\":\"10.0.0.1\",\"uid\":1000,\"count\":3},{\"source\":\"tcp\",\"kind\":"
        "\"time_wait\",\"address\":\"10.0.0.1\"},{\"source\":\"tcp\",\"kind\":\"bound\"}]},"
        "{\"port\":5003,\"state\":\"reserved\",\"claims\":[{\"source\":\"reserved\","
        "\"kind\":\"reservation\",\"holder\":\"monitoring\"}]},"
        "{\"port\":5004,\"state\":\"excluded\",\"claims\":[{\"source\":\"excluded\","
        "\"kind\":\"exclusion\",\"detail\":\"5000-5100\"}]},"
        "{\"port\":5005,\"state\":\"used\",\"claims\":[{\"source\":\"x\",\"kind\":\"new\"}]}]}";

    (void)state;
    expect_run("ports", reply, 0,
               "PORT  STATE     SOURCE    HOLDER          DETAIL\n"
               "  80  used      iis       Shop            http *:8080: (vanished, kept for a "
               "while)\n"
               "  80  used      tcp       nginx (pid 12)  listening on :: (IPv6 only)\n"
               "5000  leased    lease     shop            leased\n"
               "5001  cooling   lease     shop            cooling down after a lease until "
               "2026-11-23T00:00:00Z\n"
               "5002  used      tcp       uid 1000        3 \xC3\x97 connections from 10.0.0.1\n"
               "5002  used      tcp       -               closed connections (TIME_WAIT) from "
               "10.0.0.1\n"
               "5002  used      tcp       -               bound to all addresses, not listening\n"
               "5003  reserved  reserved  monitoring      reserved in berthd.config\n"
               "5004  excluded  excluded  -               excluded by the system: 5000-5100\n"
               "5005  used      x         -               new\n",
               "");
    expect_run("ports --source iis --pool qa", "result {\"ports\":[]}", 0,
               "PORT  STATE  SOURCE  HOLDER  DETAIL\n", "");
    assert_non_null(strstr(cli_received(), "{\"source\":\"iis\",\"pool\":\"qa\"}"));
}

static void ports__neighbours_with_the_same_claims__share_a_line(void **state)
{
#define FTP_DATA "\"state\":\"used\",\"claims\":[{\"source\":\"iis\",\"kind\":\"ftp_data\"}]}"
    static const char reply[] = "result {\"ports\":[{\"port\":5000," FTP_DATA
                                ",{\"port\":5001," FTP_DATA ",{\"port\":5003," FTP_DATA
                                ",{\"port\":5004,\"state\":\"used\",\"claims\":[" IIS_CLAIM "]}]}";
#undef FTP_DATA

    (void)state;
    assert_int_equal(cli_run("ports", &(struct scripted_rule){NULL, reply, false}, 1), 0);
    assert_non_null(strstr(cli_out, "\n5000-5001  used "));
    assert_non_null(strstr(cli_out, "\n     5003  used "));
    assert_non_null(strstr(cli_out, "\n     5004  used "));
    assert_null(strstr(cli_out, "\n     5001"));
}

static void ports__narrow_terminal__is_cut_to_it(void **state)
{
    static const struct scripted_rule rule = {
        NULL, "result {\"ports\":[{\"port\":80,\"state\":\"used\",\"claims\":[" TCP_CLAIM "]}]}",
        false};

    (void)state;
    assert_int_equal(cli_run_wide("ports", &rule, 1, 50), 0);
    assert_string_equal(cli_out, "PORT  STATE  SOURCE  HOLDER          DETAIL\n"
                                 "  80  used   tcp     nginx (pid 12)  listening on\xE2\x80\xA6\n");
}

static void leases__unordered__are_shown_by_port(void **state)
{
    (void)state;
    expect_run("leases",
               "result {\"revision\":1,\"leases\":["
               "{\"lease\":\"L2\",\"key\":\"b\",\"port\":49001,\"state\":\"active\","
               "\"holder\":\"site:B\",\"owner\":\"root\",\"expires_at\":null},"
               "{\"lease\":\"L1\",\"key\":\"a\",\"generation\":\"7\",\"port\":49000,"
               "\"state\":\"pending\",\"expires_at\":\"T\"}]}",
               0,
               " PORT  STATE    KEY  GENERATION  HOLDER  OWNER  EXPIRES  LEASE\n"
               "49000  pending  a    7                          T        L1\n"
               "49001  active   b                site:B  root            L2\n",
               "");
    expect_run("leases --key k --port 5 --state active", "result {\"leases\":[]}", 0,
               "PORT  STATE  KEY  GENERATION  HOLDER  OWNER  EXPIRES  LEASE\n", "");
    assert_non_null(strstr(cli_received(), "{\"key\":\"k\",\"port\":5,\"state\":\"active\"}"));
    expect_run("leases --export", "result {\"leases\":[]}", 0, "{\"leases\":[]}\n", "");
    assert_non_null(strstr(cli_received(), "\"method\":\"export\"}"));
}

static void conflicts__check__has_its_own_status(void **state)
{
    static const char some[] =
        "result {\"revision\":1,\"conflicts\":[{\"id\":\"c1\",\"kind\":\"lease_taken\","
        "\"severity\":\"error\",\"port\":80,\"opened_at\":\"T\",\"text\":\"taken\"}]}";
    static const char none[] = "result {\"revision\":1,\"conflicts\":[]}";
    static const char table[] = "PORT  SEVERITY  KIND         SINCE  TEXT\n"
                                "  80  error     lease_taken  T      taken\n";

    (void)state;
    expect_run("conflicts", some, 0, table, "");
    expect_run("conflicts --check", some, 9, table, "");
    expect_run("conflicts", none, 0, "no conflicts\n", "");
    expect_run("conflicts --check", none, 0, "no conflicts\n", "");
    expect_run("conflicts --check --json", none, 0, "{\"revision\":1,\"conflicts\":[]}\n", "");
    assert_int_equal(
        cli_run("conflicts --check --json", &(struct scripted_rule){NULL, some, false}, 1), 9);
}

static void history__port_or_key__is_told_apart(void **state)
{
    static const char entries[] =
        "result {\"entries\":[{\"time\":\"T\",\"event\":\"lease.granted\","
        "\"port\":80,\"key\":\"k\",\"generation\":\"7\",\"by\":\"root\"}]}";

    (void)state;
    expect_run("history 80", entries, 0,
               "TIME  EVENT          PORT  KEY  GENERATION  BY\n"
               "T     lease.granted    80  k    7           root\n",
               "");
    assert_non_null(strstr(cli_received(), "\"params\":{\"port\":80}"));
    (void)cli_run("history shop", &(struct scripted_rule){NULL, entries, false}, 1);
    assert_non_null(strstr(cli_received(), "\"params\":{\"key\":\"shop\"}"));
    (void)cli_run("history shop --limit 5", &(struct scripted_rule){NULL, entries, false}, 1);
    assert_non_null(strstr(cli_received(), "\"params\":{\"key\":\"shop\",\"limit\":5}"));
}

static void adopt__plan_and_deed__are_told_apart(void **state)
{
    static const char reply[] =
        "result {\"adopted\":[{\"site\":\"Shop\",\"port\":80,\"key\":\"shop\"}],"
        "\"skipped\":[{\"site\":\"Old\",\"port\":81,\"reason\":\"leased already\"}]}";

    (void)state;
    expect_run("adopt", reply, 0,
               "PORT  ACTION       SITE  KEY   REASON\n"
               "  80  would adopt  Shop  shop\n"
               "  81  skipped      Old         leased already\n"
               "nothing was changed; --apply does it\n",
               "");
    assert_non_null(strstr(cli_received(), "\"params\":{\"dry_run\":true}"));
    expect_run("adopt --apply --site Shop", reply, 0,
               "PORT  ACTION   SITE  KEY   REASON\n"
               "  80  adopted  Shop  shop\n"
               "  81  skipped  Old         leased already\n",
               "");
    assert_non_null(strstr(cli_received(), "\"params\":{\"site\":\"Shop\",\"dry_run\":false}"));
}

static void adopt__more_than_are_listed__are_counted(void **state)
{
    (void)state;
    expect_run("adopt --apply", "result {\"adopted\":[],\"skipped\":[],\"omitted\":7}", 0,
               "PORT  ACTION  SITE  KEY  REASON\n7 more are skipped and not listed\n", "");
}

static void handover_and_reload__are_told(void **state)
{
    (void)state;
    expect_run("handover L1", "result {}", 0, "the hold is ended, the lease stays\n", "");
    assert_non_null(
        strstr(cli_received(), "\"method\":\"handover\",\"params\":{\"lease\":\"L1\"}"));
    expect_run("reload", "result {\"reloaded\":true,\"warnings\":[\"pool qa is empty\"]}", 0,
               "the configuration was read again\nwarning: pool qa is empty\n", "");
    expect_run("reload",
               "error {\"code\":-32602,\"message\":\"berthd.config:3: no such element.\",\"data\":{"
               "\"reason\":\"invalid_params\"}}",
               2, "", "berth: berthd.config:3: no such element; see 'berth help reload'\n");
}

static void later_methods__not_supported_yet__fail_with_the_sentence(void **state)
{
    static const char *const lines[] = {"conflicts",       "history 80", "adopt",
                                        "leases --export", "handover L", "watch"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lines); i++) {
        expect_run(lines[i],
                   "error {\"code\":-32010,\"message\":\"this berthd cannot do that yet\",\"data\":"
                   "{\"reason\":\"not_supported\"}}",
                   1, "", "berth: this berthd cannot do that yet\n");
    }
}

#define EVENT(members) "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{" members "}}\n"
#define REST "\"time\":\"T\",\"topic\":\"x\","

static void watch__each_topic__is_a_sentence(void **state)
{
    static const struct scripted_rule rule = {
        NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"revision\":1}}\n" EVENT(
            "\"revision\":2," REST
            "\"type\":\"port.used\",\"port\":80,\"pool\":\"qa\",\"state\":\"used\","
            "\"claim\":" TCP_CLAIM) EVENT("\"revision\":3," REST
                                          "\"type\":\"port.freed\",\"port\":80,\"pool\":\"qa\","
                                          "\"state\":\"free\"")
            EVENT("\"revision\":4," REST
                  "\"type\":\"lease.granted\",\"port\":80,\"ports\":[80],\"lease\":\"L1\","
                  "\"key\":\"a\\nb\",\"generation\":\"\",\"state\":\"pending\","
                  "\"expires_at\":\"E\",\"holder\":\"site:Shop\",\"owner\":\"al\",\"by\":null")
                EVENT("\"revision\":5," REST
                      "\"type\":\"lease.handed_over\",\"port\":80,\"ports\":[80,82],"
                      "\"lease\":\"L1\",\"key\":\"k\",\"generation\":\"2\",\"state\":\"active\","
                      "\"expires_at\":null,\"holder\":\"any\",\"owner\":\"al\",\"by\":\"bo\"")
                    EVENT("\"revision\":6," REST
                          "\"type\":\"conflict.opened\",\"id\":\"c1\",\"kind\":\"scheme_mix\","
                          "\"severity\":\"error\",\"port\":80,\"opened_at\":\"O\","
                          "\"text\":\"Two of them.\"")
                        EVENT("\"revision\":7," REST "\"type\":\"conflict.closed\",\"id\":\"c1\","
                              "\"kind\":\"scheme_mix\",\"severity\":\"error\",\"port\":80,"
                              "\"opened_at\":\"O\",\"text\":\"Two of them.\"")
                            EVENT("\"revision\":8," REST
                                  "\"type\":\"port.used\",\"port\":82,\"pool\":\"qa\","
                                  "\"state\":\"leased\",\"claim\":{\"kind\":\"lease\","
                                  "\"holder\":\"k\",\"detail\":\"L2\"}"),
        true};

    (void)state;
    assert_int_equal(cli_run("watch", &rule, 1), 4);
    assert_string_equal(
        cli_out,
        "T  2  port.used        port 80 of pool qa is used: nginx (pid 12), listening on :: (IPv6 "
        "only)\n"
        "T  3  port.freed       port 80 of pool qa is free\n"
        "T  4  lease.granted    port 80: key a?b, holder site:Shop, pending until E, owner al, "
        "lease L1\n"
        "T  5  lease.handed_over  ports 80, 82: key k, generation 2, holder any, active, owner "
        "al, asked by bo, lease L1\n"
        "T  6  conflict.opened  error: Two of them. (scheme_mix on port 80, id c1)\n"
        "T  7  conflict.closed  ended: Two of them. (scheme_mix on port 80, id c1)\n"
        "T  8  port.used        port 82 of pool qa is leased to the key k (lease L2)\n");
}

static void watch__troubles__say_numbers_and_reasons(void **state)
{
    static const struct scripted_rule rule = {
        NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"revision\":1}}\n" EVENT(
            "\"revision\":2," REST "\"type\":\"source.stale\",\"source\":\"iis\","
            "\"name\":\"/a.config\",\"state\":\"stale\",\"reason\":\"line 3: damaged\"")
            EVENT("\"revision\":3," REST "\"type\":\"source.ready\",\"source\":\"iis\","
                  "\"name\":\"/a.config\",\"state\":\"ready\"")
                EVENT("\"revision\":4," REST "\"type\":\"pool.low\",\"pool\":\"qa\",\"free\":2,"
                      "\"total\":10,\"low\":3")
                    EVENT("\"revision\":5," REST
                          "\"type\":\"pool.exhausted\",\"pool\":\"qa\",\"free\":0,\"total\":10,"
                          "\"low\":0")
                        EVENT("\"revision\":6," REST "\"type\":\"pool.ok\",\"pool\":\"qa\","
                              "\"free\":5,\"total\":10,\"low\":3")
                            EVENT("\"revision\":9," REST "\"type\":\"events.lost\",\"after\":6")
                                EVENT("\"type\":\"later.kind\",\"name\":\"n\",\"count\":3,"
                                      "\"why\":\"w\""),
        true};

    (void)state;
    assert_int_equal(cli_run("watch", &rule, 1), 4);
    assert_string_equal(
        cli_out, "T  2  source.stale     iis, /a.config, is stale: line 3: damaged\n"
                 "T  3  source.ready     iis, /a.config, is ready\n"
                 "T  4  pool.low         pool qa: 2 of 10 ports are free, low is fewer than 3\n"
                 "T  5  pool.exhausted   pool qa: 0 of 10 ports are free\n"
                 "T  6  pool.ok          pool qa: 5 of 10 ports are free, low is fewer than 3\n"
                 "T  9  events.lost      what came after revision 6 is missing: list what matters "
                 "anew\n"
                 "-  0  later.kind       name n, why w\n");
}

static void watch__events__are_lines_until_the_daemon_goes(void **state)
{
    static const struct scripted_rule rule = {
        NULL,
        "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"revision\":1}}\n" EVENT(
            "\"type\":\"source.stale\",\"source\":\"iis\",\"reason\":\"gone\""),
        true};

    (void)state;
    assert_int_equal(cli_run("watch --topic leases --topic sources", &rule, 1), 4);
    assert_string_equal(cli_err, "berth: the daemon closed the connection without an answer\n");
    assert_non_null(strstr(cli_received(), "{\"topics\":[\"leases\",\"sources\"]}"));
    assert_int_equal(cli_run("watch --since 1795644191915012", &rule, 1), 4);
    assert_non_null(strstr(cli_received(), "{\"since\":1795644191915012}"));
    assert_int_equal(cli_run("watch --json", &rule, 1), 4);
    assert_non_null(strstr(cli_out, "{\"type\":\"source.stale\",\"source\":\"iis\",\"reason\":"
                                    "\"gone\"}\n"));
}

#undef EVENT
#undef REST

static const char status_reply[] =
    "result {\"version\":\"0.1.0\",\"instance\":\"ab\",\"host\":\"web01\",\"platform\":\"linux\","
    "\"protocol\":1,\"started_at\":\"S\",\"uptime_ms\":270000,\"revision\":42,"
    "\"sources\":[{\"source\":\"iis\",\"name\":\"/etc/a.config\",\"state\":\"stale\","
    "\"reason\":\"line 3: damaged\",\"since\":\"S\",\"age_ms\":7200000,\"claims\":31,"
    "\"warnings\":[\"site Old: no port\"]},"
    "{\"source\":\"tcp\",\"name\":\"sock_diag\",\"state\":\"ready\",\"age_ms\":120,"
    "\"claims\":4,\"events\":{\"mode\":\"full\",\"total\":99,\"per_second\":12,\"lost\":3,"
    "\"lag_us\":40}}],"
    "\"hints\":[{\"facility\":\"http.sys events\",\"works\":true,\"total\":7},"
    "{\"facility\":\"WMI IIS sites\",\"works\":false,\"reason\":\"access is denied\","
    "\"total\":0}],"
    "\"pools\":[{\"name\":\"default\",\"range\":[49000,65000],\"total\":16001,\"free\":15990,"
    "\"next\":49000}],"
    "\"ports\":{\"leased\":0,\"iis\":12,\"tcp\":40},\"leases\":{\"pending\":0},"
    "\"store\":{\"state\":\"ok\",\"durability\":\"commit\",\"refused\":0},\"conflicts\":2,"
    "\"ephemeral\":{\"range\":[32768,60999],\"reserved\":[[50000,50010]]},"
    "\"warnings\":[\"pool default overlaps the ephemeral range\"],"
    "\"connections\":{\"now\":1,\"accepted\":12,\"limit\":1024},"
    "\"memory\":{\"resident_bytes\":5767168},"
    "\"configuration\":{\"path\":\"/etc/berth/berthd.config\",\"loaded_at\":\"L\"}}";

static void status__full__is_a_compact_report(void **state)
{
    (void)state;
    expect_run("status", status_reply, 0,
               "berthd 0.1.0 on web01 (linux), up 4 min 30 s, revision 42\n"
               "configuration /etc/berth/berthd.config, read L\n"
               "\n"
               "SOURCE  STATE     AGE  CLAIMS  NAME\n"
               "iis     stale     2 h      31  /etc/a.config\n"
               "tcp     ready  120 ms       4  sock_diag\n"
               "  iis /etc/a.config: line 3: damaged\n"
               "  iis /etc/a.config: site Old: no port\n"
               "  tcp sock_diag: events full, 12 a second, 3 lost, lag 40 \xc2\xb5s\n"
               "  hints by http.sys events: 7 so far\n"
               "  hints by WMI IIS sites: access is denied\n"
               "\n"
               "POOL     RANGE        PORTS   FREE   NEXT\n"
               "default  49000-65000  16001  15990  49000\n"
               "\n"
               "ports       12 iis, 40 tcp\n"
               "leases      none\n"
               "store       ok, durability commit\n"
               "conflicts   2 open ('berth conflicts')\n"
               "ephemeral   32768-60999, except 50000-50010\n"
               "connections 1 now, 12 accepted, at most 1024\n"
               "memory      5.5 MiB\n"
               "\n"
               "warning: pool default overlaps the ephemeral range\n",
               "");
}

static void status__bare__does_without_what_is_missing(void **state)
{
    (void)state;
    expect_run("status", "result {\"version\":\"1\",\"host\":7}", 0,
               "berthd 1 on ? (?), up ?, revision -1\n"
               "configuration built-in defaults\n"
               "\n"
               "SOURCE  STATE  AGE  CLAIMS  NAME\n"
               "\n"
               "POOL  RANGE  PORTS  FREE  NEXT\n"
               "\n"
               "ports       none\n"
               "leases      none\n",
               "");
}

static void status__store__is_told_in_each_state(void **state)
{
    static const struct {
        const char *store;
        const char *line;
    } rows[] = {
        {"{\"state\":\"none\"}", "\nstore       none: leases end with the daemon\n"},
        {"{\"state\":\"ok\",\"durability\":\"sync\",\"refused\":1}",
         "\nstore       ok, durability sync, 1 change refused\n"},
        {"{\"state\":\"failing\",\"durability\":\"commit\",\"refused\":3,\"since\":\"T\"}",
         "\nstore       failing, durability commit, 3 changes refused, since T\nconflicts   "
         "none\n"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        char reply[300];
        (void)snprintf(reply, sizeof reply,
                       "result {\"version\":\"1\",\"store\":%s,\"conflicts\":0}", rows[i].store);
        assert_int_equal(cli_run("status", &(struct scripted_rule){NULL, reply, false}, 1), 0);
        assert_non_null(strstr(cli_out, rows[i].line));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next__port__is_all_that_is_printed),
        cmocka_unit_test(free__each_form__is_exact),
        cmocka_unit_test(who__ports__are_told_in_the_order_asked),
        cmocka_unit_test(ports__each_kind_of_claim__has_its_words),
        cmocka_unit_test(ports__neighbours_with_the_same_claims__share_a_line),
        cmocka_unit_test(ports__narrow_terminal__is_cut_to_it),
        cmocka_unit_test(leases__unordered__are_shown_by_port),
        cmocka_unit_test(conflicts__check__has_its_own_status),
        cmocka_unit_test(history__port_or_key__is_told_apart),
        cmocka_unit_test(adopt__plan_and_deed__are_told_apart),
        cmocka_unit_test(adopt__more_than_are_listed__are_counted),
        cmocka_unit_test(handover_and_reload__are_told),
        cmocka_unit_test(later_methods__not_supported_yet__fail_with_the_sentence),
        cmocka_unit_test(watch__each_topic__is_a_sentence),
        cmocka_unit_test(watch__troubles__say_numbers_and_reasons),
        cmocka_unit_test(watch__events__are_lines_until_the_daemon_goes),
        cmocka_unit_test(status__full__is_a_compact_report),
        cmocka_unit_test(status__store__is_told_in_each_state),
        cmocka_unit_test(status__bare__does_without_what_is_missing),
    };
    return cmocka_run_group_tests(tests, cli_run_setup, cli_run_teardown);
}
