/* SPDX-License-Identifier: MIT */
#include "daemon/windows/pipe_sddl.h"

#include "daemon/windows/sid.h"

#include <stdio.h>

static void allow(struct berth_text *out, const char *rights, const struct berth_account_id *whom)
{
    char sid[BERTH_ACCOUNT_TEXT_SIZE];

    berth_text_printf(out, "(A;;%s;;;%s)", rights, berth_sid_write(whom, sid));
}

static const struct berth_account_id *account_of(const struct berth_access_entry *entry)
{
    return entry->subject == BERTH_SUBJECT_EVERYONE ? &berth_sid_authenticated_users
                                                    : &entry->account;
}

/* Tells whether an earlier rule named the account already. */
static bool is_repeated(const struct berth_access *access, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (berth_account_same(account_of(&access->entries[i]),
                               account_of(&access->entries[index]))) {
            return true;
        }
    }
    return false;
}

void berth_pipe_sddl(struct berth_text *out, const struct berth_access *access,
                     const struct berth_account_id *own, const struct berth_account_id *owner)
{
    const struct berth_account_id *const full[] = {&berth_sid_system, &berth_sid_administrators,
                                                   own};
    const size_t known =
        berth_account_same(own, full[0]) || berth_account_same(own, full[1]) || own->length == 0
            ? 2
            : 3;
    char rights[16];
    char sid[BERTH_ACCOUNT_TEXT_SIZE];

    if (owner->length != 0) {
        berth_text_printf(out, "O:%s", berth_sid_write(owner, sid));
    }
    berth_text_puts(out, "D:P");
    for (size_t i = 0; i < known; i++) {
        allow(out, "FA", full[i]);
    }
    allow(out, "RC", &berth_sid_owner_rights);
    (void)snprintf(rights, sizeof rights, "0x%x", BERTH_PIPE_CLIENT_ACCESS);
    for (size_t i = 0; i < access->count; i++) {
        const struct berth_account_id *account = account_of(&access->entries[i]);
        bool has_all = false;
        for (size_t f = 0; f < known; f++) {
            has_all = has_all || berth_account_same(account, full[f]);
        }
        if (!has_all && !is_repeated(access, i)) {
            allow(out, rights, account);
        }
    }
}
