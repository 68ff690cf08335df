/* SPDX-License-Identifier: MIT */
/* Error codes, the tokens by which they are known outside, and the struct that carries one with its
 * circumstances from where it was born to where it is told. */
#ifndef BERTH_BASE_ERROR_H
#define BERTH_BASE_ERROR_H

#include "compiler.h"

/* symbol, wire token (stable: scripts test it), JSON-RPC code, text.
 * The tokens and their meaning are documented in docs/protocol.md; a test holds the two together.
 */
#define BERTH_ERROR_MAP(X)                                                                         \
    X(OK, "ok", 0, "done")                                                                         \
    X(POOL_EXHAUSTED, "pool_exhausted", -32001, "no free port is left where one was asked for")    \
    X(PORT_IN_USE, "port_in_use", -32002, "the port is in use")                                    \
    X(OUT_OF_RANGE, "out_of_range", -32003, "the port or range lies outside every pool")           \
    X(NOT_READY, "not_ready", -32004, "a source has not delivered its first snapshot yet")         \
    X(NOT_FOUND, "not_found", -32005, "there is nothing of that name")                             \
    X(DENIED, "denied", -32006, "the caller may not do that")                                      \
    X(LIMIT_REACHED, "limit_reached", -32007, "a configured limit is reached")                     \
    X(TOO_LARGE, "too_large", -32008, "larger or deeper than accepted")                            \
    X(BUSY, "busy", -32009, "too much is going on, try again")                                     \
    X(NOT_SUPPORTED, "not_supported", -32010, "not supported here")                                \
    X(STORE_FAILED, "store_failed", -32011, "the lease store failed")                              \
    X(INVALID_PARAMS, "invalid_params", -32602, "the parameters are not of the expected form")     \
    X(INVALID_REQUEST, "invalid_params", -32600, "not a JSON-RPC 2.0 request")                     \
    X(PARSE_ERROR, "invalid_params", -32700, "not JSON")                                           \
    X(UNKNOWN_METHOD, "not_supported", -32601, "there is no such method")                          \
    X(INTERNAL, "internal", -32603, "an internal error")                                           \
    X(NO_MEMORY, "internal", -32603, "out of memory")                                              \
    X(IO, "internal", -32603, "the operating system refused")                                      \
    X(MALFORMED, "invalid_params", -32602, "the input is damaged")                                 \
    X(UNSTABLE, "internal", -32603, "the input changed while it was read")

enum berth_code {
#define BERTH_ERROR_SYMBOL(symbol, token, number, text) BERTH_##symbol,
    BERTH_ERROR_MAP(BERTH_ERROR_SYMBOL)
#undef BERTH_ERROR_SYMBOL
        BERTH_CODE_COUNT
};

/** An error and what was going on. Filled where the error is born, passed up unchanged. */
struct berth_error {
    enum berth_code code;
    int os_code;      /* errno, a Win32 code or a negative libuv code; 0: none */
    char detail[480]; /* a sentence without the final stop; UTF-8; never empty on error */
};

/** Gives the stable token of a code, as it stands in `data.reason` of a JSON-RPC error.
 *  @return a string constant; "internal" for a value that is no code  @thread any  @blocks no */
const char *berth_code_token(enum berth_code code);

/** Gives the JSON-RPC error number of a code (0 for BERTH_OK).  @thread any  @blocks no */
int berth_code_number(enum berth_code code);

/** Gives a short English text for a code.  @return a string constant  @thread any  @blocks no */
const char *berth_code_text(enum berth_code code);

/** Fills an error and gives its code back, so that a function can `return berth_fail(…)`.
 *  @param[out] err      may be NULL: then only the code is returned
 *  @param[in]  os_code  the operating system's or libuv's code, 0 for none
 *  @param[in]  format   printf format of the detail; cut off at the size of `detail`, never inside
 *                       a UTF-8 sequence
 *  @return `code`; errno is as before  @thread any  @blocks no */
enum berth_code berth_fail(struct berth_error *err, enum berth_code code, int os_code,
                           const char *format, ...) BERTH_PRINTF(4, 5);

/** The same for memory that could not be had; `what` names what it was for. */
enum berth_code berth_fail_memory(struct berth_error *err, const char *what);

/** Puts "context: " before the detail that `err` holds already. NULL is accepted. */
void berth_error_prefix(struct berth_error *err, const char *format, ...) BERTH_PRINTF(2, 3);

#endif
