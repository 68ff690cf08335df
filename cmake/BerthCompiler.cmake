# Language level, warnings and sanitizers for every target of the project.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
endif()

option(BERTH_WERROR "Treat warnings as errors" OFF)
set(BERTH_SANITIZER "" CACHE STRING "Sanitizers, as in -fsanitize=: address,undefined or thread")
option(BERTH_FUZZ "Build the fuzz targets with libFuzzer (needs clang)" OFF)
option(BERTH_COVERAGE "Instrument for coverage" OFF)

if(MSVC)
  add_compile_options(/W4 /utf-8)
  if(BERTH_WERROR)
    add_compile_options(/WX)
  endif()
else()
  add_compile_options(-pedantic -Wall -Wextra -Wconversion -Wsign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wshadow -Wpointer-arith -Wcast-qual -Wundef -Wvla -Wformat=2
    -fno-common -fstack-protector-strong)
  if(BERTH_WERROR)
    add_compile_options(-Werror)
  endif()
endif()

if(WIN32)
  # Windows 10 and Server 2016 at least. LEAN: winsock2.h need not come before windows.h.
  add_compile_definitions(_WIN32_WINNT=0x0A00 WINVER=0x0A00 WIN32_LEAN_AND_MEAN NOMINMAX)
  if(MINGW)
    add_compile_definitions(__USE_MINGW_ANSI_STDIO=1)
    add_link_options(-fstack-protector-strong) # adds libssp
  endif()
endif()

# A fuzz build instruments every file for coverage guidance; only the fuzz targets link libFuzzer.
if(BERTH_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(BERTH_SANITIZER)
  add_compile_options(-fsanitize=${BERTH_SANITIZER} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${BERTH_SANITIZER})
elseif(NOT WIN32 AND NOT MSVC)
  add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(BERTH_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# Which folders of each component hold this platform's code: its own one, and that of its family.
if(WIN32)
  set(BERTH_PLATFORM windows)
  set(BERTH_OS_FAMILY windows)
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(BERTH_PLATFORM linux)
  set(BERTH_OS_FAMILY posix)
else()
  message(FATAL_ERROR "Berth runs on Windows and Linux; there is no platform folder for "
    "${CMAKE_SYSTEM_NAME}.")
endif()
