if(BERTH_DAEMON_COMPLETE AND BERTH_WATCHERS_COMPLETE)
  berth_add_fuzzer(NAME frames
    SOURCES fuzz_frames.c ${PROJECT_SOURCE_DIR}/tests/support/memory_service.c LIBRARIES berth_daemon)
  target_include_directories(fuzz_frames PRIVATE "${PROJECT_SOURCE_DIR}/tests/support")
endif()
