/* SPDX-License-Identifier: MIT */
/* Each allocation of libxml2 is made to fail in turn: the document is then refused, or read whole;
 * never is a part of it taken for all. */
#include "cmocka_all.h"
#include "temp_dir.h"
#include "watchers/iis_config.h"

#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#include <stdlib.h>

static size_t calls;
static size_t fail_at; /* 0: none */
static bool for_ever;
static size_t live;

static bool is_due(void)
{
    calls++;
    return fail_at != 0 && (for_ever ? calls >= fail_at : calls == fail_at);
}

static void *counted_malloc(size_t size)
{
    void *block = is_due() ? NULL : malloc(size);

    live += block != NULL;
    return block;
}

static void *counted_realloc(void *block, size_t size)
{
    void *moved = is_due() ? NULL : realloc(block, size);

    live += moved != NULL && block == NULL;
    return moved;
}

static void counted_free(void *block)
{
    live -= block != NULL;
    free(block);
}

static char *counted_strdup(const char *text)
{
    char *copy = is_due() ? NULL : strdup(text);

    live += copy != NULL;
    return copy;
}

/* Reads a file with each allocation failing in turn. */
static void check_file(const char *name, bool ever_after)
{
    struct berth_iis_config whole;
    struct berth_iis_config config;
    struct berth_error err;
    size_t size;
    char *bytes = read_whole_file(temp_path(TEST_DATA "/iis", name), &size);
    bool failed = true;
    size_t refused = 0;

    fail_at = 0;
    assert_ok(berth_iis_config_read(&whole, bytes, size, NULL, &err), &err);
    for (size_t at = 1; failed; at++) {
        size_t before = live;
        calls = 0;
        fail_at = at;
        for_ever = ever_after;
        enum berth_code code = berth_iis_config_read(&config, bytes, size, NULL, &err);
        failed = calls >= at;
        fail_at = 0;
        xmlResetLastError();
        if (code == BERTH_OK) {
            assert_int_equal(config.claim_count, whole.claim_count);
            assert_int_equal(config.warning_count, whole.warning_count);
            assert_int_equal(config.site_count, whole.site_count);
            for (size_t i = 0; i < whole.claim_count; i++) {
                assert_int_equal(berth_claim_compare(&config.claims[i], &whole.claims[i]), 0);
                assert_true(berth_claim_same_content(&config.claims[i], &whole.claims[i]));
            }
        } else {
            assert_true(err.detail[0] != '\0');
            assert_int_equal(config.claim_count, 0);
            refused++;
        }
        berth_iis_config_fini(&config);
        if (live != before) {
            fail_msg("failure %lu leaves %lu blocks", (unsigned long)at,
                     (unsigned long)(live - before));
        }
    }
    print_message("%s: %lu failures refused\n", name, (unsigned long)refused);
    assert_true(refused > 0);
    berth_iis_config_fini(&whole);
    free(bytes);
}

static void read__allocation_fails_once__refused_or_whole(void **unused)
{
    (void)unused;
    check_file("variety.config", false);
    check_file("utf16le.config", false);
    check_file("utf16be.config", false);
    check_file("bom.config", false);
}

static void read__allocations_fail_from_then_on__refused_or_whole(void **unused)
{
    (void)unused;
    check_file("variety.config", true);
    check_file("utf16le.config", true);
}

/* One that is refused must not leak either when memory fails. */
static void read__damaged_and_no_memory__is_refused(void **unused)
{
    static const char text[] = "<configuration><system.applicationHost><sites><site name='&#228;'>"
                               "<!DOCTYPE x></site></sites>";
    (void)unused;
    for (size_t at = 1; at < 300; at++) {
        struct berth_iis_config config;
        size_t before = live;
        calls = 0;
        for_ever = false;
        fail_at = at;
        assert_true(berth_iis_config_read(&config, text, sizeof text - 1, NULL, NULL) != BERTH_OK);
        fail_at = 0;
        xmlResetLastError();
        berth_iis_config_fini(&config);
        assert_int_equal(live, before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__allocation_fails_once__refused_or_whole),
        cmocka_unit_test(read__allocations_fail_from_then_on__refused_or_whole),
        cmocka_unit_test(read__damaged_and_no_memory__is_refused),
    };
    if (xmlMemSetup(counted_free, counted_malloc, counted_realloc, counted_strdup) != 0) {
        return 1;
    }
    xmlInitParser();
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    xmlCleanupParser();
    return failures;
}
