/* SPDX-License-Identifier: MIT */
/* Reads the element tree of a configuration by the table of settings_rules.c. The schema says the
 * same again; what is reported here is not reported twice.
 *
 * Errors are collected: after one, reading goes on with the default in the value's place. */
#include "settings_internal.h"

#include <string.h>

#define CHILDREN_MAX 12 /* kinds of elements within one, the table's end counted */

unsigned berth_settings_line(const xmlNode *element)
{
    long line = xmlGetLineNo(element);

    return line > 0 ? (unsigned)line : 0;
}

/* Once the list is full the schema may repeat something: the remarks are at their ceiling by then.
 */
void berth_settings_mark(struct berth_settings_reader *reader, const void *node,
                         const void *attribute)
{
    if (reader->reported_count < BERTH_COUNT(reader->reported)) {
        reader->reported[reader->reported_count++] = (struct berth_reported){node, attribute};
    }
}

bool berth_settings_was_reported(const struct berth_settings_reader *reader, const void *node,
                                 const void *attribute)
{
    for (size_t i = 0; i < reader->reported_count; i++) {
        if (reader->reported[i].node == node &&
            (attribute == NULL || reader->reported[i].attribute == attribute)) {
            return true;
        }
    }
    return false;
}

static const char *name_of(const xmlNode *element)
{
    return (const char *)element->name;
}

/* Gives the value of an attribute, in place. Without entities (no DTD is accepted) a value is one
 * text or none; anything else would be libxml2 having lost a part of it. */
static const char *value_of(struct berth_settings_reader *reader, const xmlAttr *attribute)
{
    const xmlNode *text = attribute->children;

    if (text == NULL) {
        return "";
    }
    if (text->type != XML_TEXT_NODE || text->next != NULL || text->content == NULL) {
        reader->out_of_memory = true;
        return "";
    }
    return (const char *)text->content;
}

static void refuse_attribute(struct berth_settings_reader *reader, const xmlNode *element,
                             const xmlAttr *attribute, const struct berth_attribute_rule *rules)
{
    struct berth_text accepted;
    char shown[BERTH_SHOWN_SIZE];

    berth_text_init(&accepted, 400);
    if (rules == NULL) {
        berth_text_puts(&accepted, "it has none");
    }
    for (size_t i = 0; rules != NULL && rules[i].name != NULL; i++) {
        berth_text_puts(&accepted, i == 0 ? "accepted is " : ", ");
        berth_text_puts(&accepted, rules[i].name);
    }
    reader->out_of_memory |= accepted.failed == BERTH_NO_MEMORY;
    berth_settings_mark(reader, element, attribute);
    berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_ERROR, berth_settings_line(element),
                          "<%s>: unknown attribute %s; %s", name_of(element),
                          berth_settings_show(shown, (const char *)attribute->name),
                          berth_text_string(&accepted));
    berth_text_fini(&accepted);
}

/* What XML Schema allows on every element; of these, where to find a schema is for editors. */
static bool is_schema_location(const xmlAttr *attribute)
{
    const char *name = (const char *)attribute->name;

    return attribute->ns != NULL && attribute->ns->href != NULL &&
           strcmp((const char *)attribute->ns->href, "http://www.w3.org/2001/XMLSchema-instance") ==
               0 &&
           (strcmp(name, "noNamespaceSchemaLocation") == 0 || strcmp(name, "schemaLocation") == 0);
}

static void read_attributes(struct berth_settings_reader *reader, const xmlNode *element,
                            const struct berth_attribute_rule *rules, void *place)
{
    for (const xmlAttr *a = element->properties; a != NULL; a = a->next) {
        const struct berth_attribute_rule *rule = rules;
        while (rule != NULL && rule->name != NULL &&
               (a->ns != NULL || strcmp(rule->name, (const char *)a->name) != 0)) {
            rule++;
        }
        if (rule != NULL && rule->name != NULL) {
            struct berth_settings_slot slot = {reader, element, a, rule, value_of(reader, a),
                                               place};
            berth_settings_read_value(&slot);
        } else if (!is_schema_location(a)) {
            refuse_attribute(reader, element, a, rules);
        }
    }
    for (size_t i = 0; rules != NULL && rules[i].name != NULL; i++) {
        if (rules[i].required && berth_settings_attribute(element, rules[i].name) == NULL) {
            berth_settings_mark(reader, element, NULL);
            berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_ERROR,
                                  berth_settings_line(element), "<%s>: the attribute %s is missing",
                                  name_of(element), rules[i].name);
        }
    }
}

static void read_element(struct berth_settings_reader *reader, const xmlNode *element,
                         const struct berth_element_rule *rule);

