# Its own berth_peer_of() takes the place of the library's.
berth_add_unit_test(NAME daemon.identity
  SOURCES test_identity.c ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c
    ${PROJECT_SOURCE_DIR}/tests/contract/${BERTH_OS_FAMILY}/listener_world.c
  LIBRARIES berth_daemon)
berth_add_unit_test(NAME daemon.server_stop
  SOURCES test_server_stop.c ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c
    ${PROJECT_SOURCE_DIR}/tests/contract/${BERTH_OS_FAMILY}/listener_world.c
  LIBRARIES berth_daemon)
berth_add_unit_test(NAME daemon.known_bindings
  SOURCES test_known_bindings.c ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c
  LIBRARIES berth_daemon)
