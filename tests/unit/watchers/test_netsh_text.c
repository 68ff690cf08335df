/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_dir.h"
#include "watchers/netsh_text.h"

#include <stdio.h>
#include <stdlib.h>

static char *read_data(const char *name)
{
    char path[1024];
    size_t size;

    (void)snprintf(path, sizeof path, TEST_DATA "/netsh/%s", name);
    return read_whole_file(path, &size);
}

/* ---- excluded ranges ---- */

/* Writes ranges as "80-80 50000-50059* ". */
static const char *excluded(const char *text)
{
    static char shown[1024];
    struct berth_excluded_range *ranges = NULL;
    struct berth_error err;
    size_t count = 0;
    size_t used = 0;

    shown[0] = '\0';
    assert_ok(berth_netsh_parse_excluded(text, &ranges, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(shown + used, sizeof shown - used, "%u-%u%s ",
                                 (unsigned)ranges[i].ports.first, (unsigned)ranges[i].ports.last,
                                 ranges[i].administered ? "*" : "");
    }
    berth_free(ranges);
    return shown;
}

static void assert_excluded_file(const char *name, const char *expected)
{
    char *text = read_data(name);

    assert_string_equal(excluded(text), expected);
    free(text);
}

static void excluded__in_any_language__is_read_by_its_layout(void **state)
{
    (void)state;
    assert_excluded_file("excluded-english.txt",
                         "80-80 5357-5357 5985-5985 47001-47001 50000-50059* 50060-50159 "
                         "50160-50259 ");
    assert_excluded_file("excluded-german.txt", "5985-5985 21000-21099* 49671-49770 ");
    assert_excluded_file("excluded-big5.txt", "8000-8099* ");
    assert_excluded_file("excluded-none.txt", "");
}

static void excluded__odd_but_clear__is_read(void **state)
{
    (void)state;
    assert_string_equal(excluded("-- --\n1 65535"), "1-65535 ");
    assert_string_equal(excluded("head\n--- ---\n\t5\t6\t*\r\n\n\n7 8*\n"), "5-6* 7-8* ");
    assert_string_equal(excluded("- -\n0 0\n0 5\n"), "1-5 ");
}

static void excluded__what_is_not_understood__is_an_error(void **state)
{
    static const char *const texts[] = {
        "words only\n",
        "5 6\n",
        "-- --\n5\n",
        "-- --\n6 5\n",
        "-- --\n5 65536\n",
        "-- --\n5 6 x\n",
        "-- --\n5 6 * 7\n",
        "-- --\n5-6\n",
        "-- --\n99999999999999999999 6\n",
        "5 6\n-- --\n",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        struct berth_excluded_range *ranges = (void *)&i;
        size_t count = 4711;
        struct berth_error err;
        if (berth_netsh_parse_excluded(texts[i], &ranges, &count, &err) != BERTH_MALFORMED) {
            fail_msg("\"%s\" is accepted", texts[i]);
        }
        assert_true(err.detail[0] != '\0');
        assert_ptr_equal(ranges, &i);
        assert_int_equal(count, 4711);
    }
}

static void excluded__nothing_printed__is_not_supported(void **state)
{
    struct berth_excluded_range *ranges = NULL;
    size_t count;
    struct berth_error err;

    (void)state;
    assert_code(berth_netsh_parse_excluded("", &ranges, &count, &err), BERTH_NOT_SUPPORTED);
    assert_code(berth_netsh_parse_excluded(" \r\n\r\n", &ranges, &count, &err),
                BERTH_NOT_SUPPORTED);
    assert_string_equal(err.detail, "this system's netsh prints nothing");
}

static void excluded__many_rows__end_at_the_ceiling(void **state)
{
    const size_t rows = BERTH_EXCLUDED_RANGES_MAX;
    char *text = malloc(8 + 4 * (rows + 1));
    struct berth_excluded_range *ranges = NULL;
    struct berth_error err;
    size_t count = 0;
    char *at = text;

    (void)state;
    assert_non_null(text);
    at += sprintf(at, "-- --\n");
    for (size_t i = 0; i < rows; i++) {
        at += sprintf(at, "1 2\n");
    }
    assert_ok(berth_netsh_parse_excluded(text, &ranges, &count, &err), &err);
    assert_int_equal(count, rows);
    berth_free(ranges);
    (void)sprintf(at, "1 2\n");
    assert_code(berth_netsh_parse_excluded(text, &ranges, &count, &err), BERTH_TOO_LARGE);
    free(text);
}

static void excluded__no_memory__is_an_error_without_a_leak(void **state)
{
    char *text = read_data("excluded-english.txt");
    struct berth_excluded_range *ranges = NULL;
    struct berth_error err;
    size_t count;
    size_t live;

    (void)state;
    memory_faults_begin(1, false);
    assert_code(berth_netsh_parse_excluded(text, &ranges, &count, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
    free(text);
}

/* ---- the dynamic range ---- */

static void dynamic__in_any_language__is_its_two_numbers(void **state)
{
    struct berth_port_range range;
    struct berth_error err;
    char *text = read_data("dynamic-english.txt");

    (void)state;
    assert_ok(berth_netsh_parse_dynamic(text, &range, &err), &err);
    assert_int_equal(range.first, 49152);
    assert_int_equal(range.last, 65535);
    free(text);
    text = read_data("dynamic-french.txt");
    assert_ok(berth_netsh_parse_dynamic(text, &range, &err), &err);
    assert_int_equal(range.first, 1025);
    assert_int_equal(range.last, 65535);
    free(text);
}

static void dynamic__anything_else__is_an_error(void **state)
{
    static const char *const texts[] = {
        "words\n",
        "a : 5\n",
        "a : 5\nb : 6\nc : 7\n",
        "a : 0\nb : 6\n",
        "a : 5\nb : 0\n",
        "a : 65535\nb : 2\n",
        "a : 1\nb : 65536\n",
        "a : 65537\nb : 1\n",
    };
    struct berth_port_range range = {7, 8};
    struct berth_error err;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        if (berth_netsh_parse_dynamic(texts[i], &range, &err) != BERTH_MALFORMED) {
            fail_msg("\"%s\" is accepted", texts[i]);
        }
        assert_int_equal(range.first, 7);
    }
    assert_code(berth_netsh_parse_dynamic("\r\n", &range, &err), BERTH_NOT_SUPPORTED);
    assert_ok(berth_netsh_parse_dynamic("a : 1\nb : 65535\n", &range, &err), &err);
}

/* ---- registered URLs ---- */

struct taken {
    char text[2048];
    size_t used;
    unsigned left; /* before it refuses */
};

static enum berth_code take(void *context, const struct berth_registered_url *url,
                            struct berth_error *err)
{
    struct taken *taken = context;

    if (taken->left-- == 0) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "enough");
    }
    taken->used += (size_t)snprintf(
        taken->text + taken->used, sizeof taken->text - taken->used, "%.*s %u %u %.*s\n",
        (int)url->url_length, url->url, url->process_count, (unsigned)url->process_id,
        url->image != NULL ? (int)url->image_length : 1, url->image != NULL ? url->image : "?");
    return BERTH_OK;
}

