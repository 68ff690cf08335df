# Hints: how they reach the loop, what Windows' events mean, the life of subscriptions to WMI.
foreach(module IN ITEMS hint_pace hint_queue)
  berth_add_unit_test(NAME unit.watchers.${module} SOURCES test_${module}.c LIBRARIES berth_watchers)
endforeach()
foreach(module IN ITEMS hint_rules wmi_events)
  berth_add_unit_test(NAME watchers.windows.${module} SOURCES windows/pure/test_${module}.c
    LIBRARIES berth_watchers_hints berth_watchers)
endforeach()
# a WMI that hangs is left to its thread, which nobody can wait for
set_tests_properties(watchers.windows.wmi_events PROPERTIES
  ENVIRONMENT "TSAN_OPTIONS=exitcode=86:report_thread_leaks=0")
berth_add_unit_test(NAME watchers.windows.hint_session SOURCES windows/pure/test_hint_session.c
  LIBRARIES berth_fake_etw berth_watchers_hints TIMEOUT 60)
