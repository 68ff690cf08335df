/* SPDX-License-Identifier: MIT */
/* Tells the service manager how the daemon is: the contract. A no-op where none listens. */
#ifndef BERTH_DAEMON_SERVICE_NOTIFY_H
#define BERTH_DAEMON_SERVICE_NOTIFY_H

/** Says that requests are answered now, with a line for `systemctl status`.
 *  @thread loop  @blocks no  @source sd_notify(3), the protocol of $NOTIFY_SOCKET */
void berth_service_notify_ready(const char *status);

/** Says that the configuration is read again; berth_service_notify_ready() ends it. */
void berth_service_notify_reloading(void);

/** Says that the daemon ends. */
void berth_service_notify_stopping(void);

#endif
