# The libraries, each as an imported target: Berth::uv, Berth::xml, Berth::json, Berth::sqlite, Berth::cmocka.

find_package(PkgConfig REQUIRED)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv>=1.44)
pkg_check_modules(XML REQUIRED IMPORTED_TARGET libxml-2.0>=2.9.10)
pkg_check_modules(JSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37)
if(NOT WIN32)
  # uv.h needs pthread_rwlock_t and the like, which -std=c11 alone hides. Defined as empty, so that a
  # platform file's own "#define _GNU_SOURCE" says the same thing.
  target_compile_options(PkgConfig::UV INTERFACE -D_GNU_SOURCE=)
endif()
add_library(Berth::uv ALIAS PkgConfig::UV)
add_library(Berth::xml ALIAS PkgConfig::XML)
add_library(Berth::json ALIAS PkgConfig::JSON)
add_library(Berth::sqlite ALIAS PkgConfig::SQLITE)
if(BUILD_TESTING)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka>=1.1)
  add_library(Berth::cmocka ALIAS PkgConfig::CMOCKA)
endif()
