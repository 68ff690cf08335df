/* SPDX-License-Identifier: MIT */
/* Prints what Berth reads in a file of IIS: one line "site<TAB>protocol<TAB>information<TAB>port" a
 * binding, port "-" where it claims none and "?" where it is malformed. Exit status 1 and the
 * reason on stderr where the file is refused. */
#include "watchers/file_read.h"
#include "watchers/iis_binding.h"
#include "watchers/iis_effective.h"

#include <stdio.h>

static void print_binding(const char *site, const struct berth_iis_operation *operation)
{
    struct berth_iis_binding binding;

    (void)printf("%s\t%s\t%s\t", site, operation->protocol, operation->information);
    if (berth_iis_binding_parse(&binding, operation->protocol, operation->information, NULL) !=
        BERTH_OK) {
        (void)puts("?");
    } else if (!binding.has_port) {
        (void)puts("-");
    } else {
        (void)printf("%u\n", (unsigned)binding.port);
    }
}

static enum berth_code dump(const struct berth_file *file, struct berth_error *err)
{
    struct berth_iis_sites sites;
    struct berth_iis_effective list = {0};

    berth_iis_sites_init(&sites);
    enum berth_code code =
        berth_iis_sites_parse(&sites, file->bytes, (size_t)file->stamp.size, NULL, err);
    for (size_t i = 0; i < sites.site_count && code == BERTH_OK; i++) {
        code = berth_iis_effective_of(&list, &sites, i, err);
        for (size_t k = 0; k < list.count; k++) {
            print_binding(sites.sites[i].name, list.bindings[k]);
        }
    }
    berth_iis_effective_fini(&list);
    berth_iis_sites_fini(&sites);
    return code;
}

int main(int argc, char **argv)
{
    struct berth_file file = {0};
    struct berth_error err;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    enum berth_code code = berth_file_read(&file, argv[1], 64u * 1024 * 1024, &err);
    if (code == BERTH_OK) {
        code = dump(&file, &err);
    }
    berth_file_fini(&file);
    if (code != BERTH_OK) {
        (void)fprintf(stderr, "%s: %s\n", argv[1], err.detail);
        return 1;
    }
    return 0;
}
