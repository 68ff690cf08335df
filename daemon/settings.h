/* SPDX-License-Identifier: MIT */
/* The daemon's configuration: what berthd.config says, checked as a whole before any of it counts.
 * docs/configuration.md is the operator's view of the same; config/berthd.xsd the editor's. */
#ifndef BERTH_DAEMON_SETTINGS_H
#define BERTH_DAEMON_SETTINGS_H

#include "base/error.h"
#include "base/text.h"
#include "base/units.h"
#include "expand.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ceilings. The file's own is BERTH_SETTINGS_FILE_MAX bytes. */
#define BERTH_SETTINGS_FILE_MAX ((size_t)1 << 20)
#define BERTH_SETTINGS_POOLS_MAX 64
#define BERTH_SETTINGS_RESERVED_MAX 1024
#define BERTH_SETTINGS_IIS_MAX 32
#define BERTH_SETTINGS_RULES_MAX 256
#define BERTH_SETTINGS_COMMANDS_MAX 16
#define BERTH_SETTINGS_ARGUMENTS_MAX 16 /* of a command */
#define BERTH_SETTINGS_PATH_MAX 4096    /* bytes, after expansion */
#define BERTH_DIAGNOSTICS_MAX 50

/** What a pool does with its ports inside the operating system's ephemeral range. */
enum berth_ephemeral_use {
    BERTH_EPHEMERAL_LAST, /* gives them when no other is left */
    BERTH_EPHEMERAL_NEVER /* keeps out of them */
};

/** A setting of a part that works better with something the machine may lack. */
enum berth_choice {
    BERTH_CHOICE_AUTO, /* used where it is there */
    BERTH_CHOICE_ON,   /* wanted: its lack is a warning */
    BERTH_CHOICE_OFF
};

enum berth_durability {
    BERTH_DURABILITY_COMMIT, /* an acknowledged lease survives the daemon's death */
    BERTH_DURABILITY_SYNC    /* and the machine's */
};

/** What a caller may do; each includes the ones before it. */
enum berth_role { BERTH_ROLE_NONE, BERTH_ROLE_READER, BERTH_ROLE_ALLOCATOR, BERTH_ROLE_ADMIN };

/** Whom an access rule speaks of. */
enum berth_subject {
    BERTH_SUBJECT_EVERYONE, /* every local user; the rule's name is "*" */
    BERTH_SUBJECT_GROUP,    /* a group's name, SID or gid */
    BERTH_SUBJECT_USER      /* a user's name, SID or uid */
};

/* In what follows strings are UTF-8, NUL-terminated and owned by the settings; `line` is the line
 * of the file that says so, 0 for a default. */

struct berth_pool_settings {
    char *name;
    struct berth_port_range ports;
    uint8_t ephemeral;   /* enum berth_ephemeral_use */
    uint8_t low_percent; /* as it was written; 0: written as a number of ports */
    uint32_t low_ports;  /* the pool is low with fewer free ports than that; 0: never */
    unsigned line;
};

struct berth_reserved_settings {
    struct berth_port_range ports;
    char *reason; /* NULL: none given */
    unsigned line;
};

struct berth_iis_settings {
    char *path;    /* NULL: the platform's default applicationHost.config, if it has one */
    bool optional; /* nobody asked for it: a machine without IIS has the source `absent` */
    unsigned line;
};

struct berth_access_rule {
    uint8_t role;    /* enum berth_role, never NONE */
    uint8_t subject; /* enum berth_subject */
    char *name;
    unsigned line;
};

struct berth_command_settings {
    char *path;       /* no .bat or .cmd */
    char **arguments; /* as in the file; up to BERTH_SETTINGS_ARGUMENTS_MAX */
    size_t argument_count;
    uint64_t timeout_ms;
    unsigned line;
};

/** Everything that berthd.config can say. */
struct berth_settings {
    char *endpoint; /* NULL: the platform's default */
    char *state;    /* folder; NULL: the platform's default */

    struct berth_pool_settings *pools; /* at least one; as in the file; no two overlap */
    size_t pool_count;
    struct berth_reserved_settings *reserved; /* as in the file */
    size_t reserved_count;
    struct berth_iis_settings *iis; /* at least one; no path twice */
    size_t iis_count;

    struct {
        uint64_t poll_ms; /* 10 ms to 1 h */
        uint64_t full_ms; /* poll_ms to 1 d */
        uint8_t events;   /* enum berth_choice */
        uint8_t probe;    /* enum berth_choice */
    } tcp;
    struct {
        uint8_t etw; /* enum berth_choice, never AUTO */
        uint8_t wmi; /* the same */
    } hints;
    struct {
        uint64_t ttl_ms;      /* 1 s to 365 d */
        uint64_t linger_ms;   /* 0 to 7 d */
        uint64_t cooldown_ms; /* 0 to 7 d */
    } lease;
    struct {
        uint8_t durability;  /* enum berth_durability */
        uint64_t history_ms; /* 0 (none is kept) to 3650 d */
    } store;

    bool access_given;               /* false: `rules` are the defaults; a group that they name may
                                        be missing without a warning */
    struct berth_access_rule *rules; /* none: only the system's administrators have access */
    size_t rule_count;

