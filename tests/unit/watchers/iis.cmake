# Tests of the IIS watcher and its parsers.
set(iis_parser_tests iis_binding iis_strings iis_sites iis_effective)
foreach(module IN LISTS iis_parser_tests)
  berth_add_unit_test(NAME watchers.${module} SOURCES test_${module}.c
    LIBRARIES berth_watchers_parsers)
endforeach()
if(NOT BERTH_WATCHERS_COMPLETE)
  return()
endif()
foreach(module IN ITEMS file_read iis_config iis_watch_plan iis_look iis_watcher)
  berth_add_unit_test(NAME watchers.${module} SOURCES test_${module}.c LIBRARIES berth_watchers
    TIMEOUT 120)
endforeach()
berth_add_unit_test(NAME watchers.file_read.${BERTH_OS_FAMILY}
  SOURCES ${BERTH_OS_FAMILY}/test_file_read.c LIBRARIES berth_watchers)
# A program of its own, since libxml2's allocator is one for the whole process.
berth_add_unit_test(NAME watchers.iis_xml_memory SOURCES test_iis_xml_memory.c
  LIBRARIES berth_watchers TIMEOUT 120)

add_executable(iis_dump "${PROJECT_SOURCE_DIR}/tests/support/iis_dump.c")
target_link_libraries(iis_dump PRIVATE berth_watchers)
set_target_properties(iis_dump PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
add_test(NAME system.iis_compare COMMAND "${PROJECT_SOURCE_DIR}/tests/system/compare_samples.sh"
  $<TARGET_FILE:iis_dump> "${PROJECT_SOURCE_DIR}/tests/data/iis" ${CMAKE_CROSSCOMPILING_EMULATOR})
set_tests_properties(system.iis_compare PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