static void assert_state(const char *name, const char *expected)
{
    struct taken taken = {.left = 100};
    struct berth_error err;
    char *text = read_data(name);

    assert_ok(berth_netsh_parse_service_state(text, take, &taken, &err), &err);
    assert_string_equal(taken.text, expected);
    free(text);
}

static void state__of_either_layout__gives_urls_with_their_queue_s_processes(void **state)
{
    (void)state;
    assert_state("state-2008r2.txt", "HTTP://+:5985/WSMAN/ 1 3416 ?\n"
                                     "HTTP://+:47001/WSMAN/ 1 3416 ?\n"
                                     "HTTP://*:8080/ 0 0 ?\n"
                                     "HTTP://10.0.0.5:8081:10.0.0.5/ 0 0 ?\n"
                                     "HTTPS://NEWS.EXAMPLE:443/ 2 5120 ?\n");
    assert_state("state-2022.txt",
                 "HTTPS://+:9443/HOSTAGENT/ 1 2688 C:\\Windows\\System32\\svchost.exe\n"
                 "HTTP://+:8000/MONITOR/ 1 4796 ?\n"
                 "HTTP://[::1]:8001:[::1]/ 0 0 ?\n");
}

static void state__nobody_takes_more__ends_with_that(void **state)
{
    struct taken taken = {.left = 1};
    struct berth_error err;
    char *text = read_data("state-2008r2.txt");

    (void)state;
    assert_code(berth_netsh_parse_service_state(text, take, &taken, &err), BERTH_TOO_LARGE);
    assert_string_equal(taken.text, "HTTP://+:5985/WSMAN/ 1 3416 ?\n");
    free(text);
}

static void state__no_urls_or_nothing__is_told_apart(void **state)
{
    struct taken taken = {.left = 1};
    struct berth_error err;

    (void)state;
    assert_ok(berth_netsh_parse_service_state("head\n", take, &taken, &err), &err);
    assert_int_equal(taken.used, 0);
    assert_code(berth_netsh_parse_service_state("", take, &taken, &err), BERTH_NOT_SUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excluded__in_any_language__is_read_by_its_layout),
        cmocka_unit_test(excluded__odd_but_clear__is_read),
        cmocka_unit_test(excluded__what_is_not_understood__is_an_error),
        cmocka_unit_test(excluded__nothing_printed__is_not_supported),
        cmocka_unit_test(excluded__many_rows__end_at_the_ceiling),
        cmocka_unit_test(excluded__no_memory__is_an_error_without_a_leak),
        cmocka_unit_test(dynamic__in_any_language__is_its_two_numbers),
        cmocka_unit_test(dynamic__anything_else__is_an_error),
        cmocka_unit_test(state__of_either_layout__gives_urls_with_their_queue_s_processes),
        cmocka_unit_test(state__nobody_takes_more__ends_with_that),
        cmocka_unit_test(state__no_urls_or_nothing__is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
