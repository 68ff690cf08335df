# Builds for Windows (x86_64) with Debian's gcc-mingw-w64 and the libraries of scripts/mingw/libraries.
# BERTH_MINGW_PREFIX: where those are; asked of the script when not given.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(berth_target x86_64-w64-mingw32)

# -posix: the threads of libuv and of the tests are pthreads'
set(CMAKE_C_COMPILER ${berth_target}-gcc-posix)
set(CMAKE_RC_COMPILER ${berth_target}-windres)
set(CMAKE_AR ${berth_target}-gcc-ar-posix CACHE FILEPATH "")
set(CMAKE_RANLIB ${berth_target}-gcc-ranlib-posix CACHE FILEPATH "")

if(NOT BERTH_MINGW_PREFIX)
  execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/../scripts/mingw/libraries" --prefix
    OUTPUT_VARIABLE BERTH_MINGW_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BERTH_MINGW_PREFIX)

# Nothing of this machine's own headers and libraries may be found.
set(CMAKE_FIND_ROOT_PATH "${BERTH_MINGW_PREFIX}" /usr/${berth_target})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# One file, without the compiler's run-time DLLs beside it.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")

# Programs of the build (tests) run in Wine; see scripts/wine/session.
set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/../scripts/wine/run")
