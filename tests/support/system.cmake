# What system tests share: the real daemon as a process, and a plain client of it.
if(TARGET berthd)
  set(system_support "${PROJECT_SOURCE_DIR}/tests/support")
  add_library(berth_system_support STATIC
    ${system_support}/daemon_process.c ${system_support}/test_client.c
    ${system_support}/${BERTH_OS_FAMILY}/system_platform.c)
  if(WIN32)
    target_sources(berth_system_support PRIVATE ${system_support}/windows/test_console.c)
  else()
    target_sources(berth_system_support PRIVATE
      ${system_support}/posix/as_user.c ${system_support}/${BERTH_PLATFORM}/die_with_parent.c
      ${system_support}/${BERTH_PLATFORM}/file_limit.c)
  endif()
  target_link_libraries(berth_system_support PUBLIC berth_test_support Berth::json)
  if(BERTH_PLATFORM STREQUAL "linux")
    target_sources(berth_system_support PRIVATE ${system_support}/linux/own_network.c)
    target_include_directories(berth_system_support PUBLIC ${system_support}/linux)
  endif()
  target_compile_definitions(berth_system_support PRIVATE BERTHD_PATH="$<TARGET_FILE:berthd>")
  add_dependencies(berth_system_support berthd)
endif()
