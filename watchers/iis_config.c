/* SPDX-License-Identifier: MIT */
#include "iis_config.h"

#include "base/memory.h"
#include "base/native.h"
#include "base/text.h"
#include "base/units.h"
#include "iis_binding.h"
#include "iis_effective.h"

#include <string.h>

#define PATH_BYTES_MAX 4096
#define SHOWN_BYTES_MAX 120 /* of a name or binding, in a warning */
#define SNI_FLAG 1u

const struct berth_iis_limits berth_iis_default_limits = {
    .file_bytes = 64u * 1024 * 1024,
    .sites = {.sites = 100000, .bindings = 1000000, .string_bytes = 4096},
};

/* ---- warnings ---- */

/* Adds a sentence; BERTH_IIS_WARNINGS_MAX of them are kept, of which the last says how many more
 * there were. */
static enum berth_code add_warning(struct berth_iis_config *out, const char *sentence,
                                   struct berth_error *err)
{
    if (out->warnings == NULL) {
        out->warnings = berth_alloc(BERTH_IIS_WARNINGS_MAX, sizeof *out->warnings);
        if (out->warnings == NULL) {
            return berth_fail_memory(err, "warnings");
        }
    }
    if (out->warning_count >= BERTH_IIS_WARNINGS_MAX - 1) {
        out->warnings_left_out++;
        return BERTH_OK;
    }
    const char *kept = berth_iis_strings_copy(&out->strings, sentence, strlen(sentence));
    if (kept == NULL) {
        return berth_fail_memory(err, "a warning");
    }
    out->warnings[out->warning_count++] = kept;
    return BERTH_OK;
}

static enum berth_code close_warnings(struct berth_iis_config *out, struct berth_error *err)
{
    if (out->warnings_left_out == 0) {
        return BERTH_OK;
    }
    const char *last =
        berth_iis_strings_format(&out->strings, "… and %zu more", out->warnings_left_out);
    if (last == NULL) {
        return berth_fail_memory(err, "a warning");
    }
    out->warnings[out->warning_count++] = last;
    return BERTH_OK;
}

static enum berth_code warn_of_binding(struct berth_iis_config *out,
                                       const struct berth_iis_site *site,
                                       const struct berth_iis_operation *binding,
                                       const struct berth_error *why, struct berth_error *err)
{
    struct berth_error sentence;

    /* berth_fail() is used for its formatting: it cuts off within its bounds and outside UTF-8
     * sequences */
    (void)berth_fail(&sentence, BERTH_MALFORMED, 0, "site '%.*s', %sline %d: binding %.*s: %s",
                     SHOWN_BYTES_MAX, site->name, site->document != 0 ? "configSource " : "",
                     binding->line, SHOWN_BYTES_MAX, binding->text, why->detail);
    return add_warning(out, sentence.detail, err);
}

/* ---- claims ---- */

static enum berth_code add_claim(struct berth_iis_config *out, const struct berth_claim *claim,
                                 struct berth_error *err)
{
    if (out->claims == NULL || out->claim_count == out->claim_room) {
        size_t room = out->claim_room + out->claim_room / 2 + 64;
        struct berth_claim *moved = berth_resize(out->claims, room, sizeof *moved);
        if (moved == NULL) {
            return berth_fail_memory(err, "the claims of a configuration");
        }
        out->claims = moved;
        out->claim_room = room;
    }
    out->claims[out->claim_count++] = *claim;
    return BERTH_OK;
}

/* Gives a binding's host as a string; the information's own end serves, when the host ends there.
 */
static const char *host_of(struct berth_iis_config *out, const struct berth_iis_binding *binding)
{
    if (binding->host == NULL || binding->host[binding->host_length] == '\0') {
        return binding->host;
    }
    return berth_iis_strings_copy(&out->sites_strings, binding->host, binding->host_length);
}

static enum berth_code add_binding(struct berth_iis_config *out, const struct berth_iis_site *site,
                                   const struct berth_iis_operation *operation, bool stopped,
                                   struct berth_error *err)
{
    struct berth_iis_binding binding;
    struct berth_error why;

