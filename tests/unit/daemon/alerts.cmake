# Alerts, their channels, and what these stand on.
foreach(module file_replace latency outbox pool_watch)
  berth_add_unit_test(NAME daemon.${module} SOURCES test_${module}.c LIBRARIES berth_daemon)
endforeach()
if(NOT WIN32)
  berth_add_unit_test(NAME daemon.command_run SOURCES posix/test_command_run.c
    LIBRARIES berth_daemon TIMEOUT 120)
endif()
