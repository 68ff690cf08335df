/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "watchers/url_prefix.h"

#include <stdio.h>

struct row {
    const char *text;
    enum berth_protocol protocol;
    uint16_t port;
    const char *address; /* as berth_address_format() writes it */
    const char *host;    /* NULL: none */
};

static const struct row rows[] = {
    {"http://+:80/", BERTH_PROTOCOL_HTTP, 80, "*", NULL},
    {"http://*:8080/x/y", BERTH_PROTOCOL_HTTP, 8080, "*", NULL},
    {"HTTPS://+:443/SRA_{BA195980-CD49-458B-9E23-C84EE0ADCD75}/", BERTH_PROTOCOL_HTTPS, 443, "*",
     NULL},
    {"https://host.example:44300/", BERTH_PROTOCOL_HTTPS, 44300, "*", "host.example"},
    {"http://localhost:5000", BERTH_PROTOCOL_HTTP, 5000, "*", "localhost"},
    {"http://10.0.0.5:81/", BERTH_PROTOCOL_HTTP, 81, "10.0.0.5", NULL},
    {"http://[::1]:82/", BERTH_PROTOCOL_HTTP, 82, "[::1]", NULL},
    {"http://[fe80::1%4]:83/", BERTH_PROTOCOL_HTTP, 83, "[fe80::1%4]", NULL},
    {"HTTP://127.0.0.1:8000:127.0.0.1/", BERTH_PROTOCOL_HTTP, 8000, "127.0.0.1", NULL},
    {"HTTP://SHOP:8001:10.0.0.5/", BERTH_PROTOCOL_HTTP, 8001, "10.0.0.5", "SHOP"},
    {"HTTP://[::1]:8002:[::1]/", BERTH_PROTOCOL_HTTP, 8002, "[::1]", NULL},
    {"https://host/", BERTH_PROTOCOL_HTTPS, 443, "*", "host"},
    {"http://host", BERTH_PROTOCOL_HTTP, 80, "*", "host"},
    {"http://*.example:84/", BERTH_PROTOCOL_HTTP, 84, "*", "*.example"},
    /* what is no address after all is a name */
    {"http://1.2.3:85/", BERTH_PROTOCOL_HTTP, 85, "*", "1.2.3"},
    {"http://host:65535/", BERTH_PROTOCOL_HTTP, 65535, "*", "host"},
};

static void parse__each_form__is_read(void **state)
{
    char address[BERTH_ADDRESS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_url_prefix prefix;
        struct berth_error err;
        assert_ok(berth_url_prefix_parse(&prefix, rows[i].text, &err), &err);
        assert_int_equal(prefix.protocol, rows[i].protocol);
        assert_int_equal(prefix.port, rows[i].port);
        assert_string_equal(berth_address_format(address, sizeof address, &prefix.address),
                            rows[i].address);
        if (rows[i].host == NULL) {
            assert_null(prefix.host);
            assert_int_equal(prefix.host_length, 0);
        } else {
            assert_int_equal(prefix.host_length, strlen(rows[i].host));
            assert_memory_equal(prefix.host, rows[i].host, prefix.host_length);
        }
    }
}

static void parse__anything_else__is_refused_with_what_would_be_accepted(void **state)
{
    static const char *const texts[] = {
        "",
        "http",
        "http:",
        "http:/",
        "http://",
        "http:///",
        "http://:80/",
        "ftp://host:21/",
        "net.tcp://host:808/",
        "http://host:0/",
        "http://host:/",
        "http://host:65536/",
        "http://host:000080/",
        "http://host:80x/",
        "http://host:-1/",
        "http://host: 80/",
        "http://host:80:/",
        "http://host:80:name/",
        "http://host:80:10.0.0.5:1/",
        "http://[]:80/",
        "http://[::1:80/",
        "http://[1.2.3.4]:80/",
        "http://[host]:80/",
        "http://[::1]x:80/",
        " http://host:80/",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        struct berth_url_prefix prefix = {.port = 4711};
        struct berth_error err;
        if (berth_url_prefix_parse(&prefix, texts[i], &err) != BERTH_MALFORMED) {
            fail_msg("\"%s\" is accepted", texts[i]);
        }
        assert_non_null(strstr(err.detail, "http://host:port/path"));
        assert_int_equal(prefix.port, 4711);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__each_form__is_read),
        cmocka_unit_test(parse__anything_else__is_refused_with_what_would_be_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
