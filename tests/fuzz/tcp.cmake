if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_fuzzer(NAME sock_diag SOURCES fuzz_sock_diag.c
    LIBRARIES berth_watchers_os berth_allocator)
  berth_add_fuzzer(NAME tcp_events SOURCES fuzz_tcp_events.c
    LIBRARIES berth_watchers_os berth_allocator)
endif()
berth_add_fuzzer(NAME etw_tcpip SOURCES fuzz_etw_tcpip.c LIBRARIES berth_watchers_etw)
