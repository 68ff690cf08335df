/* SPDX-License-Identifier: MIT */
/* Asking the methods of a memory_service. */
#ifndef BERTH_TESTS_METHODS_CASE_H
#define BERTH_TESTS_METHODS_CASE_H

#include "cmocka_all.h"
#include "memory_service.h"

#include <jansson.h>
#include <stdio.h>

/** Gives the whole answer to a request, for json_decref().  @param[in] params  NULL: none */
static inline json_t *method_ask(struct memory_service *memory, enum berth_role role,
                                 const char *method, const char *params)
{
    struct berth_text out;
    char line[1000];
    int length = snprintf(line, sizeof line,
                          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
                          params != NULL ? params : "{}");

    assert_true(length > 0 && (size_t)length < sizeof line);
    berth_text_init(&out, BERTH_ANSWER_MAX);
    assert_int_equal(memory_service_answer(memory, role, line, (size_t)length, &out),
                     BERTH_RPC_GO_ON);
    json_t *answer = json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    berth_text_fini(&out);
    return answer;
}

/** Gives the result of a request that must be done, for json_decref(). */
static inline json_t *method_done(struct memory_service *memory, enum berth_role role,
                                  const char *method, const char *params)
{
    json_t *answer = method_ask(memory, role, method, params);
    json_t *result = json_incref(json_object_get(answer, "result"));

    if (result == NULL) {
        fail_msg("%s %s: %s", method, params,
                 json_string_value(json_object_get(json_object_get(answer, "error"), "message")));
    }
    json_decref(answer);
    return result;
}

/** Gives the error of a request that must fail for a reason, for json_decref(). */
static inline json_t *method_refused(struct memory_service *memory, enum berth_role role,
                                     const char *method, const char *params, const char *reason)
{
    json_t *answer = method_ask(memory, role, method, params);
    json_t *error = json_incref(json_object_get(answer, "error"));

    assert_non_null(error);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(error, "data"), "reason")), reason);
    json_decref(answer);
    return error;
}

#endif
