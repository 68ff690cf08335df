berth_add_unit_test(NAME unit.watchers.tcp_schedule SOURCES test_tcp_schedule.c
  LIBRARIES berth_watchers)
berth_add_unit_test(NAME unit.watchers.tcp_watcher SOURCES test_tcp_watcher.c
  LIBRARIES berth_watchers berth_watchers_fake)
berth_add_unit_test(NAME unit.watchers.tcp_watcher_events SOURCES test_tcp_watcher_events.c
  LIBRARIES berth_watchers berth_watchers_fake)
foreach(module IN ITEMS tcp_event_queue tcp_evidence tcp_marks)
  berth_add_unit_test(NAME unit.watchers.${module} SOURCES test_${module}.c
    LIBRARIES berth_watchers)
endforeach()
if(BERTH_PLATFORM STREQUAL "linux")
  foreach(module IN ITEMS event_origin perf_ring sock_destroy state_event)
    berth_add_unit_test(NAME unit.watchers.${module} SOURCES test_${module}.c
      LIBRARIES berth_watchers_os berth_allocator)
  endforeach()
  berth_add_unit_test(NAME unit.watchers.sock_diag SOURCES test_sock_diag.c
    LIBRARIES berth_watchers_os berth_allocator)
  berth_add_unit_test(NAME unit.watchers.socket_owner SOURCES test_socket_owner.c
    LIBRARIES berth_watchers_os berth_allocator)
  berth_add_unit_test(NAME unit.watchers.host_facts SOURCES test_host_facts.c
    LIBRARIES berth_watchers_os berth_allocator)
endif()
