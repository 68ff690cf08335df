# The real daemon: real endpoints, real files, the machine's TCP table.
if(TARGET berthd)
  # These run side by side, and a daemon on Windows tries a port with a bind before it gives it, which
  # another daemon takes for a use of the port. So each program below has ports of its own:
  #   limits 24000  configuration 25000-27999  life 28000  iis 29000  adopt 30000  many 31000
  #   protocol 21000-23010  moving 19000  subscribe 18000; those of Linux and Unix alone share them
  function(berth_add_daemon_test name source timeout)
    berth_add_unit_test(NAME system.${name} SOURCES ${source}
      LIBRARIES berth_system_support ${ARGN} TIMEOUT ${timeout})
  endfunction()

  berth_add_daemon_test(protocol test_protocol.c 120)
  berth_add_daemon_test(limits test_limits.c 240)
  berth_add_daemon_test(life test_life.c 240)
  berth_add_daemon_test(configuration test_configuration.c 120)
  berth_add_daemon_test(iis test_iis.c 300)
  berth_add_daemon_test(adopt test_adopt.c 120)
  berth_add_daemon_test(endpoint ${BERTH_OS_FAMILY}/test_endpoint.c 60)
  berth_add_daemon_test(many test_many.c 240 Berth::uv)
  if(CMAKE_CROSSCOMPILING)
    # each call takes 20 times as long in Wine
    set_tests_properties(system.many PROPERTIES ENVIRONMENT BERTH_TEST_ALLOCATIONS=20000)
  endif()
  berth_add_daemon_test(alert_command test_alert_command.c 240 Berth::uv)
  add_executable(on_alert "${PROJECT_SOURCE_DIR}/tests/support/on_alert.c")
  target_link_libraries(on_alert PRIVATE berth_base Berth::uv)
  set_target_properties(on_alert PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  berth_program(on_alert)
  add_dependencies(test_system_alert_command on_alert)
  berth_add_daemon_test(moving test_moving.c 120)
  berth_add_daemon_test(subscribe test_subscribe.c 240 Berth::uv)
  if(CMAKE_CROSSCOMPILING)
    # 64 clients of its own, and one that comes to take nothing for 10 s is closed: in Wine, where all of them wait
    # for one server, other tests beside it make that happen
    set_tests_properties(system.subscribe PROPERTIES RUN_SERIAL ON)
  endif()
  if(BERTH_OS_FAMILY STREQUAL "posix")
    berth_add_daemon_test(store test_store.c 240 Berth::sqlite)
    berth_add_daemon_test(kill test_kill.c 600 Berth::uv)
    berth_add_daemon_test(roles posix/test_roles.c 120)
  endif()
  if(BERTH_PLATFORM STREQUAL "windows")
    berth_add_daemon_test(events windows/test_events.c 120)
    berth_add_daemon_test(hints windows/test_hints.c 240)
  endif()
  if(BERTH_PLATFORM STREQUAL "linux")
    berth_add_daemon_test(tcp linux/test_tcp.c 120)
    berth_add_daemon_test(events linux/test_events.c 240)
    berth_add_daemon_test(soak linux/test_soak.c 600)
    berth_add_daemon_test(hold linux/test_hold.c 120)
    berth_add_daemon_test(alerts linux/test_alerts.c 240)
    # the kernel tells each of these of every socket of the machine, also of the thousands of another one
    set_tests_properties(system.events system.soak PROPERTIES RESOURCE_LOCK kernel_events)
    berth_add_daemon_test(hanging linux/test_hanging.c 240)
    add_library(hanging_open MODULE "${PROJECT_SOURCE_DIR}/tests/support/linux/hanging_open.c")
    target_compile_definitions(test_system_hanging PRIVATE HANGING_OPEN="$<TARGET_FILE:hanging_open>")
    add_dependencies(test_system_hanging hanging_open)
  endif()
endif()
