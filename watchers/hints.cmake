# Hints: what the operating system tells of sources other than the TCP table (source_hints.h). How
# they reach the loop is the same everywhere.
target_sources(berth_watchers PRIVATE
  hint_pace.c hint_pace.h hint_queue.c hint_queue.h source_hints.c source_hints.h)
if(BERTH_PLATFORM STREQUAL "linux")
  target_sources(berth_watchers_os PRIVATE linux/source_hints.c)
endif()
target_sources(berth_watchers_fake PRIVATE fake/source_hints.c)
