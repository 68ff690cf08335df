berth_add_unit_test(NAME daemon.expand SOURCES test_expand.c LIBRARIES berth_daemon)
berth_add_unit_test(NAME daemon.settings SOURCES test_settings.c LIBRARIES berth_daemon TIMEOUT 120)
berth_add_unit_test(NAME daemon.settings_alerts SOURCES test_settings_alerts.c LIBRARIES berth_daemon)
berth_add_unit_test(NAME daemon.settings_memory SOURCES test_settings_memory.c
  LIBRARIES berth_daemon TIMEOUT 120)
if(BERTH_OS_FAMILY STREQUAL "posix")
  berth_add_unit_test(NAME daemon.settings_schema SOURCES test_settings_schema.c
    LIBRARIES berth_daemon)
  berth_add_unit_test(NAME daemon.settings_xml_memory SOURCES test_settings_xml_memory.c
    LIBRARIES berth_daemon TIMEOUT 300)
  # its children may end in libxml2 by a signal, which ThreadSanitizer turns into its own status
  set_tests_properties(daemon.settings_xml_memory PROPERTIES LABELS notsan)
endif()
