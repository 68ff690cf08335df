# Windows's event tracing, over calls that are played.
add_library(berth_fake_etw STATIC EXCLUDE_FROM_ALL
  "${PROJECT_SOURCE_DIR}/tests/support/etw_payload.c" "${PROJECT_SOURCE_DIR}/tests/support/fake_etw.c")
target_link_libraries(berth_fake_etw PUBLIC berth_watchers_etw)
berth_add_unit_test(NAME watchers.windows.etw_session SOURCES windows/pure/test_etw_session.c
  LIBRARIES berth_fake_etw berth_watchers_etw TIMEOUT 60)
# a reader that hangs is left to its thread, which nobody can wait for
set_tests_properties(watchers.windows.etw_session PROPERTIES
  ENVIRONMENT "TSAN_OPTIONS=exitcode=86:report_thread_leaks=0")
foreach(module IN ITEMS etw_calibration etw_tcp_source etw_tcpip etw_volume)
  berth_add_unit_test(NAME watchers.windows.${module} SOURCES windows/pure/test_${module}.c
    LIBRARIES berth_fake_etw berth_watchers_etw)
endforeach()
