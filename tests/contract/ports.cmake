# The watcher contract for what else holds ports, over scripted systems; the bind probe on the real one.
foreach(watcher IN ITEMS http excluded)
  berth_add_unit_test(NAME contract.${watcher}_watcher SOURCES test_${watcher}_watcher_contract.c
    LIBRARIES berth_watcher_contract TIMEOUT 60)
endforeach()
berth_add_unit_test(NAME contract.port_probe SOURCES test_port_probe_contract.c
  LIBRARIES berth_watchers berth_watchers_os)
if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_unit_test(NAME contract.port_probe.linux_only SOURCES linux/test_port_probe.c
    LIBRARIES berth_watchers berth_watchers_os)
endif()
if(BERTH_PLATFORM STREQUAL "windows")
  # What Windows has and Wine stands in for: docs/windows.md says what each one has shown.
  foreach(module IN ITEMS http_calls iis_writing system_ports tcp_calls)
    berth_add_unit_test(NAME contract.windows.${module} SOURCES windows/test_${module}.c
      LIBRARIES berth_watchers berth_watchers_os TIMEOUT 180)
  endforeach()
  add_executable(http_server_process windows/http_server_process.c)
  target_link_libraries(http_server_process PRIVATE httpapi ws2_32)
  set_target_properties(http_server_process PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_dependencies(test_contract_windows_system_ports http_server_process)
endif()
