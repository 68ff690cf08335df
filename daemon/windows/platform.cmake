# What the daemon asks of Windows.
target_sources(berth_daemon PRIVATE
  windows/accounts.c windows/default_access.c windows/folder.c windows/listener.c windows/peer.c windows/pipe_guard.c
  windows/pipe_sddl.c windows/places.c windows/port_hold.c windows/process.c windows/service_notify.c windows/sid.c
  windows/token.c)
target_link_libraries(berth_daemon PUBLIC advapi32)
set(BERTH_DAEMON_COMPLETE ON)
