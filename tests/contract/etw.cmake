# Windows's event tracing on the real calls: Wine refuses it, which is what many an account meets.
if(BERTH_PLATFORM STREQUAL "windows")
  berth_add_unit_test(NAME contract.windows.etw_calls SOURCES windows/test_etw_calls.c
    LIBRARIES berth_watchers berth_watchers_os TIMEOUT 60)
endif()
