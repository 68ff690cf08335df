/* SPDX-License-Identifier: MIT */
#include "lease_keeper.h"

#include "base/memory.h"
#include "clock.h"
#include "lease_record.h"
#include "log.h"

#include <inttypes.h>
#include <string.h>

#define TEND_MS 1000
#define TEND_SOON_MS 20
#define RETRY_MS 30000

struct berth_lease_keeper {
    struct berth_store *store;
    struct berth_allocator *allocator; /* NULL: nothing is loaded yet */
    struct berth_lease_keeper_options options;
    struct berth_store_health health;
    uv_timer_t tend;
    uv_async_t flush_done;
    unsigned open_handles;
    uint64_t changes;   /* made */
    uint64_t safe;      /* of these, those that survive a power failure */
    uint64_t wanted;    /* up to which somebody waits to be told */
    uint64_t asked;     /* up to which the flush under way goes */
    uint64_t tended;    /* when upkeep last looked */
    uint64_t failed_ms; /* when the store last failed, or was last tried since */
    bool flushing;
    bool trying; /* the flush under way is upkeep's own */
    struct berth_store_flush flush;
    /* what the worker says of it; the loop reads it after the wake-up that follows */
    uv_mutex_t lock;
    bool done;
    bool failed;
    struct berth_error failure;
};

/* ---- how it does ---- */

/* A store that fails is told once, and so is its recovery: not every change that it refuses. */
static void note_success(struct berth_lease_keeper *keeper)
{
    struct berth_store_health *health = &keeper->health;

    if (health->failing) {
        health->failing = false;
        berth_log(BERTH_LOG_INFO, "the lease store works again, %" PRIu64 " changes were refused",
                  health->refused);
    }
}

static void note_failure(struct berth_lease_keeper *keeper, const struct berth_error *error)
{
    struct berth_store_health *health = &keeper->health;

    keeper->failed_ms = uv_now(keeper->tend.loop);
    health->refused++;
    health->error = *error;
    if (!health->failing) {
        health->failing = true;
        health->refused = 1;
        health->since_unix_ms = berth_clock_now().unix_ms;
        berth_log(BERTH_LOG_ERROR, "the lease store refuses changes: %s", error->detail);
    }
}

/* ---- keeping ---- */

static enum berth_code apply(struct berth_lease_keeper *keeper,
                             const struct berth_store_change *change, struct berth_error *err)
{
    struct berth_error error = {0};
    enum berth_code code = berth_store_apply(keeper->store, change, 1, &error);

    if (code != BERTH_OK) {
        note_failure(keeper, &error);
        return berth_fail(err, code, error.os_code, "%s", error.detail);
    }
    if (!keeper->health.sync) { /* else it is the flush that shows whether the disk works */
        note_success(keeper);
    }
    keeper->changes++;
    return BERTH_OK;
}

enum berth_code berth_lease_keeper_keep(struct berth_lease_keeper *keeper,
                                        const struct berth_lease_change *change,
                                        struct berth_error *err)
{
    struct berth_history_entry entries[BERTH_LEASE_HISTORY_MAX];
    /* the moment that the allocator acts in: no need to ask the clocks again */
    const struct berth_now now = {keeper->allocator->now_ms, change->unix_ms};
    const struct berth_lease_record record = berth_lease_record_of(
        change, berth_allocator_expires_unix_ms(keeper->allocator, change->lease, now));
    bool over = change->lease->anonymous && !berth_lease_state_is_live(change->state);
    const struct berth_store_change both = {
        .put = over ? NULL : &record,
        .remove = over                       ? record.id /* nobody can ask for it again */
                  : change->replaced != NULL ? change->replaced->id
                                             : NULL,
        .history = entries,
        .history_count = berth_lease_history_of(change, entries),
    };

    return apply(keeper, &both, err);
}

