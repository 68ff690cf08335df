/* SPDX-License-Identifier: MIT */
/* Reads a command line by tables of options. docs/man/berth.1 describes the notation: long options
 * only, `--name value` or `--name=value`, before or between arguments, `--` ends them. */
#ifndef BERTH_CLI_OPTIONS_H
#define BERTH_CLI_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/** One option. A table of them ends with a row whose name is NULL. */
struct berth_option {
    const char *name;  /* without the dashes */
    const char *value; /* what its value is called in the help; NULL: it takes none */
    const char *help;
    bool repeatable; /* may be given more than once */
};

struct berth_option_use {
    const struct berth_option *option;
    const char *value; /* NULL for an option that takes none */
};

/** What a command line holds. All strings belong to the command line. */
struct berth_parsed {
    struct berth_option_use *uses; /* in the order given */
    size_t use_count;
    const char **arguments; /* what is not an option */
    size_t argument_count;
};

/** Makes an empty one with room for a command line of `words` words.
 *  @return BERTH_OK · BERTH_NO_MEMORY: nothing to release */
enum berth_code berth_parsed_init(struct berth_parsed *parsed, size_t words,
                                  struct berth_error *err);

/** Gives the memory back. */
void berth_parsed_fini(struct berth_parsed *parsed);

/** Reads the words `at` to `argc`-1 and adds what they hold to `parsed`.
 *  @param[in] tables       the tables to look in, first to last; the array ends with NULL
 *  @param[in] stop_at_word  stop behind the first word that is not an option
 *  @param[out] next        the index of the first word not read
 *  @return BERTH_OK · BERTH_INVALID_PARAMS: an unknown option (`err->detail` suggests a similar
 *          one), one without its value, one with a value that takes none, one given twice
 *  @thread any */
enum berth_code berth_options_read(struct berth_parsed *parsed,
                                   const struct berth_option *const *tables, int argc,
                                   const char *const *argv, int at, bool stop_at_word, int *next,
                                   struct berth_error *err);

/** Tells whether an option was given. */
bool berth_parsed_has(const struct berth_parsed *parsed, const char *name);

/** Gives an option's value.  @return NULL: it was not given */
const char *berth_parsed_value(const struct berth_parsed *parsed, const char *name);

/** Gives the values of a repeatable option, one a call.
 *  @param[in,out] cursor  0 before the first call  @return NULL: there are no more */
const char *berth_parsed_next(const struct berth_parsed *parsed, const char *name, size_t *cursor);

/** Gives argument number `index` (from 0).  @return NULL: there are not so many */
const char *berth_parsed_argument(const struct berth_parsed *parsed, size_t index);

#endif
