/* SPDX-License-Identifier: MIT */
/* The kernel tells by itself. */
#include "tests/contract/tcp_events_contract.h"

const struct tcp_events_world tcp_events_world = {.set_up = NULL};
