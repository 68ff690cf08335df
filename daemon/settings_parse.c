/* SPDX-License-Identifier: MIT */
/* From bytes to settings: well-formed XML, what Berth reads from it, and the schema.
 *
 * IMPLEMENTATION NOTES
 * 1. libxml2 tells of errors on four ways: the parser's, the schema parser's and the validator's
 * own handlers, and the thread's handler for all that has no context (trees, buffers, texts). All
 *    four lead to on_error() here.
 * 2. Running out of memory somewhere below may lose a part of a document without failing the parse.
 *    on_error() therefore notes XML_ERR_NO_MEMORY from any of them, and with that note nothing is
 *    accepted.
 * 3. Berth's own reading (settings_tree.c) comes before the schema, because its remarks are better;
 *    the schema's remarks on the same places are dropped. What the schema alone finds is an error
 *    too. libxml2's validator leaves an element's remaining children out after an unexpected one,
 *    so that it could not name all errors by itself.
 * 4. A document type is refused where it begins: no entity, inner or outer, is ever looked at. */
#include "settings_internal.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <string.h>

/* berthd.xsd, put into the program by cmake/EmbedFile.cmake */
extern const unsigned char berth_settings_schema[];
extern const size_t berth_settings_schema_length;

/* The handler's second parameter became const in libxml2 2.12. */
#if LIBXML_VERSION >= 21200
#define ERROR_CONST const
#else
#define ERROR_CONST
#endif

#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_BIG_LINES)

struct parse {
    struct berth_settings_reader reader;
    bool in_schema;     /* errors come from the validator now */
    bool schema_broken; /* the schema itself was refused */
    bool dtd_seen;
};

/* Cuts libxml2's line feed and final stop off. */
static void trim_message(char out[400], const char *message)
{
    (void)snprintf(out, 400, "%s", message != NULL ? message : "no reason given");
    size_t length = strlen(out);
    while (length > 0 && strchr("\n .", out[length - 1]) != NULL) {
        out[--length] = '\0';
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)out[i] < 0x20) {
            out[i] = ' ';
        }
    }
}

/* Finds the attribute that a message of the validator is about: "Element 'tcp', attribute 'poll':
 * …". The error itself names the element only. NULL: none, or libxml2 words it differently now. */
static const xmlAttr *attribute_of(const xmlNode *element, const char *message)
{
    const char *name = strstr(message, ", attribute '");
    const char *end = name != NULL ? strstr(name, "': ") : NULL;

    if (end == NULL) {
        return NULL;
    }
    name += strlen(", attribute '");
    const char *brace = memchr(name, '}', (size_t)(end - name)); /* of a namespace: '{urn:x}name' */
    name = brace != NULL ? brace + 1 : name;
    size_t length = (size_t)(end - name);
    for (const xmlAttr *a = element->properties; a != NULL; a = a->next) {
        if (strlen((const char *)a->name) == length &&
            memcmp((const char *)a->name, name, length) == 0) {
            return a;
        }
    }
    return NULL;
}

static void on_schema_error(struct parse *parse, const xmlError *error)
{
    const xmlNode *element = error->node;
    const xmlAttr *attribute = NULL;
    char message[400];

    if (error->code == XML_SCHEMAV_CVC_IDC) {
        return; /* a pool's name given twice: berth_settings_check() names both lines */
    }
    trim_message(message, error->message);
    if (element != NULL && element->type == XML_ELEMENT_NODE) {
        attribute = attribute_of(element, message);
        if (berth_settings_was_reported(&parse->reader, element, attribute)) {
            return;
        }
        berth_settings_mark(&parse->reader, element, attribute);
    }
    berth_diagnostics_add(parse->reader.diagnostics, BERTH_SEVERITY_ERROR,
                          element != NULL ? berth_settings_line(element) : 0, "%s", message);
}

static void on_error(void *context, ERROR_CONST xmlError *error)
{
    struct parse *parse = context;
    char message[400];

    if (error->code == XML_ERR_NO_MEMORY) {
        parse->reader.out_of_memory = true;
    } else if (parse->in_schema) {
        on_schema_error(parse, error);
    } else if (error->code == XML_ERR_TAG_NOT_FINISHED &&
               parse->reader.diagnostics->error_count != 0) {
        return; /* the end is missing because of what was reported before */
    } else if (error->level >= XML_ERR_ERROR && error->code != XML_ERR_USER_STOP) {
        trim_message(message, error->message);
        berth_diagnostics_add(parse->reader.diagnostics, BERTH_SEVERITY_ERROR,
                              error->line > 0 ? (unsigned)error->line : 0,
                              "not well-formed XML: %s", message);
    }
}

static void on_parser_error(void *context, ERROR_CONST xmlError *error)
{
    xmlParserCtxtPtr xml = context;

    on_error(xml->_private, error);
}

static void on_schema_parser_error(void *context, ERROR_CONST xmlError *error)
{
    struct parse *parse = context;

    parse->schema_broken = true;
    if (error->code == XML_ERR_NO_MEMORY) {
        parse->reader.out_of_memory = true;
    }
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *external,
                             const xmlChar *system)
{
    xmlParserCtxtPtr xml = context;
    struct parse *parse = xml->_private;
    int line = xml->input != NULL ? xml->input->line : 0;

    (void)name;
    (void)external;
    (void)system;
    parse->dtd_seen = true;
    berth_diagnostics_add(parse->reader.diagnostics, BERTH_SEVERITY_ERROR,
                          line > 0 ? (unsigned)line : 0,
                          "a document type (<!DOCTYPE ...>) is not accepted; the file begins with "
                          "<berth>");
    xmlStopParser(xml);
}

