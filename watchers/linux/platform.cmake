# What the watchers ask of Linux: files (berth_watchers) and the TCP table (berth_watchers_os).
target_sources(berth_watchers PRIVATE posix/file_read.c)
target_sources(berth_watchers_os PRIVATE
  linux/default_watchers.c linux/host_facts.c linux/port_probe.c linux/proc_ports.c linux/sock_diag.c
  linux/socket_owner.c linux/tcp_table.c)
set(BERTH_WATCHERS_COMPLETE ON)
