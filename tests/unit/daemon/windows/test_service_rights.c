/* SPDX-License-Identifier: MIT */
/* What the service's account is given, bit by bit, and that all of it is taken back. */
#include "daemon/windows/service_rights.h"

#include "cmocka_all.h"
#include "daemon/windows/service_names.h"
#include "fake_manager.h"

#include <bcrypt.h>
#include <stdio.h>

#define SID_TEXT BERTH_SERVICE_SID
#define OF_SERVICE "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;" SID_TEXT ")"
#define BY_USERS                                                                                   \
    "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICI;0x1200a9;;;" SID_TEXT ")"
#define SOURCE "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\Berth"

static const struct berth_service_places places = {
    .root = L"C:\\ProgramData\\Berth",
    .state = L"C:\\ProgramData\\Berth\\state",
    .logs = L"C:\\ProgramData\\Berth\\logs",
    .iis = L"C:\\Windows\\System32\\inetsrv\\config",
    .program = L"C:\\Program Files\\Berth\\berthd.exe",
};
static struct berth_text notes;
static struct berth_error err;

static int setup(void **state)
{
    (void)state;
    fake_begin();
    berth_text_init(&notes, 10000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    berth_text_fini(&notes);
    return 0;
}

static enum berth_code give(void)
{
    return berth_service_rights_give(&fake_calls, &places, &notes, &err);
}

/* S-1-5-80- and the SHA-1 of the name in capitals, as five numbers: so Windows makes it. */
static void sid__is_that_of_the_name(void **state)
{
    static wchar_t name[] = L"BERTH";
    BCRYPT_ALG_HANDLE sha1;
    ULONG words[5];
    char text[100];

    (void)state;
    assert_int_equal(BCryptOpenAlgorithmProvider(&sha1, BCRYPT_SHA1_ALGORITHM, NULL, 0), 0);
    assert_int_equal(BCryptHash(sha1, NULL, 0, (PUCHAR)name, sizeof name - sizeof *name,
                                (PUCHAR)words, sizeof words),
                     0);
    (void)BCryptCloseAlgorithmProvider(sha1, 0);
    (void)snprintf(text, sizeof text, "S-1-5-80-%lu-%lu-%lu-%lu-%lu", words[0], words[1], words[2],
                   words[3], words[4]);
    assert_string_equal(text, SID_TEXT);
}

static void give__nothing_there__makes_folders_that_are_closed_from_the_start(void **state)
{
    (void)state;
    assert_ok(give(), &err);
    assert_true(fake_saw("CreateDirectoryW C:\\ProgramData\\Berth " BY_USERS "\n"));
    assert_true(fake_saw("CreateDirectoryW C:\\ProgramData\\Berth\\state " OF_SERVICE "\n"));
    assert_true(fake_saw("CreateDirectoryW C:\\ProgramData\\Berth\\logs " OF_SERVICE "\n"));
    assert_int_equal(fake_count("SetNamedSecurityInfoW"), 0);
}

static void give__folders_there__sets_owner_and_permissions(void **state)
{
    char parts[32];

    (void)state;
    fake.folders_exist = true;
    assert_ok(give(), &err);
    (void)snprintf(parts, sizeof parts, "%lx",
                   OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION |
                       PROTECTED_DACL_SECURITY_INFORMATION);
    assert_string_equal(parts, "80000005");
    /* the descriptor that the fake reads back has no flag for "protected": that is in the parts */
    assert_true(
        fake_saw("SetNamedSecurityInfoW C:\\ProgramData\\Berth 80000005 O:BAD:(A;OICI;FA;;;SY)"
                 "(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICI;0x1200a9;;;" SID_TEXT ")\n"));
    assert_true(fake_saw("SetNamedSecurityInfoW C:\\ProgramData\\Berth\\state 80000005 "
                         "O:BAD:(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;" SID_TEXT
                         ")\n"));
}

static void give__a_folder_that_a_user_made__is_refused(void **state)
{
    (void)state;
    fake.folders_exist = true;
    fake.owner = L"S-1-5-21-1-2-3-1001";
    assert_code(give(), BERTH_DENIED);
    assert_non_null(strstr(err.detail, "C:\\ProgramData\\Berth belongs to somebody"));
    assert_int_equal(fake_count("SetNamedSecurityInfoW"), 0);
}

static void give__a_link_in_a_folders_place__is_refused(void **state)
{
    (void)state;
    fake.folders_exist = true;
    fake.attributes = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT;
    assert_code(give(), BERTH_DENIED);
    assert_non_null(strstr(err.detail, "is a link"));
    fake.attributes = FILE_ATTRIBUTE_NORMAL;
    assert_code(give(), BERTH_DENIED);
    assert_int_equal(fake_count("SetNamedSecurityInfoW"), 0);
}

static void give__owners_that_are_trusted__are_accepted(void **state)
{
    static const wchar_t *const owners[] = {L"S-1-5-18", L"S-1-5-32-544", L"" SID_TEXT};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(owners); i++) {
        fake_begin();
        fake.folders_exist = true;
        fake.owner = owners[i];
        assert_ok(give(), &err);
    }
}

