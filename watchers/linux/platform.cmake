# What the watchers ask of Linux: files (berth_watchers) TCP table and events (berth_watchers_os).
target_sources(berth_watchers PRIVATE posix/file_read.c)
target_sources(berth_watchers_os PRIVATE
  linux/default_watchers.c linux/event_origin.c linux/host_facts.c linux/perf_ring.c
  linux/port_probe.c linux/proc_ports.c linux/sock_destroy.c linux/sock_diag.c
  linux/socket_owner.c linux/state_event.c linux/state_stream.c linux/tcp_events.c
  linux/tcp_table.c linux/tracefs.c linux/tracepoint_format.c)
set(BERTH_WATCHERS_COMPLETE ON)
