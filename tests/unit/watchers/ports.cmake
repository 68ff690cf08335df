# Windows' TCP table as far as it is pure.
foreach(module IN ITEMS tcp_rows tcp_reader)
  berth_add_unit_test(NAME watchers.windows.${module} SOURCES windows/pure/test_${module}.c
    LIBRARIES berth_watchers_tcp_reader)
endforeach()
