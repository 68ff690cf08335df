/* SPDX-License-Identifier: MIT */
#include "iis_sites.h"

#include "base/memory.h"
#include "base/units.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include <string.h>

const struct berth_iis_sites_limits berth_iis_sites_default_limits = {
    .sites = 100000,
    .bindings = 1000000,
    .string_bytes = 4096,
};

/* Where in a document the parser is, as far as it matters. */
enum node {
    NODE_DOCUMENT,
    NODE_CONFIGURATION,
    NODE_APPLICATION_HOST,
    NODE_SITES,
    NODE_SITE,
    NODE_SITE_BINDINGS,
    NODE_DEFAULTS,
    NODE_DEFAULT_BINDINGS,
    NODE_FTP_SERVER,
    NODE_LEAF /* an element below which nothing matters */
};

struct parse;

/* Takes an element's attributes: `count` times localname, prefix, URI, value, end of value. */
typedef void open_function(struct parse *parse, const xmlChar **attributes, int count);

static open_function open_sites;
static open_function open_site;
static open_function open_defaults;
static open_function open_binding;
static open_function open_clear;
static open_function open_remove;
static open_function open_firewall;
static open_function open_redirection;

struct node_row {
    enum node parent;
    const char *name;
    enum node node;
    open_function *open;
};

/* The paths that count; the most frequent ones first. */
static const struct node_row nodes[] = {
    {NODE_SITE_BINDINGS, "binding", NODE_LEAF, open_binding},
    {NODE_SITE_BINDINGS, "clear", NODE_LEAF, open_clear},
    {NODE_SITE_BINDINGS, "remove", NODE_LEAF, open_remove},
    {NODE_SITE, "bindings", NODE_SITE_BINDINGS, NULL},
    {NODE_SITES, "site", NODE_SITE, open_site},
    {NODE_SITES, "siteDefaults", NODE_DEFAULTS, open_defaults},
    {NODE_DEFAULTS, "bindings", NODE_DEFAULT_BINDINGS, NULL},
    {NODE_DEFAULT_BINDINGS, "binding", NODE_LEAF, open_binding},
    {NODE_DEFAULT_BINDINGS, "clear", NODE_LEAF, open_clear},
    {NODE_DEFAULT_BINDINGS, "remove", NODE_LEAF, open_remove},
    {NODE_DOCUMENT, "configuration", NODE_CONFIGURATION, NULL},
    {NODE_DOCUMENT, "sites", NODE_SITES, open_sites},
    {NODE_CONFIGURATION, "system.applicationHost", NODE_APPLICATION_HOST, NULL},
    {NODE_CONFIGURATION, "system.ftpServer", NODE_FTP_SERVER, NULL},
    {NODE_CONFIGURATION, "configurationRedirection", NODE_LEAF, open_redirection},
    {NODE_APPLICATION_HOST, "sites", NODE_SITES, open_sites},
    {NODE_FTP_SERVER, "firewallSupport", NODE_LEAF, open_firewall},
};

/* The attributes that count. */
enum attribute {
    ATTRIBUTE_PROTOCOL,
    ATTRIBUTE_INFORMATION,
    ATTRIBUTE_SSL_FLAGS,
    ATTRIBUTE_NAME,
    ATTRIBUTE_ID,
    ATTRIBUTE_AUTO_START,
    ATTRIBUTE_CONFIG_SOURCE,
    ATTRIBUTE_LOW_PORT,
    ATTRIBUTE_HIGH_PORT,
    ATTRIBUTE_ENABLED,
    ATTRIBUTE_PATH,
    ATTRIBUTE_COUNT
};

static const char *const attribute_names[ATTRIBUTE_COUNT] = {
    [ATTRIBUTE_PROTOCOL] = "protocol",
    [ATTRIBUTE_INFORMATION] = "bindingInformation",
    [ATTRIBUTE_SSL_FLAGS] = "sslFlags",
    [ATTRIBUTE_NAME] = "name",
    [ATTRIBUTE_ID] = "id",
    [ATTRIBUTE_AUTO_START] = "serverAutoStart",
    [ATTRIBUTE_CONFIG_SOURCE] = "configSource",
    [ATTRIBUTE_LOW_PORT] = "lowDataChannelPort",
    [ATTRIBUTE_HIGH_PORT] = "highDataChannelPort",
    [ATTRIBUTE_ENABLED] = "enabled",
    [ATTRIBUTE_PATH] = "path",
};

