# Puts a file into a program as an array of bytes.
#
# berth_embed_file(target file symbol)
#   Adds to the target, at build time, a C file that defines
#     const unsigned char SYMBOL[];          the file's bytes and a NUL behind them
#     const size_t SYMBOL_length;            without the NUL
#   Whoever uses them declares them himself. The array is made again when the file changes.
#
# The same file is the script that writes the array: cmake -D INPUT=… -D OUTPUT=… -D SYMBOL=… -P

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  file(READ "${INPUT}" bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  # 16 bytes a line
  string(REGEX REPLACE "((0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)?(0x[0-9a-f][0-9a-f],)?(0x[0-9a-f][0-9a-f],)?(0x[0-9a-f][0-9a-f],)?(0x[0-9a-f][0-9a-f],)?(0x[0-9a-f][0-9a-f],)?(0x[0-9a-f][0-9a-f],)?)"
    "    \\1\n" bytes "${bytes}")
  get_filename_component(name "${INPUT}" NAME)
  file(WRITE "${OUTPUT}.new" "/* ${name}, as bytes: made by cmake/EmbedFile.cmake */
#include <stddef.h>

extern const unsigned char ${SYMBOL}[];
extern const size_t ${SYMBOL}_length;

const unsigned char ${SYMBOL}[] = {
${bytes}    0x00};
const size_t ${SYMBOL}_length = sizeof ${SYMBOL} - 1;
")
  file(RENAME "${OUTPUT}.new" "${OUTPUT}")
  return()
endif()

set(BERTH_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

function(berth_embed_file target file symbol)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c")
  add_custom_command(OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" -D "INPUT=${file}" -D "OUTPUT=${output}" -D "SYMBOL=${symbol}"
      -P "${BERTH_EMBED_SCRIPT}"
    DEPENDS "${file}" "${BERTH_EMBED_SCRIPT}"
    COMMENT "Embedding ${symbol}"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}")
endfunction()
