# Hints: how they reach the loop.
foreach(module IN ITEMS hint_pace hint_queue)
  berth_add_unit_test(NAME unit.watchers.${module} SOURCES test_${module}.c LIBRARIES berth_watchers)
endforeach()
