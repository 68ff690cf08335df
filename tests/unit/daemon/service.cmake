# The service of Windows at the boundary of Windows's calls.
if(WIN32)
  berth_add_unit_test(NAME daemon.service_control SOURCES windows/test_service_control.c
    LIBRARIES berth_daemon)
  berth_add_unit_test(NAME daemon.service_setup
    SOURCES windows/test_service_setup.c windows/fake_manager.c LIBRARIES berth_daemon)
  berth_add_unit_test(NAME daemon.service_rights
    SOURCES windows/test_service_rights.c windows/fake_manager.c LIBRARIES berth_daemon bcrypt)
  berth_add_unit_test(NAME daemon.service_purge SOURCES windows/test_service_purge.c
    LIBRARIES berth_daemon)
  berth_add_unit_test(NAME daemon.windows_system_log SOURCES windows/test_system_log.c LIBRARIES berth_daemon)
  berth_add_unit_test(NAME daemon.command_line SOURCES windows/test_command_line.c
    LIBRARIES berth_daemon shell32)
endif()
# The programs themselves, as they were built.
if(WIN32 AND TARGET berthd AND TARGET berth)
  berth_add_unit_test(NAME daemon.resources SOURCES windows/test_resources.c
    LIBRARIES berth_daemon version)
  target_compile_definitions(test_daemon_resources PRIVATE
    TEST_BERTHD=L"$<TARGET_FILE:berthd>" TEST_BERTH=L"$<TARGET_FILE:berth>")
  add_dependencies(test_daemon_resources berthd berth)
endif()
