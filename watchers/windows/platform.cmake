# What the watchers ask of Windows: files (berth_watchers) and all else (berth_watchers_os).
target_sources(berth_watchers PRIVATE windows/file_read.c)
target_sources(berth_watchers_os PRIVATE
  windows/default_watchers.c windows/dynamic_range.c windows/etw_calls.c windows/excluded.c
  windows/host_facts.c windows/http_sys.c windows/netsh.c windows/port_probe.c windows/process.c
  windows/tcp_calls.c windows/tcp_events.c windows/tcp_table.c windows/wmi_calls.c)
target_link_libraries(berth_watchers_os PUBLIC berth_watchers_etw berth_watchers_hints berth_watchers_tcp_reader
  ws2_32 iphlpapi advapi32 ole32 oleaut32 wbemuuid uuid)
set(BERTH_WATCHERS_COMPLETE ON)
