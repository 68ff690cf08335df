# What a Windows program has beside its code: a manifest, the version, and the texts of its events.
#
# berth_windows_resources(target DESCRIPTION text [MESSAGES file.mc])
#   MESSAGES: a message file for the Event Log, compiled by windmc or Microsoft's mc.
function(berth_windows_resources target)
  if(NOT WIN32)
    return()
  endif()
  cmake_parse_arguments(R "" "DESCRIPTION;MESSAGES" "" ${ARGN})
  set(NAME ${target})
  set(VERSION ${PROJECT_VERSION})
  set(DESCRIPTION "${R_DESCRIPTION}")
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/resources")
  set(source "${PROJECT_SOURCE_DIR}/packaging/windows")
  configure_file("${source}/program.manifest.in" "${folder}/${target}.manifest" @ONLY)
  configure_file("${source}/program.rc.in" "${folder}/${target}.rc" @ONLY)
  target_sources(${target} PRIVATE "${folder}/${target}.rc")
  set_property(SOURCE "${folder}/${target}.rc" APPEND PROPERTY OBJECT_DEPENDS "${folder}/${target}.manifest")
  set_property(SOURCE "${folder}/${target}.rc" APPEND PROPERTY INCLUDE_DIRECTORIES "${folder}")
  if(MSVC)
    target_link_options(${target} PRIVATE /MANIFEST:NO) # this one, not the linker's
  endif()
  if(R_MESSAGES)
    get_filename_component(name "${R_MESSAGES}" NAME_WE)
    find_program(BERTH_MESSAGE_COMPILER NAMES x86_64-w64-mingw32-windmc windmc mc REQUIRED)
    add_custom_command(OUTPUT "${folder}/${name}.rc"
      COMMAND "${BERTH_MESSAGE_COMPILER}" -h "${folder}" -r "${folder}" "${R_MESSAGES}"
      DEPENDS "${R_MESSAGES}" VERBATIM)
    target_sources(${target} PRIVATE "${folder}/${name}.rc")
    set_property(SOURCE "${folder}/${name}.rc" APPEND PROPERTY INCLUDE_DIRECTORIES "${folder}")
  endif()
endfunction()
