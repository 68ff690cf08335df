/* SPDX-License-Identifier: MIT */
/* What the built programs have beside their code: read as Windows reads it. */
#include "base/version.h"
#include "base/windows/wide.h"
#include "cmocka_all.h"
#include "daemon/windows/system_log.h"

#include <stdio.h>

static HMODULE open_program(const wchar_t *path)
{
    HMODULE module = LoadLibraryExW(path, NULL, LOAD_LIBRARY_AS_DATAFILE);

    assert_non_null(module);
    return module;
}

/* As Event Viewer does it: the text of each number, with the event's strings in it. */
static void messages__each_event__has_its_text(void **state)
{
    HMODULE module = open_program(TEST_BERTHD);
    const wchar_t *wide[] = {L"one", L"two", L"three"};
    const char *const narrow[] = {"one", "two", "three"};

    (void)state;
    for (int event = 0; event < BERTH_NOTICE_COUNT; event++) {
        const struct berth_notice_info *info = berth_notice_info((enum berth_notice)event);
        wchar_t text[1000];
        char found[1000];
        char expected[BERTH_NOTICE_TEXT_SIZE];
        DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY |
                                          FORMAT_MESSAGE_MAX_WIDTH_MASK,
                                      module, berth_windows_log_id(info), 0, text,
                                      BERTH_COUNT(text), (va_list *)(void *)wide);
        assert_true(length > 0);
        while (length > 0 && text[length - 1] <= L' ') {
            text[--length] = L'\0';
        }
        (void)berth_narrow_into(found, sizeof found, text);
        assert_string_equal(found, berth_notice_text(expected, (enum berth_notice)event, narrow));
    }
    (void)FreeLibrary(module);
}

static void expect_text(const void *info, const wchar_t *name, const char *expected)
{
    wchar_t path[100];
    void *value;
    char found[200];
    UINT length;

    (void)swprintf(path, BERTH_COUNT(path), L"\\StringFileInfo\\040904B0\\%ls", name);
    assert_true(VerQueryValueW(info, path, &value, &length));
    (void)berth_narrow_into(found, sizeof found, value);
    assert_string_equal(found, expected);
}

static void expect_version(const wchar_t *path, const char *file)
{
    union {
        BYTE bytes[8192];
        DWORD align;
    } info;
    void *value;
    char expected[32];
    char found[32];
    UINT length;

    assert_true(GetFileVersionInfoW(path, 0, sizeof info, &info));
    assert_true(VerQueryValueW(&info, L"\\", &value, &length));
    const VS_FIXEDFILEINFO *fixed = value;
    assert_int_equal(fixed->dwFileVersionMS, fixed->dwProductVersionMS);
    (void)snprintf(found, sizeof found, "%u.%u.%u.%u", HIWORD(fixed->dwFileVersionMS),
                   LOWORD(fixed->dwFileVersionMS), HIWORD(fixed->dwFileVersionLS),
                   LOWORD(fixed->dwFileVersionLS));
    (void)snprintf(expected, sizeof expected, "%s.0", BERTH_VERSION);
    assert_string_equal(found, expected);
    expect_text(&info, L"ProductVersion", BERTH_VERSION);
    expect_text(&info, L"OriginalFilename", file);
}

static void version__both_programs__have_the_projects(void **state)
{
    (void)state;
    expect_version(TEST_BERTHD, "berthd.exe");
    expect_version(TEST_BERTH, "berth.exe");
}

static void expect_manifest(const wchar_t *path)
{
    static const char *const wanted[] = {"level=\"asInvoker\"", ">UTF-8</activeCodePage>",
                                         ">true</longPathAware>",
                                         "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"};
    HMODULE module = open_program(path);
    HRSRC resource = FindResourceW(module, MAKEINTRESOURCEW(1), MAKEINTRESOURCEW(24));
    char text[8192];

    assert_non_null(resource);
    DWORD size = SizeofResource(module, resource);
    assert_true(size < sizeof text);
    memcpy(text, LockResource(LoadResource(module, resource)), size);
    text[size] = '\0';
    for (size_t i = 0; i < BERTH_COUNT(wanted); i++) {
        assert_non_null(strstr(text, wanted[i]));
    }
    (void)FreeLibrary(module);
}

static void manifest__both_programs__have_it(void **state)
{
    (void)state;
    expect_manifest(TEST_BERTHD);
    expect_manifest(TEST_BERTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages__each_event__has_its_text),
        cmocka_unit_test(version__both_programs__have_the_projects),
        cmocka_unit_test(manifest__both_programs__have_it),
    };
    return cmocka_run_group_tests_name("daemon.resources", tests, NULL, NULL);
}
