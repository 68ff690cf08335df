# What the daemon asks of Linux.
target_sources(berth_daemon PRIVATE
  linux/peer.c linux/places.c linux/port_hold.c linux/process.c linux/service_command.c
  linux/service_control.c linux/service_notify.c linux/system_log.c posix/accounts.c
  posix/default_access.c posix/listener.c)
set(BERTH_DAEMON_COMPLETE ON)
