foreach(module address_overlap conflict_rules conflict_book conflict_watch)
  berth_add_unit_test(NAME allocator.${module} SOURCES test_${module}.c LIBRARIES berth_allocator)
endforeach()
berth_add_unit_test(NAME allocator.conflict_model SOURCES test_conflict_model.c
  LIBRARIES berth_allocator TIMEOUT 120)
