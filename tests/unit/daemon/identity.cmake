# Their own berth_peer_of() takes the place of the library's.
foreach(module identity naming)
  berth_add_unit_test(NAME daemon.${module}
    SOURCES test_${module}.c ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c
      ${PROJECT_SOURCE_DIR}/tests/contract/${BERTH_OS_FAMILY}/listener_world.c
    LIBRARIES berth_daemon)
endforeach()
berth_add_unit_test(NAME daemon.account_names SOURCES test_account_names.c LIBRARIES berth_daemon)
foreach(module push server_stop turns unread)
  berth_add_unit_test(NAME daemon.${module}
    SOURCES test_${module}.c ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c
      ${PROJECT_SOURCE_DIR}/tests/contract/${BERTH_OS_FAMILY}/listener_world.c
    LIBRARIES berth_daemon)
endforeach()
berth_add_unit_test(NAME daemon.known_bindings
  SOURCES test_known_bindings.c ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c
  LIBRARIES berth_daemon)