#define PATH_MAX_DEPTH 8 /* the longest path of the table, and some */

/* One run over one document. */
struct parse {
    struct berth_iis_sites *sites;
    const struct berth_iis_sites_limits *limits;
    xmlParserCtxt *xml;
    struct berth_error *err;
    enum berth_code failed; /* the first failure; BERTH_OK as long as there is none */

    const char *bytes; /* what libxml2 has not taken yet */
    size_t size;

    enum node path[PATH_MAX_DEPTH]; /* the elements that are open, of those that count */
    unsigned depth;
    unsigned skipped; /* open elements below the last one that counts */
    bool root_known;
    /* the tables' names as libxml2's dictionary has them: equal names have equal places there */
    const xmlChar *names[BERTH_COUNT(nodes)];
    const xmlChar *attribute_names[ATTRIBUTE_COUNT];
    const char *last_protocol; /* most bindings repeat it */
};

/* Notes the first failure. The parser is stopped by halt(), when the handler has ended: stopping
 * frees what the attributes' values point into. */
static void stop(struct parse *parse, enum berth_code code)
{
    if (parse->failed == BERTH_OK) {
        parse->failed = code;
    }
}

/* The last thing that a handler does: stops the parser after a failure. */
static void halt(const struct parse *parse)
{
    if (parse->failed != BERTH_OK) {
        xmlStopParser(parse->xml);
    }
}

static int line_of(const struct parse *parse)
{
    return xmlSAX2GetLineNumber(parse->xml);
}

static void stop_for_memory(struct parse *parse)
{
    if (parse->failed == BERTH_OK) {
        stop(parse, berth_fail_memory(parse->err, "the sites of a configuration"));
    }
}

/* Makes room for one more element of an array. */
static void *grown(struct parse *parse, void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return array;
    }
    size_t wanted = *room != 0 ? *room + *room / 2 : 16;
    void *moved = berth_resize(array, wanted, size);
    if (moved == NULL) {
        stop_for_memory(parse);
        return NULL;
    }
    *room = wanted;
    return moved;
}

/* ---- attributes ---- */

/* A stretch of the parser's memory. */
struct value {
    const char *text;
    size_t length;
};

/* Finds an attribute without a prefix; `text` NULL: it has none of that name. */
static struct value find_attribute(const struct parse *parse, const xmlChar **attributes, int count,
                                   enum attribute wanted)
{
    for (int i = 0; i < count; i++) {
        const xmlChar **attribute = attributes + (size_t)i * 5;
        if (attribute[0] == parse->attribute_names[wanted] && attribute[1] == NULL) {
            return (struct value){(const char *)attribute[3],
                                  (size_t)(attribute[4] - attribute[3])};
        }
    }
    return (struct value){NULL, 0};
}

static struct value trimmed(struct value value)
{
    while (value.length > 0 && (unsigned char)*value.text <= ' ') {
        value.text++;
        value.length--;
    }
    while (value.length > 0 && (unsigned char)value.text[value.length - 1] <= ' ') {
        value.length--;
    }
    return value;
}

/* Copies a value. libxml2, which substitutes no entities here, leaves each '&' of a value as the
 * reference "&#38;" (xmlParseAttValueInternal); control characters become blanks, for the sake of
 * those who print one name a line. Gives the end of the copy. */
static char *write_value(char *to, struct value value)
{
    static const char ampersand[] = "&#38;";

    if (value.length == 0) {
        return to;
    }
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.text[i];
        if (c == '&' && value.length - i >= 5 && memcmp(value.text + i, ampersand, 5) == 0) {
            i += 4;
        }
        *to++ = c < ' ' || c == 0x7F ? ' ' : (char)c;
    }
    return to;
}

static bool is_too_long(struct parse *parse, struct value value, const char *what)
{
    if (value.length <= parse->limits->string_bytes) {
        return false;
    }
    if (parse->failed == BERTH_OK) {
        stop(parse, berth_fail(parse->err, BERTH_TOO_LARGE, 0,
                               "line %d: %s of %zu bytes; %zu are accepted", line_of(parse), what,
                               value.length, parse->limits->string_bytes));
    }
    return true;
}

