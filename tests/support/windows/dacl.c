/* SPDX-License-Identifier: MIT */
#include "tests/support/windows/dacl.h"

#include "cmocka_all.h"
#include "daemon/windows/sid.h"

#include <aclapi.h>
#include <stdio.h>

static size_t add_entry(char *out, size_t size, ACL *dacl, DWORD index)
{
    struct berth_account_id sid;
    char text[BERTH_ACCOUNT_TEXT_SIZE];
    void *entry;

    assert_true(GetAce(dacl, index, &entry));
    const ACE_HEADER *header = entry;
    if (header->AceType != ACCESS_ALLOWED_ACE_TYPE) {
        return (size_t)snprintf(out, size, "other %u\n", header->AceType);
    }
    const ACCESS_ALLOWED_ACE *allowed = entry;
    assert_true(berth_sid_take(&allowed->SidStart,
                               header->AceSize - offsetof(ACCESS_ALLOWED_ACE, SidStart), &sid));
    return (size_t)snprintf(out, size, "allow %x %lx %s\n", header->AceFlags, allowed->Mask,
                            berth_sid_write(&sid, text));
}

const char *dacl_read(HANDLE object, int type, char *out, size_t size)
{
    PSECURITY_DESCRIPTOR security;
    SECURITY_DESCRIPTOR_CONTROL control;
    DWORD revision;
    PACL dacl;
    size_t used = 0;

    assert_int_equal(GetSecurityInfo(object, (SE_OBJECT_TYPE)type, DACL_SECURITY_INFORMATION, NULL,
                                     NULL, &dacl, NULL, &security),
                     ERROR_SUCCESS);
    assert_non_null(dacl);
    assert_true(GetSecurityDescriptorControl(security, &control, &revision));
    used =
        (size_t)snprintf(out, size, "%s", (control & SE_DACL_PROTECTED) != 0 ? "protected\n" : "");
    for (DWORD i = 0; i < dacl->AceCount; i++) {
        assert_true(used < size);
        used += add_entry(out + used, size - used, dacl, i);
    }
    (void)LocalFree(security);
    return out;
}
