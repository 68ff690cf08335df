# The daemon's parts that run without a daemon.
set(memory_service ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c)
foreach(module access configure event_log framing lease_record listener log options params)
  berth_add_unit_test(NAME daemon.${module} SOURCES test_${module}.c LIBRARIES berth_daemon)
endforeach()
foreach(module events methods methods_adopt methods_hold rpc)
  berth_add_unit_test(NAME daemon.${module} SOURCES test_${module}.c ${memory_service}
    LIBRARIES berth_daemon TIMEOUT 120)
endforeach()
berth_add_unit_test(NAME daemon.port_holds SOURCES test_port_holds.c LIBRARIES berth_daemon)
if(BERTH_OS_FAMILY STREQUAL "posix")
  berth_add_unit_test(NAME daemon.listener_paths SOURCES posix/test_listener_paths.c LIBRARIES berth_daemon)
endif()
