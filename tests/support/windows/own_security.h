/* SPDX-License-Identifier: MIT */
#ifndef BERTH_TESTS_OWN_SECURITY_H
#define BERTH_TESTS_OWN_SECURITY_H

#include <windows.h>

/** Gives the security of an object that belongs to this program's user, who alone may use it.
 *  Windows gives what is made such an owner by itself; Wine gives it none.
 *  @return for LocalFree(); NULL: not to be had */
PSECURITY_DESCRIPTOR own_security(void);

#endif
