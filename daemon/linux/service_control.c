/* SPDX-License-Identifier: MIT */
#include "daemon/service_control.h"

enum berth_code berth_service_control_run(int (*body)(void *ctx), void *ctx, int *status,
                                          struct berth_error *err)
{
    (void)body;
    (void)ctx;
    (void)status;
    return berth_fail(
        err, BERTH_NOT_SUPPORTED, 0,
        "--service is for the service manager of Windows; on Linux run berthd without "
        "it: systemctl start berthd");
}

enum berth_code berth_service_control_attach(uv_loop_t *loop,
                                             const struct berth_service_controls *controls,
                                             struct berth_error *err)
{
    (void)loop;
    (void)controls;
    (void)err;
    return BERTH_OK;
}

void berth_service_control_detach(void)
{
    /* nothing was attached */
}
