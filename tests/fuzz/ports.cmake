# Fuzz targets of what else holds ports: texts and tables of Windows.
berth_add_fuzzer(NAME url_prefix SOURCES fuzz_url_prefix.c LIBRARIES berth_watchers)
berth_add_fuzzer(NAME netsh_text SOURCES fuzz_netsh_text.c LIBRARIES berth_watchers)
berth_add_fuzzer(NAME tcp_rows SOURCES fuzz_tcp_rows.c LIBRARIES berth_watchers_tcp_reader)
