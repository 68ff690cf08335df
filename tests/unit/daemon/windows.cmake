# What the daemon has for Windows: the parts without a Windows call everywhere, the others there.
set(windows_sources ${PROJECT_SOURCE_DIR}/daemon/windows)
if(NOT WIN32)
  set(sid ${windows_sources}/sid.c)
  set(pipe_sddl ${windows_sources}/pipe_sddl.c ${sid})
endif()
foreach(module pipe_sddl sid)
  berth_add_unit_test(NAME daemon.windows.${module} SOURCES windows/test_${module}.c ${${module}}
    LIBRARIES berth_daemon)
endforeach()
if(WIN32)
  foreach(module accounts places)
    berth_add_unit_test(NAME daemon.windows.${module} SOURCES windows/test_${module}.c
      LIBRARIES berth_daemon)
  endforeach()
  berth_add_unit_test(NAME daemon.windows.folder
    SOURCES windows/test_folder.c ${PROJECT_SOURCE_DIR}/tests/support/windows/dacl.c LIBRARIES berth_daemon)
endif()
