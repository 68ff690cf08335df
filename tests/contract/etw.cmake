# Windows's event source: the contract over played calls; the session on the real ones, which Wine refuses, as
# Windows does to many an account.
berth_add_unit_test(NAME contract.tcp_events.etw
  SOURCES test_tcp_events_contract.c tcp_events_contract.c fake/tcp_world.c fake/etw_events_world.c
    "${PROJECT_SOURCE_DIR}/watchers/fake/tcp_table.c"
  LIBRARIES berth_fake_etw berth_watchers_etw)
if(BERTH_PLATFORM STREQUAL "windows")
  berth_add_unit_test(NAME contract.windows.etw_calls SOURCES windows/test_etw_calls.c
    LIBRARIES berth_watchers berth_watchers_os TIMEOUT 60)
endif()