void berth_lease_keeper_forget(struct berth_lease_keeper *keeper, const struct berth_lease *lease)
{
    const struct berth_store_change change = {.remove = lease->id};

    if (!lease->anonymous) { /* one of these went with its end */
        (void)apply(keeper, &change, NULL);
    }
}

/* ---- flushing ---- */

/* On the store's worker thread. */
static void on_flush_done(struct berth_store_flush *flush, const struct berth_error *failure)
{
    struct berth_lease_keeper *keeper = flush->ctx;

    uv_mutex_lock(&keeper->lock);
    keeper->done = true;
    keeper->failed = failure != NULL;
    if (failure != NULL) {
        keeper->failure = *failure;
    }
    uv_mutex_unlock(&keeper->lock);
    (void)uv_async_send(&keeper->flush_done);
}

static void tell_flushed(struct berth_lease_keeper *keeper, uint64_t upto,
                         const struct berth_error *failure)
{
    if (failure == NULL) {
        keeper->safe = upto;
        note_success(keeper);
    } else if (keeper->trying) {
        keeper->health.error = *failure;
    } else {
        note_failure(keeper, failure);
    }
    keeper->trying = false;
    keeper->options.flushed(keeper->options.ctx, upto, failure);
}

/* Begins a flush if none is under way. */
static void begin_flush(struct berth_lease_keeper *keeper)
{
    if (keeper->flushing) {
        return;
    }
    keeper->flushing = true;
    keeper->asked = keeper->changes;
    keeper->done = false;
    keeper->flush = (struct berth_store_flush){.done = on_flush_done, .ctx = keeper};
    struct berth_error error;
    if (berth_store_flush(keeper->store, &keeper->flush, &error) != BERTH_OK) {
        /* told from the loop all the same: who asks is not ready to hear it yet */
        on_flush_done(&keeper->flush, &error);
    }
}

static void on_flushed(uv_async_t *handle)
{
    struct berth_lease_keeper *keeper = handle->data;
    struct berth_error failure;

    uv_mutex_lock(&keeper->lock);
    bool done = keeper->flushing && keeper->done;
    bool failed = keeper->failed;
    failure = keeper->failure;
    uv_mutex_unlock(&keeper->lock);
    if (done) {
        keeper->flushing = false;
        tell_flushed(keeper, keeper->asked, failed ? &failure : NULL);
        /* a failed one is not tried again by itself: whoever asks again has it tried */
        if (keeper->wanted > keeper->asked) {
            begin_flush(keeper);
        }
    }
}

uint64_t berth_lease_keeper_flush(struct berth_lease_keeper *keeper)
{
    if (keeper->options.store.durability != BERTH_DURABILITY_SYNC ||
        keeper->changes == keeper->safe) {
        return 0;
    }
    keeper->wanted = keeper->changes;
    begin_flush(keeper);
    return keeper->changes;
}

/* ---- upkeep ---- */

/* Makes a change that is no smaller than a lease's, and takes it back, as one. */
static enum berth_code apply_trial(struct berth_lease_keeper *keeper, struct berth_error *err)
{
    char meta[BERTH_LEASE_META_MAX + 1];
    const struct berth_lease_record record = {.id = "trial", .meta = meta};
    const struct berth_store_change changes[] = {{.put = &record}, {.remove = record.id}};

    memset(meta, ' ', sizeof meta - 1);
    meta[sizeof meta - 1] = '\0';
    return berth_store_apply(keeper->store, changes, BERTH_COUNT(changes), err);
}

/* Whether a store that failed works again shows only when it is used, and nobody may come for days.
 */
static void try_again(struct berth_lease_keeper *keeper)
{
    uint64_t retry_ms = keeper->options.retry_ms != 0 ? keeper->options.retry_ms : RETRY_MS;
    uint64_t now_ms = uv_now(keeper->tend.loop);
    struct berth_error error;

    if (!keeper->health.failing || keeper->flushing || now_ms < keeper->failed_ms + retry_ms) {
        return;
    }
    keeper->failed_ms = now_ms;
    if (apply_trial(keeper, &error) != BERTH_OK) {
        keeper->health.error = error;
    } else if (keeper->health.sync) {
        keeper->trying = true;
        begin_flush(keeper);
    } else {
        note_success(keeper);
    }
}

