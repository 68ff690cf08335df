# Hints: what the operating system tells of sources other than the TCP table (source_hints.h). How
# they reach the loop is the same everywhere, and so is what is made of the events of Windows.
target_sources(berth_watchers PRIVATE
  hint_pace.c hint_pace.h hint_queue.c hint_queue.h source_hints.c source_hints.h)
target_sources(berth_watchers_os PRIVATE ${BERTH_PLATFORM}/source_hints.c)
target_sources(berth_watchers_fake PRIVATE fake/source_hints.c)

add_library(berth_watchers_hints STATIC
  windows/hint_rules.c windows/hint_rules.h windows/hint_session.c windows/hint_session.h
  windows/wmi_events.c windows/wmi_events.h)
target_link_libraries(berth_watchers_hints PUBLIC berth_watchers_etw berth_watchers Berth::uv)
