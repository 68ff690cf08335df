# Alerts and their channels, and what they watch.
target_sources(berth_daemon PRIVATE
  command_run.c
  file_replace.c
  latency.c
  outbox.c
  pool_watch.c
  ${BERTH_OS_FAMILY}/child.c)
