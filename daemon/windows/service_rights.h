/* SPDX-License-Identifier: MIT */
/* What the service's account needs on the machine beyond the service itself: folders, rights on
 * others' folders, a group, an event source. Given at installation, taken back at its end. */
#ifndef BERTH_DAEMON_WINDOWS_SERVICE_RIGHTS_H
#define BERTH_DAEMON_WINDOWS_SERVICE_RIGHTS_H

#include "base/error.h"
#include "base/text.h"
#include "daemon/windows/service_calls.h"

/* The folders' permissions, owner first: SYSTEM, Administrators and the service; protected, so that
 * %ProgramData%'s own rule, by which every user may make files, ends here. */
#define BERTH_RIGHTS_FULL "(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
#define BERTH_RIGHTS_READ_BY_USERS                                                                 \
    "O:BAD:P" BERTH_RIGHTS_FULL "(A;OICI;0x1200a9;;;BU)(A;OICI;0x1200a9;;;" BERTH_SERVICE_SID ")"
#define BERTH_RIGHTS_OF_SERVICE                                                                    \
    "O:BAD:P" BERTH_RIGHTS_FULL "(A;OICI;0x1301bf;;;" BERTH_SERVICE_SID ")"

/** Where everything lies. */
struct berth_service_places {
    const wchar_t *root;    /* %ProgramData%\Berth: the configuration; users may read it */
    const wchar_t *state;   /* the leases: the service and administrators only */
    const wchar_t *logs;    /* the same */
    const wchar_t *iis;     /* %windir%\System32\inetsrv\config; need not be there */
    const wchar_t *program; /* berthd.exe, which holds the messages of the events */
};

/** Gives the service what it needs. Can be repeated: what is there already stays or is brought up.
 *  @param[in,out] notes  gets a line for what could not be given and is no reason to fail: without
 *                        IIS its folder, and the group for event tracing
 *  @return BERTH_OK; BERTH_DENIED: it takes an administrator, or a folder belongs to somebody else,
 *          who may have prepared it; BERTH_IO; BERTH_NO_MEMORY
 *  @thread main  @blocks for system calls; for a domain controller on one
 *  @source SetNamedSecurityInfoW, NetLocalGroupAddMembers, event sources in the registry */
enum berth_code berth_service_rights_give(const struct berth_service_calls *calls,
                                          const struct berth_service_places *places,
                                          struct berth_text *notes, struct berth_error *err);

/** Takes back what was given on things that are not Berth's: IIS's folder, the group, the event
 *  source. The folders stay as they are.
 *  @return BERTH_OK; the first failure, after all was tried */
enum berth_code berth_service_rights_take(const struct berth_service_calls *calls,
                                          const struct berth_service_places *places,
                                          struct berth_error *err);

#endif
