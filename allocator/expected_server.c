/* SPDX-License-Identifier: MIT */
#include "expected_server.h"

#include "base/compiler.h"

#include <string.h>

struct server_row {
    uint32_t process_id; /* BERTH_ID_NONE: any */
    const char *images[2];
};

static const struct server_row servers[BERTH_PROTOCOL_COUNT] = {
    [BERTH_PROTOCOL_HTTP] = {4, {"http.sys", "System"}},
    [BERTH_PROTOCOL_HTTPS] = {4, {"http.sys", "System"}},
    [BERTH_PROTOCOL_FTP] = {BERTH_ID_NONE, {"svchost", NULL}},
    [BERTH_PROTOCOL_NET_TCP] = {BERTH_ID_NONE, {"SMSvcHost", NULL}},
};

static unsigned char folded(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

int berth_compare_any_case(const char *a, const char *b)
{
    a = a != NULL ? a : "";
    b = b != NULL ? b : "";
    while (*a != '\0' && folded(*a) == folded(*b)) {
        a++;
        b++;
    }
    return (int)folded(*a) - (int)folded(*b);
}

bool berth_starts_any_case(const char *text, const char *prefix, const char **rest)
{
    while (*prefix != '\0') {
        if (folded(*text) != folded(*prefix)) {
            return false;
        }
        text++;
        prefix++;
    }
    *rest = text;
    return true;
}

/* Tells whether the image is `name`, or `name` and ".exe". */
static bool is_image(const char *image, const char *name)
{
    const char *rest;

    return berth_starts_any_case(image, name, &rest) &&
           (*rest == '\0' || (*name != '\0' && berth_compare_any_case(rest, ".exe") == 0));
}

bool berth_image_equal(const char *a, const char *b)
{
    return is_image(a, b) || is_image(b, a);
}

enum berth_verdict berth_server_judge(enum berth_protocol protocol,
                                      const struct berth_claim *socket, bool http_sys)
{
    const struct server_row *server = &servers[protocol];

    if (server->images[0] == NULL) {
        return BERTH_IS_UNKNOWN;
    }
    if (!http_sys) {
        return BERTH_IS_OTHER;
    }
    if (server->process_id != BERTH_ID_NONE && server->process_id == socket->process_id) {
        return BERTH_IS_SERVER;
    }
    for (unsigned i = 0; i < BERTH_COUNT(server->images) && socket->holder != NULL; i++) {
        if (server->images[i] != NULL && is_image(socket->holder, server->images[i])) {
            return BERTH_IS_SERVER;
        }
    }
    if (socket->holder != NULL ||
        (server->process_id != BERTH_ID_NONE && socket->process_id != BERTH_ID_NONE)) {
        return BERTH_IS_OTHER;
    }
    return BERTH_IS_UNKNOWN;
}
