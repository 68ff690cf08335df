# The bind probe on the real system.
if(NOT BERTH_WATCHERS_COMPLETE)
  return()
endif()
berth_add_unit_test(NAME contract.port_probe SOURCES test_port_probe_contract.c
  LIBRARIES berth_watchers berth_watchers_os)
if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_unit_test(NAME contract.port_probe.linux_only SOURCES linux/test_port_probe.c
    LIBRARIES berth_watchers berth_watchers_os)
endif()
