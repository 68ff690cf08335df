# Helpers that declare tests.

# berth_add_unit_test(NAME dotted.name SOURCES file.c… [LIBRARIES target…] [TIMEOUT seconds]
#                     [ARGS argument…])
# One cmocka program; exit status 77 is a skip. TEST_DATA is the folder of the fixtures.
function(berth_add_unit_test)
  cmake_parse_arguments(T "" "NAME;TIMEOUT" "SOURCES;LIBRARIES;ARGS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 60)
  endif()
  string(REPLACE "." "_" target "test_${T_NAME}")
  add_executable(${target} ${T_SOURCES})
  target_link_libraries(${target} PRIVATE berth_test_support ${T_LIBRARIES} Berth::cmocka)
  target_compile_definitions(${target} PRIVATE
    TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data" TEST_SOURCE_ROOT="${PROJECT_SOURCE_DIR}")
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME ${T_NAME} COMMAND ${target} ${T_ARGS})
  # those that may take long begin first, so that none is left to run alone at the end
  set_tests_properties(${T_NAME} PROPERTIES TIMEOUT ${T_TIMEOUT} COST ${T_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()

# berth_add_fuzzer(NAME name SOURCES file.c… LIBRARIES target…)
# With BERTH_FUZZ a libFuzzer program fuzz_NAME; without it a program of the same name that runs
# the corpus tests/fuzz/corpora/NAME as an ordinary test.
function(berth_add_fuzzer)
  cmake_parse_arguments(T "" "NAME" "SOURCES;LIBRARIES" ${ARGN})
  set(target fuzz_${T_NAME})
  add_executable(${target} ${T_SOURCES})
  target_link_libraries(${target} PRIVATE ${T_LIBRARIES})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
  set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpora/${T_NAME}")
  if(BERTH_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${T_NAME} COMMAND ${target} -runs=0 "${corpus}")
  else()
    target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.c")
    add_test(NAME fuzz.${T_NAME} COMMAND ${target} "${corpus}")
  endif()
  set_tests_properties(fuzz.${T_NAME} PROPERTIES TIMEOUT 60 LABELS fuzz)
endfunction()
