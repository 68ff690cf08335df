# The lease store.
target_sources(berth_daemon PRIVATE
  store.c
  store.h
  store_failure.c
  store_files.c
  store_gather.c
  store_history.c
  store_internal.h
  store_mark.c
  store_memory.c
  store_record.c
  store_schema.c
  store_sync.c)
target_link_libraries(berth_daemon PUBLIC Berth::sqlite)
