/* SPDX-License-Identifier: MIT */
/* Made-up accounts, as a configuration of this platform names them: no two are alike, and none has
 * to exist. */
#ifndef BERTH_TESTS_ACCOUNT_NAMES_H
#define BERTH_TESTS_ACCOUNT_NAMES_H

/** Gives user or group `number`; user 0 is who administers the machine.
 *  @return a static buffer, of which 64 are used in turn */
char *account_user(unsigned number);
char *account_group(unsigned number);

#endif
