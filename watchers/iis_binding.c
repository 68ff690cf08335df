/* SPDX-License-Identifier: MIT */
#include "iis_binding.h"

#include <string.h>

#define PART_MAX 3

/* What is known of a protocol: the number of parts of its bindings, and its port. */
struct protocol_row {
    const char *name;
    enum berth_protocol protocol;
    unsigned parts; /* 3: ip:port:host, 2: port:host, 1: no port */
    uint16_t default_port;
    const char *form;
};

static const struct protocol_row protocols[] = {
    {"http", BERTH_PROTOCOL_HTTP, 3, 80, "ip:port:host"},
    {"https", BERTH_PROTOCOL_HTTPS, 3, 443, "ip:port:host"},
    {"ftp", BERTH_PROTOCOL_FTP, 3, 21, "ip:port:host"},
    {"net.tcp", BERTH_PROTOCOL_NET_TCP, 2, 808, "port:host"},
    {"net.pipe", BERTH_PROTOCOL_NONE, 1, 0, "host"},
    {"net.msmq", BERTH_PROTOCOL_NONE, 1, 0, "host"},
    {"msmq.formatname", BERTH_PROTOCOL_NONE, 1, 0, "host"},
};

/* A stretch of a string. */
struct part {
    const char *text;
    size_t length;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct part trimmed(struct part part)
{
    while (part.length > 0 && is_blank(*part.text)) {
        part.text++;
        part.length--;
    }
    while (part.length > 0 && is_blank(part.text[part.length - 1])) {
        part.length--;
    }
    return part;
}

static bool is_text(struct part part, const char *text)
{
    return part.length == strlen(text) && memcmp(part.text, text, part.length) == 0;
}

static bool is_text_any_case(struct part part, const char *lower)
{
    for (size_t i = 0; i < part.length; i++) {
        char c = part.text[i];
        char folded = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        if (lower[i] == '\0' || folded != lower[i]) {
            return false;
        }
    }
    return lower[part.length] == '\0';
}

static const struct protocol_row *find_protocol(const char *name)
{
    struct part wanted = trimmed((struct part){name, strlen(name)});

    for (size_t i = 0; i < BERTH_COUNT(protocols); i++) {
        if (is_text_any_case(wanted, protocols[i].name)) {
            return &protocols[i];
        }
    }
    return NULL;
}

/* Splits at each ':' outside brackets. Gives the number of parts; PART_MAX + 1: too many, or a
 * bracket is left open. */
static unsigned split(struct part parts[PART_MAX], const char *information)
{
    struct part rest = trimmed((struct part){information, strlen(information)});
    const char *end = rest.text + rest.length;
    const char *start = rest.text;
    unsigned count = 0;
    bool in_brackets = false;

    for (const char *at = start; at <= end; at++) {
        if (at == end || (*at == ':' && !in_brackets)) {
            if (count == PART_MAX) {
                return PART_MAX + 1;
            }
            parts[count++] = trimmed((struct part){start, (size_t)(at - start)});
            start = at + 1;
        } else if (*at == '[' || *at == ']') {
            in_brackets = *at == '[';
        }
    }
    return in_brackets ? PART_MAX + 1 : count;
}

static bool parse_port(uint16_t *out, struct part part, uint16_t default_port)
{
    unsigned number = 0;

    if (part.length == 0) {
        *out = default_port;
        return default_port != 0;
    }
    for (size_t i = 0; i < part.length; i++) {
        if (part.text[i] < '0' || part.text[i] > '9') {
            return false;
        }
        number = number * 10 + (unsigned)(part.text[i] - '0');
        if (number > UINT16_MAX) {
            return false;
        }
    }
    *out = (uint16_t)number;
    return number != 0;
}

static bool parse_address(struct berth_address *out, struct part part)
{
    char text[BERTH_ADDRESS_TEXT_MAX];

    if (part.length == 0 || is_text(part, "*")) {
        *out = (struct berth_address){.family = BERTH_FAMILY_ALL};
        return true;
    }
    bool brackets = part.length > 2 && part.text[0] == '[' && part.text[part.length - 1] == ']';
    if (brackets) {
        part.text++;
        part.length -= 2;
    }
    if (part.length >= sizeof text) {
        return false;
    }
    memcpy(text, part.text, part.length);
    text[part.length] = '\0';
    return brackets ? berth_address_parse_ipv6(out, text) : berth_address_parse_ipv4(out, text);
}

static void set_host(struct berth_iis_binding *out, struct part part)
{
    if (part.length != 0 && !is_text(part, "*")) {
        out->host = part.text;
        out->host_length = part.length;
    }
}

/* What is wrong with a binding: NULL when nothing is. */
static const char *parse_parts(struct berth_iis_binding *out, const struct part parts[PART_MAX],
                               unsigned count, uint16_t default_port)
{
    const struct part *port = &parts[count == 3 ? 1 : 0];

    out->has_port = true;
    if (!parse_port(&out->port, *port, default_port)) {
        return "the port is not a number from 1 to 65535";
    }
    if (count == 3 && !parse_address(&out->address, parts[0])) {
        return "the address is not \"*\", empty, an IPv4 address, or an IPv6 address in brackets";
    }
    set_host(out, parts[count - 1]);
    return NULL;
}

/* A protocol that nobody here knows: it claims a port where its binding looks as if it had one. */
static struct berth_iis_binding parse_unknown(const char *information)
{
    struct part parts[PART_MAX] = {{"", 0}};
    struct berth_iis_binding found = {.protocol = BERTH_PROTOCOL_OTHER};
    unsigned count = split(parts, information);

    if ((count == 2 || count == 3) && parse_parts(&found, parts, count, 0) == NULL) {
        return found;
    }
    return (struct berth_iis_binding){.protocol = BERTH_PROTOCOL_NONE};
}

enum berth_code berth_iis_binding_parse(struct berth_iis_binding *out, const char *protocol,
                                        const char *information, struct berth_error *err)
{
    const struct protocol_row *row = find_protocol(protocol);
    struct part parts[PART_MAX] = {{"", 0}};

    if (row == NULL) {
        *out = parse_unknown(information);
        return BERTH_OK;
    }
    struct berth_iis_binding found = {.protocol = row->protocol};
    if (row->parts > 1) {
        unsigned count = split(parts, information);
        const char *wrong = count != row->parts
                                ? "it has not the right number of parts"
                                : parse_parts(&found, parts, count, row->default_port);
        if (wrong != NULL) {
            return berth_fail(err, BERTH_MALFORMED, 0, "%s; a binding of %s is \"%s\"%s", wrong,
                              row->name, row->form,
                              row->parts == 3 ? ", an IPv6 address in brackets" : "");
        }
    }
    *out = found;
    return BERTH_OK;
}
