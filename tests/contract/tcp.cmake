# The TCP table's contract on the fake and on the real one; what only the real one has.
berth_add_unit_test(NAME contract.tcp_table.fake
  SOURCES test_tcp_table_contract.c tcp_table_contract.c fake/tcp_world.c
  LIBRARIES berth_watchers berth_watchers_fake)
if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_unit_test(NAME contract.tcp_table.linux
    SOURCES test_tcp_table_contract.c tcp_table_contract.c linux/tcp_world.c
    LIBRARIES berth_watchers berth_watchers_os)
  berth_add_unit_test(NAME contract.tcp_table.linux_only
    SOURCES linux/test_tcp_table.c linux/tcp_world.c
    LIBRARIES berth_watchers berth_watchers_os)
endif()
if(TARGET berth_watcher_contract)
  berth_add_unit_test(NAME contract.tcp_watcher SOURCES test_tcp_watcher_contract.c
    LIBRARIES berth_watcher_contract berth_watchers_fake TIMEOUT 60)
endif()
