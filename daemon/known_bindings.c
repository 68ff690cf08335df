/* SPDX-License-Identifier: MIT */
#include "known_bindings.h"

#include "base/memory.h"
#include "file_replace.h"
#include "log.h"
#include "watchers/file_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "berth known bindings 1"
#define SOURCE "source\t=" /* then its name */
#define WRITE_EVERY_MS 5000
#define CLAIMS_A_TICK 1024 /* take a millisecond or two */
#define FLAGS_MAX (BERTH_CLAIM_STOPPED | BERTH_CLAIM_V6_ONLY | BERTH_CLAIM_SNI)

enum field {
    FIELD_KIND,
    FIELD_PORT,
    FIELD_PROTOCOL,
    FIELD_FLAGS,
    FIELD_ADDRESS,
    FIELD_COUNT,
    FIELD_ENDS, /* when its lingering ends, by the clock on the wall; 0: it does not linger */
    FIELD_HOLDER,
    FIELD_HOST,
    FIELD_DETAIL,
    FIELDS
};

/* How far a text is made. */
struct walk {
    unsigned source;
    bool begun; /* its name is in it */
    struct berth_claims_of claims;
};

struct berth_known_bindings {
    uv_loop_t *loop;
    struct berth_allocator *allocator;
    char *path;
    uv_work_t work;
    bool busy; /* `text` and `error` are the thread pool's */
    bool closing;
    struct berth_text text;
    struct berth_error error;
    bool making;         /* the text, a part with each tick */
    struct walk walk;    /* in it */
    uint64_t written;    /* which snapshots the file has, or the text at least */
    uint64_t written_ms; /* when it was last begun */
    bool failing;        /* which was said */
};

/* ---- writing ---- */

/* "=text", as "" is not the same as none; what parts lines and fields becomes a question mark. */
static void add_string(struct berth_text *out, const char *string)
{
    berth_text_putc(out, '\t');
    if (string == NULL) {
        return;
    }
    berth_text_putc(out, '=');
    for (;;) {
        size_t length = strcspn(string, "\t\n");
        berth_text_add(out, string, length);
        string += length;
        if (*string == '\0') {
            return;
        }
        berth_text_putc(out, '?');
        string++;
    }
}

static void add_claim(struct berth_text *out, const struct berth_allocator *allocator,
                      const struct berth_claim *claim, struct berth_now now)
{
    char address[BERTH_ADDRESS_TEXT_MAX];
    bool lingers = (claim->flags & BERTH_CLAIM_LINGERING) != 0;

    berth_text_printf(out, "%s\t%u\t%s\t%u\t%s\t%" PRIu32 "\t%lld",
                      berth_claim_kind_name((enum berth_claim_kind)claim->kind), claim->port,
                      berth_protocol_name((enum berth_protocol)claim->protocol),
                      claim->flags & ~(unsigned)BERTH_CLAIM_LINGERING,
                      berth_address_format(address, sizeof address, &claim->address), claim->count,
                      lingers ? (long long)berth_allocator_claim_ends_unix_ms(allocator, claim, now)
                              : 0LL);
    add_string(out, claim->holder);
    add_string(out, claim->host);
    add_string(out, claim->detail);
    berth_text_putc(out, '\n');
}

static bool is_of_iis(const struct berth_source_entry *source)
{
    return source->in_use && source->source == BERTH_SOURCE_IIS && source->feed_count == 1;
}

/* Adds at most so many claims, from where `walk` stands.  @return true: those were all */
static bool add_some(struct berth_text *out, const struct berth_allocator *allocator,
                     struct berth_now now, struct walk *walk, size_t most)
{
    for (; walk->source < BERTH_SOURCES_MAX; walk->source++, walk->begun = false) {
        const struct berth_source_entry *source = &allocator->sources.at[walk->source];
        const struct berth_claim *claim;
        if (!is_of_iis(source)) {
            continue;
        }
        if (!walk->begun) {
            berth_text_printf(out, SOURCE "%s\n", source->name);
            walk->claims = (struct berth_claims_of){0};
            walk->begun = true;
        }
        for (; most > 0 && (claim = berth_claims_of_next(allocator->ledger, source->feeds[0],
                                                         &walk->claims)) != NULL;
             most--) {
            add_claim(out, allocator, claim, now);
        }
        if (most == 0) {
            return false;
        }
    }
    return true;
}

