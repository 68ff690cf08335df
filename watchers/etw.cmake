# Windows's event tracing (ETW). All but the calls to Windows is the same everywhere, and tested everywhere.
add_library(berth_watchers_etw STATIC
  windows/etw_calls.h windows/etw_event.c windows/etw_event.h windows/etw_session.c
  windows/etw_session.h windows/etw_trouble.c windows/etw_trouble.h)
target_link_libraries(berth_watchers_etw PUBLIC berth_allocator Berth::uv)