/* Keeps a value, without the blanks around it. NULL: the parse has been stopped. */
static const char *keep(struct parse *parse, struct value value, const char *what)
{
    value = trimmed(value);
    if (is_too_long(parse, value, what)) {
        return NULL;
    }
    char *place = berth_iis_strings_reserve(&parse->sites->strings, value.length);
    if (place == NULL) {
        stop_for_memory(parse);
        return NULL;
    }
    *write_value(place, value) = '\0';
    return place;
}

static bool equals_any_case(struct value value, const char *lower)
{
    size_t i = 0;

    while (i < value.length && lower[i] != '\0') {
        char c = value.text[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != lower[i]) {
            return false;
        }
        i++;
    }
    return i == value.length && lower[i] == '\0';
}

static enum berth_iis_choice choice_of(struct value value)
{
    value = trimmed(value);
    if (equals_any_case(value, "true")) {
        return BERTH_IIS_YES;
    }
    return equals_any_case(value, "false") ? BERTH_IIS_NO : BERTH_IIS_UNSAID;
}

static uint32_t number_of(struct value value)
{
    char text[16];
    uint64_t number = 0;

    value = trimmed(value);
    if (value.length < sizeof text) {
        memcpy(text, value.text != NULL ? value.text : "", value.length);
        text[value.length] = '\0';
        (void)berth_parse_number(&number, text, 0, UINT32_MAX);
    }
    return (uint32_t)number;
}

/* ---- elements ---- */

static void open_sites(struct parse *parse, const xmlChar **attributes, int count)
{
    struct value source = find_attribute(parse, attributes, count, ATTRIBUTE_CONFIG_SOURCE);

    parse->sites->has_sites_section = true;
    if (source.text != NULL) {
        parse->sites->config_source = keep(parse, source, "a configSource");
    }
}

static void open_site(struct parse *parse, const xmlChar **attributes, int count)
{
    struct berth_iis_sites *sites = parse->sites;

    if (sites->site_count == parse->limits->sites) {
        stop(parse, berth_fail(parse->err, BERTH_TOO_LARGE, 0, "line %d: more than %zu sites",
                               line_of(parse), parse->limits->sites));
        return;
    }
    void *moved =
        grown(parse, sites->sites, sites->site_count, &sites->site_room, sizeof *sites->sites);
    if (moved == NULL) {
        return;
    }
    sites->sites = moved;
    const char *name =
        keep(parse, find_attribute(parse, attributes, count, ATTRIBUTE_NAME), "a site's name");
    if (name == NULL) {
        return;
    }
    sites->sites[sites->site_count++] = (struct berth_iis_site){
        .name = name,
        .id = number_of(find_attribute(parse, attributes, count, ATTRIBUTE_ID)),
        .line = line_of(parse),
        .document = sites->document_count,
        .auto_start = choice_of(find_attribute(parse, attributes, count, ATTRIBUTE_AUTO_START)),
        .first_operation = sites->operation_count,
    };
}

static void open_defaults(struct parse *parse, const xmlChar **attributes, int count)
{
    enum berth_iis_choice said =
        choice_of(find_attribute(parse, attributes, count, ATTRIBUTE_AUTO_START));

    if (said != BERTH_IIS_UNSAID) {
        parse->sites->default_auto_start = said;
    }
}

/* Keeps the protocol; nearly always it is the one of the binding before. */
static const char *keep_protocol(struct parse *parse, struct value protocol)
{
    const char *last = parse->last_protocol;

    protocol = trimmed(protocol);
    if (last == NULL || strlen(last) != protocol.length ||
        (protocol.length != 0 && memcmp(last, protocol.text, protocol.length) != 0)) {
        parse->last_protocol = keep(parse, protocol, "a protocol");
    }
    return parse->last_protocol;
}