void berth_known_bindings_write(struct berth_text *out, const struct berth_allocator *allocator,
                                struct berth_now now)
{
    struct walk walk = {0};

    berth_text_puts(out, FIRST_LINE "\n");
    (void)add_some(out, allocator, now, &walk, SIZE_MAX);
}

/* ---- reading ---- */

/* Cuts a line into fields.  @return how many there are, at most `max` + 1 */
static size_t cut(char *line, char **fields, size_t max)
{
    size_t count = 0;

    for (char *at = line; at != NULL; count++) {
        char *tab = strchr(at, '\t');
        if (count == max) {
            return max + 1;
        }
        fields[count] = at;
        if (tab != NULL) {
            *tab++ = '\0';
        }
        at = tab;
    }
    return count;
}

static bool read_number(const char *text, long long most, long long *out)
{
    char *end;

    *out = strtoll(text, &end, 10);
    return end != text && *end == '\0' && *out >= 0 && *out <= most;
}

/* As berth_address_format() wrote it: "*", "10.0.0.1" or "[fe80::1%4]", whose brackets go. */
static bool read_address(char *text, struct berth_address *out)
{
    size_t length = strlen(text);

    if (strcmp(text, "*") == 0) {
        *out = (struct berth_address){.family = BERTH_FAMILY_ALL};
        return true;
    }
    if (length < 2 || text[0] != '[' || text[length - 1] != ']') {
        return berth_address_parse_ipv4(out, text);
    }
    text[length - 1] = '\0';
    return berth_address_parse_ipv6(out, text + 1);
}

static const char *string_of(const char *field)
{
    return field[0] == '=' ? field + 1 : NULL;
}

/* @param[out] ends  as FIELD_ENDS */
static bool read_claim(char *line, struct berth_claim *out, int64_t *ends)
{
    char *fields[FIELDS];
    long long numbers[FIELDS];
    static const struct {
        enum field field;
        long long most;
    } kinds[] = {{FIELD_PORT, UINT16_MAX},
                 {FIELD_FLAGS, FLAGS_MAX},
                 {FIELD_COUNT, UINT32_MAX},
                 {FIELD_ENDS, INT64_MAX}};

    if (cut(line, fields, FIELDS) != FIELDS) {
        return false;
    }
    for (size_t i = 0; i < BERTH_COUNT(kinds); i++) {
        if (!read_number(fields[kinds[i].field], kinds[i].most, &numbers[kinds[i].field])) {
            return false;
        }
    }
    bool ftp = strcmp(fields[FIELD_KIND], berth_claim_kind_name(BERTH_CLAIM_FTP_DATA)) == 0;
    *out = berth_claim_make((uint16_t)numbers[FIELD_PORT],
                            ftp ? BERTH_CLAIM_FTP_DATA : BERTH_CLAIM_BINDING);
    enum berth_protocol protocol = berth_protocol_find(fields[FIELD_PROTOCOL]);
    out->protocol = (uint8_t)(protocol != BERTH_PROTOCOL_COUNT ? protocol : BERTH_PROTOCOL_OTHER);
    out->flags = (uint8_t)(numbers[FIELD_FLAGS] & FLAGS_MAX);
    out->count = (uint32_t)numbers[FIELD_COUNT];
    out->holder = string_of(fields[FIELD_HOLDER]);
    out->host = string_of(fields[FIELD_HOST]);
    out->detail = string_of(fields[FIELD_DETAIL]);
    *ends = numbers[FIELD_ENDS];
    return out->port != 0 && out->count != 0 && read_address(fields[FIELD_ADDRESS], &out->address);
}

