# The contract of hints, on the fake ones.
berth_add_unit_test(NAME contract.source_hints.fake
  SOURCES test_source_hints_contract.c source_hints_contract.c fake/source_hints_world.c
  LIBRARIES berth_watchers berth_watchers_fake)
