/* SPDX-License-Identifier: MIT */
/* The forms in which `berth allocate` gives ports to scripts. */
#ifndef BERTH_CLI_PORT_OUTPUT_H
#define BERTH_CLI_PORT_OUTPUT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum berth_port_format {
    BERTH_PORT_FORMAT_PLAIN,   /* one port a line */
    BERTH_PORT_FORMAT_OCTOPUS, /* Octopus Deploy's service message setVariable */
    BERTH_PORT_FORMAT_ENV      /* NAME=49000 lines for a shell */
};

/** Finds a format by name.  @return false: there is none, `out` unchanged */
bool berth_port_format_find(enum berth_port_format *out, const char *name);

/** Gives the variable's name where none was asked for; NULL: the format has none. */
const char *berth_port_format_variable(enum berth_port_format format);

/** Tells whether a variable of that name can be set: for octopus any name that is not blank, for
 *  env letters, digits and '_' that do not begin with a digit. */
bool berth_port_format_accepts(enum berth_port_format format, const char *variable);

/** Writes the ports. With variables: NAME is the first port; where there are several, NAME_1 to
 *  NAME_n are all of them in order.
 *  @param[in] ports     `count` of them, at least one
 *  @param[in] variable  as berth_port_format_accepts() takes it; not looked at for plain */
void berth_port_format_write(struct berth_text *out, enum berth_port_format format,
                             const char *variable, const uint16_t *ports, size_t count);

#endif
