/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "socket_owner.h"

#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINKS_PER_SCAN 16384
#define REST_FACTOR 20
#define CHECKS_PER_SCAN 8
#define RETRY_AFTER_MAX 60

struct entry {
    struct berth_socket_holder holder; /* image: owned */
    uint32_t inode;
    uint32_t fd;       /* where process_id has it */
    uint32_t misses;   /* passes that did not find it */
    uint64_t retry_at; /* the update from which on it is looked for again */
    bool in_pass;      /* the running pass looks for it */
};

struct numbers {
    uint32_t *items;
    size_t count;
    size_t capacity;
};

struct berth_socket_owners {
    struct berth_socket_owner_options options;
    struct entry *entries; /* sorted by inode */
    size_t count;
    struct numbers own;
    bool own_is_due; /* there are entries that were not compared with our own sockets */
    uint64_t updates;
    size_t next_check;
    /* the pass through /proc */
    struct numbers processes; /* ascending */
    size_t next_process;
    size_t sought; /* entries in the pass that are not found yet */
    bool pass_runs;
    uint64_t pass_ns;
    uint64_t rest_until_ns;
    uint32_t suggested[BERTH_SOCKET_OWNER_SUGGESTIONS_MAX];
    size_t suggested_count;
};

/* --- small things --------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

bool berth_inodes_have(const uint32_t *sorted, size_t n, uint32_t inode)
{
    return n != 0 && bsearch(&inode, sorted, n, sizeof *sorted, compare_numbers) != NULL;
}

static enum berth_code add_number(struct numbers *numbers, uint32_t number, struct berth_error *err)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity != 0 ? 2 * numbers->capacity : 64;
        uint32_t *items = berth_resize(numbers->items, capacity, sizeof *items);
        if (items == NULL) {
            return berth_fail_memory(err, "a list of process or socket numbers");
        }
        numbers->items = items;
        numbers->capacity = capacity;
    }
    numbers->items[numbers->count++] = number;
    return BERTH_OK;
}

static bool parse_u32(uint32_t *out, const char *text)
{
    uint64_t number;

    if (!berth_parse_number(&number, text, 0, UINT32_MAX)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

/* The inode that the link fd/NAME stands for: "socket:[123]". */
static bool read_socket_link(int folder, const char *name, uint32_t *inode)
{
    char link[40];
    ssize_t length = readlinkat(folder, name, link, sizeof link - 1);

    if (length < 10 || memcmp(link, "socket:[", 8) != 0 || link[length - 1] != ']') {
        return false;
    }
    link[length - 1] = '\0';
    return parse_u32(inode, link + 8);
}

static struct entry *find_entry(const struct berth_socket_owners *owners, uint32_t inode)
{
    size_t low = 0;
    size_t high = owners->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (owners->entries[middle].inode < inode) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < owners->count && owners->entries[low].inode == inode ? &owners->entries[low]
                                                                      : NULL;
}

const struct berth_socket_holder *berth_socket_owners_find(const struct berth_socket_owners *owners,
                                                           uint32_t inode)
{
    const struct entry *entry = find_entry(owners, inode);

    return entry != NULL ? &entry->holder : NULL;
}

static DIR *open_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

    if (folder == NULL && fd >= 0) {
        (void)close(fd);
    }
    return folder;
}

/* --- life ----------------------------------------------------------------------------------- */

enum berth_code berth_socket_owners_open(struct berth_socket_owners **out,
                                         const struct berth_socket_owner_options *options,
                                         struct berth_error *err)
{
    const struct berth_socket_owner_options defaults = {.rest = REST_FACTOR,
                                                        .checks_per_scan = CHECKS_PER_SCAN};
    struct berth_socket_owners *owners = berth_alloc(1, sizeof *owners);

    if (owners == NULL) {
        return berth_fail_memory(err, "the cache of socket owners");
    }
    owners->options = options != NULL ? *options : defaults;
    if (owners->options.links_per_scan == 0) {
        owners->options.links_per_scan = LINKS_PER_SCAN;
    }
    owners->options.proc =
        berth_copy(owners->options.proc != NULL ? owners->options.proc : "/proc");
    if (owners->options.proc == NULL) {
        berth_free(owners);
        return berth_fail_memory(err, "the cache of socket owners");
    }
    *out = owners;
    return BERTH_OK;
}

/* The holder's image belongs to its entry, which alone may free it. */
static void drop_image(struct entry *entry)
{
    union {
        const char *shown;
        char *owned;
    } image = {.shown = entry->holder.image};

    berth_free(image.owned);
    entry->holder.image = NULL;
}

