# The daemon's parts that run without a daemon.
set(memory_service ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c)
foreach(module access clock configure event_log framing lease_record listener log log_file options params
    process system_log)
  berth_add_unit_test(NAME daemon.${module} SOURCES test_${module}.c LIBRARIES berth_daemon)
endforeach()
foreach(module events methods methods_adopt methods_hold rpc whom_to_ask)
  berth_add_unit_test(NAME daemon.${module} SOURCES test_${module}.c ${memory_service}
    LIBRARIES berth_daemon TIMEOUT 120)
endforeach()
foreach(module watch watch_hints)
  berth_add_unit_test(NAME daemon.${module} SOURCES test_${module}.c
    LIBRARIES berth_daemon berth_watchers_fake)
endforeach()
# the allocator that all threads use is changed while one of the pool reads
set_tests_properties(daemon.watch PROPERTIES LABELS notsan)
berth_add_unit_test(NAME daemon.port_holds SOURCES test_port_holds.c LIBRARIES berth_daemon)
if(BERTH_OS_FAMILY STREQUAL "posix")
  berth_add_unit_test(NAME daemon.accounts SOURCES posix/test_accounts.c LIBRARIES berth_daemon)
  berth_add_unit_test(NAME daemon.listener_paths SOURCES posix/test_listener_paths.c LIBRARIES berth_daemon)
endif()
if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_unit_test(NAME daemon.log_file_full SOURCES linux/test_log_file_full.c
    LIBRARIES berth_daemon)
  berth_add_unit_test(NAME daemon.linux_system_log SOURCES linux/test_system_log.c
    LIBRARIES berth_daemon)
endif()
