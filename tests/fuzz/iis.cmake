# Fuzz targets of the IIS watcher's parsers.
berth_add_fuzzer(NAME iis_binding SOURCES fuzz_iis_binding.c LIBRARIES berth_watchers_parsers)
if(BERTH_WATCHERS_COMPLETE)
  berth_add_fuzzer(NAME iis_config SOURCES fuzz_iis_config.c LIBRARIES berth_watchers)
endif()