    if (berth_iis_binding_parse(&binding, operation->protocol, operation->information, &why) !=
        BERTH_OK) {
        return warn_of_binding(out, site, operation, &why, err);
    }
    if (!binding.has_port) {
        return BERTH_OK;
    }
    struct berth_claim claim = berth_claim_make(binding.port, BERTH_CLAIM_BINDING);
    claim.protocol = (uint8_t)binding.protocol;
    claim.address = binding.address;
    claim.holder = site->name;
    claim.detail = operation->text;
    claim.host = host_of(out, &binding);
    if (binding.host != NULL && claim.host == NULL) {
        return berth_fail_memory(err, "a host name");
    }
    if (stopped) {
        claim.flags |= BERTH_CLAIM_STOPPED;
    }
    if (binding.protocol == BERTH_PROTOCOL_HTTPS && (operation->ssl_flags & SNI_FLAG) != 0) {
        claim.flags |= BERTH_CLAIM_SNI;
    }
    return add_claim(out, &claim, err);
}

static bool is_stopped(const struct berth_iis_sites *sites, const struct berth_iis_site *site)
{
    enum berth_iis_choice said =
        site->auto_start != BERTH_IIS_UNSAID ? site->auto_start : sites->default_auto_start;

    return said == BERTH_IIS_NO;
}

static enum berth_code add_sites(struct berth_iis_config *out, const struct berth_iis_sites *sites,
                                 const struct berth_iis_limits *limits, struct berth_error *err)
{
    struct berth_iis_effective list = {0};
    enum berth_code code = BERTH_OK;
    size_t total = 0;

    for (size_t i = 0; i < sites->site_count && code == BERTH_OK; i++) {
        const struct berth_iis_site *site = &sites->sites[i];
        bool stopped = is_stopped(sites, site);
        code = berth_iis_effective_of(&list, sites, i, err);
        total += list.count;
        if (code == BERTH_OK && total > limits->sites.bindings) {
            code = berth_fail(err, BERTH_TOO_LARGE, 0, "line %d: more than %zu bindings in effect",
                              site->line, limits->sites.bindings);
        }
        for (size_t k = 0; k < list.count && code == BERTH_OK; k++) {
            code = add_binding(out, site, list.bindings[k], stopped, err);
        }
    }
    berth_iis_effective_fini(&list);
    return code;
}

static enum berth_code add_ftp_range(struct berth_iis_config *out,
                                     const struct berth_iis_sites *sites, struct berth_error *err)
{
    struct berth_port_range range;
    struct berth_error sentence;
    enum berth_code code = BERTH_OK;

    if (!sites->has_ftp_range) {
        return BERTH_OK;
    }
    if (!berth_parse_port(&range.first, sites->ftp_low) ||
        !berth_parse_port(&range.last, sites->ftp_high) || range.first > range.last) {
        (void)berth_fail(&sentence, BERTH_MALFORMED, 0,
                         "line %d: firewallSupport: %.*s to %.*s is no range of ports",
                         sites->ftp_line, SHOWN_BYTES_MAX, sites->ftp_low, SHOWN_BYTES_MAX,
                         sites->ftp_high);
        return add_warning(out, sentence.detail, err);
    }
    const char *detail = berth_iis_strings_format(&out->sites_strings, "data channel ports %u-%u",
                                                  (unsigned)range.first, (unsigned)range.last);
    if (detail == NULL) {
        return berth_fail_memory(err, "the FTP data channel");
    }
    for (uint32_t port = range.first; port <= range.last && code == BERTH_OK; port++) {
        struct berth_claim claim = berth_claim_make((uint16_t)port, BERTH_CLAIM_FTP_DATA);
        claim.protocol = BERTH_PROTOCOL_FTP;
        claim.holder = "FTP data channel";
        claim.detail = detail;
        code = add_claim(out, &claim, err);
    }
    return code;
}

