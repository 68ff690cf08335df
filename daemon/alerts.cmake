# Alerts and their channels, and what they watch.
target_sources(berth_daemon PRIVATE
  alert_command.c
  alert_system_log.c
  alerts.c
  command_run.c
  file_replace.c
  latency.c
  metrics_file.c
  metrics_text.c
  outbox.c
  pool_overlap.c
  pool_watch.c
  ${BERTH_OS_FAMILY}/child.c)
