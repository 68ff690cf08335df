/* SPDX-License-Identifier: MIT */
#include "daemon/service_command.h"

#include <stdio.h>

int berth_service_command(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)fputs("berthd: 'berthd service' is for Windows; on Linux systemd has the service: "
                "systemctl enable --now berthd, systemctl status berthd\n",
                stderr);
    return 1;
}
