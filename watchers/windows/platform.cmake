# What the watchers ask of Windows: files (berth_watchers) and the TCP table (berth_watchers_os).
# Not here yet: file_read.c, host_facts.c, tcp_table.c.
set(BERTH_WATCHERS_COMPLETE OFF)
