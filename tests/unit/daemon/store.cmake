# The lease store. Its tests look at files, kill processes and run out of disk as Unix has it.
if(NOT WIN32)
  berth_add_unit_test(NAME daemon.store SOURCES test_store.c LIBRARIES berth_daemon TIMEOUT 120)
  berth_add_unit_test(NAME daemon.store_calendar SOURCES test_store_calendar.c LIBRARIES berth_daemon)
  berth_add_unit_test(NAME daemon.store_outcomes SOURCES test_store_outcomes.c
    LIBRARIES berth_daemon TIMEOUT 300)
  berth_add_unit_test(NAME daemon.store_faults SOURCES test_store_faults.c store_disk.c
    LIBRARIES berth_daemon TIMEOUT 300)
  berth_add_unit_test(NAME daemon.store_crash SOURCES test_store_crash.c store_disk.c
    LIBRARIES berth_daemon TIMEOUT 300)
  foreach(module lease_keeper lease_upkeep store_gather)
    berth_add_unit_test(NAME daemon.${module} SOURCES test_${module}.c store_disk.c
      LIBRARIES berth_daemon TIMEOUT 300)
  endforeach()
  # These play the disk's faults, thousands of times: what the real one takes to sync shows nothing.
  if(IS_DIRECTORY /dev/shm)
    set_tests_properties(daemon.store_faults daemon.lease_keeper daemon.lease_upkeep PROPERTIES
      ENVIRONMENT TMPDIR=/dev/shm)
  endif()
endif()
