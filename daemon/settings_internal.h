/* SPDX-License-Identifier: MIT */
/* What the parts of the configuration reader share: the reader's state and its remarks. */
#ifndef BERTH_DAEMON_SETTINGS_INTERNAL_H
#define BERTH_DAEMON_SETTINGS_INTERNAL_H

#include "settings.h"

#include <libxml/tree.h>

#define BERTH_SETTINGS_LOW_PERCENT 5 /* a pool's `low` unless it says otherwise */
#define BERTH_SETTINGS_COMMAND_TIMEOUT_MS 30000

/** A place that was reported already, so that the schema does not report it a second time. */
struct berth_reported {
    const void *node;      /* the element */
    const void *attribute; /* NULL: the element itself */
};

struct berth_settings_reader {
    struct berth_settings *out;
    const struct berth_variables *variables;
    struct berth_diagnostics *diagnostics;
    struct berth_reported reported[2 * BERTH_DIAGNOSTICS_MAX];
    size_t reported_count;
    bool out_of_memory;
};

enum berth_value_kind {
    BERTH_VALUE_POOL_NAME, /* char * */
    BERTH_VALUE_TEXT,      /* char *; free text, may be empty */
    BERTH_VALUE_ENDPOINT,  /* char *; %variables% expanded */
    BERTH_VALUE_PATH,      /* char *; the same, and absolute */
    BERTH_VALUE_GROUP,     /* into a struct berth_access_rule */
    BERTH_VALUE_USER,      /* the same */
    BERTH_VALUE_PORTS,     /* struct berth_port_range */
    BERTH_VALUE_LOW,       /* into a struct berth_pool_settings */
    BERTH_VALUE_DURATION,  /* uint64_t ms, low to high */
    BERTH_VALUE_SIZE,      /* uint64_t bytes, low to high */
    BERTH_VALUE_NUMBER,    /* uint32_t, low to high */
    BERTH_VALUE_CHOICE     /* uint8_t: the first choice's number is `low` */
};

/** One attribute of an element. */
struct berth_attribute_rule {
    const char *name;
    enum berth_value_kind kind;
    bool required;
    size_t offset; /* of the member, from the slot's `place` */
    uint64_t low;
    uint64_t high;
    const char *const *choices; /* ends with NULL */
};

/** One element. */
struct berth_element_rule {
    const char *name;
    size_t max;                                    /* how many there may be in all; 1: one */
    const struct berth_attribute_rule *attributes; /* ends with a NULL name; NULL: none */
    const struct berth_element_rule *children;     /* the same */
    /* Gives what the attributes' offsets count from; NULL: no memory. No function: the settings. */
    void *(*place)(struct berth_settings *settings, unsigned line);
    /* Looks at the whole element once its attributes are read. May be NULL. */
    void (*finish)(struct berth_settings_reader *reader, const xmlNode *element, void *place);
};

/** The table of elements, from the outermost one. */
extern const struct berth_element_rule berth_settings_root;

/** Finds an attribute in no namespace, by name; NULL: it is not given. */
const xmlAttr *berth_settings_attribute(const xmlNode *element, const char *name);

/** A value on its way in: where it stands and where it goes. */
struct berth_settings_slot {
    struct berth_settings_reader *reader;
    const xmlNode *element;
    const xmlAttr *attribute;
    const struct berth_attribute_rule *rule;
    const char *value;
    void *place; /* what the rule's offset counts from */
};

#define BERTH_SHOWN_SIZE 128 /* room for a value as a remark shows it */

/** Copies a value for a remark: no control characters, and not endless.  @return `out` */
const char *berth_settings_show(char out[BERTH_SHOWN_SIZE], const char *value);

/** Reads a value into its place, or reports it and leaves the place as it was. */
void berth_settings_read_value(const struct berth_settings_slot *slot);

/** Gives the line of an element, 0 where it is not known. */
unsigned berth_settings_line(const xmlNode *element);

/** Notes a place as reported; see berth_settings_was_reported(). */
void berth_settings_mark(struct berth_settings_reader *reader, const void *node,
                         const void *attribute);

/** Adds a remark.  Memory that could not be had is noted in the list. */
void berth_diagnostics_add(struct berth_diagnostics *list, enum berth_severity severity,
                           unsigned line, const char *format, ...) BERTH_PRINTF(4, 5);

/** Orders the remarks by line; those of one line stay in the order in which they came. */
void berth_diagnostics_sort(struct berth_diagnostics *list);

/** Makes settings with default values and empty lists.  */
void berth_settings_start(struct berth_settings *out);

/** Gives each list that is empty and may not be its default.
 *  @return false: no memory; berth_settings_fini() is still right */
bool berth_settings_complete(struct berth_settings *settings);

/** Reads the element tree into reader->out and reports all that is wrong in it. */
void berth_settings_read_tree(struct berth_settings_reader *reader, const xmlNode *root);

/** Reports what is wrong between elements: overlaps, names given twice. */
void berth_settings_check(struct berth_settings_reader *reader);

/** Tells whether this place was reported already. `attribute` NULL: anything of the element. */
bool berth_settings_was_reported(const struct berth_settings_reader *reader, const void *node,
                                 const void *attribute);

/** Gives the ports that are `percent` of a range, rounded up. */
uint32_t berth_settings_percent(struct berth_port_range range, unsigned percent);

#endif
