/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "base/memory.h"
#include "suggest.h"

#include <string.h>

enum berth_code berth_parsed_init(struct berth_parsed *parsed, size_t words,
                                  struct berth_error *err)
{
    *parsed = (struct berth_parsed){0};
    parsed->uses = berth_alloc(words + 1, sizeof *parsed->uses);
    parsed->arguments = berth_alloc(words + 1, sizeof *parsed->arguments);
    if (parsed->uses == NULL || parsed->arguments == NULL) {
        berth_parsed_fini(parsed);
        return berth_fail_memory(err, "the command line");
    }
    return BERTH_OK;
}

void berth_parsed_fini(struct berth_parsed *parsed)
{
    berth_free(parsed->uses);
    berth_free(parsed->arguments);
    *parsed = (struct berth_parsed){0};
}

/* Compares an option's name with the first `length` bytes of `name`. */
static bool is_named(const struct berth_option *option, const char *name, size_t length)
{
    return strlen(option->name) == length && memcmp(option->name, name, length) == 0;
}

static const struct berth_option *find_option(const struct berth_option *const *tables,
                                              const char *name, size_t length)
{
    for (; *tables != NULL; tables++) {
        for (const struct berth_option *option = *tables; option->name != NULL; option++) {
            if (is_named(option, name, length)) {
                return option;
            }
        }
    }
    return NULL;
}

static enum berth_code fail_unknown(const struct berth_option *const *tables, const char *name,
                                    size_t length, struct berth_error *err)
{
    struct berth_suggestion best;

    berth_suggestion_init(&best, name, length);
    for (; *tables != NULL; tables++) {
        for (const struct berth_option *option = *tables; option->name != NULL; option++) {
            berth_suggestion_offer(&best, option->name);
        }
    }
    if (best.name != NULL) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "there is no option --%.*s; did you mean --%s?", (int)length, name,
                          best.name);
    }
    return berth_fail(err, BERTH_INVALID_PARAMS, 0, "there is no option --%.*s", (int)length, name);
}

/* Reads the option at argv[*at] and moves *at behind it and its value. */
static enum berth_code read_option(struct berth_parsed *parsed,
                                   const struct berth_option *const *tables, int argc,
                                   const char *const *argv, int *at, struct berth_error *err)
{
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const struct berth_option *option = find_option(tables, name, length);

    if (option == NULL) {
        return fail_unknown(tables, name, length < 64 ? length : 64, err);
    }
    if (!option->repeatable && berth_parsed_has(parsed, option->name)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "--%s is given twice", option->name);
    }
    if (option->value == NULL && value != NULL) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "--%s takes no value", option->name);
    }
    (*at)++;
    if (option->value != NULL && value == NULL) {
        if (*at >= argc) {
            return berth_fail(err, BERTH_INVALID_PARAMS, 0, "--%s needs a value: --%s %s",
                              option->name, option->name, option->value);
        }
        value = argv[(*at)++];
    }
    parsed->uses[parsed->use_count++] = (struct berth_option_use){option, value};
    return BERTH_OK;
}

/* "-h" is understood because everybody tries it. */
static const char *const help_words[] = {"--help"};

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

enum berth_code berth_options_read(struct berth_parsed *parsed,
                                   const struct berth_option *const *tables, int argc,
                                   const char *const *argv, int at, bool stop_at_word, int *next,
                                   struct berth_error *err)
{
    bool ended = false;
    enum berth_code code = BERTH_OK;

    while (at < argc && code == BERTH_OK) {
        const char *word = argv[at];
        if (ended || !is_option(word)) {
            parsed->arguments[parsed->argument_count++] = word;
            at++;
            if (stop_at_word) {
                break;
            }
        } else if (strcmp(word, "--") == 0) {
            ended = true;
            at++;
        } else if (strcmp(word, "-h") == 0) {
            int first = 0;
            code = read_option(parsed, tables, 1, help_words, &first, err);
            at++;
        } else if (word[1] == '-') {
            code = read_option(parsed, tables, argc, argv, &at, err);
        } else {
            code = berth_fail(err, BERTH_INVALID_PARAMS, 0,
                              "there is no option %.64s; options have two dashes and a whole name",
                              word);
        }
    }
    *next = at;
    return code;
}

const char *berth_parsed_next(const struct berth_parsed *parsed, const char *name, size_t *cursor)
{
    while (*cursor < parsed->use_count) {
        const struct berth_option_use *use = &parsed->uses[(*cursor)++];
        if (strcmp(use->option->name, name) == 0) {
            return use->value != NULL ? use->value : "";
        }
    }
    return NULL;
}

const char *berth_parsed_value(const struct berth_parsed *parsed, const char *name)
{
    size_t cursor = 0;

    return berth_parsed_next(parsed, name, &cursor);
}

bool berth_parsed_has(const struct berth_parsed *parsed, const char *name)
{
    return berth_parsed_value(parsed, name) != NULL;
}

const char *berth_parsed_argument(const struct berth_parsed *parsed, size_t index)
{
    return index < parsed->argument_count ? parsed->arguments[index] : NULL;
}
