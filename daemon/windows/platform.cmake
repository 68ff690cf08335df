# What the daemon asks of Windows. Not here yet: accounts.c, listener.c, peer.c, places.c, process.c,
# service_notify.c.
set(BERTH_DAEMON_COMPLETE OFF)
