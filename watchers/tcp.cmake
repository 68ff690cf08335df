# The TCP watcher.
#
# berth_watchers holds what is the same everywhere. What asks the operating system (tcp_table.h,
# tcp_events.h, host_facts.h) is one of two object libraries with the same symbols, of which a program names one
# besides berth_watchers: berth_watchers_os (the daemon, and tests on the real system) or
# berth_watchers_fake (tests with a script). They are object libraries so that the order in which a
# program names its libraries does not matter; a static library must not name them, a program must.
target_sources(berth_watchers PRIVATE
  default_watchers.h host_facts.h overdue.c overdue.h tcp_event_meter.c tcp_event_queue.c tcp_events.c tcp_evidence.c tcp_evidence.h
  tcp_events.h tcp_marks.c
  tcp_schedule.c tcp_schedule.h tcp_table.h tcp_watcher.c tcp_watcher.h tcp_watcher_events.c
  tcp_watcher_private.h)

add_library(berth_watchers_os OBJECT host_facts.h tcp_events.h tcp_table.h)
set_target_properties(berth_watchers_os PROPERTIES LINKER_LANGUAGE C)
target_link_libraries(berth_watchers_os PUBLIC berth_allocator Berth::uv)

add_library(berth_watchers_fake OBJECT EXCLUDE_FROM_ALL fake/default_watchers.c
  fake/host_facts.c fake/port_probe.c fake/tcp_events.c fake/tcp_table.c)
target_link_libraries(berth_watchers_fake PUBLIC berth_allocator Berth::uv)