/* The source of this name, if it waits for its first snapshot; NULL: there is none. */
static const struct berth_source_entry *find_waiting(const struct berth_allocator *allocator,
                                                     const char *name)
{
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        const struct berth_source_entry *source = &allocator->sources.at[i];
        if (is_of_iis(source) && source->snapshot_ms == 0 && strcmp(source->name, name) == 0) {
            return source;
        }
    }
    return NULL;
}

/* A lease holds its ports itself; and a binding that only lingered must not bring one back. When
 * that lingering ended is not known: its clock stands while the file cannot be read. */
static bool is_wanted(const struct berth_allocator *allocator, uint16_t port, bool lingered)
{
    const struct berth_lease *lease = berth_lease_book_at(&allocator->book, port);

    return lease == NULL || (!lingered && !berth_lease_state_is_live(lease->state));
}

/* Cuts the next line off.  @return NULL: there is none, or its end is missing */
static char *next_line(char **text)
{
    char *line = *text;
    char *end = strchr(line, '\n');

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *text = end + 1;
    return line;
}

size_t berth_known_bindings_read(struct berth_allocator *allocator, char *text,
                                 struct berth_now now)
{
    const struct berth_source_entry *source = NULL;
    char *line = next_line(&text);
    struct berth_claim claim;
    size_t count = 0;
    size_t refused = 0;
    int64_t ends;

    if (line == NULL || strcmp(line, FIRST_LINE) != 0) {
        return 0;
    }
    while ((line = next_line(&text)) != NULL) {
        if (strncmp(line, SOURCE, strlen(SOURCE)) == 0) {
            source = find_waiting(allocator, line + strlen(SOURCE));
        } else if (!read_claim(line, &claim, &ends)) {
            break;
        } else if (source != NULL && is_wanted(allocator, claim.port, ends != 0)) {
            unsigned number = (unsigned)(source - allocator->sources.at);
            bool taken =
                berth_allocator_report_busy(allocator, number, 0, &claim, now, NULL) == BERTH_OK;
            count += taken;
            refused += !taken;
        }
    }
    if (refused != 0) {
        berth_log(BERTH_LOG_WARNING, "%zu bindings of before found no room and will not linger",
                  refused);
    }
    return count;
}

/* ---- the file ---- */

enum berth_code berth_known_bindings_create(struct berth_known_bindings **out, uv_loop_t *loop,
                                            const char *folder, struct berth_allocator *allocator,
                                            struct berth_error *err)
{
    struct berth_known_bindings *known = berth_alloc(1, sizeof *known);
    size_t size = strlen(folder) + sizeof "/" BERTH_KNOWN_BINDINGS_FILE;
    char *path = berth_alloc(size, 1);

    if (known == NULL || path == NULL) {
        berth_free(known);
        berth_free(path);
        return berth_fail_memory(err, "the known bindings");
    }
    (void)snprintf(path, size, "%s/%s", folder, BERTH_KNOWN_BINDINGS_FILE);
    known->loop = loop;
    known->allocator = allocator;
    known->path = path;
    known->work.data = known;
    berth_text_init(&known->text, BERTH_KNOWN_BINDINGS_MAX);
    *out = known;
    return BERTH_OK;
}

void berth_known_bindings_restore(struct berth_known_bindings *known, struct berth_now now)
{
    struct berth_file file = {0};
    struct berth_error err;
    enum berth_code code = berth_file_read(&file, known->path, BERTH_KNOWN_BINDINGS_MAX, &err);

    if (code == BERTH_OK) {
        size_t count = berth_known_bindings_read(known->allocator, file.bytes, now);
        berth_log(BERTH_LOG_INFO, "%zu bindings are known from before", count);
    } else if (code != BERTH_NOT_FOUND) {
        berth_log(BERTH_LOG_WARNING, "the bindings of before are not known: %s: %s", known->path,
                  err.detail);
    }
    berth_file_fini(&file);
}

