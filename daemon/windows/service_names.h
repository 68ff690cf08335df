/* SPDX-License-Identifier: MIT */
/* What the service is called, and who it is. */
#ifndef BERTH_DAEMON_WINDOWS_SERVICE_NAMES_H
#define BERTH_DAEMON_WINDOWS_SERVICE_NAMES_H

#define BERTH_SERVICE_NAME L"Berth"
#define BERTH_SERVICE_DISPLAY_NAME L"Berth port broker"
#define BERTH_SERVICE_DESCRIPTION                                                                  \
    L"Watches IIS's configuration and the TCP tables, and hands out free TCP ports to "            \
    L"deployments."

/* The account that Windows has for the service alone (docs/decisions/0026-service-account.md). */
#define BERTH_SERVICE_ACCOUNT L"NT SERVICE\\Berth"

/* Its SID: S-1-5-80 and the SHA-1 of the name in capitals, which a test works out. */
#define BERTH_SERVICE_SID "S-1-5-80-3406181939-265939743-1672729043-1222117948-3286459357"

#endif
