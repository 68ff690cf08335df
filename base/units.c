/* SPDX-License-Identifier: MIT */
#include "units.h"

#include "compiler.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Reads digits at *at and moves *at behind them; false: no digit, or more than UINT64_MAX. */
static bool take_number(uint64_t *out, const char **at)
{
    const char *start = *at;
    uint64_t number = 0;

    while (**at >= '0' && **at <= '9') {
        uint64_t digit = (uint64_t)(**at - '0');
        if (number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
        (*at)++;
    }
    *out = number;
    return *at != start;
}

static void skip_blanks(const char **at)
{
    while (**at == ' ' || **at == '\t') {
        (*at)++;
    }
}

bool berth_parse_number(uint64_t *out, const char *text, uint64_t low, uint64_t high)
{
    uint64_t number;

    if (!take_number(&number, &text) || *text != '\0' || number < low || number > high) {
        return false;
    }
    *out = number;
    return true;
}

bool berth_parse_port(uint16_t *out, const char *text)
{
    uint64_t number;

    if (!berth_parse_number(&number, text, 1, 65535)) {
        return false;
    }
    *out = (uint16_t)number;
    return true;
}

bool berth_parse_port_range(struct berth_port_range *out, const char *text)
{
    uint64_t first;
    uint64_t last;

    if (!take_number(&first, &text)) {
        return false;
    }
    last = first;
    if (*text != '\0') {
        skip_blanks(&text);
        if (*text++ != '-') {
            return false;
        }
        skip_blanks(&text);
        if (!take_number(&last, &text)) {
            return false;
        }
    }
    if (*text != '\0' || first < 1 || first > last || last > 65535) {
        return false;
    }
    *out = (struct berth_port_range){(uint16_t)first, (uint16_t)last};
    return true;
}

bool berth_parse_duration(uint64_t *out_ms, const char *text)
{
    static const struct {
        const char *suffix;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    uint64_t number;

    if (!take_number(&number, &text)) {
        return false;
    }
    for (size_t i = 0; i < BERTH_COUNT(units); i++) {
        if (strcmp(text, units[i].suffix) == 0) {
            if (number > BERTH_DURATION_MAX_MS / units[i].ms) {
                return false;
            }
            *out_ms = number * units[i].ms;
            return true;
        }
    }
    return false;
}

static const struct {
    const char *suffix;
    unsigned shift;
} size_units[] = {{"GiB", 30}, {"MiB", 20}, {"KiB", 10}};

bool berth_parse_size(uint64_t *out_bytes, const char *text)
{
    uint64_t number;

    if (!take_number(&number, &text)) {
        return false;
    }
    for (size_t i = 0; i < BERTH_COUNT(size_units); i++) {
        if (strcmp(text, size_units[i].suffix) == 0) {
            if (number > (uint64_t)INT64_MAX >> size_units[i].shift) {
                return false;
            }
            *out_bytes = number << size_units[i].shift;
            return true;
        }
    }
    return false;
}

char *berth_format_size(char *out, size_t size, uint64_t bytes)
{
    for (size_t i = 0; i < BERTH_COUNT(size_units); i++) {
        uint64_t unit = (uint64_t)1 << size_units[i].shift;
        if (bytes >= unit && bytes % unit == 0) {
            (void)snprintf(out, size, "%" PRIu64 " %s", bytes / unit, size_units[i].suffix);
            return out;
        }
    }
    (void)snprintf(out, size, "%" PRIu64 " bytes", bytes);
    return out;
}

char *berth_format_duration(char *out, size_t size, uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};

    for (size_t i = 0; i < BERTH_COUNT(units); i++) {
        if (ms < units[i].ms) {
            continue;
        }
        uint64_t rest = i + 1 < BERTH_COUNT(units) ? ms % units[i].ms / units[i + 1].ms : 0;
        if (rest != 0) {
            (void)snprintf(out, size, "%" PRIu64 " %s %" PRIu64 " %s", ms / units[i].ms,
                           units[i].name, rest, units[i + 1].name);
        } else {
            (void)snprintf(out, size, "%" PRIu64 " %s", ms / units[i].ms, units[i].name);
        }
        return out;
    }
    (void)snprintf(out, size, "%" PRIu64 " ms", ms);
    return out;
}

/* The civil date of a day number since 1970-01-01, in years that start in March, so that the leap
 * day comes last. */
static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t day_of_era = shifted % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;

    *day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

/* Writes a number with that many digits and what stands behind it. */
static char *put_digits(char *at, unsigned number, unsigned digits, char behind)
{
    for (unsigned i = digits; i-- > 0; number /= 10) {
        at[i] = (char)('0' + (char)(number % 10));
    }
    at[digits] = behind;
    return at + digits + 1;
}

/* By hand: each lease that is told has two or three of them, and snprintf() took as long for one as
 * the store's digest of a whole lease. */
char *berth_format_time(char *out, size_t size, int64_t unix_ms)
{
    const int64_t last = 253402300799999; /* 9999-12-31T23:59:59.999Z */
    int year;
    int month;
    int day;
    char text[sizeof "9999-12-31T23:59:59.999Z"];
    char *at = text;

    unix_ms = unix_ms < 0 ? 0 : unix_ms > last ? last : unix_ms;
    civil_from_days(unix_ms / 86400000, &year, &month, &day);
    unsigned ms = (unsigned)(unix_ms % 86400000);
    at = put_digits(at, (unsigned)year, 4, '-');
    at = put_digits(at, (unsigned)month, 2, '-');
    at = put_digits(at, (unsigned)day, 2, 'T');
    at = put_digits(at, ms / 3600000, 2, ':');
    at = put_digits(at, ms / 60000 % 60, 2, ':');
    at = put_digits(at, ms / 1000 % 60, 2, '.');
    *put_digits(at, ms % 1000, 3, 'Z') = '\0';
    if (size > 0) {
        size_t length = size < sizeof text ? size - 1 : sizeof text - 1;
        memcpy(out, text, length);
        out[length] = '\0';
    }
    return out;
}
