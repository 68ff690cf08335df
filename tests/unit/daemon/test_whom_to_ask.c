/* SPDX-License-Identifier: MIT */
/* Whom to ask about a port: each kind of claim's sentence, on both systems. */
#include "daemon/whom_to_ask.h"

#include "methods_case.h"

#define PORT 49001

static struct memory_service *memory;

static int set_up(void **state)
{
    struct berth_error err;

    (void)state;
    if (memory_service_make(&memory, &err) != BERTH_OK ||
        memory_service_see(memory, NULL, 0, &err) != BERTH_OK) {
        return -1;
    }
    memory->service.platform = "linux";
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_service_free(memory);
    return 0;
}

static void report(const struct berth_claim *claims, size_t count)
{
    static const char *const feeds[] = {"one"};
    enum berth_source source = berth_claim_source((enum berth_claim_kind)claims[0].kind);
    struct berth_allocator *allocator = memory->service.allocator;
    struct berth_error err;
    unsigned number = memory->iis;

    if (source != BERTH_SOURCE_IIS) {
        assert_ok(berth_allocator_add_source(allocator, source, "another", feeds, 1, memory->now,
                                             &number, &err),
                  &err);
    }
    assert_ok(berth_allocator_report(allocator, number, 0, claims, count, memory->now, &err), &err);
    (void)berth_allocator_report_state(allocator, number, BERTH_STATE_READY, NULL, memory->now);
}

/* What `who` says of the port, a line each. */
static void assert_asked(unsigned port, const char *expected)
{
    char params[40];
    struct berth_text all;
    size_t index;
    json_t *sentence;

    (void)snprintf(params, sizeof params, "{\"port\":%u}", port);
    json_t *result = method_done(memory, BERTH_ROLE_READER, "who", params);
    berth_text_init(&all, 10000);
    json_array_foreach(json_object_get(result, "ask"), index, sentence)
    {
        berth_text_puts(&all, json_string_value(sentence));
        berth_text_putc(&all, '\n');
    }
    json_decref(result);
    assert_string_equal(berth_text_string(&all), expected);
    berth_text_fini(&all);
}

static void on_windows_and_linux(const struct berth_claim *claim, const char *windows,
                                 const char *linux_one)
{
    report(claim, 1);
    assert_asked(claim->port, linux_one);
    memory->service.platform = "windows";
    assert_asked(claim->port, windows);
}

static void free__nobody_is_asked(void **state)
{
    (void)state;
    assert_asked(PORT, "");
    assert_asked(80, "");
}

static void lease__names_owner_and_command(void **state)
{
    (void)state;
    json_t *lease = method_done(memory, BERTH_ROLE_ALLOCATOR, "allocate",
                                "{\"key\":\"shop; rm -rf /\",\"port\":49001}");
    char expected[200];

    (void)snprintf(expected, sizeof expected,
                   "Ask alice, who owns the lease; the owner or an administrator ends it by: berth "
                   "release --lease %s\n",
                   json_string_value(json_object_get(lease, "lease")));
    assert_asked(PORT, expected);
    json_decref(lease);
    json_decref(method_done(memory, BERTH_ROLE_ALLOCATOR, "release", "{\"port\":49001}"));
    char time[32];
    (void)snprintf(expected, sizeof expected,
                   "The key shop; rm -rf / can have it back now, any other one from %s\n",
                   berth_format_time(time, sizeof time, memory->now.unix_ms + 60000));
    assert_asked(PORT, expected);
}

static void binding__names_site_and_where(void **state)
{
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_BINDING);

    (void)state;
    claim.holder = "Shop";
    claim.detail = "http *:49001:";
    on_windows_and_linux(&claim,
                         "Ask who runs the site Shop; an administrator sees the binding by: "
                         "Get-WebBinding -Port 49001\n",
                         "Ask who runs the site Shop; its binding stands in "
                         "applicationHost.config\n");
}

static void binding__lingers__says_until_when(void **state)
{
    struct berth_claim binding = berth_claim_make(PORT, BERTH_CLAIM_BINDING);
    struct berth_claim other = berth_claim_make(PORT + 1, BERTH_CLAIM_BINDING);
    char expected[200];
    char time[32];

    (void)state;
    binding.holder = "Shop";
    other.holder = "Blog";
    report(&binding, 1);
    report(&other, 1);
    (void)snprintf(expected, sizeof expected,
                   "Ask who runs the site Shop; the port is kept for it until %s\n",
                   berth_format_time(time, sizeof time, memory->now.unix_ms + 600000));
    assert_asked(PORT, expected);
}

static void ftp_data__names_the_element(void **state)
{
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_FTP_DATA);

    (void)state;
    on_windows_and_linux(&claim,
                         "Ask who runs IIS; the range stands under <firewallSupport> in "
                         "applicationHost.config\n",
                         "Ask who runs IIS; the range stands under <firewallSupport> in "
                         "applicationHost.config\n");
}

static void listener__names_process_and_user(void **state)
{
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_LISTENER);

    (void)state;
    claim.holder = "nginx";
    claim.process_id = 812;
    claim.user_id = 33;
    on_windows_and_linux(&claim,
                         "Ask who runs nginx (pid 812, uid 33); an administrator sees more by: "
                         "tasklist /svc /fi \"pid eq 812\"\n",
                         "Ask who runs nginx (pid 812, uid 33); an administrator sees more by: "
                         "ps -fp 812\n");
}

