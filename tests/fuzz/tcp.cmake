if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_fuzzer(NAME sock_diag SOURCES fuzz_sock_diag.c
    LIBRARIES berth_watchers_os berth_allocator)
endif()
