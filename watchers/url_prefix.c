/* SPDX-License-Identifier: MIT */
#include "url_prefix.h"

#include "allocator/expected_server.h"
#include "base/units.h"

#include <string.h>

#define ADDRESS_BYTES_MAX 64
#define PORT_DIGITS_MAX 5

struct scheme_row {
    const char *start;
    enum berth_protocol protocol;
    uint16_t port;
};

static const struct scheme_row schemes[] = {
    {"http://", BERTH_PROTOCOL_HTTP, 80},
    {"https://", BERTH_PROTOCOL_HTTPS, 443},
};

/* A part of the text, without the brackets of an IPv6 address. */
struct part {
    const char *at;
    size_t length;
    bool bracketed;
};

static enum berth_code fail(struct berth_error *err, const char *text, const char *what)
{
    return berth_fail(err, BERTH_MALFORMED, 0,
                      "\"%.120s\" is no URL prefix: %s; http://host:port/path or "
                      "https://host:port/path is accepted",
                      text, what);
}

static const struct scheme_row *find_scheme(const char *text, const char **rest)
{
    for (size_t i = 0; i < BERTH_COUNT(schemes); i++) {
        if (berth_starts_any_case(text, schemes[i].start, rest)) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* Takes a host or address off the front of *rest. */
static bool take_part(struct part *out, const char **rest)
{
    const char *at = *rest;

    *out = (struct part){.at = at, .length = strcspn(at, ":/")};
    if (*at == '[') {
        size_t length = strcspn(at, "]/");
        if (at[length] != ']') {
            return false;
        }
        *out = (struct part){.at = at + 1, .length = length - 1, .bracketed = true};
        *rest = at + length + 1;
        return out->length != 0;
    }
    *rest = at + out->length;
    return out->length != 0;
}

/* Reads a part that is an address. */
static bool read_address(struct berth_address *out, const struct part *part)
{
    char text[ADDRESS_BYTES_MAX];

    if (part->length >= sizeof text) {
        return false;
    }
    memcpy(text, part->at, part->length);
    text[part->length] = '\0';
    return part->bracketed ? berth_address_parse_ipv6(out, text)
                           : berth_address_parse_ipv4(out, text);
}

static bool take_port(uint16_t *out, const char **rest)
{
    char text[PORT_DIGITS_MAX + 1];
    size_t length = strspn(*rest, "0123456789");

    if (length == 0 || length > PORT_DIGITS_MAX) {
        return false;
    }
    memcpy(text, *rest, length);
    text[length] = '\0';
    *rest += length;
    return berth_parse_port(out, text);
}

static bool is_wildcard(const struct part *part)
{
    return !part->bracketed && part->length == 1 && (*part->at == '+' || *part->at == '*');
}

/* Reads what stands behind the host: ":port", ":port:address", and the path. */
static enum berth_code take_rest(struct berth_url_prefix *prefix, const char *text,
                                 const char *rest, struct berth_error *err)
{
    struct part address;

    if (*rest == ':') {
        rest++;
        if (!take_port(&prefix->port, &rest)) {
            return fail(err, text, "its port is not a number of 1 to 65535");
        }
    }
    if (*rest == ':') {
        rest++;
        if (!take_part(&address, &rest) || !read_address(&prefix->address, &address)) {
            return fail(err, text, "what follows its port is no address");
        }
    }
    if (*rest != '\0' && *rest != '/') {
        return fail(err, text, "no path follows its port");
    }
    return BERTH_OK;
}

enum berth_code berth_url_prefix_parse(struct berth_url_prefix *out, const char *text,
                                       struct berth_error *err)
{
    const char *rest = text;
    const struct scheme_row *scheme = find_scheme(text, &rest);
    struct part host;

    if (scheme == NULL) {
        return fail(err, text, "its scheme is neither http nor https");
    }
    if (!take_part(&host, &rest)) {
        return fail(err, text, "it names no host");
    }
    struct berth_url_prefix prefix = {.protocol = scheme->protocol, .port = scheme->port};
    if (!read_address(&prefix.address, &host)) {
        if (host.bracketed) {
            return fail(err, text, "its brackets hold no IPv6 address");
        }
        prefix.host = is_wildcard(&host) ? NULL : host.at;
        prefix.host_length = is_wildcard(&host) ? 0 : host.length;
    }
    enum berth_code code = take_rest(&prefix, text, rest, err);
    if (code == BERTH_OK) {
        *out = prefix;
    }
    return code;
}
