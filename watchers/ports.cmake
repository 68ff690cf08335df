# How the answers of Windows' TCP table are read needs no Windows.
add_library(berth_watchers_tcp_reader STATIC windows/tcp_reader.c windows/tcp_reader.h
  windows/tcp_rows.c windows/tcp_rows.h)
target_link_libraries(berth_watchers_tcp_reader PUBLIC berth_allocator)