void berth_socket_owners_close(struct berth_socket_owners *owners)
{
    union {
        const char *shown;
        char *owned;
    } proc;

    if (owners == NULL) {
        return;
    }
    for (size_t i = 0; i < owners->count; i++) {
        drop_image(&owners->entries[i]);
    }
    berth_free(owners->entries);
    berth_free(owners->own.items);
    berth_free(owners->processes.items);
    proc.shown = owners->options.proc;
    berth_free(proc.owned);
    berth_free(owners);
}

/* --- which sockets there are ---------------------------------------------------------------- */

static size_t sort_unique(uint32_t *inodes, size_t n)
{
    size_t kept = 0;

    if (n != 0) {
        qsort(inodes, n, sizeof *inodes, compare_numbers);
    }
    for (size_t i = 0; i < n; i++) {
        if (inodes[i] != 0 && (kept == 0 || inodes[i] != inodes[kept - 1])) {
            inodes[kept++] = inodes[i];
        }
    }
    return kept;
}

/* Lays the known entries over the sockets that there are now; both are sorted. */
static enum berth_code take_inodes(struct berth_socket_owners *owners, const uint32_t *inodes,
                                   size_t n, struct berth_error *err)
{
    struct entry *entries = berth_alloc(n, sizeof *entries);
    size_t old = 0;

    if (entries == NULL) {
        return berth_fail_memory(err, "the cache of socket owners");
    }
    owners->sought = 0;
    for (size_t i = 0; i < n; i++) {
        for (; old < owners->count && owners->entries[old].inode < inodes[i]; old++) {
            drop_image(&owners->entries[old]);
        }
        if (old < owners->count && owners->entries[old].inode == inodes[i]) {
            entries[i] = owners->entries[old++];
            owners->sought += entries[i].in_pass;
        } else {
            entries[i] =
                (struct entry){.inode = inodes[i], .holder = {.process_id = BERTH_ID_NONE}};
            owners->own_is_due = true;
        }
    }
    for (; old < owners->count; old++) {
        drop_image(&owners->entries[old]);
    }
    berth_free(owners->entries);
    owners->entries = entries;
    owners->count = n;
    return BERTH_OK;
}

enum berth_code berth_socket_owners_list_own(struct berth_socket_owners *owners,
                                             const uint32_t **out, size_t *n,
                                             struct berth_error *err)
{
    char path[512];
    const struct dirent *link;
    enum berth_code code = BERTH_OK;

    (void)snprintf(path, sizeof path, "%s/self/fd", owners->options.proc);
    DIR *folder = open_folder(path);
    if (folder == NULL) {
        return berth_fail(err, BERTH_IO, errno, "%s: %s", path, strerror(errno));
    }
    owners->own.count = 0;
    while (code == BERTH_OK && (link = readdir(folder)) != NULL) {
        uint32_t inode;
        if (read_socket_link(dirfd(folder), link->d_name, &inode)) {
            code = add_number(&owners->own, inode, err);
        }
    }
    (void)closedir(folder);
    if (code == BERTH_OK) {
        if (owners->own.count != 0) {
            qsort(owners->own.items, owners->own.count, sizeof *owners->own.items, compare_numbers);
        }
        *out = owners->own.items;
        *n = owners->own.count;
    }
    return code;
}

/* An inode is ours or not from the start: this process passes none of its TCP sockets around. */
static enum berth_code mark_own(struct berth_socket_owners *owners, struct berth_error *err)
{
    const uint32_t *own = NULL;
    size_t n = 0;
    enum berth_code code = berth_socket_owners_list_own(owners, &own, &n, err);

    for (size_t i = 0; code == BERTH_OK && i < owners->count; i++) {
        struct entry *entry = &owners->entries[i];
        if (entry->holder.process_id == BERTH_ID_NONE && entry->misses == 0) {
            entry->holder.own = berth_inodes_have(own, n, entry->inode);
        }
    }
    owners->own_is_due = code != BERTH_OK;
    return code;
}

/* --- what a process is called --------------------------------------------------------------- */

/* A path's last part, without what the kernel adds once the file has been replaced. */
static enum berth_code copy_image(char **out, char *path, struct berth_error *err)
{
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path);
    const char *slash;

    if (length > sizeof deleted - 1 && strcmp(path + length - (sizeof deleted - 1), deleted) == 0) {
        path[length - (sizeof deleted - 1)] = '\0';
    }
    slash = strrchr(path, '/');
    if (slash != NULL) {
        path = path + (slash - path) + 1;
    }
    *out = NULL;
    if (path[0] == '\0' || !berth_utf8_is_name(path)) {
        return BERTH_OK; /* a name that cannot be shown is no name */
    }
    *out = berth_copy(path);
    return *out != NULL ? BERTH_OK : berth_fail_memory(err, "a process's image name");
}

