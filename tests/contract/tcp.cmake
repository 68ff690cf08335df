# The TCP table's contract on the fake and on the real one; what only the real one has.
berth_add_unit_test(NAME contract.tcp_table.fake
  SOURCES test_tcp_table_contract.c tcp_table_contract.c fake/tcp_world.c
  LIBRARIES berth_watchers berth_watchers_fake)
berth_add_unit_test(NAME contract.tcp_events.fake
  SOURCES test_tcp_events_contract.c tcp_events_contract.c fake/tcp_world.c fake/tcp_events_world.c
  LIBRARIES berth_watchers berth_watchers_fake)
if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_unit_test(NAME contract.tcp_events.linux
    SOURCES test_tcp_events_contract.c tcp_events_contract.c tcp_world_sockets.c linux/tcp_world.c
      linux/tcp_events_world.c
    LIBRARIES berth_watchers berth_watchers_os)
  berth_add_unit_test(NAME contract.tcp_events.linux_only
    SOURCES linux/test_tcp_events.c LIBRARIES berth_watchers berth_watchers_os)
  # as with system.events: one is told of what the other does
  set_tests_properties(contract.tcp_events.linux contract.tcp_events.linux_only PROPERTIES
    RESOURCE_LOCK kernel_events)
  berth_add_unit_test(NAME contract.tcp_table.linux
    SOURCES test_tcp_table_contract.c tcp_table_contract.c tcp_world_sockets.c linux/tcp_world.c
    LIBRARIES berth_watchers berth_watchers_os)
  berth_add_unit_test(NAME contract.tcp_table.linux_only
    SOURCES linux/test_tcp_table.c tcp_world_sockets.c linux/tcp_world.c
    LIBRARIES berth_watchers berth_watchers_os)
endif()
if(BERTH_PLATFORM STREQUAL "windows")
  add_executable(tcp_world_process windows/tcp_world_process.c tcp_world_sockets.c)
  target_link_libraries(tcp_world_process PRIVATE berth_base ws2_32)
  set_target_properties(tcp_world_process PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  berth_add_unit_test(NAME contract.tcp_table.windows
    SOURCES test_tcp_table_contract.c tcp_table_contract.c windows/tcp_world.c
    LIBRARIES berth_watchers berth_watchers_os TIMEOUT 60)
  add_dependencies(test_contract_tcp_table_windows tcp_world_process)
endif()
if(TARGET berth_watcher_contract)
  berth_add_unit_test(NAME contract.tcp_watcher SOURCES test_tcp_watcher_contract.c
    LIBRARIES berth_watcher_contract berth_watchers_fake TIMEOUT 60)
endif()
