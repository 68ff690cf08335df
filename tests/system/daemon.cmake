# The real daemon: real sockets, real files, the machine's TCP table.
if(NOT WIN32)
  function(berth_add_daemon_test name source timeout)
    berth_add_unit_test(NAME system.${name} SOURCES ${source}
      LIBRARIES berth_system_support ${ARGN} TIMEOUT ${timeout})
  endfunction()

  berth_add_daemon_test(protocol test_protocol.c 120)
  berth_add_daemon_test(limits test_limits.c 240)
  berth_add_daemon_test(life test_life.c 240)
  berth_add_daemon_test(configuration test_configuration.c 120)
  berth_add_daemon_test(iis test_iis.c 300)
  berth_add_daemon_test(many test_many.c 240 Berth::uv)
  berth_add_daemon_test(roles posix/test_roles.c 120)
endif()
if(BERTH_PLATFORM STREQUAL "linux")
  berth_add_daemon_test(tcp linux/test_tcp.c 120)
endif()
