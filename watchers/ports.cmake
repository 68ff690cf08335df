# What else holds ports: http.sys and excluded ranges. All but the questions to the system is the same
# everywhere, and tested everywhere.
target_sources(berth_watchers PRIVATE
  claim_list.c claim_list.h excluded.c excluded.h http_sys.c http_sys.h netsh_text.c netsh_text.h
  poll_watcher.c poll_watcher.h run_command.c run_command.h spawn.c spawn.h url_prefix.c url_prefix.h)

# How the answers of Windows' TCP table are read needs no Windows.
add_library(berth_watchers_tcp_reader STATIC windows/tcp_reader.c windows/tcp_reader.h
  windows/tcp_rows.c windows/tcp_rows.h)
target_link_libraries(berth_watchers_tcp_reader PUBLIC berth_allocator)
