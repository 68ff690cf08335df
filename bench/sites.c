/* SPDX-License-Identifier: MIT */
/* A large applicationHost.config read and applied, against libxml2's own streaming parse of the
 * same file: its SAX2 parser with handlers that do nothing, and its reader. */
#define _GNU_SOURCE
#include "allocator/allocator.h"
#include "bench.h"
#include "site_file.h"
#include "watchers/iis_config.h"

#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- libxml2 alone ---- */

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespaces, const xmlChar **names, int attributes, int defaulted,
                     const xmlChar **values)
{
    (void)ctx, (void)name, (void)prefix, (void)uri, (void)namespaces, (void)names;
    (void)attributes, (void)defaulted, (void)values;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)ctx, (void)name, (void)prefix, (void)uri;
}

static void on_text(void *ctx, const xmlChar *text, int length)
{
    (void)ctx, (void)text, (void)length;
}

static uint64_t time_sax(const char *path)
{
    xmlSAXHandler handler = {.initialized = XML_SAX2_MAGIC,
                             .startElementNs = on_start,
                             .endElementNs = on_end,
                             .characters = on_text};
    uint64_t start = bench_now_ns();

    if (xmlSAXUserParseFile(&handler, NULL, path) != 0) {
        bench_fail("libxml2 does not read %s", path);
    }
    return bench_now_ns() - start;
}

static uint64_t time_reader(const char *path)
{
    uint64_t start = bench_now_ns();
    xmlTextReader *reader = xmlReaderForFile(path, NULL, XML_PARSE_NONET);
    int more = 1;

    while (reader != NULL && more == 1) {
        more = xmlTextReaderRead(reader);
    }
    if (reader == NULL || more != 0) {
        bench_fail("libxml2's reader does not read %s", path);
    }
    xmlFreeTextReader(reader);
    return bench_now_ns() - start;
}

/* ---- Berth ---- */

static uint64_t no_chance(void *ctx)
{
    return bench_random(ctx);
}

static struct berth_allocator *make_allocator(unsigned *source)
{
    static const char *const feeds[] = {"sites"};
    static uint64_t seed = 1;
    const struct berth_allocator_options options = {
        .ttl_ms = 1000, .linger_ms = 600000, .seed = 1, .random = no_chance, .ctx = &seed};
    const struct berth_pool pool = {"default", {49000, 65000}, false};
    struct berth_allocator *allocator;
    struct berth_error err;

    if (berth_allocator_create(&allocator, &options, &err) != BERTH_OK ||
        berth_allocator_set_pools(allocator, &pool, 1, &err) != BERTH_OK ||
        berth_allocator_add_source(allocator, BERTH_SOURCE_IIS, "sites", feeds, 1,
                                   (struct berth_now){1, 1}, source, &err) != BERTH_OK) {
        bench_fail("%s", err.detail);
    }
    return allocator;
}

static void load(struct berth_iis_config *config, const char *path)
{
    struct berth_error err;

    if (berth_iis_config_load(config, path, NULL, &err) != BERTH_OK) {
        bench_fail("%s", err.detail);
    }
}

static uint64_t time_load(const char *path)
{
    struct berth_iis_config config;
    uint64_t start = bench_now_ns();

    load(&config, path);
    berth_iis_config_fini(&config);
    return bench_now_ns() - start;
}

/* Reads the file and gives what it says to an allocator. */
static uint64_t time_apply(const char *path, struct berth_allocator *allocator, unsigned source)
{
    struct berth_iis_config config;
    struct berth_error err;
    uint64_t start = bench_now_ns();

    load(&config, path);
    if (berth_allocator_report(allocator, source, 0, config.claims, config.claim_count,
                               (struct berth_now){2, 2}, &err) != BERTH_OK) {
        bench_fail("%s", err.detail);
    }
    berth_iis_config_fini(&config);
    return bench_now_ns() - start;
}

struct times {
    struct bench_samples sax;
    struct bench_samples reader;
    struct bench_samples loaded;
    struct bench_samples applied; /* to an allocator that knows nothing */
    struct bench_samples again;   /* to one that knows the same already */
};

static void run_once(struct times *times, const char *path)
{
    unsigned source;
    struct berth_allocator *allocator = make_allocator(&source);

    bench_samples_add(&times->sax, time_sax(path));
    bench_samples_add(&times->reader, time_reader(path));
    bench_samples_add(&times->loaded, time_load(path));
    bench_samples_add(&times->applied, time_apply(path, allocator, source));
    bench_samples_add(&times->again, time_apply(path, allocator, source));
    berth_allocator_destroy(allocator);
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_read_options(argc, argv);
    struct times times = {0};
    struct stat file;
    char path[4096];
    char figure[96];

    (void)snprintf(path, sizeof path, "%s/applicationHost.config", options.work);
    bench_write_sites(path, bench_count(&options, 10000, 10), 0);
    if (stat(path, &file) != 0) {
        bench_fail("%s is gone", path);
    }
    xmlInitParser();
    for (size_t i = 0; i < bench_count(&options, 25, 2); i++) {
        run_once(&times, path);
    }
    (void)snprintf(figure, sizeof figure, "10,000 sites (%.1f MB) read",
                   (double)file.st_size / 1e6);
    bench_print_ratio(figure, &times.loaded, &times.sax, "libxml2 SAX", 0);
    bench_print_ratio("10,000 sites read and applied", &times.applied, &times.sax, "libxml2 SAX",
                      1.5);
    bench_print_ratio("10,000 sites read and applied", &times.applied, &times.reader,
                      "libxml2 reader", 0);
    bench_print_ratio("10,000 sites read and applied again", &times.again, &times.sax,
                      "libxml2 SAX", 1.5);
    bench_samples_fini(&times.sax);
    bench_samples_fini(&times.reader);
    bench_samples_fini(&times.loaded);
    bench_samples_fini(&times.applied);
    bench_samples_fini(&times.again);
    xmlCleanupParser();
    return 0;
}