static void refuse_child(struct berth_settings_reader *reader, const xmlNode *child,
                         const struct berth_element_rule *rules)
{
    struct berth_text accepted;
    char shown[BERTH_SHOWN_SIZE];

    berth_text_init(&accepted, 400);
    if (rules == NULL) {
        berth_text_puts(&accepted, "nothing is accepted there");
    }
    for (size_t i = 0; rules != NULL && rules[i].name != NULL; i++) {
        berth_text_printf(&accepted, "%s<%s>", i == 0 ? "accepted is " : ", ", rules[i].name);
    }
    reader->out_of_memory |= accepted.failed == BERTH_NO_MEMORY;
    berth_settings_mark(reader, child, NULL);
    berth_settings_mark(reader, child->parent, NULL); /* the schema may blame an empty parent */
    berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_ERROR, berth_settings_line(child),
                          "unknown element <%s>%s in <%s>; %s",
                          berth_settings_show(shown, name_of(child)),
                          child->ns != NULL ? " of a namespace" : "", name_of(child->parent),
                          berth_text_string(&accepted));
    berth_text_fini(&accepted);
}

/* Counts one more element of a kind.  @return false: reported as one too many */
static bool count_child(struct berth_settings_reader *reader, const xmlNode *child,
                        const struct berth_element_rule *rule, size_t *count, unsigned *first_line)
{
    unsigned line = berth_settings_line(child);

    if (++*count <= rule->max) {
        *first_line = *count == 1 ? line : *first_line;
        return true;
    }
    berth_settings_mark(reader, child, NULL);
    if (rule->max == 1) {
        berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_ERROR, line,
                              "<%s> is given a second time; the first is on line %u", rule->name,
                              *first_line);
    } else if (*count == rule->max + 1) {
        berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_ERROR, line,
                              "there are more than %zu <%s> elements, which is the most accepted",
                              rule->max, rule->name);
    }
    return false;
}

/* Reports text between elements, once an element. */
static void check_text(struct berth_settings_reader *reader, const xmlNode *parent)
{
    for (const xmlNode *child = parent->children; child != NULL; child = child->next) {
        bool text = child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE;
        if ((text && xmlIsBlankNode(child) == 0) || child->type == XML_ENTITY_REF_NODE) {
            berth_settings_mark(reader, parent, NULL);
            berth_diagnostics_add(
                reader->diagnostics, BERTH_SEVERITY_ERROR, berth_settings_line(parent),
                "<%s> holds text; accepted are elements and comments only", name_of(parent));
            return;
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table, four levels */
static void read_children(struct berth_settings_reader *reader, const xmlNode *parent,
                          const struct berth_element_rule *rules)
{
    size_t counts[CHILDREN_MAX] = {0};
    unsigned first_lines[CHILDREN_MAX] = {0};

    for (const xmlNode *child = parent->children; child != NULL; child = child->next) {
        size_t i = 0;
        if (child->type != XML_ELEMENT_NODE) {
            continue;
        }
        while (rules != NULL && rules[i].name != NULL &&
               (child->ns != NULL || strcmp(rules[i].name, name_of(child)) != 0)) {
            i++;
        }
        if (rules == NULL || rules[i].name == NULL) {
            refuse_child(reader, child, rules);
        } else if (count_child(reader, child, &rules[i], &counts[i], &first_lines[i])) {
            read_element(reader, child, &rules[i]);
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table, four levels */
static void read_element(struct berth_settings_reader *reader, const xmlNode *element,
                         const struct berth_element_rule *rule)
{
    void *place = reader->out;

    if (rule->place != NULL) {
        place = rule->place(reader->out, berth_settings_line(element));
    }
    if (place == NULL) {
        reader->out_of_memory = true;
        return;
    }
    read_attributes(reader, element, rule->attributes, place);
    check_text(reader, element);
    read_children(reader, element, rule->children);
    if (rule->finish != NULL) {
        rule->finish(reader, element, place);
    }
}

void berth_settings_read_tree(struct berth_settings_reader *reader, const xmlNode *root)
{
    char shown[BERTH_SHOWN_SIZE];

    if (root->ns != NULL || strcmp(name_of(root), berth_settings_root.name) != 0) {
        berth_settings_mark(reader, root, NULL);
        berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_ERROR, berth_settings_line(root),
                              "the outermost element is <%s>%s; accepted is <berth>%s",
                              berth_settings_show(shown, name_of(root)),
                              root->ns != NULL ? " of a namespace" : "",
                              root->ns != NULL ? " without xmlns" : "");
        return;
    }
    read_element(reader, root, &berth_settings_root);
}