static bool read_comm(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, out, size - 1) : -1;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (length <= 0) {
        return false;
    }
    out[length] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return true;
}

/* `*out` NULL: the name is not to be had; that is no error. */
static enum berth_code read_image(const struct berth_socket_owners *owners, uint32_t process,
                                  char **out, struct berth_error *err)
{
    char path[512];
    char target[4097];

    (void)snprintf(path, sizeof path, "%s/%lu/exe", owners->options.proc, (unsigned long)process);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length > 0) {
        target[length] = '\0';
        return copy_image(out, target, err);
    }
    (void)snprintf(path, sizeof path, "%s/%lu/comm", owners->options.proc, (unsigned long)process);
    *out = NULL;
    return read_comm(path, target, sizeof target) ? copy_image(out, target, err) : BERTH_OK;
}

/* --- looking for them ----------------------------------------------------------------------- */

static enum berth_code list_processes(struct berth_socket_owners *owners, struct berth_error *err)
{
    const struct dirent *link;
    enum berth_code code = BERTH_OK;
    DIR *folder = open_folder(owners->options.proc);

    owners->processes.count = 0;
    if (folder == NULL) {
        return BERTH_OK; /* without /proc every process is unknown */
    }
    while (code == BERTH_OK && (link = readdir(folder)) != NULL) {
        uint32_t process;
        if (parse_u32(&process, link->d_name)) {
            code = add_number(&owners->processes, process, err);
        }
    }
    (void)closedir(folder);
    if (owners->processes.count != 0) {
        qsort(owners->processes.items, owners->processes.count, sizeof *owners->processes.items,
              compare_numbers);
    }
    return code;
}

static enum berth_code resolve(struct berth_socket_owners *owners, struct entry *entry,
                               uint32_t process, uint32_t fd, struct berth_error *err)
{
    char *image = NULL;
    enum berth_code code = read_image(owners, process, &image, err);

    if (code == BERTH_OK) {
        drop_image(entry);
        entry->holder.process_id = process;
        entry->holder.image = image;
        entry->fd = fd;
        entry->misses = 0;
        entry->in_pass = false;
        owners->sought--;
    }
    return code;
}

/* Looks through one process's descriptors, `limit` of them at most; `*links` counts them. */
static enum berth_code scan_process(struct berth_socket_owners *owners, uint32_t process,
                                    size_t limit, size_t *links, struct berth_error *err)
{
    char path[512];
    const struct dirent *link;
    enum berth_code code = BERTH_OK;
    size_t first = *links;

    (void)snprintf(path, sizeof path, "%s/%lu/fd", owners->options.proc, (unsigned long)process);
    DIR *folder = open_folder(path);
    *links += 1;
    if (folder == NULL) {
        return BERTH_OK; /* ended, or not ours to see */
    }
    while (code == BERTH_OK && owners->sought != 0 && *links - first < limit &&
           (link = readdir(folder)) != NULL) {
        uint32_t inode;
        uint32_t fd;
        if (!parse_u32(&fd, link->d_name)) {
            continue;
        }
        *links += 1;
        if (read_socket_link(dirfd(folder), link->d_name, &inode)) {
            struct entry *entry = find_entry(owners, inode);
            if (entry != NULL && entry->in_pass) {
                code = resolve(owners, entry, process, fd, err);
            }
        }
    }
    (void)closedir(folder);
    return code;
}

static enum berth_code begin_pass(struct berth_socket_owners *owners, struct berth_error *err)
{
    owners->sought = 0;
    for (size_t i = 0; i < owners->count; i++) {
        struct entry *entry = &owners->entries[i];
        entry->in_pass = !entry->holder.own && entry->holder.process_id == BERTH_ID_NONE &&
                         owners->updates >= entry->retry_at;
        owners->sought += entry->in_pass;
    }
    if (owners->sought == 0) {
        return BERTH_OK;
    }
    owners->next_process = 0;
    owners->pass_ns = 0;
    owners->pass_runs = true;
    return list_processes(owners, err);
}

static void end_pass(struct berth_socket_owners *owners)
{
    for (size_t i = 0; i < owners->count; i++) {
        struct entry *entry = &owners->entries[i];
        if (entry->in_pass) {
            uint64_t pause = entry->misses < 6 ? 1u << entry->misses : RETRY_AFTER_MAX;
            entry->retry_at = owners->updates + (pause < RETRY_AFTER_MAX ? pause : RETRY_AFTER_MAX);
            entry->misses++;
            entry->in_pass = false;
        }
    }
    owners->sought = 0;
    owners->pass_runs = false;
    owners->rest_until_ns = now_ns() + owners->pass_ns * owners->options.rest;
}

