# The contract of hints, on the fake ones and, where there are any, on the real ones.
berth_add_unit_test(NAME contract.source_hints.fake
  SOURCES test_source_hints_contract.c source_hints_contract.c fake/source_hints_world.c
  LIBRARIES berth_watchers berth_watchers_fake)
if(BERTH_PLATFORM STREQUAL "windows")
  berth_add_unit_test(NAME contract.source_hints.windows
    SOURCES test_source_hints_contract.c source_hints_contract.c windows/source_hints_world.c
    LIBRARIES berth_watchers berth_watchers_os TIMEOUT 120)
endif()
