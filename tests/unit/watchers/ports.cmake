# Tests of what else holds ports: http.sys, excluded ranges, Windows' TCP table as far as it is pure.
foreach(module IN ITEMS url_prefix netsh_text poll_watcher http_sys excluded run_command)
  berth_add_unit_test(NAME watchers.${module} SOURCES test_${module}.c LIBRARIES berth_watchers)
endforeach()
foreach(module IN ITEMS tcp_rows tcp_reader)
  berth_add_unit_test(NAME watchers.windows.${module} SOURCES windows/pure/test_${module}.c
    LIBRARIES berth_watchers_tcp_reader)
endforeach()
if(BERTH_PLATFORM STREQUAL "windows")
  berth_add_unit_test(NAME watchers.windows.iis_watch_plan SOURCES windows/test_iis_watch_plan.c
    LIBRARIES berth_watchers)
endif()
