/* SPDX-License-Identifier: MIT */
/* Tests of base/units: what is read as a port, range, duration or number, and how durations and
 * times are written. */
#include "cmocka_all.h"

#include "base/units.h"

#include <stdio.h>

static void parse_port__ports__are_read(void **state)
{
    static const struct {
        const char *text;
        uint16_t port;
    } rows[] = {{"1", 1}, {"80", 80}, {"49213", 49213}, {"65535", 65535}, {"0080", 80}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        uint16_t port = 0;
        assert_true(berth_parse_port(&port, rows[i].text));
        assert_int_equal(port, rows[i].port);
    }
}

static void parse_port__anything_else__leaves_out_alone(void **state)
{
    static const char *const texts[] = {
        "",        "0",   "65536", "65616", "99999", "4294967376", "18446744073709551696",
        "-1",      "+80", " 80",   "80 ",   "8 0",   "0x50",       "80a",
        "a80",     "8.0", "80-81", "*",     "\t80",  "80\n",       "00000",
        "\xD9\xA1"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        uint16_t port = 7;
        if (berth_parse_port(&port, texts[i])) {
            fail_msg("\"%s\" was read as %u", texts[i], port);
        }
        assert_int_equal(port, 7);
    }
}

static void parse_port_range__ranges__are_read(void **state)
{
    static const struct {
        const char *text;
        struct berth_port_range range;
    } rows[] = {
        {"1-65535", {1, 65535}},
        {"80", {80, 80}},
        {"80-80", {80, 80}},
        {"49000-49999", {49000, 49999}},
        {"49000 - 49999", {49000, 49999}},
        {"5\t-\t6", {5, 6}},
        {"5- 6", {5, 6}},
        {"65535", {65535, 65535}},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_port_range range = {0, 0};
        assert_true(berth_parse_port_range(&range, rows[i].text));
        assert_int_equal(range.first, rows[i].range.first);
        assert_int_equal(range.last, rows[i].range.last);
    }
}

static void parse_port_range__anything_else__leaves_out_alone(void **state)
{
    static const char *const texts[] = {
        "",      "-",    "0",    "0-5",   "6-5",  "1-65536", "65536-65537",
        "5-",    "-5",   "5--6", "5-6-7", " 5-6", "5-6 ",    "5,6",
        "5-0",   "a-b",  "5-6x", "5 6",   "0-0",  "70000",   "5-18446744073709551622",
        "5\n-6", "5..6", "+5-6", "5-+6"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        struct berth_port_range range = {3, 4};
        if (berth_parse_port_range(&range, texts[i])) {
            fail_msg("\"%s\" was read as %u-%u", texts[i], range.first, range.last);
        }
        assert_int_equal(range.first, 3);
        assert_int_equal(range.last, 4);
    }
}

static void parse_duration__durations__are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {
        {"250ms", 250},
        {"15s", 15000},
        {"10m", 600000},
        {"24h", 86400000},
        {"1d", 86400000},
        {"0s", 0},
        {"0ms", 0},
        {"3650d", BERTH_DURATION_MAX_MS},
        {"87600h", BERTH_DURATION_MAX_MS},
        {"315360000000ms", BERTH_DURATION_MAX_MS},
        {"007s", 7000},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        uint64_t ms = 1;
        assert_true(berth_parse_duration(&ms, rows[i].text));
        assert_int_equal(ms, rows[i].ms);
    }
}

static void parse_duration__anything_else__leaves_out_alone(void **state)
{
    static const char *const texts[] = {"",
                                        "s",
                                        "5",
                                        "5 s",
                                        "-5s",
                                        "5S",
                                        "5sec",
                                        "1.5h",
                                        "5s ",
                                        " 5s",
                                        "3651d",
                                        "87601h",
                                        "315360000001ms",
                                        "5ms5",
                                        "1h30m",
                                        "18446744073709551616ms",
                                        "99999999999999999999d",
                                        "5mss",
                                        "5w",
                                        "+5s",
                                        "213503982335d"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        uint64_t ms = 42;
        if (berth_parse_duration(&ms, texts[i])) {
            fail_msg("\"%s\" was read as %llu ms", texts[i], (unsigned long long)ms);
        }
        assert_int_equal(ms, 42);
    }
}

static void parse_number__within_and_outside_its_bounds(void **state)
{
    uint64_t number = 9;

    (void)state;
    assert_true(berth_parse_number(&number, "5", 5, 5));
    assert_int_equal(number, 5);
    assert_true(berth_parse_number(&number, "18446744073709551615", 0, UINT64_MAX));
    assert_true(number == UINT64_MAX);
    assert_true(berth_parse_number(&number, "0", 0, 0));
    assert_int_equal(number, 0);
    number = 9;
    assert_false(berth_parse_number(&number, "4", 5, 6));
    assert_false(berth_parse_number(&number, "7", 5, 6));
    assert_false(berth_parse_number(&number, "18446744073709551616", 0, UINT64_MAX));
    assert_false(berth_parse_number(&number, "184467440737095516150", 0, UINT64_MAX));
    assert_false(berth_parse_number(&number, "", 0, 10));
    assert_false(berth_parse_number(&number, "5x", 0, 10));
    assert_int_equal(number, 9);
}

