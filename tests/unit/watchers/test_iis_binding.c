/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "watchers/iis_binding.h"

#include <stdio.h>

/* What a binding must give; host NULL: any. */
struct row {
    const char *protocol;
    const char *information;
    enum berth_protocol found;
    unsigned port; /* 0: claims none */
    const char *address;
    const char *host;
};

static const struct row good[] = {
    {"http", "*:80:", BERTH_PROTOCOL_HTTP, 80, "*", NULL},
    {"http", ":8080:", BERTH_PROTOCOL_HTTP, 8080, "*", NULL},
    {"http", ":8080:*", BERTH_PROTOCOL_HTTP, 8080, "*", NULL},
    {"http", ":8080:localhost", BERTH_PROTOCOL_HTTP, 8080, "*", "localhost"},
    {"HTTP", "*:8080:x", BERTH_PROTOCOL_HTTP, 8080, "*", "x"},
    {"hTTpS", "*:443:*.example.com", BERTH_PROTOCOL_HTTPS, 443, "*", "*.example.com"},
    {"http", "10.0.0.1:81:h", BERTH_PROTOCOL_HTTP, 81, "10.0.0.1", "h"},
    {"http", "0.0.0.0:81:", BERTH_PROTOCOL_HTTP, 81, "0.0.0.0", NULL},
    {"http", "[::1]:82:", BERTH_PROTOCOL_HTTP, 82, "[::1]", NULL},
    {"http", "[::]:82:", BERTH_PROTOCOL_HTTP, 82, "[::]", NULL},
    {"https", "[2001:db8::10]:443:h", BERTH_PROTOCOL_HTTPS, 443, "[2001:db8::10]", "h"},
    {"http", "[fe80::1%4]:80:", BERTH_PROTOCOL_HTTP, 80, "[fe80::1%4]", NULL},
    {"http", "[::ffff:10.0.0.1]:80:", BERTH_PROTOCOL_HTTP, 80, "[::ffff:10.0.0.1]", NULL},
    {"http", "*:1:", BERTH_PROTOCOL_HTTP, 1, "*", NULL},
    {"http", "*:65535:", BERTH_PROTOCOL_HTTP, 65535, "*", NULL},
    {"http", "*:00080:", BERTH_PROTOCOL_HTTP, 80, "*", NULL},
    {"http", " * : 8080 : h ", BERTH_PROTOCOL_HTTP, 8080, "*", "h"},
    {" http\t", "\r\n*:8080:\t", BERTH_PROTOCOL_HTTP, 8080, "*", NULL},
    {"http", "*::h", BERTH_PROTOCOL_HTTP, 80, "*", "h"},
    {"http", "::", BERTH_PROTOCOL_HTTP, 80, "*", NULL},
    {"https", "*::", BERTH_PROTOCOL_HTTPS, 443, "*", NULL},
    {"ftp", "*::", BERTH_PROTOCOL_FTP, 21, "*", NULL},
    {"ftp", "*:990:files", BERTH_PROTOCOL_FTP, 990, "*", "files"},
    {"net.tcp", "808:*", BERTH_PROTOCOL_NET_TCP, 808, "*", NULL},
    {"net.tcp", "808:", BERTH_PROTOCOL_NET_TCP, 808, "*", NULL},
    {"net.tcp", ":*", BERTH_PROTOCOL_NET_TCP, 808, "*", NULL},
    {"NET.TCP", "9000:+", BERTH_PROTOCOL_NET_TCP, 9000, "*", "+"},
    {"net.tcp", "808:Name.DEV", BERTH_PROTOCOL_NET_TCP, 808, "*", "Name.DEV"},
    {"net.pipe", "*", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
    {"net.pipe", "80:80:80:80", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
    {"net.msmq", "localhost", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
    {"MSMQ.FormatName", "localhost", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
    {"other", "*:8080:h", BERTH_PROTOCOL_OTHER, 8080, "*", "h"},
    {"other", "8080:h", BERTH_PROTOCOL_OTHER, 8080, "*", "h"},
    {"", "*:8080:", BERTH_PROTOCOL_OTHER, 8080, "*", NULL},
    {"other", "a name", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
    {"other", "*::h", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
    {"other", "*:70000:h", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
    {"httpx", "", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
    {"htt", "x", BERTH_PROTOCOL_NONE, 0, NULL, NULL},
};

static void parse__every_form__gives_what_it_claims(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(good); i++) {
        const struct row *row = &good[i];
        struct berth_iis_binding found;
        struct berth_error err;
        char address[BERTH_ADDRESS_TEXT_MAX];
        print_message("%s %s\n", row->protocol, row->information);
        assert_ok(berth_iis_binding_parse(&found, row->protocol, row->information, &err), &err);
        assert_int_equal(found.protocol, row->found);
        assert_int_equal(found.has_port, row->port != 0);
        if (row->port == 0) {
            continue;
        }
        assert_int_equal(found.port, row->port);
        assert_string_equal(berth_address_format(address, sizeof address, &found.address),
                            row->address);
        assert_int_equal(found.host != NULL, row->host != NULL);
        assert_int_equal(found.host_length, row->host != NULL ? strlen(row->host) : 0);
        if (row->host != NULL) {
            assert_memory_equal(found.host, row->host, found.host_length);
        }
    }
}

static const struct row bad[] = {
    {"http", "", 0, 0, NULL, "parts"},
    {"http", "80", 0, 0, NULL, "parts"},
    {"http", "*:80", 0, 0, NULL, "parts"},
    {"http", "*:80::", 0, 0, NULL, "parts"},
    {"http", "::1:80:", 0, 0, NULL, "parts"},
    {"http", "[::1:80:", 0, 0, NULL, "parts"},
    {"http", "*:0:", 0, 0, NULL, "port"},
    {"http", "*:65536:", 0, 0, NULL, "port"},
    {"http", "*:99999999999999999999:", 0, 0, NULL, "port"},
    {"http", "*:+80:", 0, 0, NULL, "port"},
    {"http", "*:-80:", 0, 0, NULL, "port"},
    {"http", "*:80x:", 0, 0, NULL, "port"},
    {"http", "*:8 0:", 0, 0, NULL, "port"},
    {"http", "*:*:", 0, 0, NULL, "port"},
    {"http", "localhost:80:", 0, 0, NULL, "address"},
    {"http", "10.0.0.256:80:", 0, 0, NULL, "address"},
    {"http", "10.0.0:80:", 0, 0, NULL, "address"},
    {"http", "[]:80:", 0, 0, NULL, "address"},
    {"http", "[10.0.0.1]:80:", 0, 0, NULL, "address"},
    {"http", "[::1]x:80:", 0, 0, NULL, "address"},
    {"http", "[::1%]:80:", 0, 0, NULL, "address"},
    {"ftp", "21", 0, 0, NULL, "parts"},
    {"net.tcp", "*", 0, 0, NULL, "parts"},
    {"net.tcp", "*:808:*", 0, 0, NULL, "parts"},
    {"net.tcp", "*:808", 0, 0, NULL, "port"},
    {"net.tcp", "0:*", 0, 0, NULL, "port"},
};

static void parse__malformed__says_what_is_accepted(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(bad); i++) {
        const struct row *row = &bad[i];
        struct berth_iis_binding found = {.port = 4711};
        struct berth_error err;
        print_message("%s %s\n", row->protocol, row->information);
        assert_code(berth_iis_binding_parse(&found, row->protocol, row->information, &err),
                    BERTH_MALFORMED);
        assert_int_equal(found.port, 4711);
        assert_non_null(strstr(err.detail, row->host));
        assert_non_null(strstr(err.detail, "port:host"));
    }
    assert_code(berth_iis_binding_parse(&(struct berth_iis_binding){0}, "http", "", NULL),
                BERTH_MALFORMED);
}

static void parse__every_port__only_1_to_65535(void **unused)
{
    (void)unused;
    for (unsigned port = 0; port <= 70000; port++) {
        struct berth_iis_binding found;
        char information[32];
        (void)snprintf(information, sizeof information, "*:%u:", port);
        enum berth_code code = berth_iis_binding_parse(&found, "http", information, NULL);
        assert_int_equal(code == BERTH_OK, port >= 1 && port <= 65535);
        assert_true(code != BERTH_OK || found.port == port);
    }
}

static void parse__long_parts__end_within_bounds(void **unused)
{
    char information[5000];
    struct berth_iis_binding found;

    (void)unused;
    memset(information, '1', sizeof information);
    information[sizeof information - 1] = '\0';
    information[2000] = ':';
    assert_code(berth_iis_binding_parse(&found, "http", information, NULL), BERTH_MALFORMED);
    information[2002] = ':';
    assert_code(berth_iis_binding_parse(&found, "http", information, NULL), BERTH_MALFORMED);
    memset(information, 'h', sizeof information - 1);
    memcpy(information, "*:80:", 5);
    assert_code(berth_iis_binding_parse(&found, "http", information, NULL), BERTH_OK);
    assert_int_equal(found.host_length, sizeof information - 1 - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__every_form__gives_what_it_claims),
        cmocka_unit_test(parse__malformed__says_what_is_accepted),
        cmocka_unit_test(parse__every_port__only_1_to_65535),
        cmocka_unit_test(parse__long_parts__end_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