/* Where changes come in upkeep waits for a pause between them: a checkpoint takes milliseconds, for
 * which everybody would wait.  @return whether there is more to do soon */
static bool tend(struct berth_lease_keeper *keeper)
{
    struct berth_error error;
    bool more = false;
    bool busy = keeper->tended != keeper->changes;

    keeper->tended = keeper->changes;
    if (busy && !berth_store_is_behind(keeper->store)) {
        return true;
    }
    if (berth_store_tend(keeper->store, berth_clock_now().unix_ms, &more, &error) != BERTH_OK) {
        berth_log(BERTH_LOG_DEBUG, "the lease store's upkeep: %s", error.detail);
    }
    return more;
}

static void on_tend(uv_timer_t *timer)
{
    struct berth_lease_keeper *keeper = timer->data;

    try_again(keeper);
    bool more = tend(keeper);
    (void)uv_timer_start(timer, on_tend, more ? TEND_SOON_MS : TEND_MS, 0);
}

/* ---- loading ---- */

/* The records of the store, copied: the store cannot be used while it tells them, and restoring may
 * change some. */
struct loaded_record {
    struct berth_lease_record record; /* its strings lie in `texts` */
    char *texts;
};

struct loaded {
    struct loaded_record *records;
    size_t count;
    size_t room;
};

#define TEXTS 10

static void list_texts(struct berth_lease_record *record, const char **out[TEXTS])
{
    const char **const all[TEXTS] = {&record->id,       &record->key,        &record->generation,
                                     &record->holder,   &record->meta,       &record->protocol,
                                     &record->owner_id, &record->owner_name, &record->owner_group,
                                     &record->state};

    memcpy(out, all, sizeof all);
}

/* Copies a record with its strings; false: no memory. */
static bool copy_record(struct loaded_record *out, const struct berth_lease_record *from)
{
    const char **texts[TEXTS];
    size_t size = 0;

    out->record = *from;
    list_texts(&out->record, texts);
    for (int i = 0; i < TEXTS; i++) {
        size += strlen(*texts[i]) + 1;
    }
    char *to = berth_alloc(size, 1);
    out->texts = to;
    for (int i = 0; i < TEXTS && to != NULL; i++) {
        size_t length = strlen(*texts[i]) + 1;
        *texts[i] = memcpy(to, *texts[i], length);
        to += length;
    }
    return to != NULL;
}

static enum berth_code take_record(void *ctx, const struct berth_lease_record *record,
                                   struct berth_error *err)
{
    struct loaded *loaded = ctx;

    if (loaded->count == loaded->room) {
        size_t room = loaded->room == 0 ? 64 : loaded->room * 2;
        struct loaded_record *larger = berth_resize(loaded->records, room, sizeof *loaded->records);
        if (larger == NULL) {
            return berth_fail_memory(err, "the kept leases");
        }
        loaded->records = larger;
        loaded->room = room;
    }
    if (!copy_record(&loaded->records[loaded->count], record)) {
        return berth_fail_memory(err, "a kept lease");
    }
    loaded->count++;
    return BERTH_OK;
}

static void free_loaded(struct loaded *loaded)
{
    for (size_t i = 0; i < loaded->count; i++) {
        berth_free(loaded->records[i].texts);
    }
    berth_free(loaded->records);
}

static enum berth_code restore_all(struct berth_allocator *allocator, const struct loaded *loaded,
                                   struct berth_error *err)
{
    struct berth_now now = berth_clock_now();
    enum berth_code code = BERTH_OK;