static void format_duration__two_largest_units(void **state)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } rows[] = {
        {0, "0 ms"},
        {250, "250 ms"},
        {999, "999 ms"},
        {1000, "1 s"},
        {1999, "1 s"},
        {15000, "15 s"},
        {59999, "59 s"},
        {60000, "1 min"},
        {270000, "4 min 30 s"},
        {3599999, "59 min 59 s"},
        {3600000, "1 h"},
        {3659000, "1 h"},
        {7200000, "2 h"},
        {7260000, "2 h 1 min"},
        {86399999, "23 h 59 min"},
        {86400000, "1 d"},
        {86400000ULL * 3 + 3600000ULL * 4, "3 d 4 h"},
        {BERTH_DURATION_MAX_MS, "3650 d"},
        {UINT64_MAX, "213503982334 d 14 h"},
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        assert_ptr_equal(berth_format_duration(text, sizeof text, rows[i].ms), text);
        assert_string_equal(text, rows[i].text);
    }
}

static void format_time__known_dates(void **state)
{
    static const struct {
        int64_t unix_ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {31449600000, "1970-12-31T00:00:00.000Z"},
        {946684799999, "1999-12-31T23:59:59.999Z"},
        {951827696007, "2000-02-29T12:34:56.007Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {1709164800000, "2024-02-29T00:00:00.000Z"},
        {1795398035000, "2026-11-23T01:40:35.000Z"},
        {2147483648000, "2038-01-19T03:14:08.000Z"},
        {4107542399000, "2100-02-28T23:59:59.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {13574563200000, "2400-02-29T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000Z"},
    };
    char text[25];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        assert_ptr_equal(berth_format_time(text, sizeof text, rows[i].unix_ms), text);
        assert_string_equal(text, rows[i].text);
    }
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Every day from 1970 to 2500, against a calendar that counts days one by one. */
static void format_time__every_day__as_a_calendar_counts(void **state)
{
    int64_t day_number = 0;
    char expected[64];
    char text[25];

    (void)state;
    for (int year = 1970; year <= 2500; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= days_in(year, month); day++, day_number++) {
                (void)snprintf(expected, sizeof expected, "%04d-%02d-%02dT00:00:00.000Z", year,
                               month, day);
                (void)berth_format_time(text, sizeof text, day_number * 86400000);
                if (strcmp(text, expected) != 0) {
                    fail_msg("day %lld: %s instead of %s", (long long)day_number, text, expected);
                }
            }
        }
    }
}

static void parse_size__sizes__are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {{"0KiB", 0},
                {"1KiB", 1024},
                {"0010MiB", 10485760},
                {"1GiB", 1073741824},
                {"9007199254740991KiB", 9223372036854774784U}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        uint64_t bytes = 7;
        assert_true(berth_parse_size(&bytes, rows[i].text));
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void parse_size__anything_else__leaves_out_alone(void **state)
{
    static const char *const rows[] = {"",
                                       "10",
                                       "KiB",
                                       "10 KiB",
                                       " 10KiB",
                                       "10KiB ",
                                       "10kib",
                                       "10KB",
                                       "10MB",
                                       "-1KiB",
                                       "1.5MiB",
                                       "10MiBs",
                                       "9007199254740992KiB",
                                       "8589934592GiB",
                                       "99999999999999999999KiB"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        uint64_t bytes = 7;
        assert_false(berth_parse_size(&bytes, rows[i]));
        assert_int_equal(bytes, 7);
    }
}

static void format_size__largest_whole_unit(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 bytes"},           {1023, "1023 bytes"},
                {1024, "1 KiB"},          {1025, "1025 bytes"},
                {65536, "64 KiB"},        {10485760, "10 MiB"},
                {1572864, "1536 KiB"},    {1073741824, "1 GiB"},
                {1074790400, "1025 MiB"}, {UINT64_MAX, "18446744073709551615 bytes"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        assert_ptr_equal(berth_format_size(text, sizeof text, rows[i].bytes), text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_port__ports__are_read),
        cmocka_unit_test(parse_port__anything_else__leaves_out_alone),
        cmocka_unit_test(parse_port_range__ranges__are_read),
        cmocka_unit_test(parse_port_range__anything_else__leaves_out_alone),
        cmocka_unit_test(parse_duration__durations__are_read),
        cmocka_unit_test(parse_duration__anything_else__leaves_out_alone),
        cmocka_unit_test(parse_number__within_and_outside_its_bounds),
        cmocka_unit_test(parse_size__sizes__are_read),
        cmocka_unit_test(parse_size__anything_else__leaves_out_alone),
        cmocka_unit_test(format_size__largest_whole_unit),
        cmocka_unit_test(format_duration__two_largest_units),
        cmocka_unit_test(format_time__known_dates),
        cmocka_unit_test(format_time__every_day__as_a_calendar_counts),
    };
    return cmocka_run_group_tests_name("base.units", tests, NULL, NULL);
}
