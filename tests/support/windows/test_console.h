/* SPDX-License-Identifier: MIT */
/* A console of the test's own, without a window: so that Ctrl-C can be pressed in it without
 * anybody else hearing it, and so that there is one at all where tests are run by a service or in
 * Wine. */
#ifndef BERTH_TESTS_TEST_CONSOLE_H
#define BERTH_TESTS_TEST_CONSOLE_H

#include <stdbool.h>

/** Leaves the console that this process may have, and joins one of its own, which the processes
 * that it starts get too. Standard handles stay. The second call and later ones do nothing.
 *  @return false: there is none to be had  @source CreatePseudoConsole, AttachConsole */
bool test_console_join(void);

/** Presses Ctrl-C: all processes of the console are told, this one does not listen.
 *  @return false: not done */
bool test_console_interrupt(void);

#endif