static void give__with_iis__adds_the_right_to_read(void **state)
{
    (void)state;
    fake.iis_exists = true;
    assert_ok(give(), &err);
    /* DACL only, not protected; 0x1200a9 is FILE_GENERIC_READ and FILE_GENERIC_EXECUTE */
    assert_true(fake_saw("SetNamedSecurityInfoW C:\\Windows\\System32\\inetsrv\\config 4 "));
    assert_true(fake_saw("(A;OICI;0x1200a9;;;" SID_TEXT ")"));
    assert_true(fake_saw("(A;OICI;FA;;;SY)"));
    assert_string_equal(berth_text_string(&notes), "");
}

static void give__without_iis__notes_it(void **state)
{
    (void)state;
    assert_ok(give(), &err);
    assert_non_null(strstr(berth_text_string(&notes), "IIS is not on this machine"));
}

static void give__group__by_its_own_name_in_the_systems_language(void **state)
{
    (void)state;
    assert_ok(give(), &err);
    assert_true(fake_saw("LookupAccountSidW S-1-5-32-559\n"));
    assert_true(fake_saw("NetLocalGroupAddMembers Leistungsprotokollbenutzer " SID_TEXT "\n"));
    fake_begin();
    fake_refuse("NetLocalGroupAddMembers", 1, ERROR_MEMBER_IN_ALIAS);
    berth_text_clear(&notes);
    fake.iis_exists = true;
    assert_ok(give(), &err);
    assert_string_equal(berth_text_string(&notes), "");
}

static void give__group_refused__is_a_note(void **state)
{
    (void)state;
    fake_refuse("NetLocalGroupAddMembers", 1, ERROR_NO_SUCH_MEMBER);
    assert_ok(give(), &err);
    assert_non_null(strstr(berth_text_string(&notes), "Performance Log Users"));
    assert_non_null(strstr(berth_text_string(&notes), "(error 1387)"));
}

static void give__event_source__names_the_program(void **state)
{
    (void)state;
    assert_ok(give(), &err);
    assert_true(fake_saw("RegCreateKeyExW " SOURCE "\n"));
    assert_true(fake_saw("RegSetValueExW EventMessageFile=C:\\Program Files\\Berth\\berthd.exe\n"));
    assert_true(fake_saw("RegSetValueExW TypesSupported=7\n"));
    assert_int_equal(fake_count("RegCloseKey"), 1);
}

