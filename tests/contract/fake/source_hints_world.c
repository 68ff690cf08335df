/* SPDX-License-Identifier: MIT */
#include "tests/contract/source_hints_contract.h"
#include "watchers/fake/source_hints_script.h"

static void fail_facility(enum berth_hint_facility facility, const char *reason)
{
    berth_fake_hints_state(facility, false, reason);
}

const struct source_hints_world source_hints_world = {
    .set_up = berth_fake_hints_reset, .tell = berth_fake_hints_tell, .break_down = fail_facility};
