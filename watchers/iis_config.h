/* SPDX-License-Identifier: MIT */
/* All claims that one installation of IIS makes: applicationHost.config, and the files that it
 * refers to.
 *
 * `redirection.config` in the same folder, when it is enabled, names the folder whose
 * applicationHost.config counts instead (shared configuration). Its user name and password are not
 * used: Berth reads as who it is. A `configSource` of the sites section names a further file below
 * the folder of the including one. The files of IIS Express are read in the same way. */
#ifndef BERTH_WATCHERS_IIS_CONFIG_H
#define BERTH_WATCHERS_IIS_CONFIG_H

#include "allocator/claim.h"
#include "file_read.h"
#include "iis_sites.h"

#define BERTH_IIS_FILES_MAX 3
#define BERTH_IIS_WARNINGS_MAX 100

struct berth_iis_limits {
    size_t file_bytes; /* of each file */
    struct berth_iis_sites_limits sites;
    bool require_sites; /* refuse a file without a sites section: set it when the claims read before
                           are not empty, for such a file is more likely damaged than meant */
};

/** 64 MiB a file, berth_iis_sites_default_limits, no section required. */
extern const struct berth_iis_limits berth_iis_default_limits;

/** A file that was read, or looked for in vain. */
struct berth_iis_file {
    const char *path;
    bool present;
    struct berth_file_stamp stamp; /* all zero when it is not present */
    uint64_t hash;
};

struct berth_iis_config {
    struct berth_claim *claims; /* BINDING and FTP_DATA, in the order of the file */
    size_t claim_count;
    bool had_claims;       /* there were some when berth_iis_config_release_claims() was called */
    const char **warnings; /* sentences; the last one counts those that are left out */
    size_t warning_count;
    size_t site_count;

    struct berth_iis_file files[BERTH_IIS_FILES_MAX]; /* whose change may change the claims */
    size_t file_count;

    /* for this module */
    size_t claim_room;
    size_t warnings_left_out;
    struct berth_iis_strings strings;       /* paths, warnings */
    struct berth_iis_strings sites_strings; /* what claims point to */
};

/** Reads an installation's claims.
 *
 *  A claim's holder is the site, its detail the binding as it is written; STOPPED means
 *  serverAutoStart="false", SNI bit 0 of an https binding's sslFlags. The FTP data-channel range
 *  makes one FTP_DATA claim a port, holder "FTP data channel". A binding that makes no sense gives
 *  a warning and no claim; each other one counts.
 *
 *  @param[out] out     filled on success; on error it has no claims and no warnings, but `files`
 *                      tells which files were asked for so far. berth_iis_config_fini() either way
 *  @param[in]  path    applicationHost.config, UTF-8
 *  @param[in]  limits  NULL: the default ones
 *  @return BERTH_OK; NOT_FOUND: no such file (the first, or one referred to); MALFORMED: empty,
 *          damaged, not what it should be, or referring to what is not accepted; UNSTABLE;
 *          TOO_LARGE; IO; NO_MEMORY. The detail names the file
 *  @thread any; reads the environment  @blocks on the disk
 *  @source Microsoft, configurationRedirection; getting started with configuration in IIS 7 */
enum berth_code berth_iis_config_load(struct berth_iis_config *out, const char *path,
                                      const struct berth_iis_limits *limits,
                                      struct berth_error *err);

/** Gives the claims of one document in memory. A configSource is not followed.
 *  The rest is as for berth_iis_config_load(); `files` is empty. */
enum berth_code berth_iis_config_read(struct berth_iis_config *out, const void *bytes, size_t size,
                                      const struct berth_iis_limits *limits,
                                      struct berth_error *err);

/** Tells whether all files are still as they were when the claims were read. Files whose size and
 *  time are the same are not read, unless they were too young then to tell by that.
 *  @param[in,out] config       the stamps are brought up to date
 *  @param[in]     by_content   read in any case
 *  @return false: something changed, or it cannot be told  @thread any  @blocks on the disk */
bool berth_iis_config_is_current(struct berth_iis_config *config, size_t limit_bytes,
                                 bool by_content);

/** Gives the claims' memory back, and that of all they point to, once somebody else has them: a
 *  third of what 10,000 sites take. The rest stays.  @thread any  @blocks no */
void berth_iis_config_release_claims(struct berth_iis_config *config);

/** Gives the memory back and leaves an empty configuration. An all-zero one is accepted. */
void berth_iis_config_fini(struct berth_iis_config *config);

#endif