/* Sets the texts of a binding; false: the parse has been stopped. */
static bool set_texts(struct parse *parse, struct berth_iis_operation *operation,
                      struct value protocol, struct value information)
{
    operation->protocol = keep_protocol(parse, protocol);
    information = trimmed(information);
    if (operation->protocol == NULL || is_too_long(parse, information, "a bindingInformation")) {
        return false;
    }
    size_t length = strlen(operation->protocol);
    char *text = berth_iis_strings_reserve(&parse->sites->strings, length + 1 + information.length);
    if (text == NULL) {
        stop_for_memory(parse);
        return false;
    }
    memcpy(text, operation->protocol, length);
    text[length] = ' ';
    *write_value(text + length + 1, information) = '\0';
    operation->text = text;
    operation->information = text + length + 1;
    return true;
}

/* Adds an operation to the site that is open, or to siteDefaults. */
static void add_operation(struct parse *parse, struct berth_iis_operation operation)
{
    struct berth_iis_sites *sites = parse->sites;
    bool in_site = parse->path[parse->depth - 1] == NODE_SITE_BINDINGS;
    struct berth_iis_operation **list = in_site ? &sites->operations : &sites->defaults;
    size_t *count = in_site ? &sites->operation_count : &sites->default_count;
    size_t *room = in_site ? &sites->operation_room : &sites->default_room;

    if (sites->operation_count + sites->default_count == parse->limits->bindings) {
        stop(parse, berth_fail(parse->err, BERTH_TOO_LARGE, 0, "line %d: more than %zu bindings",
                               operation.line, parse->limits->bindings));
        return;
    }
    void *moved = grown(parse, *list, *count, room, sizeof **list);
    if (moved == NULL) {
        return;
    }
    *list = moved;
    (*list)[(*count)++] = operation;
    if (in_site) {
        sites->sites[sites->site_count - 1].operation_count++;
    }
}

static void open_operation(struct parse *parse, const xmlChar **attributes, int count,
                           enum berth_iis_operation_kind kind)
{
    struct berth_iis_operation operation = {.kind = kind, .line = line_of(parse)};
    struct value protocol = find_attribute(parse, attributes, count, ATTRIBUTE_PROTOCOL);
    struct value information = find_attribute(parse, attributes, count, ATTRIBUTE_INFORMATION);

    operation.ssl_flags = number_of(find_attribute(parse, attributes, count, ATTRIBUTE_SSL_FLAGS));
    if (set_texts(parse, &operation, protocol, information)) {
        add_operation(parse, operation);
    }
}

static void open_binding(struct parse *parse, const xmlChar **attributes, int count)
{
    open_operation(parse, attributes, count, BERTH_IIS_ADD);
}

static void open_clear(struct parse *parse, const xmlChar **attributes, int count)
{
    (void)attributes;
    (void)count;
    open_operation(parse, NULL, 0, BERTH_IIS_CLEAR);
}

static void open_remove(struct parse *parse, const xmlChar **attributes, int count)
{
    open_operation(parse, attributes, count, BERTH_IIS_REMOVE);
}

static void open_firewall(struct parse *parse, const xmlChar **attributes, int count)
{
    static const struct value zero = {"0", 1};
    struct value low = find_attribute(parse, attributes, count, ATTRIBUTE_LOW_PORT);
    struct value high = find_attribute(parse, attributes, count, ATTRIBUTE_HIGH_PORT);

    low = low.text != NULL ? trimmed(low) : zero;
    high = high.text != NULL ? trimmed(high) : zero;
    if (equals_any_case(low, "0") && equals_any_case(high, "0")) {
        return;
    }
    parse->sites->ftp_low = keep(parse, low, "a port");
    parse->sites->ftp_high = keep(parse, high, "a port");
    parse->sites->ftp_line = line_of(parse);
    parse->sites->has_ftp_range = true;
}

static void open_redirection(struct parse *parse, const xmlChar **attributes, int count)
{
    struct value path = find_attribute(parse, attributes, count, ATTRIBUTE_PATH);

    if (choice_of(find_attribute(parse, attributes, count, ATTRIBUTE_ENABLED)) == BERTH_IIS_YES) {
        parse->sites->redirection_enabled = true;
        if (path.text != NULL) {
            parse->sites->redirection_path = keep(parse, path, "a path");
        }
    }
}

/* ---- libxml2 ---- */

static const struct node_row *find_node(const struct parse *parse, enum node parent,
                                        const xmlChar *name)
{
    for (size_t i = 0; i < BERTH_COUNT(nodes); i++) {
        if (nodes[i].parent == parent && parse->names[i] == name) {
            return &nodes[i];
        }
    }
    return NULL;
}

