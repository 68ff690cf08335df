# The daemon as a service, and where it logs to.
target_sources(berth_daemon PRIVATE
  log_file.c
  log_target.c
  system_log.c)
