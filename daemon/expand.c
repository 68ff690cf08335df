/* SPDX-License-Identifier: MIT */
#include "expand.h"

#include <string.h>

static enum berth_code check_text(const struct berth_text *out, struct berth_error *err)
{
    if (out->failed == BERTH_NO_MEMORY) {
        return berth_fail_memory(err, "the expansion of %variables%");
    }
    if (out->failed != BERTH_OK) {
        return berth_fail(err, out->failed, 0, "longer than %zu bytes once expanded", out->limit);
    }
    return BERTH_OK;
}

static enum berth_code add_variable(struct berth_text *out, const char *start, size_t length,
                                    const struct berth_variables *variables,
                                    struct berth_error *err)
{
    char name[BERTH_VARIABLE_NAME_MAX + 1];
    size_t before = out->length;

    if (length > BERTH_VARIABLE_NAME_MAX) {
        return berth_fail(err, BERTH_MALFORMED, 0,
                          "the name between two '%%' is longer than %d bytes; a percent sign is "
                          "written %%%%",
                          BERTH_VARIABLE_NAME_MAX);
    }
    memcpy(name, start, length);
    name[length] = '\0';
    if (!variables->add(variables->context, name, out)) {
        return berth_fail(err, BERTH_NOT_FOUND, 0,
                          "there is no environment variable %s; a percent sign is written %%%%",
                          name);
    }
    if (out->failed == BERTH_OK && out->length == before) {
        return berth_fail(err, BERTH_NOT_FOUND, 0, "the environment variable %s is empty", name);
    }
    return check_text(out, err);
}

enum berth_code berth_expand(struct berth_text *out, const char *text,
                             const struct berth_variables *variables, struct berth_error *err)
{
    const char *percent;

    while ((percent = strchr(text, '%')) != NULL) {
        const char *name = percent + 1;
        const char *end = strchr(name, '%');

        berth_text_add(out, text, (size_t)(percent - text));
        if (out->failed != BERTH_OK) {
            break;
        }
        if (end == NULL) {
            return berth_fail(err, BERTH_MALFORMED, 0,
                              "a '%%' has no second one after it; a percent sign is written %%%%");
        }
        if (end == name) {
            berth_text_putc(out, '%');
        } else {
            enum berth_code code = add_variable(out, name, (size_t)(end - name), variables, err);
            if (code != BERTH_OK) {
                return code;
            }
        }
        text = end + 1;
    }
    berth_text_puts(out, text);
    return check_text(out, err);
}
