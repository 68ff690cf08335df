# System tests of the program `berth` against a scripted server.
add_executable(scripted_server "${PROJECT_SOURCE_DIR}/tests/support/scripted_server_main.c")
target_link_libraries(scripted_server PRIVATE berth_scripted_server)
set_target_properties(scripted_server PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
add_test(NAME system.cli_against_script
  COMMAND "${PROJECT_SOURCE_DIR}/tests/system/cli_against_script.sh"
    $<TARGET_FILE:berth> $<TARGET_FILE:scripted_server> ${CMAKE_CROSSCOMPILING_EMULATOR})
add_test(NAME system.cli_completion
  COMMAND "${PROJECT_SOURCE_DIR}/tests/system/cli_completion.sh"
    "${PROJECT_SOURCE_DIR}/completions/berth.bash")
set_tests_properties(system.cli_against_script system.cli_completion PROPERTIES
  TIMEOUT 200 SKIP_RETURN_CODE 77)