    uint64_t debounce_ms; /* 0 to 10 min */
    struct {
        bool system_log; /* Event Log or syslog */
        struct berth_command_settings *commands;
        size_t command_count;
        char *metrics_path; /* NULL: none is written */
        uint64_t metrics_interval_ms;
    } alerts;
    struct {
        char *path;          /* NULL: the platform's default place, or standard error */
        uint64_t size_bytes; /* 64 KiB to 1 GiB */
        uint32_t keep;       /* 0 to 100 */
    } log;
    struct {
        uint32_t connections;     /* 16 to 16384 */
        uint32_t per_user;        /* 1 to connections */
        uint32_t subscribers;     /* 0 to connections */
        uint32_t leases_per_user; /* 1 to 65535 */
    } limits;
};

enum berth_severity { BERTH_SEVERITY_ERROR, BERTH_SEVERITY_WARNING };

/** One remark on the file. */
struct berth_diagnostic {
    enum berth_severity severity;
    unsigned line; /* from 1: where the element in question begins to hold, that is the line of its
                      start tag's end; 0: the file as a whole */
    char *text;    /* a sentence without the final stop: the value, and what would be accepted */
};

/** The remarks on a file, by line. At most BERTH_DIAGNOSTICS_MAX are kept, errors before warnings;
 *  the counts know of all. */
struct berth_diagnostics {
    struct berth_diagnostic *items;
    size_t count;
    size_t capacity;
    size_t error_count;
    size_t warning_count;
    bool out_of_memory; /* a remark could not be kept */
};

/** Makes an empty list that takes no memory yet.  @thread any */
void berth_diagnostics_init(struct berth_diagnostics *list);

/** Gives the memory back and leaves an empty list. */
void berth_diagnostics_fini(struct berth_diagnostics *list);

/** Adds all remarks to `out`, one a line: "NAME:12: error: …", and how many were not kept.
 *  @param[in] name  the file's name as the reader knows it  @thread any */
void berth_diagnostics_write(struct berth_text *out, const char *name,
                             const struct berth_diagnostics *list);

/** Makes settings as they are without any file.
 *  @param[out] out  set only on BERTH_OK; for berth_settings_fini()
 *  @return BERTH_OK | BERTH_NO_MEMORY  @thread any  @blocks no */
enum berth_code berth_settings_default(struct berth_settings *out, struct berth_error *err);

/** Gives all memory of the settings back and leaves them all zero. All zero is accepted.  */
void berth_settings_fini(struct berth_settings *settings);

/** Reads a configuration from memory: XML, checked against the schema and then for its meaning.
 *  All errors are collected before it is given up.
 *  @param[out]    out          set only on BERTH_OK (not even released before: settings in use stay
 *                              in use until the caller puts the new ones in their place); for
 *                              berth_settings_fini()
 *  @param[in]     bytes        UTF-8, UTF-16 or whatever the XML declaration says; need not end
 * with a NUL; not kept
 *  @param[in]     name         of the file, for `err` only
 *  @param[in]     variables    for %variables%
 *  @param[in,out] diagnostics  initialised and empty; may hold warnings on BERTH_OK, and holds at
 *                              least one error on BERTH_MALFORMED
 *  @return BERTH_OK; BERTH_MALFORMED: the file is not accepted, `err` says the first error and how
 *          many there are; BERTH_TOO_LARGE: over BERTH_SETTINGS_FILE_MAX; BERTH_NO_MEMORY, also
 *          where libxml2 had none; BERTH_INTERNAL: the schema could not be used
 *  @thread any, one at a time (libxml2's error handler of the thread is borrowed and put back)
 *  @blocks no: opens no file and no connection, whatever the document names */
enum berth_code berth_settings_parse(struct berth_settings *out, const void *bytes, size_t length,
                                     const char *name, const struct berth_variables *variables,
                                     struct berth_diagnostics *diagnostics,
                                     struct berth_error *err);

/** Reads a configuration file, with the process's environment for %variables%.
 *  @param[in] path  UTF-8
 *  @return as berth_settings_parse(), and BERTH_NOT_FOUND | BERTH_DENIED | BERTH_IO |
 *          BERTH_UNSTABLE | BERTH_TOO_LARGE as the file could not be read
 *  @thread any, one at a time  @blocks for the read of the file */
enum berth_code berth_settings_load(struct berth_settings *out, const char *path,
                                    struct berth_diagnostics *diagnostics, struct berth_error *err);

/** What is in effect where the settings say nothing, or where the command line says otherwise.
 * NULL: there is no such place. */
struct berth_settings_places {
    const char *given_endpoint; /* by the command line, which wins over the settings */
    const char *given_state;
    const char *endpoint;
    const char *state;
    const char *iis;
    const char *log; /* of a service; NULL: it goes to standard error there, too */
};

/** Adds the effective settings to `out` as an operator would read them, one a line.
 *  @thread any  @blocks no */
void berth_settings_write_summary(struct berth_text *out, const struct berth_settings *settings,
                                  const struct berth_settings_places *places);

/** Gives "reader", "allocator", "admin" ("none").  @return a string constant  @thread any */
const char *berth_role_name(enum berth_role role);

#endif