static void start_element(void *context, const xmlChar *name, const xmlChar *prefix,
                          const xmlChar *uri, int namespace_count, const xmlChar **namespaces,
                          int attribute_count, int defaulted_count, const xmlChar **attributes)
{
    struct parse *parse = context;
    const struct node_row *row = NULL;

    (void)uri;
    (void)namespace_count;
    (void)namespaces;
    (void)defaulted_count;
    if (parse->skipped == 0 && prefix == NULL) {
        row = find_node(parse, parse->path[parse->depth - 1], name);
    }
    if (row == NULL) {
        parse->skipped++;
        return;
    }
    if (row->open != NULL) {
        row->open(parse, attributes, attribute_count);
    }
    parse->root_known = true;
    parse->path[parse->depth++] = row->node;
    halt(parse);
}

static void end_element(void *context, const xmlChar *name, const xmlChar *prefix,
                        const xmlChar *uri)
{
    struct parse *parse = context;

    (void)name;
    (void)prefix;
    (void)uri;
    if (parse->skipped > 0) {
        parse->skipped--;
    } else {
        parse->depth--;
    }
}

static void refuse_dtd(void *context, const xmlChar *name, const xmlChar *external_id,
                       const xmlChar *system_id)
{
    struct parse *parse = context;

    (void)name;
    (void)external_id;
    (void)system_id;
    if (parse->failed == BERTH_OK) {
        stop(parse, berth_fail(parse->err, BERTH_MALFORMED, 0,
                               "line %d: a document type declaration, which is not accepted",
                               line_of(parse)));
        halt(parse);
    }
}

/* Takes each error of libxml2, those of its memory included, in place of its print to stderr. */
static void take_error(void *context, xmlErrorPtr error)
{
    struct parse *parse = context;
    const char *words = error->message != NULL ? error->message : "an error without words";
    size_t length = strcspn(words, "\r\n");

    if (parse->failed != BERTH_OK || error->level == XML_ERR_WARNING) {
        return;
    }
    if (error->code == XML_ERR_NO_MEMORY) {
        parse->failed = berth_fail_memory(parse->err, "libxml2");
        return;
    }
    parse->failed = berth_fail(parse->err, BERTH_MALFORMED, 0, "line %d: %.*s",
                               parse->xml != NULL ? line_of(parse) : 0, (int)length, words);
}

/* Gives libxml2 the next bytes; it asks in small portions, so that it never copies the whole. */
static int take_bytes(void *context, char *buffer, int room)
{
    struct parse *parse = context;
    size_t size = parse->size < (size_t)room ? parse->size : (size_t)room;

    memcpy(buffer, parse->bytes, size);
    parse->bytes += size;
    parse->size -= size;
    return (int)size;
}

/* Keeps libxml2 from guessing at encodings: EBCDIC, UTF-32 and the like are looked up in the
 * system's converters. */
static bool is_known_encoding(const unsigned char *bytes, size_t size)
{
    if (size >= 2 &&
        ((bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF))) {
        return size < 4 || bytes[2] != 0 || bytes[3] != 0;
    }
    if (size >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF) {
        return true;
    }
    return bytes[0] != 0 && bytes[0] < 0x80 && (size < 2 || (bytes[1] != 0 && bytes[1] < 0x80));
}

