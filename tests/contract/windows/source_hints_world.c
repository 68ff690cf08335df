/* SPDX-License-Identifier: MIT */
/* The real ETW and WMI. Under Wine both refuse, which is what is seen then. */
#include "tests/contract/source_hints_contract.h"

const struct source_hints_world source_hints_world = {.set_up = NULL};