    for (size_t i = 0; i < loaded->count && code == BERTH_OK; i++) {
        struct berth_lease_kept kept;
        code = berth_lease_record_read(&loaded->records[i].record, &kept, err);
        if (code == BERTH_OK) {
            code = berth_allocator_restore(allocator, &kept, now, err);
        }
    }
    return code;
}

enum berth_code berth_lease_keeper_load(struct berth_lease_keeper *keeper,
                                        struct berth_allocator *allocator, struct berth_error *err)
{
    struct loaded loaded = {NULL, 0, 0};
    uint64_t lost = berth_store_lost_changes(keeper->store);
    enum berth_code code = berth_store_load(keeper->store, take_record, &loaded, err);

    keeper->allocator = allocator;
    if (code == BERTH_OK) {
        code = restore_all(allocator, &loaded, err);
    }
    free_loaded(&loaded);
    if (code != BERTH_OK) {
        return code;
    }
    if (lost != 0) {
        berth_log(BERTH_LOG_WARNING,
                  "a power failure took the newest %" PRIu64 " changes of leases; "
                  "<store durability=\"sync\"> would have kept them",
                  lost);
    }
    berth_log(BERTH_LOG_INFO, "%zu leases are kept, and %zu ended ones remembered",
              allocator->book.live.count, allocator->book.ended.count);
    return BERTH_OK;
}

/* ---- opening and closing ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct berth_lease_keeper *keeper = handle->data;

    if (--keeper->open_handles == 0) {
        uv_mutex_destroy(&keeper->lock);
        berth_free(keeper);
    }
}

void berth_lease_keeper_close(struct berth_lease_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    /* first: its worker may still wake us */
    berth_store_close(keeper->store);
    keeper->store = NULL;
    uv_close((uv_handle_t *)&keeper->tend, on_handle_closed);
    uv_close((uv_handle_t *)&keeper->flush_done, on_handle_closed);
}

struct berth_store *berth_lease_keeper_store(struct berth_lease_keeper *keeper)
{
    return keeper->store;
}

const struct berth_store_health *berth_lease_keeper_health(const struct berth_lease_keeper *keeper)
{
    return &keeper->health;
}

/* Makes the handles; on error none is left. */
static enum berth_code make_handles(struct berth_lease_keeper *keeper, uv_loop_t *loop,
                                    struct berth_error *err)
{
    int status = uv_mutex_init(&keeper->lock);

    if (status == 0) {
        status = uv_async_init(loop, &keeper->flush_done, on_flushed);
        if (status != 0) {
            uv_mutex_destroy(&keeper->lock);
        }
    }
    if (status != 0) {
        return berth_fail(err, BERTH_IO, status, "the lease keeper's wake-up: %s",
                          uv_strerror(status));
    }
    (void)uv_timer_init(loop, &keeper->tend);
    keeper->tend.data = keeper;
    keeper->flush_done.data = keeper;
    keeper->open_handles = 2;
    return BERTH_OK;
}

enum berth_code berth_lease_keeper_open(struct berth_lease_keeper **out, uv_loop_t *loop,
                                        const struct berth_lease_keeper_options *options,
                                        struct berth_error *err)
{
    struct berth_lease_keeper *keeper = berth_alloc(1, sizeof *keeper);
    struct berth_store *store = NULL;

    if (keeper == NULL) {
        return berth_fail_memory(err, "the lease keeper");
    }
    keeper->options = *options;
    keeper->health.sync = options->store.durability == BERTH_DURABILITY_SYNC;
    enum berth_code code = berth_store_open(&store, &options->store, err);
    if (code == BERTH_OK) {
        code = make_handles(keeper, loop, err);
    }
    if (code != BERTH_OK) {
        berth_store_close(store);
        berth_free(keeper);
        return code;
    }
    keeper->store = store;
    (void)uv_timer_start(&keeper->tend, on_tend, TEND_MS, 0);
    *out = keeper;
    return BERTH_OK;
}
