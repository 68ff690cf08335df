# Alerts, their channels, and what these stand on.
foreach(module file_replace latency outbox pool_watch)
  berth_add_unit_test(NAME daemon.${module} SOURCES test_${module}.c LIBRARIES berth_daemon)
endforeach()
# a delivery that hangs is left to its thread, which nobody can wait for
set_tests_properties(daemon.outbox PROPERTIES ENVIRONMENT "TSAN_OPTIONS=exitcode=86:report_thread_leaks=0")
if(NOT WIN32)
  berth_add_unit_test(NAME daemon.command_run SOURCES posix/test_command_run.c
    LIBRARIES berth_daemon TIMEOUT 120)
endif()
if(BERTH_WATCHERS_COMPLETE AND BERTH_DAEMON_COMPLETE)
  berth_add_unit_test(NAME daemon.examples SOURCES test_examples.c ${memory_service}
    LIBRARIES berth_daemon)
  if(BERTH_OS_FAMILY STREQUAL "posix")
    add_test(NAME daemon.promtool COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/posix/promtool.sh"
      $<TARGET_FILE:test_daemon_examples> "${PROJECT_SOURCE_DIR}/config/examples/prometheus-rules.yml")
    set_tests_properties(daemon.promtool PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 60)
  endif()
  berth_add_unit_test(NAME daemon.metrics_text SOURCES test_metrics_text.c ${memory_service}
    LIBRARIES berth_daemon TIMEOUT 120)
endif()
if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_unit_test(NAME daemon.alert_faults SOURCES linux/test_alert_faults.c ${memory_service}
    LIBRARIES berth_daemon TIMEOUT 120)
  berth_add_unit_test(NAME daemon.alerts SOURCES linux/test_alerts.c ${memory_service}
    LIBRARIES berth_daemon TIMEOUT 120)
  # a log that never takes what it is given is left to its thread, too
  set_tests_properties(daemon.alerts PROPERTIES ENVIRONMENT "TSAN_OPTIONS=exitcode=86:report_thread_leaks=0")
endif()
