/* SPDX-License-Identifier: MIT */
/* The questions of http_sys.h to the real http.sys. */
#ifndef BERTH_WATCHERS_WINDOWS_HTTP_CALLS_H
#define BERTH_WATCHERS_WINDOWS_HTTP_CALLS_H

#include "watchers/http_sys.h"

#include <stddef.h>
#include <stdint.h>

/** What is called of httpapi.dll; tests give their own.
 *  @source Microsoft, http.h: HttpInitialize, HttpTerminate, HttpQueryServiceConfiguration */
struct berth_http_api {
    unsigned long(__stdcall *initialize)(uint32_t version, unsigned long flags, void *reserved);
    unsigned long(__stdcall *terminate)(unsigned long flags, void *reserved);
    unsigned long(__stdcall *query)(void *service, int id, void *question,
                                    unsigned long question_size, void *answer,
                                    unsigned long answer_size, unsigned long *returned,
                                    void *overlapped);
};

/** Gives the system's own; NULL: there is no httpapi.dll.  @thread any */
const struct berth_http_api *berth_http_api_real(void);

/** Makes the calls' context.
 *  @param[out] out  given back by the calls' `close`
 *  @param[in]  api  must outlive it; NULL: `begin` says that there is no http.sys
 *  @return BERTH_OK; BERTH_NO_MEMORY */
enum berth_code berth_http_calls_open(void **out, const struct berth_http_api *api,
                                      struct berth_error *err);

extern const struct berth_http_calls berth_http_calls;

/** Reads http.sys's IP listen list.
 *  @param[out] out    room for `room` addresses; set only on BERTH_OK
 *  @param[out] count  how many there are, at most `room`; 0: http.sys listens on all
 *  @return BERTH_OK, also where there is no http.sys; BERTH_TOO_LARGE: more than `room`; BERTH_IO;
 *          BERTH_NO_MEMORY  @thread any  @blocks for a system call */
enum berth_code berth_http_listen_list(const struct berth_http_api *api, struct berth_address *out,
                                       size_t room, size_t *count, struct berth_error *err);

#endif
