# The libraries on Windows, static: from vcpkg where its toolchain file is in use (vcpkg.json), else from a
# folder with include/ and lib/, as scripts/mingw/libraries makes one.

# berth_library(NAME file-name… HEADER header [FOLDER include-folder] [DEFINE definition] [SYSTEM library…])
# Makes Berth::NAME of a static library and the system libraries that it calls.
function(berth_library name)
  cmake_parse_arguments(L "" "HEADER;FOLDER;DEFINE" "FILES;SYSTEM" ${ARGN})
  # not kept in the cache: the folder is another one when a library is
  find_path(include "${L_HEADER}" PATH_SUFFIXES ${L_FOLDER} NO_CACHE REQUIRED)
  find_library(library NAMES ${L_FILES} NO_CACHE REQUIRED)
  add_library(Berth::${name} STATIC IMPORTED GLOBAL)
  set_target_properties(Berth::${name} PROPERTIES
    IMPORTED_LOCATION "${library}"
    INTERFACE_INCLUDE_DIRECTORIES "${include}"
    INTERFACE_COMPILE_DEFINITIONS "${L_DEFINE}"
    INTERFACE_LINK_LIBRARIES "${L_SYSTEM}")
endfunction()

if(VCPKG_TARGET_TRIPLET)
  # vcpkg's own packages know which of their libraries is for Debug and which for Release.
  find_package(libuv CONFIG REQUIRED)
  find_package(LibXml2 REQUIRED)
  find_package(jansson CONFIG REQUIRED)
  find_package(unofficial-sqlite3 CONFIG REQUIRED)
  set(berth_uv $<IF:$<TARGET_EXISTS:libuv::uv_a>,libuv::uv_a,libuv::uv>)
  set(berth_xml LibXml2::LibXml2)
  set(berth_json jansson::jansson)
  set(berth_sqlite unofficial::sqlite3::sqlite3)
  set(berth_names uv xml json sqlite)
  if(BUILD_TESTING)
    find_package(cmocka CONFIG REQUIRED)
    set(berth_cmocka cmocka::cmocka)
    list(APPEND berth_names cmocka)
  endif()
  foreach(name IN LISTS berth_names)
    add_library(Berth::${name} INTERFACE IMPORTED GLOBAL)
    target_link_libraries(Berth::${name} INTERFACE ${berth_${name}})
  endforeach()
else()
  berth_library(uv FILES uv uv_a HEADER uv.h
    SYSTEM psapi user32 advapi32 iphlpapi userenv ws2_32 dbghelp ole32 uuid)
  berth_library(xml FILES xml2 libxml2 HEADER libxml/parser.h FOLDER libxml2 DEFINE LIBXML_STATIC SYSTEM ws2_32)
  berth_library(json FILES jansson HEADER jansson.h)
  berth_library(sqlite FILES sqlite3 HEADER sqlite3.h)
  if(BUILD_TESTING)
    berth_library(cmocka FILES cmocka HEADER cmocka.h)
  endif()
endif()
