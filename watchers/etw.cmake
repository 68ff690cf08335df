# Windows's event tracing (ETW). All but the calls to Windows is the same everywhere, and tested everywhere.
add_library(berth_watchers_etw STATIC
  windows/etw_calibration.c windows/etw_calibration.h windows/etw_calls.h windows/etw_event.c
  windows/etw_event.h windows/etw_session.c windows/etw_session.h windows/etw_tcp_source.c
  windows/etw_tcp_source.h windows/etw_tcpip.c
  windows/etw_tcpip.h windows/etw_trouble.c windows/etw_trouble.h windows/etw_volume.c
  windows/etw_volume.h)
target_link_libraries(berth_watchers_etw PUBLIC berth_watchers berth_allocator Berth::uv)