static bool look_up_names(struct parse *parse)
{
    xmlDict *dict = parse->xml->dict;

    for (size_t i = 0; i < BERTH_COUNT(nodes); i++) {
        if (nodes[i].parent == NODE_DOCUMENT && nodes[i].node == NODE_SITES &&
            parse->sites->document_count == 0) {
            continue; /* only an included file may start with it */
        }
        parse->names[i] = xmlDictLookup(dict, (const xmlChar *)nodes[i].name, -1);
        if (parse->names[i] == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        const xmlChar *name = (const xmlChar *)attribute_names[i];
        parse->attribute_names[i] = xmlDictLookup(dict, name, -1);
        if (parse->attribute_names[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* A NUL byte behind the root element looks like the end to libxml2. */
static bool has_rest(const struct parse *parse)
{
    const xmlParserInput *input = parse->xml->input;

    return parse->size != 0 || (input != NULL && input->cur < input->end);
}

/* Makes a parser that asks take_bytes() for its input. The same as xmlCreateIOParserCtxt(), which
 * leaks its buffer when memory fails (libxml2 2.9.14). NULL: no memory. */
static xmlParserCtxt *make_parser(struct parse *parse)
{
    static const xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = refuse_dtd,
        .startElementNs = start_element,
        .endElementNs = end_element,
        .serror = take_error,
    };
    xmlParserCtxt *xml = xmlNewParserCtxt();
    if (xml == NULL) {
        return NULL;
    }
    *xml->sax = handler;
    xml->userData = parse;
    xmlParserInput *input = xmlNewInputStream(xml);
    if (input == NULL) {
        goto fail;
    }
    input->buf = xmlParserInputBufferCreateIO(take_bytes, NULL, parse, XML_CHAR_ENCODING_NONE);
    if (input->buf == NULL) {
        xmlFreeInputStream(input);
        goto fail;
    }
    input->base = xmlBufContent(input->buf->buffer);
    input->cur = input->base;
    input->end = input->base;
    (void)inputPush(xml, input); /* cannot fail: a new parser has room for five */
    return xml;

fail:
    xmlFreeParserCtxt(xml);
    return NULL;
}

/* Parses with everything prepared. What libxml2 says about its own success is asked in each of the
 * ways that it has, because not every one of its failures shows in all of them. */
static void run(struct parse *parse)
{
    parse->xml = make_parser(parse);
    if (parse->xml == NULL || parse->xml->dict == NULL || !look_up_names(parse)) {
        stop_for_memory(parse);
        return;
    }
    (void)xmlCtxtUseOptions(parse->xml, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    int result = xmlParseDocument(parse->xml);
    if (parse->failed != BERTH_OK) {
        return;
    }
    if (result != 0 || !parse->xml->wellFormed || parse->xml->errNo != XML_ERR_OK) {
        parse->failed = berth_fail(parse->err, BERTH_MALFORMED, 0,
                                   "line %d: not well-formed (libxml2's error %d)", line_of(parse),
                                   parse->xml->errNo);
    } else if (has_rest(parse) || parse->depth != 1 || parse->skipped != 0) {
        parse->failed = berth_fail(parse->err, BERTH_MALFORMED, 0,
                                   "line %d: libxml2 ended before the document", line_of(parse));
    } else if (!parse->root_known) {
        parse->failed =
            berth_fail(parse->err, BERTH_MALFORMED, 0, "the root element is not <configuration>");
    }
}

/* ---- the module ---- */

void berth_iis_sites_init(struct berth_iis_sites *sites)
{
    *sites = (struct berth_iis_sites){0};
}

void berth_iis_sites_fini(struct berth_iis_sites *sites)
{
    berth_free(sites->sites);
    berth_free(sites->operations);
    berth_free(sites->defaults);
    berth_iis_strings_fini(&sites->strings);
    berth_iis_sites_init(sites);
}

enum berth_code berth_iis_sites_parse(struct berth_iis_sites *sites, const void *bytes, size_t size,
                                      const struct berth_iis_sites_limits *limits,
                                      struct berth_error *err)
{
    struct parse parse = {
        .sites = sites,
        .limits = limits != NULL ? limits : &berth_iis_sites_default_limits,
        .err = err,
        .bytes = bytes,
        .size = size,
        .path = {NODE_DOCUMENT},
        .depth = 1,
    };

    if (size == 0) {
        return berth_fail(err, BERTH_MALFORMED, 0, "the document is empty");
    }
    if (!is_known_encoding(bytes, size)) {
        return berth_fail(err, BERTH_MALFORMED, 0,
                          "neither UTF-8 nor UTF-16 with a byte order mark");
    }
    xmlInitParser();
    /* the parser's own handler does not get the errors of buffers and converters: this one does */
    xmlStructuredErrorFunc old_function = xmlStructuredError;
    void *old_context = xmlStructuredErrorContext;
    xmlSetStructuredErrorFunc(&parse, take_error);
    run(&parse);
    xmlFreeParserCtxt(parse.xml);
    xmlSetStructuredErrorFunc(old_context, old_function);
    sites->document_count++;
    return parse.failed;
}
