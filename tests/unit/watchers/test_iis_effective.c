/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "watchers/iis_effective.h"

#include <stdio.h>
#include <stdlib.h>

#define A "<binding protocol='http' bindingInformation='*:1:'/>"
#define B "<binding protocol='http' bindingInformation='*:2:'/>"
#define C "<binding protocol='https' bindingInformation='*:1:'/>"
#define NO_A "<remove protocol='HTTP' bindingInformation='*:1:'/>"

struct row {
    const char *defaults;
    const char *site;
    const char *expected; /* the texts, joined */
};

static const struct row rows[] = {
    {"", "", ""},
    {"", A B, "http *:1:|http *:2:|"},
    {A, "", "http *:1:|"},
    {A, B, "http *:1:|http *:2:|"},
    {A, "<clear/>" B, "http *:2:|"},
    {A, B "<clear/>", ""},
    {A, B "<clear/>" C, "https *:1:|"},
    {A B, NO_A, "http *:2:|"},
    {A B, NO_A C, "http *:2:|https *:1:|"},
    {A C, NO_A, "https *:1:|"},
    {A "<clear/>" B, "", "http *:2:|"},
    {A NO_A B, "", "http *:2:|"},
    {"", NO_A A, "http *:1:|"},
    {"", A A NO_A B, "http *:2:|"},
    {A, "<remove protocol='http' bindingInformation='*:9:'/>", "http *:1:|"},
    {A, "<remove protocol='http'/>", "http *:1:|"},
};

static void make(struct berth_iis_sites *sites, const char *defaults, const char *site)
{
    char text[2048];
    struct berth_error err;

    (void)snprintf(text, sizeof text,
                   "<configuration><system.applicationHost><sites><site name='empty'/><site "
                   "name='s'><bindings>%s</bindings></site>"
                   "<siteDefaults><bindings>%s</bindings></siteDefaults></sites>"
                   "</system.applicationHost></configuration>",
                   site, defaults);
    berth_iis_sites_init(sites);
    assert_ok(berth_iis_sites_parse(sites, text, strlen(text), NULL, &err), &err);
}

static void of__inherited_cleared_removed__as_iis_does(void **unused)
{
    struct berth_iis_effective list = {0};

    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_iis_sites sites;
        struct berth_error err;
        char joined[256] = "";
        make(&sites, rows[i].defaults, rows[i].site);
        assert_ok(berth_iis_effective_of(&list, &sites, 1, &err), &err);
        for (size_t k = 0; k < list.count; k++) {
            strncat(joined, list.bindings[k]->text, 100);
            strncat(joined, "|", 2);
        }
        assert_string_equal(joined, rows[i].expected);
        berth_iis_sites_fini(&sites);
    }
    berth_iis_effective_fini(&list);
}

static void of__many_removes__end_with_an_error(void **unused)
{
    enum { COUNT = 12000 };
    size_t size = (size_t)COUNT * 120 + 1000;
    char *text = malloc(size);
    struct berth_iis_sites sites;
    struct berth_iis_effective list = {0};
    struct berth_error err;
    int used;

    (void)unused;
    assert_non_null(text);
    used = snprintf(text, size, "<configuration><system.applicationHost><sites><site><bindings>");
    for (int i = 0; i < COUNT; i++) {
        used += snprintf(text + used, size - (size_t)used, A);
    }
    for (int i = 0; i < COUNT; i++) {
        used += snprintf(text + used, size - (size_t)used, "<remove protocol='x'/>");
    }
    used += snprintf(text + used, size - (size_t)used,
                     "</bindings></site></sites>"
                     "</system.applicationHost></configuration>");
    berth_iis_sites_init(&sites);
    assert_ok(berth_iis_sites_parse(&sites, text, (size_t)used, NULL, &err), &err);
    assert_code(berth_iis_effective_of(&list, &sites, 0, &err), BERTH_TOO_LARGE);
    assert_int_equal(list.count, 0);
    berth_iis_effective_fini(&list);
    berth_iis_sites_fini(&sites);
    free(text);
}

static void of__no_memory__is_an_error(void **unused)
{
    struct berth_iis_sites sites;
    struct berth_iis_effective list = {0};
    struct berth_error err;
    size_t live;

    (void)unused;
    make(&sites, A, B);
    memory_faults_begin(1, false);
    assert_code(berth_iis_effective_of(&list, &sites, 1, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
    assert_int_equal(list.count, 0);
    berth_iis_effective_fini(&list);
    berth_iis_sites_fini(&sites);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of__inherited_cleared_removed__as_iis_does),
        cmocka_unit_test(of__many_removes__end_with_an_error),
        cmocka_unit_test(of__no_memory__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