/* Reads the document; NULL: why is in the reader. */
static xmlDocPtr read_document(struct parse *parse, const void *bytes, size_t length)
{
    xmlParserCtxtPtr xml = xmlNewParserCtxt();

    if (xml == NULL || xml->sax == NULL) {
        parse->reader.out_of_memory = true;
        xmlFreeParserCtxt(xml);
        return NULL;
    }
    xml->_private = parse;
    xml->sax->serror = on_parser_error;
    xml->sax->internalSubset = on_document_type;
    xmlDocPtr document =
        xmlCtxtReadMemory(xml, bytes, (int)length, "berthd.config", NULL, PARSE_OPTIONS);
    if (xml->errNo == XML_ERR_NO_MEMORY) {
        parse->reader.out_of_memory = true;
    }
    if (document != NULL && (parse->dtd_seen || xml->wellFormed == 0)) {
        xmlFreeDoc(document);
        document = NULL;
    }
    xmlFreeParserCtxt(xml);
    return document;
}

static xmlSchemaPtr read_schema(struct parse *parse)
{
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewMemParserCtxt((const char *)berth_settings_schema,
                                                              (int)berth_settings_schema_length);

    if (parser == NULL) {
        parse->reader.out_of_memory = true;
        return NULL;
    }
    xmlSchemaSetParserStructuredErrors(parser, on_schema_parser_error, parse);
    xmlSchemaPtr schema = xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
    if (schema == NULL) {
        parse->schema_broken = true;
    }
    return schema;
}

/* Holds the document against the schema. A schema that cannot be used accepts nothing. */
static void validate(struct parse *parse, xmlDocPtr document)
{
    xmlSchemaPtr schema = read_schema(parse);
    xmlSchemaValidCtxtPtr validator = NULL;
    int result = -1;

    if (schema != NULL && !parse->schema_broken) {
        validator = xmlSchemaNewValidCtxt(schema);
    }
    if (validator != NULL) {
        xmlSchemaSetValidStructuredErrors(validator, on_error, parse);
        parse->in_schema = true;
        result = xmlSchemaValidateDoc(validator, document);
        parse->in_schema = false;
    }
    if (result < 0) {
        parse->schema_broken = true;
    } else if (result > 0 && parse->reader.diagnostics->error_count == 0) {
        berth_diagnostics_add(parse->reader.diagnostics, BERTH_SEVERITY_ERROR, 0,
                              "the file does not follow the schema berthd.xsd");
    }
    xmlSchemaFreeValidCtxt(validator);
    xmlSchemaFree(schema);
}

static void read_all(struct parse *parse, const void *bytes, size_t length)
{
    if (length == 0) {
        berth_diagnostics_add(parse->reader.diagnostics, BERTH_SEVERITY_ERROR, 0,
                              "the file is empty; the least that is accepted is <berth/>");
        return;
    }
    xmlDocPtr document = read_document(parse, bytes, length);
    const xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;

    if (root == NULL) {
        if (parse->reader.diagnostics->error_count == 0) {
            berth_diagnostics_add(parse->reader.diagnostics, BERTH_SEVERITY_ERROR, 0,
                                  "not well-formed XML");
        }
    } else {
        berth_settings_read_tree(&parse->reader, root);
        if (!berth_settings_complete(parse->reader.out)) {
            parse->reader.out_of_memory = true;
        }
        berth_settings_check(&parse->reader);
        validate(parse, document);
    }
    xmlFreeDoc(document);
}

static enum berth_code judge(const struct parse *parse, const char *name, struct berth_error *err)
{
    const struct berth_diagnostics *list = parse->reader.diagnostics;

    if (parse->reader.out_of_memory || list->out_of_memory) {
        return berth_fail_memory(err, "the configuration");
    }
    if (list->error_count != 0) {
        size_t first = 0;
        while (first < list->count && list->items[first].severity != BERTH_SEVERITY_ERROR) {
            first++;
        }
        const struct berth_diagnostic *item = &list->items[first];
        char line[32] = "";
        if (item->line != 0) {
            (void)snprintf(line, sizeof line, " on line %u", item->line);
        }
        return berth_fail(err, BERTH_MALFORMED, 0, "%s: %zu error%s, the first%s: %s", name,
                          list->error_count, list->error_count == 1 ? "" : "s", line, item->text);
    }
    if (parse->schema_broken) {
        return berth_fail(err, BERTH_INTERNAL, 0, "%s: the schema could not be used", name);
    }
    return BERTH_OK;
}

enum berth_code berth_settings_parse(struct berth_settings *out, const void *bytes, size_t length,
                                     const char *name, const struct berth_variables *variables,
                                     struct berth_diagnostics *diagnostics, struct berth_error *err)
{
    struct berth_settings made;
    struct parse parse = {
        .reader = {.out = &made, .variables = variables, .diagnostics = diagnostics}};
    xmlStructuredErrorFunc handler = xmlStructuredError;
    void *handler_context = xmlStructuredErrorContext;

    if (length > BERTH_SETTINGS_FILE_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0,
                          "%s: larger than 1 MiB, which is the most "
                          "accepted",
                          name);
    }
    berth_settings_start(&made);
    xmlSetStructuredErrorFunc(&parse, on_error);
    read_all(&parse, bytes, length);
    xmlSetStructuredErrorFunc(handler_context, handler);
    berth_diagnostics_sort(diagnostics);
    enum berth_code code = judge(&parse, name, err);
    if (code == BERTH_OK) {
        *out = made;
    } else {
        berth_settings_fini(&made);
    }
    return code;
}