/* Makes claims of a model, whose strings `out` takes over. */
static enum berth_code build(struct berth_iis_config *out, struct berth_iis_sites *sites,
                             const struct berth_iis_limits *limits, struct berth_error *err)
{
    enum berth_code code = BERTH_OK;

    out->sites_strings = sites->strings;
    sites->strings = (struct berth_iis_strings){0};
    out->site_count = sites->site_count;
    if (sites->operation_count != 0) {
        /* nearly always right: as many claims as bindings */
        out->claims = berth_resize(NULL, sites->operation_count, sizeof *out->claims);
        out->claim_room = out->claims != NULL ? sites->operation_count : 0;
    }
    code = add_sites(out, sites, limits, err);
    if (code == BERTH_OK) {
        code = add_ftp_range(out, sites, err);
    }
    return code == BERTH_OK ? close_warnings(out, err) : code;
}

/* ---- paths ---- */

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* The length of a path's folder, the separator included; 0: it names none. */
static size_t folder_length(const char *path)
{
    size_t length = strlen(path);

    while (length > 0 && !is_separator(path[length - 1])) {
        length--;
    }
    return length;
}

/* "/…", "\\server\…", "C:\…": of whatever system; one of another system will not be found. */
static bool is_absolute(const char *path)
{
    bool letter = (path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z');

    return path[0] == '/' || (path[0] == '\\' && path[1] == '\\') ||
           (letter && path[1] == ':' && is_separator(path[2]));
}

/* Tells whether a configSource stays below the folder that it starts from. */
static bool is_below(const char *path)
{
    if (path[0] == '\0' || is_separator(path[0]) || strchr(path, ':') != NULL) {
        return false;
    }
    while (*path != '\0') {
        size_t length = strcspn(path, "/\\");
        if (length == 2 && memcmp(path, "..", 2) == 0) {
            return false;
        }
        path += length;
        path += *path != '\0';
    }
    return true;
}

/* Writes `text` with each %name% replaced by the environment's value. A name that the environment
 * lacks stays as it is, as on Windows. */
static void expand_variables(struct berth_text *out, const char *text)
{
    while (*text != '\0') {
        const char *end = *text == '%' ? strchr(text + 1, '%') : NULL;
        char name[256];
        char *value = NULL;
        if (end != NULL && end - text > 1 && (size_t)(end - text) <= sizeof name) {
            size_t length = (size_t)(end - text) - 1;
            memcpy(name, text + 1, length);
            name[length] = '\0';
            if (!berth_environment(&value, name)) {
                out->failed = BERTH_NO_MEMORY;
            }
        }
        if (value != NULL) {
            berth_text_puts(out, value);
            text = end + 1;
        } else {
            berth_text_putc(out, *text++);
        }
        berth_free(value);
    }
}

/* Keeps folder + name, with the separator that the folder uses. */
static const char *join(struct berth_iis_config *out, const char *folder, size_t folder_bytes,
                        const char *name)
{
    bool closed = folder_bytes == 0 || is_separator(folder[folder_bytes - 1]);
    char separator =
        memchr(folder, '/', folder_bytes) == NULL && memchr(folder, '\\', folder_bytes) != NULL
            ? '\\'
            : '/';
    size_t name_bytes = strlen(name);
    char *path = berth_iis_strings_reserve(&out->strings, folder_bytes + 1 + name_bytes);

    if (path == NULL) {
        return NULL;
    }
    memcpy(path, folder, folder_bytes);
    size_t length = folder_bytes;
    if (!closed) {
        path[length++] = separator;
    }
    for (size_t i = 0; i <= name_bytes; i++) {
        path[length + i] = is_separator(name[i]) ? separator : name[i];
    }
    return path;
}

/* ---- files ---- */

/* Reads a file and enters it among those that count, found or not. */
static enum berth_code read_listed(struct berth_iis_config *out, struct berth_file *file,
                                   const char *path, const struct berth_iis_limits *limits,
                                   struct berth_error *err)
{
    struct berth_iis_file *entry = &out->files[out->file_count++];

    *entry = (struct berth_iis_file){.path = path};
    enum berth_code code = berth_file_read(file, path, limits->file_bytes, err);
    if (code == BERTH_OK) {
        entry->present = true;
        entry->stamp = file->stamp;
        entry->hash = file->hash;
    } else {
        berth_error_prefix(err, "%s", path);
    }
    return code;
}

/* Reads a listed file and adds what it says to the model. */
static enum berth_code parse_listed(struct berth_iis_config *out, struct berth_iis_sites *sites,
                                    const char *path, const struct berth_iis_limits *limits,
                                    struct berth_error *err)
{
    struct berth_file file = {0};
    enum berth_code code = read_listed(out, &file, path, limits, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = berth_iis_sites_parse(sites, file.bytes, (size_t)file.stamp.size, &limits->sites, err);
    if (code != BERTH_OK) {
        berth_error_prefix(err, "%s", path);
    }
    berth_file_fini(&file);
    return code;
}

/* Gives the place that an enabled redirection.config names. */
static enum berth_code redirected_path(struct berth_iis_config *out, const char **path,
                                       const char *written, struct berth_error *err)
{
    struct berth_text folder;
    enum berth_code code = BERTH_OK;

    berth_text_init(&folder, PATH_BYTES_MAX);
    expand_variables(&folder, written != NULL ? written : "");
    if (folder.failed == BERTH_NO_MEMORY) {
        code = berth_fail_memory(err, "a path");
    } else if (folder.failed != BERTH_OK || !is_absolute(berth_text_string(&folder))) {
        code = berth_fail(err, BERTH_MALFORMED, 0,
                          "redirection.config: the path \"%.*s\" is not an absolute one",
                          SHOWN_BYTES_MAX, written != NULL ? written : "");
    } else {
        *path = join(out, folder.data, folder.length, "applicationHost.config");
        if (*path == NULL) {
            code = berth_fail_memory(err, "a path");
        }
    }
    berth_text_fini(&folder);
    return code;
}

/* Makes *path the file that redirection.config beside it names, if there is one, enabled. */
static enum berth_code follow_redirection(struct berth_iis_config *out, const char **path,
                                          const struct berth_iis_limits *limits,
                                          struct berth_error *err)
{
    struct berth_iis_sites said;
    const char *beside = join(out, *path, folder_length(*path), "redirection.config");

    if (beside == NULL) {
        return berth_fail_memory(err, "a path");
    }
    berth_iis_sites_init(&said);
    enum berth_code code = parse_listed(out, &said, beside, limits, err);
    if (code == BERTH_NOT_FOUND) {
        code = BERTH_OK;
    } else if (code == BERTH_OK && said.redirection_enabled) {
        code = redirected_path(out, path, said.redirection_path, err);
    }
    berth_iis_sites_fini(&said);
    return code;
}

/* Adds the file that the sites section names as its configSource. */
static enum berth_code follow_source(struct berth_iis_config *out, struct berth_iis_sites *sites,
                                     const char *path, const struct berth_iis_limits *limits,
                                     struct berth_error *err)
{
    const char *source = sites->config_source;

    if (!is_below(source)) {
        return berth_fail(err, BERTH_MALFORMED, 0,
                          "%s: configSource=\"%.*s\" is not a file below the same folder", path,
                          SHOWN_BYTES_MAX, source);
    }
    const char *place = join(out, path, folder_length(path), source);
    if (place == NULL) {
        return berth_fail_memory(err, "a path");
    }
    sites->has_sites_section = false;
    sites->config_source = NULL;
    enum berth_code code = parse_listed(out, sites, place, limits, err);
    if (code == BERTH_OK && (!sites->has_sites_section || sites->config_source != NULL)) {
        code = berth_fail(err, BERTH_MALFORMED, 0, "%s: %s", place,
                          sites->config_source != NULL ? "a configSource within a configSource"
                                                       : "has no sites section");
    }
    return code;
}

static enum berth_code check_section(const struct berth_iis_sites *sites, const char *path,
                                     const struct berth_iis_limits *limits, struct berth_error *err)
{
    if (sites->has_sites_section || !limits->require_sites) {
        return BERTH_OK;
    }
    return berth_fail(err, BERTH_MALFORMED, 0, "%s has no system.applicationHost/sites section",
                      path);
}

void berth_iis_config_release_claims(struct berth_iis_config *config)
{
    config->had_claims = config->had_claims || config->claim_count != 0;
    berth_free(config->claims);
    berth_iis_strings_fini(&config->sites_strings);
    config->claims = NULL;
    config->claim_count = 0;
    config->claim_room = 0;
}

/* Takes away what a failed load must not show; the list of files stays. */
static void drop_claims(struct berth_iis_config *out)
{
    berth_iis_config_release_claims(out);
    out->had_claims = false;
    berth_free((void *)out->warnings);
    out->warnings = NULL;
    out->warning_count = 0;
    out->site_count = 0;
}

enum berth_code berth_iis_config_load(struct berth_iis_config *out, const char *path,
                                      const struct berth_iis_limits *limits,
                                      struct berth_error *err)
{
    struct berth_iis_sites sites;
    enum berth_code code;

    *out = (struct berth_iis_config){0};
    berth_iis_sites_init(&sites);
    limits = limits != NULL ? limits : &berth_iis_default_limits;
    const char *place = berth_iis_strings_copy(&out->strings, path, strlen(path));
    if (place == NULL) {
        code = berth_fail_memory(err, "a path");
        goto out;
    }
    code = follow_redirection(out, &place, limits, err);
    if (code == BERTH_OK) {
        code = parse_listed(out, &sites, place, limits, err);
    }
    if (code == BERTH_OK) {
        code = check_section(&sites, place, limits, err);
    }
    if (code == BERTH_OK && sites.config_source != NULL) {
        code = follow_source(out, &sites, place, limits, err);
    }
    if (code == BERTH_OK) {
        code = build(out, &sites, limits, err);
    }

out:
    berth_iis_sites_fini(&sites);
    if (code != BERTH_OK) {
        drop_claims(out);
    }
    return code;
}

enum berth_code berth_iis_config_read(struct berth_iis_config *out, const void *bytes, size_t size,
                                      const struct berth_iis_limits *limits,
                                      struct berth_error *err)
{
    struct berth_iis_sites sites;
    enum berth_code code;

    *out = (struct berth_iis_config){0};
    berth_iis_sites_init(&sites);
    limits = limits != NULL ? limits : &berth_iis_default_limits;
    code = berth_iis_sites_parse(&sites, bytes, size, &limits->sites, err);
    if (code == BERTH_OK) {
        code = check_section(&sites, "the document", limits, err);
    }
    if (code == BERTH_OK) {
        code = build(out, &sites, limits, err);
    }
    berth_iis_sites_fini(&sites);
    if (code != BERTH_OK) {
        drop_claims(out);
    }
    return code;
}

static bool is_file_current(struct berth_iis_file *file, size_t limit_bytes, bool by_content)
{
    struct berth_file_stamp now;
    struct berth_file content;
    enum berth_code code = berth_file_stat(&now, file->path, NULL);

    if (code != BERTH_OK || !file->present) {
        return code == BERTH_NOT_FOUND && !file->present;
    }
    if (!by_content && !file->stamp.fresh && now.size == file->stamp.size &&
        now.modified_ns == file->stamp.modified_ns) {
        return true;
    }
    if (now.size != file->stamp.size ||
        berth_file_read(&content, file->path, limit_bytes, NULL) != BERTH_OK) {
        return false;
    }
    bool same = content.stamp.size == file->stamp.size && content.hash == file->hash;
    if (same) {
        file->stamp = content.stamp;
    }
    berth_file_fini(&content);
    return same;
}

bool berth_iis_config_is_current(struct berth_iis_config *config, size_t limit_bytes,
                                 bool by_content)
{
    bool current = config->file_count != 0;

    for (size_t i = 0; i < config->file_count && current; i++) {
        current = is_file_current(&config->files[i], limit_bytes, by_content);
    }
    return current;
}

void berth_iis_config_fini(struct berth_iis_config *config)
{
    drop_claims(config);
    berth_iis_strings_fini(&config->strings);
    *config = (struct berth_iis_config){0};
}
