/* SPDX-License-Identifier: MIT */
#include "port_output.h"

#include <stdio.h>
#include <string.h>

struct format_row {
    const char *name;
    const char *variable;
};

static const struct format_row formats[] = {
    [BERTH_PORT_FORMAT_PLAIN] = {"plain", NULL},
    [BERTH_PORT_FORMAT_OCTOPUS] = {"octopus", "Port"},
    [BERTH_PORT_FORMAT_ENV] = {"env", "BERTH_PORT"},
};

bool berth_port_format_find(enum berth_port_format *out, const char *name)
{
    for (unsigned i = 0; i < BERTH_COUNT(formats); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *out = (enum berth_port_format)i;
            return true;
        }
    }
    return false;
}

const char *berth_port_format_variable(enum berth_port_format format)
{
    return formats[format].variable;
}

bool berth_port_format_accepts(enum berth_port_format format, const char *variable)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char letters_digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    switch (format) {
    case BERTH_PORT_FORMAT_OCTOPUS:
        return variable[strspn(variable, " \t\r\n")] != '\0';
    case BERTH_PORT_FORMAT_ENV:
        return strspn(variable, letters) > 0 && variable[strspn(variable, letters_digits)] == '\0';
    default:
        return false;
    }
}

/* RFC 4648, section 4 */
static void add_base64(struct berth_text *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)text;
    size_t left = strlen(text);

    for (; left != 0; bytes += 3) {
        size_t taken = left < 3 ? left : 3;
        unsigned group = (unsigned)bytes[0] << 16 | (taken > 1 ? (unsigned)bytes[1] << 8 : 0u) |
                         (taken > 2 ? (unsigned)bytes[2] : 0u);
        berth_text_putc(out, digits[group >> 18]);
        berth_text_putc(out, digits[group >> 12 & 63]);
        berth_text_putc(out, taken > 1 ? digits[group >> 6 & 63] : '=');
        berth_text_putc(out, taken > 2 ? digits[group & 63] : '=');
        left -= taken;
    }
}

static void add_variable(struct berth_text *out, enum berth_port_format format, const char *name,
                         uint16_t port)
{
    char value[8];

    (void)snprintf(value, sizeof value, "%u", (unsigned)port);
    if (format == BERTH_PORT_FORMAT_ENV) {
        berth_text_printf(out, "%s=%s\n", name, value);
        return;
    }
    berth_text_puts(out, "##octopus[setVariable name='");
    add_base64(out, name);
    berth_text_puts(out, "' value='");
    add_base64(out, value);
    berth_text_puts(out, "']\n");
}

void berth_port_format_write(struct berth_text *out, enum berth_port_format format,
                             const char *variable, const uint16_t *ports, size_t count)
{
    struct berth_text name;

    if (format == BERTH_PORT_FORMAT_PLAIN) {
        for (size_t i = 0; i < count; i++) {
            berth_text_printf(out, "%u\n", (unsigned)ports[i]);
        }
        return;
    }
    add_variable(out, format, variable, ports[0]);
    berth_text_init(&name, strlen(variable) + 16);
    for (size_t i = 0; count > 1 && i < count; i++) {
        berth_text_clear(&name);
        berth_text_printf(&name, "%s_%zu", variable, i + 1);
        add_variable(out, format, berth_text_string(&name), ports[i]);
        out->failed = out->failed != BERTH_OK ? out->failed : name.failed;
    }
    berth_text_fini(&name);
}
