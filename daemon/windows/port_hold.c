/* SPDX-License-Identifier: MIT */
/* Windows has no socket option by which a server could bind a port that another socket holds and be
 * safe from others that do the same: a hold would stand in its holder's way. */
#include "daemon/port_hold.h"

#include <stddef.h>

const struct berth_port_hold_system *berth_port_hold_system(void)
{
    return NULL;
}
