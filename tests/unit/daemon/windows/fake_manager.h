/* SPDX-License-Identifier: MIT */
/* A service manager, folders, a group and a registry of the test's own, which note what they are
 * asked and can be made to refuse any call. */
#ifndef BERTH_TESTS_FAKE_MANAGER_H
#define BERTH_TESTS_FAKE_MANAGER_H

#include "daemon/windows/service_calls.h"

#include <stdbool.h>
#include <stddef.h>

struct fake_manager {
    bool installed;
    DWORD state;           /* SERVICE_STOPPED … */
    DWORD next_state;      /* what a pending state becomes at the second look; 0: it stays */
    DWORD exit_code;       /* of a stopped service */
    unsigned looks;        /* at the state, since it changed */
    ULONGLONG now_ms;      /* Sleep() moves it */
    bool forgets_levels;   /* ChangeServiceConfig2W knows no level over 2, as Wine */
    wchar_t *command_line; /* of an installed service */
    bool folders_exist;
    bool iis_exists;
    const wchar_t *owner; /* of folders that exist, as a SID */
    DWORD attributes;     /* of folders that exist */

    const char *refused; /* the call that is refused; NULL: none */
    unsigned refuse_at;  /* which of them, from 1 */
    DWORD refusal;       /* with this */

    char calls[65536]; /* one line a call, "NAME details\n" */
};

extern struct fake_manager fake;
extern const struct berth_service_calls fake_calls;

/** Begins anew: nothing installed, administrators' rights, no folders, no IIS. */
void fake_begin(void);

/** Makes the `at`th call of a function be refused. */
void fake_refuse(const char *call, unsigned at, DWORD number);

/** Tells how many calls of a function there were, and whether a text is among all calls. */
unsigned fake_count(const char *call);
bool fake_saw(const char *text);

#endif
