# The daemon as a service, and where it logs to.
target_sources(berth_daemon PRIVATE
  log_file.c
  log_target.c
  system_log.c)
if(WIN32)
  target_sources(berth_daemon PRIVATE
    windows/command_line.c
    windows/system_log.c
    windows/service_calls.c
    windows/service_command.c
    windows/service_control.c
    windows/service_purge.c
    windows/service_rights.c
    windows/service_setup.c)
  target_link_libraries(berth_daemon PUBLIC netapi32)
endif()
