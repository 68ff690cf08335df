# The IIS watcher. Its parsers are a library of their own: pure C over libxml2, for every platform.
add_library(berth_watchers_parsers STATIC
  iis_binding.c iis_effective.c iis_sites.c iis_strings.c)
target_link_libraries(berth_watchers_parsers PUBLIC berth_allocator Berth::xml)

target_sources(berth_watchers PRIVATE
  fake/fake_watcher.c file_hash.c iis_config.c iis_look.c iis_watch_plan.c
  iis_watcher.c)
target_link_libraries(berth_watchers PUBLIC berth_watchers_parsers)
