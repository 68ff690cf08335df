/* SPDX-License-Identifier: MIT */
/* What every platform's hints must do (watchers/source_hints.h), as tests. */
#ifndef BERTH_TESTS_SOURCE_HINTS_CONTRACT_H
#define BERTH_TESTS_SOURCE_HINTS_CONTRACT_H

#include "watchers/source_hints.h"

/** What a world must do for its hints to be tested; each test program links one. */
struct source_hints_world {
    /** Prepares hints that can be opened. NULL: nothing is to be done. */
    void (*set_up)(void);
    /** Lets a facility that works hint at sources. NULL: here nothing can be made to happen. */
    void (*tell)(enum berth_hint_facility facility, unsigned sources);
    /** Lets a facility fail. NULL: it cannot be made to. */
    void (*break_down)(enum berth_hint_facility facility, const char *reason);
};

extern const struct source_hints_world source_hints_world;

/** Runs the suite. @return as main() */
int source_hints_contract_run(void);

#endif