static void give__any_call_refused__names_the_step(void **state)
{
    static const struct {
        const char *call;
        unsigned at;
        bool folders_exist;
        const char *step;
    } rows[] = {{"CreateDirectoryW", 1, false, "make the folder C:\\ProgramData\\Berth"},
                {"CreateDirectoryW", 2, false, "make the folder C:\\ProgramData\\Berth\\state"},
                {"CreateDirectoryW", 3, false, "make the folder C:\\ProgramData\\Berth\\logs"},
                {"GetNamedSecurityInfoW", 1, true, "find the owner of C:\\ProgramData\\Berth"},
                {"SetNamedSecurityInfoW", 1, true, "set the permissions of C:\\ProgramData\\Berth"},
                {"RegCreateKeyExW", 1, false, "register the event source Berth"},
                {"RegSetValueExW", 1, false, "register the event source Berth"},
                {"RegSetValueExW", 2, false, "register the event source Berth"},
                {"GetNamedSecurityInfoW", 1, false, "read the permissions of C:\\Windows"},
                {"SetNamedSecurityInfoW", 1, false, "change the permissions of C:\\Windows"}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        fake_begin();
        fake.folders_exist = rows[i].folders_exist;
        fake.iis_exists = true;
        fake_refuse(rows[i].call, rows[i].at, ERROR_ACCESS_DENIED);
        assert_code(give(), BERTH_DENIED);
        if (strstr(err.detail, rows[i].step) == NULL) {
            fail_msg("%s", err.detail);
        }
        assert_non_null(strstr(err.detail, "(error 5)"));
    }
}

static void take__all_of_it(void **state)
{
    (void)state;
    fake.iis_exists = true;
    assert_ok(berth_service_rights_take(&fake_calls, &places, &err), &err);
    assert_true(fake_saw("SetNamedSecurityInfoW C:\\Windows\\System32\\inetsrv\\config 4 "));
    assert_false(fake_saw("1200a9;;;" SID_TEXT));
    assert_true(fake_saw("NetLocalGroupDelMembers Leistungsprotokollbenutzer " SID_TEXT "\n"));
    assert_true(fake_saw("RegDeleteTreeW " SOURCE "\n"));
}

static void take__what_is_gone_already__is_no_error(void **state)
{
    (void)state;
    fake_refuse("NetLocalGroupDelMembers", 1, ERROR_MEMBER_NOT_IN_ALIAS);
    assert_ok(berth_service_rights_take(&fake_calls, &places, &err), &err);
    fake_begin();
    fake_refuse("RegDeleteTreeW", 1, ERROR_FILE_NOT_FOUND);
    assert_ok(berth_service_rights_take(&fake_calls, &places, &err), &err);
}

static void take__one_refused__still_takes_the_others(void **state)
{
    (void)state;
    fake.iis_exists = true;
    fake_refuse("SetNamedSecurityInfoW", 1, ERROR_ACCESS_DENIED);
    assert_code(berth_service_rights_take(&fake_calls, &places, &err), BERTH_DENIED);
    assert_non_null(strstr(err.detail, "inetsrv"));
    assert_int_equal(fake_count("NetLocalGroupDelMembers"), 1);
    assert_int_equal(fake_count("RegDeleteTreeW"), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sid__is_that_of_the_name),
        CASE(give__nothing_there__makes_folders_that_are_closed_from_the_start),
        CASE(give__folders_there__sets_owner_and_permissions),
        CASE(give__a_folder_that_a_user_made__is_refused),
        CASE(give__a_link_in_a_folders_place__is_refused),
        CASE(give__owners_that_are_trusted__are_accepted),
        CASE(give__with_iis__adds_the_right_to_read),
        CASE(give__without_iis__notes_it),
        CASE(give__group__by_its_own_name_in_the_systems_language),
        CASE(give__group_refused__is_a_note),
        CASE(give__event_source__names_the_program),
        CASE(give__any_call_refused__names_the_step),
        CASE(take__all_of_it),
        CASE(take__what_is_gone_already__is_no_error),
        CASE(take__one_refused__still_takes_the_others),
    };
    return cmocka_run_group_tests_name("daemon.service_rights", tests, NULL, NULL);
}
