/* SPDX-License-Identifier: MIT */
/* cmocka with the headers that it wants before it, and an assertion that prints Berth's errors. */
#ifndef BERTH_TESTS_CMOCKA_ALL_H
#define BERTH_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/error.h"

/** Fails the test unless `code` is BERTH_OK, and prints the error's own words. */
#define assert_ok(code, err)                                                                       \
    do {                                                                                           \
        enum berth_code assert_ok_code = (code);                                                   \
        if (assert_ok_code != BERTH_OK) {                                                          \
            fail_msg("%s: %s", berth_code_token(assert_ok_code), (err)->detail);                   \
        }                                                                                          \
    } while (0)

/** Fails the test unless `code` is the expected error. */
#define assert_code(code, expected)                                                                \
    assert_string_equal(berth_test_code_symbol(code), berth_test_code_symbol(expected))

static inline const char *berth_test_code_symbol(enum berth_code code)
{
    static const char *const symbols[] = {
#define BERTH_TEST_SYMBOL(symbol, token, number, text) #symbol,
        BERTH_ERROR_MAP(BERTH_TEST_SYMBOL)
#undef BERTH_TEST_SYMBOL
    };
    return (unsigned)code < BERTH_CODE_COUNT ? symbols[code] : "not a code";
}

#endif
