/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "cli/table_output.h"
#include "memory_faults.h"

static const struct berth_table_column columns[] = {
    {"PORT", true, false}, {"HOLDER", false, true}, {"DETAIL", false, true}};

static void fill(struct berth_table *table)
{
    berth_table_init(table, columns, 3);
    berth_table_number(table, 80);
    berth_table_text(table, "Default Web Site");
    berth_table_text(table, "http *:80:");
    berth_table_number(table, 49000);
    berth_table_text(table, "\xE6\x97\xA5\xE6\x9C\xAC");
    berth_table_text(table, "");
    berth_table_number(table, -1);
    berth_table_text(table, NULL);
    berth_table_text(table, "x");
}

static void expect(unsigned indent, unsigned width, const char *expected)
{
    struct berth_table table;
    struct berth_text out;

    fill(&table);
    berth_text_init(&out, 10000);
    berth_table_write(&table, &out, indent, width);
    assert_string_equal(berth_text_string(&out), expected);
    berth_table_fini(&table);
    berth_text_fini(&out);
}

static void table__no_terminal__is_aligned_and_not_cut(void **state)
{
    (void)state;
    expect(0, 0,
           " PORT  HOLDER            DETAIL\n"
           "   80  Default Web Site  http *:80:\n"
           "49000  \xE6\x97\xA5\xE6\x9C\xAC\n"
           "    -                    x\n");
}

static void table__indented__keeps_the_alignment(void **state)
{
    (void)state;
    expect(2, 0,
           "   PORT  HOLDER            DETAIL\n"
           "     80  Default Web Site  http *:80:\n"
           "  49000  \xE6\x97\xA5\xE6\x9C\xAC\n"
           "      -                    x\n");
}

static void table__exactly_wide_enough__is_not_cut(void **state)
{
    (void)state;
    expect(0, 35,
           " PORT  HOLDER            DETAIL\n"
           "   80  Default Web Site  http *:80:\n"
           "49000  \xE6\x97\xA5\xE6\x9C\xAC\n"
           "    -                    x\n");
}

static void table__narrow_terminal__cuts_the_widest_column(void **state)
{
    (void)state;
    expect(0, 31,
           " PORT  HOLDER        DETAIL\n"
           "   80  Default Web\xE2\x80\xA6  http *:80:\n"
           "49000  \xE6\x97\xA5\xE6\x9C\xAC\n"
           "    -                x\n");
}

static void table__too_narrow_for_anything__keeps_the_narrowest(void **state)
{
    (void)state;
    expect(0, 20,
           " PORT  HOLDER    DETAIL\n"
           "   80  Default\xE2\x80\xA6  http *:\xE2\x80\xA6\n"
           "49000  \xE6\x97\xA5\xE6\x9C\xAC\n"
           "    -            x\n");
}

static void table__no_rows__has_its_titles(void **state)
{
    struct berth_table table;
    struct berth_text out;

    (void)state;
    berth_table_init(&table, columns, 3);
    berth_text_init(&out, 1000);
    berth_table_write(&table, &out, 0, 0);
    assert_string_equal(berth_text_string(&out), "PORT  HOLDER  DETAIL\n");
    berth_table_fini(&table);
    berth_text_fini(&out);
}

static void table__no_memory__becomes_a_failure_of_the_text(void **state)
{
    struct berth_table table;
    struct berth_text out;
    size_t live;

    (void)state;
    berth_text_init(&out, 1000);
    memory_faults_begin(1, true);
    fill(&table);
    berth_table_write(&table, &out, 0, 0);
    assert_int_equal(out.failed, BERTH_NO_MEMORY);
    berth_table_fini(&table);
    berth_text_fini(&out);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__no_terminal__is_aligned_and_not_cut),
        cmocka_unit_test(table__indented__keeps_the_alignment),
        cmocka_unit_test(table__exactly_wide_enough__is_not_cut),
        cmocka_unit_test(table__narrow_terminal__cuts_the_widest_column),
        cmocka_unit_test(table__too_narrow_for_anything__keeps_the_narrowest),
        cmocka_unit_test(table__no_rows__has_its_titles),
        cmocka_unit_test(table__no_memory__becomes_a_failure_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
