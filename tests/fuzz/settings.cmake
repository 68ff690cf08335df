berth_add_fuzzer(NAME settings SOURCES fuzz_settings.c LIBRARIES berth_daemon)