/* A number that is another one when a source has delivered, came or went, or what lingered has
 * ended; 0: none delivered yet. */
static uint64_t snapshots_of(const struct berth_allocator *allocator)
{
    uint64_t hash = 0;

    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        const struct berth_source_entry *source = &allocator->sources.at[i];
        if (is_of_iis(source) && source->snapshot_ms != 0) {
            size_t count = berth_ledger_feed_count(allocator->ledger, source->feeds[0]);
            hash = (hash ^ (source->snapshot_ms + i)) * 0x9E3779B97F4A7C15U;
            hash = (hash ^ count) * 0x9E3779B97F4A7C15U;
        }
    }
    return hash;
}

static void begin_text(struct berth_known_bindings *known, uint64_t snapshots, struct berth_now now)
{
    known->making = true;
    known->walk = (struct walk){0};
    known->written = snapshots;
    known->written_ms = now.ms;
    known->error = (struct berth_error){0};
    berth_text_clear(&known->text);
    berth_text_puts(&known->text, FIRST_LINE "\n");
}

/* Goes on with the text.  @return true: it is made, or cannot be */
static bool make_text(struct berth_known_bindings *known, struct berth_now now, size_t most)
{
    bool done = add_some(&known->text, known->allocator, now, &known->walk, most);

    if (known->text.failed != BERTH_OK) {
        (void)berth_fail(&known->error, known->text.failed, 0, "%s",
                         berth_code_text(known->text.failed));
        done = true;
    }
    known->making = !done;
    return done;
}

static void write_text(struct berth_known_bindings *known)
{
    if (known->error.code == BERTH_OK) {
        (void)berth_file_replace(known->path, known->text.data, known->text.length, &known->error);
    }
}

static void note_outcome(struct berth_known_bindings *known)
{
    bool failed = known->error.code != BERTH_OK;

    if (failed && !known->failing) {
        berth_log(BERTH_LOG_WARNING, "bindings that vanish at a restart will not linger: %s: %s",
                  known->path, known->error.detail);
    }
    known->failing = failed;
    known->written = failed ? 0 : known->written; /* tried again */
    berth_text_fini(&known->text);
}

static void destroy(struct berth_known_bindings *known)
{
    berth_text_fini(&known->text);
    berth_free(known->path);
    berth_free(known);
}

static void on_write(uv_work_t *work)
{
    write_text(work->data);
}

static void on_written(uv_work_t *work, int status)
{
    struct berth_known_bindings *known = work->data;

    (void)status; /* never cancelled */
    known->busy = false;
    note_outcome(known);
    if (known->closing) {
        destroy(known);
    }
}

void berth_known_bindings_tick(struct berth_known_bindings *known, struct berth_now now)
{
    bool early = known->written_ms != 0 && now.ms < known->written_ms + WRITE_EVERY_MS;

    if (known->busy) {
        return;
    }
    uint64_t snapshots = snapshots_of(known->allocator);
    if (snapshots == 0) {
        known->making = false; /* the source is gone: the file stays as it was */
    } else if (snapshots != known->written && (known->making || !early)) {
        begin_text(known, snapshots, now); /* anew: of two states it might lack what both have */
    }
    if (known->making && make_text(known, now, CLAIMS_A_TICK)) {
        known->busy = true;
        (void)uv_queue_work(known->loop, &known->work, on_write, on_written);
    }
}

void berth_known_bindings_close(struct berth_known_bindings *known, struct berth_now now)
{
    if (known == NULL) {
        return;
    }
    if (known->busy) {
        known->closing = true; /* what came since is in the file of before, or lasts by itself */
        return;
    }
    uint64_t snapshots = snapshots_of(known->allocator);
    if (snapshots != 0 && (known->making || snapshots != known->written)) {
        begin_text(known, snapshots, now);
        (void)make_text(known, now, SIZE_MAX);
        write_text(known);
        note_outcome(known);
    }
    destroy(known);
}
