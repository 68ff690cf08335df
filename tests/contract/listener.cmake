# The endpoint's contract on this platform's listener; what only a pipe has.
berth_add_unit_test(NAME contract.listener
  SOURCES test_listener_contract.c listener_contract.c ${BERTH_OS_FAMILY}/listener_world.c
  LIBRARIES berth_daemon TIMEOUT 120)
if(WIN32)
  berth_add_unit_test(NAME contract.listener.pipe
    SOURCES windows/test_pipe.c windows/listener_world.c ${PROJECT_SOURCE_DIR}/tests/support/windows/dacl.c
    LIBRARIES berth_daemon TIMEOUT 120)
endif()
