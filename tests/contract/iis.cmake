# The watcher contract, for the IIS watcher and for the fake one. Other watchers use the suite too.
add_library(berth_watcher_contract STATIC watcher_contract.c)
target_link_libraries(berth_watcher_contract PUBLIC berth_watchers berth_test_support)
target_include_directories(berth_watcher_contract INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}")

set(watchers fake)
if(BERTH_WATCHERS_COMPLETE)
  list(APPEND watchers iis)
endif()
foreach(watcher IN LISTS watchers)
  berth_add_unit_test(NAME contract.${watcher}_watcher SOURCES test_${watcher}_watcher_contract.c
    LIBRARIES berth_watcher_contract TIMEOUT 60)
endforeach()
