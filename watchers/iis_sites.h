/* SPDX-License-Identifier: MIT */
/* What the configuration files of IIS say about sites, read from one document in memory.
 *
 * The document is streamed through libxml2's SAX interface: for 10,000 sites its reader takes 2.3
 * times as long, and a tree 7 times as long and 60 MB. What counts is told by a table of paths from
 * the root:
 *
 *   configuration/system.applicationHost/sites            @configSource
 *   …/sites/site                                          @name @id @serverAutoStart
 *   …/sites/site/bindings/{binding,clear,remove}
 *   …/sites/siteDefaults                                  @serverAutoStart
 *   …/sites/siteDefaults/bindings/{binding,clear,remove}
 *   configuration/system.ftpServer/firewallSupport        @lowDataChannelPort @highDataChannelPort
 *   configuration/configurationRedirection                @enabled @path
 *   sites, with all below it, as the root of any document but the first: files that a configSource
 *   names may start so
 *
 * The same names anywhere else (in <location>, in <configSections>, in comments) mean nothing.
 * Names of elements and attributes are compared by bytes, as IIS does; protocols and boolean values
 * in any case. A line number is that of the line on which the start tag ends.
 *
 * Safety: a document is accepted only when libxml2 calls it well-formed and has reported no error
 * at all, out of memory included. Any DTD is refused where it begins; external files are never
 * read, entities never substituted, compressed data never unpacked. It must be UTF-8 or UTF-16 with
 * a byte order mark; the encoding that the document declares is passed over, so that no converter
 * is looked up by a name that a file gives. libxml2's own ceilings stay (depth 256, names 50,000
 * bytes, attributes 10,000,000 bytes).
 *
 * libxml2's state: xmlInitParser() is called; while a document is parsed the calling thread's
 * structured error function is replaced and then put back. Nothing else is changed. */
#ifndef BERTH_WATCHERS_IIS_SITES_H
#define BERTH_WATCHERS_IIS_SITES_H

#include "base/error.h"
#include "iis_strings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum berth_iis_operation_kind {
    BERTH_IIS_ADD,   /* <binding>: adds one */
    BERTH_IIS_CLEAR, /* <clear/>: drops those inherited and those before it */
    BERTH_IIS_REMOVE /* <remove>: drops those of the same protocol and information */
};

/** One element of a <bindings>. */
struct berth_iis_operation {
    const char *protocol;    /* as written, blanks around it cut off; "" when it is missing */
    const char *information; /* the same of bindingInformation; it lies behind `text`'s blank */
    const char *text;        /* "protocol information": the binding as it is written */
    uint32_t ssl_flags;
    int line;
    enum berth_iis_operation_kind kind;
};

enum berth_iis_choice { BERTH_IIS_UNSAID, BERTH_IIS_NO, BERTH_IIS_YES };

struct berth_iis_site {
    const char *name; /* "" when it is missing */
    uint32_t id;      /* 0 when it is missing or no number */
    int line;
    unsigned document; /* which document: 0 the first that was parsed, 1 the next … */
    enum berth_iis_choice auto_start; /* serverAutoStart */
    size_t first_operation;           /* its operations are a stretch of `operations` */
    size_t operation_count;
};

/** What one or several documents say. Control characters in strings are replaced by blanks. */
struct berth_iis_sites {
    struct berth_iis_site *sites; /* in the documents' order */
    size_t site_count;
    struct berth_iis_operation *operations; /* of all sites, site after site */
    size_t operation_count;
    struct berth_iis_operation *defaults; /* of siteDefaults/bindings */
    size_t default_count;
    enum berth_iis_choice default_auto_start;

    bool has_sites_section;
    const char *config_source; /* of the sites section; NULL: none */
    bool has_ftp_range;        /* firewallSupport names a range other than 0-0 */
    const char *ftp_low;       /* as written; "0" when missing */
    const char *ftp_high;
    int ftp_line;
    bool redirection_enabled;
    const char *redirection_path; /* as written; NULL: none */

    /* for this module */
    size_t site_room;
    size_t operation_room;
    size_t default_room;
    unsigned document_count;
    struct berth_iis_strings strings; /* all strings above */
};

/** Ceilings. Reaching one refuses the whole document with BERTH_TOO_LARGE. */
struct berth_iis_sites_limits {
    size_t sites;
    size_t bindings; /* elements in <bindings>, all sites together; and bindings in effect */
    size_t string_bytes;
};

/** 100,000 sites, 1,000,000 bindings, 4,096 bytes a name or binding. */
extern const struct berth_iis_sites_limits berth_iis_sites_default_limits;

/** Makes a model that says nothing; takes no memory. */
void berth_iis_sites_init(struct berth_iis_sites *sites);

/** Gives the model's memory back and leaves one that says nothing. */
void berth_iis_sites_fini(struct berth_iis_sites *sites);

/** Adds to the model what a document says.
 *
 *  @param         bytes   the file as it is, `size` bytes; not kept
 *  @param         limits  NULL: the default ones
 *  @param         err     may be NULL. On MALFORMED its detail starts with "line N: " where a line
 *                         is known, and carries libxml2's own words
 *  @return BERTH_OK; MALFORMED: empty, another encoding, another root element, not
 *          well-formed, or with a DTD; TOO_LARGE: a ceiling; NO_MEMORY. On error `sites` holds part
 * of the document: only berth_iis_sites_fini() may follow
 *  @thread any, one at a time for each model  @blocks no (about 10 ms for 10,000 sites)
 *  @source Microsoft, <sites>, <siteDefaults>, <firewallSupport>, <configurationRedirection>;
 *          libxml2's parser.h and xmlerror.h */
BERTH_MUST_USE
enum berth_code berth_iis_sites_parse(struct berth_iis_sites *sites, const void *bytes, size_t size,
                                      const struct berth_iis_sites_limits *limits,
                                      struct berth_error *err);

#endif
