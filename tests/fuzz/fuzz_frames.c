/* SPDX-License-Identifier: MIT */
/* The bytes of a client, in whatever pieces they arrive: cut into lines and answered by the real
 * methods. However they are cut, the answers are the same; each is one line of strict JSON-RPC. */
#include "base/memory.h"
#include "daemon/framing.h"
#include "memory_service.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PIECES_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* ---- what an answer must look like ---- */

static void check_error(const json_t *error)
{
    const char *message = json_string_value(json_object_get(error, "message"));
    const json_t *data = json_object_get(error, "data");

    require(json_is_integer(json_object_get(error, "code")));
    require(message != NULL && message[0] != '\0');
    require(json_is_string(json_object_get(data, "reason")));
}

static void check_answer(const json_t *answer)
{
    const json_t *id = json_object_get(answer, "id");
    const json_t *error = json_object_get(answer, "error");
    const json_t *result = json_object_get(answer, "result");

    require(json_is_object(answer) && json_object_size(answer) == 3);
    require(strcmp(json_string_value(json_object_get(answer, "jsonrpc")), "2.0") == 0);
    require(json_is_null(id) || json_is_string(id) || json_is_number(id));
    require((error != NULL) != (result != NULL));
    if (error != NULL) {
        check_error(error);
    }
}

static void check_line(const char *line, size_t length)
{
    json_t *answer = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);

    require(answer != NULL);
    if (json_is_array(answer)) {
        require(json_array_size(answer) > 0);
        for (size_t i = 0; i < json_array_size(answer); i++) {
            check_answer(json_array_get(answer, i));
        }
    } else {
        check_answer(answer);
    }
    json_decref(answer);
}

static void check_output(const struct berth_text *output)
{
    const char *at = output->data;
    size_t left = output->length;

    require(output->failed == BERTH_OK);
    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        require(end != NULL);
        check_line(at, (size_t)(end - at));
        left -= (size_t)(end - at) + 1;
        at = end + 1;
    }
}

/* ---- a connection ---- */

struct connection {
    struct memory_service *memory;
    enum berth_role role;
    struct berth_text input;
    struct berth_text output;
    bool any_read;
    bool closed;
};

static void take(struct connection *connection, const uint8_t *bytes, size_t count)
{
    struct berth_text *input = &connection->input;
    const char *line;
    size_t length;
    size_t used;

    berth_text_add(input, (const char *)bytes, count);
    while (!connection->closed && input->length > 0 &&
           berth_frame_next(input->data, input->length, !connection->any_read, &line, &length,
                            &used)) {
        require(used >= 1 && used <= input->length);
        require(line >= input->data && line + length < input->data + used);
        connection->any_read = true;
        if (length > 0 && memory_service_answer(connection->memory, connection->role, line, length,
                                                &connection->output) == BERTH_RPC_CLOSE) {
            connection->closed = true;
        }
        memmove(input->data, input->data + used, input->length - used);
        input->length -= used;
    }
}

/* Runs all bytes, cut at the given places. */
static void run(struct berth_text *output, enum berth_role role, const uint8_t *bytes, size_t size,
                const uint8_t *cuts, size_t cut_count)
{
    static const uint16_t iis_ports[] = {80, 443, 49001};
    struct connection connection = {.role = role};
    struct berth_error err;
    size_t at = 0;

    if (memory_service_make(&connection.memory, &err) != BERTH_OK ||
        memory_service_see(connection.memory, iis_ports, 3, &err) != BERTH_OK) {
        abort();
    }
    berth_text_init(&connection.input, 1 << 20);
    berth_text_init(&connection.output, BERTH_ANSWER_MAX);
    for (size_t i = 0; i < cut_count && at < size; i++) {
        size_t piece = cuts[i] < size - at ? cuts[i] : size - at;
        take(&connection, bytes + at, piece);
        at += piece;
    }
    take(&connection, bytes + at, size - at);
    check_output(&connection.output);
    *output = connection.output;
    berth_text_fini(&connection.input);
    memory_service_free(connection.memory);
}

/* The first byte: the role and how many cuts follow it, a byte each; then what the client sends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct berth_text whole;
    struct berth_text cut;

    if (size < 1) {
        return 0;
    }
    enum berth_role role = (enum berth_role)(data[0] >> 4 & 3);
    size_t cuts = data[0] & (PIECES_MAX - 1);
    if (size < 1 + cuts) {
        return 0;
    }
    const uint8_t *bytes = data + 1 + cuts;
    size_t count = size - 1 - cuts;
    run(&whole, role, bytes, count, NULL, 0);
    run(&cut, role, bytes, count, data + 1, cuts);
    require(whole.length == cut.length);
    require(whole.length == 0 || memcmp(whole.data, cut.data, whole.length) == 0);
    berth_text_fini(&whole);
    berth_text_fini(&cut);
    return 0;
}