static void listener__of_http_sys__names_what_lists_its_users(void **state)
{
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_LISTENER);

    (void)state;
    claim.holder = "System";
    claim.process_id = 4;
    on_windows_and_linux(&claim,
                         "Ask who runs the site or service behind http.sys; an administrator "
                         "finds it by: netsh http show servicestate\n",
                         "Ask who runs System (pid 4); an administrator sees more by: ps -fp 4\n");
}

static void listener__of_windows_itself__names_its_services(void **state)
{
    struct berth_claim claim = berth_claim_make(445, BERTH_CLAIM_LISTENER);
    struct berth_claim url = berth_claim_make(445, BERTH_CLAIM_URL);

    (void)state;
    memory->service.platform = "windows";
    claim.holder = "System";
    claim.process_id = 4;
    report(&claim, 1);
    assert_asked(445, "Windows itself listens there (SMB, NetBIOS or NFS); an administrator sees "
                      "the services by: Get-Service LanmanServer, NfsService\n");
    url.holder = "http://+:445/";
    report(&url, 1);
    assert_asked(445, "Ask who runs the site or service behind http.sys; an administrator finds it "
                      "by: netsh http show servicestate\n"
                      "An administrator sees the reservations by: netsh http show urlacl, and "
                      "certificates by: netsh http show sslcert\n");
}

static void socket__unknown_process__says_how_to_find_it(void **state)
{
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_BOUND);

    (void)state;
    on_windows_and_linux(
        &claim, "An administrator finds the process by: Get-NetTCPConnection -LocalPort 49001\n",
        "An administrator finds the process by: ss -tanp 'sport = :49001'\n");
}

static void connection__says_how_to_find_it(void **state)
{
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_CONNECTION);

    (void)state;
    on_windows_and_linux(
        &claim, "An administrator finds the process by: Get-NetTCPConnection -LocalPort 49001\n",
        "An administrator finds the process by: ss -tanp 'sport = :49001'\n");
}

static void time_wait__nobody(void **state)
{
    static const char text[] =
        "Nobody need be asked: closed connections leave the port within minutes\n";
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_TIME_WAIT);

    (void)state;
    on_windows_and_linux(&claim, text, text);
}

static void url__names_netsh(void **state)
{
    static const char text[] = "An administrator sees the reservations by: netsh http show urlacl, "
                               "and certificates by: netsh http show sslcert\n";
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_URL);

    (void)state;
    on_windows_and_linux(&claim, text, text);
}

static void exclusion__names_netsh(void **state)
{
    static const char text[] = "An administrator sees the ranges by: netsh interface ipv4 show "
                               "excludedportrange protocol=tcp\n";
    struct berth_claim claim = berth_claim_make(PORT, BERTH_CLAIM_EXCLUSION);

    (void)state;
    on_windows_and_linux(&claim, text, text);
}

static void reservation__names_the_file(void **state)
{
    (void)state;
    assert_asked(49005, "Ask who keeps berthd.config, where it stands under <reserved>\n");
    memory->service.settings_path = "/etc/berth/berthd.config";
    assert_asked(49005,
                 "Ask who keeps /etc/berth/berthd.config, where it stands under <reserved>\n");
}

static void claims__many__each_sentence_once_and_three_at_most(void **state)
{
    struct berth_claim claims[6];

    (void)state;
    for (uint32_t i = 0; i < BERTH_COUNT(claims); i++) {
        claims[i] = berth_claim_make(PORT, BERTH_CLAIM_LISTENER);
        claims[i].holder = "a";
        claims[i].process_id = 10 + i / 2;
        assert_true(
            berth_address_parse_ipv4(&claims[i].address, i % 2 == 0 ? "127.0.0.1" : "10.0.0.1"));
    }
    report(claims, 4);
    assert_asked(PORT, "Ask who runs a (pid 10); an administrator sees more by: ps -fp 10\n"
                       "Ask who runs a (pid 11); an administrator sees more by: ps -fp 11\n");
    struct berth_claim site = berth_claim_make(PORT, BERTH_CLAIM_BINDING);
    site.holder = "Shop";
    report(&site, 1);
    report(claims + 4, 2);
    assert_asked(PORT, "Ask who runs the site Shop; its binding stands in applicationHost.config\n"
                       "Ask who runs a (pid 10); an administrator sees more by: ps -fp 10\n"
                       "Ask who runs a (pid 11); an administrator sees more by: ps -fp 11\n");
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(free__nobody_is_asked),
        ROW(lease__names_owner_and_command),
        ROW(binding__names_site_and_where),
        ROW(binding__lingers__says_until_when),
        ROW(ftp_data__names_the_element),
        ROW(listener__names_process_and_user),
        ROW(listener__of_http_sys__names_what_lists_its_users),
        ROW(listener__of_windows_itself__names_its_services),
        ROW(socket__unknown_process__says_how_to_find_it),
        ROW(connection__says_how_to_find_it),
        ROW(time_wait__nobody),
        ROW(url__names_netsh),
        ROW(exclusion__names_netsh),
        ROW(reservation__names_the_file),
        ROW(claims__many__each_sentence_once_and_three_at_most),
    };
#undef ROW
    return cmocka_run_group_tests_name("daemon.whom_to_ask", tests, NULL, NULL);
}