/* Goes on with the running pass, or begins one, as far as this update's share reaches. */
static enum berth_code run_pass(struct berth_socket_owners *owners, struct berth_error *err)
{
    uint64_t start = now_ns();
    enum berth_code code = BERTH_OK;
    size_t links = 0;

    if (!owners->pass_runs && start >= owners->rest_until_ns) {
        code = begin_pass(owners, err);
    }
    if (!owners->pass_runs) {
        return code;
    }
    while (code == BERTH_OK && owners->sought != 0 && links < owners->options.links_per_scan &&
           owners->next_process < owners->processes.count) {
        code = scan_process(owners, owners->processes.items[owners->next_process++],
                            owners->options.links_per_scan, &links, err);
    }
    owners->pass_ns += now_ns() - start;
    if (code != BERTH_OK || owners->sought == 0 ||
        owners->next_process >= owners->processes.count) {
        end_pass(owners);
    }
    return code;
}

/* --- suggestions ---------------------------------------------------------------------------- */

void berth_socket_owners_suggest(struct berth_socket_owners *owners, uint32_t process_id)
{
    for (size_t i = 0; i < owners->suggested_count; i++) {
        if (owners->suggested[i] == process_id) {
            return;
        }
    }
    if (owners->suggested_count < BERTH_COUNT(owners->suggested)) {
        owners->suggested[owners->suggested_count++] = process_id;
    }
}

/* Looks for all that is unknown in the suggested processes, besides any pass that is under way. */
static enum berth_code follow_suggestions(struct berth_socket_owners *owners,
                                          struct berth_error *err)
{
    enum berth_code code = BERTH_OK;
    size_t links = 0;

    if (owners->suggested_count == 0) {
        return BERTH_OK;
    }
    for (size_t i = 0; i < owners->count; i++) {
        struct entry *entry = &owners->entries[i];
        if (!entry->holder.own && entry->holder.process_id == BERTH_ID_NONE && !entry->in_pass) {
            entry->in_pass = true;
            owners->sought++;
        }
    }
    for (size_t i = 0; code == BERTH_OK && i < owners->suggested_count; i++) {
        code = scan_process(owners, owners->suggested[i], BERTH_SOCKET_OWNER_SUGGESTED_LINKS,
                            &links, err);
    }
    owners->suggested_count = 0;
    for (size_t i = 0; !owners->pass_runs && i < owners->count; i++) {
        owners->sought -= owners->entries[i].in_pass;
        owners->entries[i].in_pass = false;
    }
    return code;
}

/* --- checking again what was found ---------------------------------------------------------- */

static enum berth_code check_entry(struct berth_socket_owners *owners, struct entry *entry,
                                   struct berth_error *err)
{
    char path[512];
    uint32_t inode = 0;
    char *image = NULL;
    enum berth_code code = BERTH_OK;

    (void)snprintf(path, sizeof path, "%s/%lu/fd/%lu", owners->options.proc,
                   (unsigned long)entry->holder.process_id, (unsigned long)entry->fd);
    bool held = read_socket_link(AT_FDCWD, path, &inode) && inode == entry->inode;
    if (held) {
        code = read_image(owners, entry->holder.process_id, &image, err);
    }
    if (code == BERTH_OK) {
        drop_image(entry);
        entry->holder.image = image;
        entry->holder.process_id = held ? entry->holder.process_id : BERTH_ID_NONE;
        entry->misses = 0;
        entry->retry_at = 0;
    }
    return code;
}

static enum berth_code check_some(struct berth_socket_owners *owners, struct berth_error *err)
{
    size_t steps = owners->options.checks_per_scan;
    enum berth_code code = BERTH_OK;

    steps = steps < owners->count ? steps : owners->count;
    for (size_t i = 0; code == BERTH_OK && i < steps; i++) {
        owners->next_check = owners->next_check < owners->count ? owners->next_check : 0;
        struct entry *entry = &owners->entries[owners->next_check++];
        if (entry->holder.process_id != BERTH_ID_NONE) {
            code = check_entry(owners, entry, err);
        }
    }
    return code;
}

enum berth_code berth_socket_owners_update(struct berth_socket_owners *owners, uint32_t *inodes,
                                           size_t n, bool quick, struct berth_error *err)
{
    size_t unique = sort_unique(inodes, n);
    enum berth_code code = take_inodes(owners, inodes, unique, err);

    owners->updates++;
    if (code == BERTH_OK && owners->own_is_due) {
        code = mark_own(owners, err);
    }
    if (code == BERTH_OK) {
        code = follow_suggestions(owners, err);
    }
    if (code == BERTH_OK && !quick) {
        code = check_some(owners, err);
    }
    if (code == BERTH_OK && !quick) {
        code = run_pass(owners, err);
    }
    return code;
}
