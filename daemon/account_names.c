/* SPDX-License-Identifier: MIT */
#include "account_names.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

#define WAYS 4 /* places that a user may have: as many are looked at each time */
#define SETS (BERTH_ACCOUNT_NAMES_MAX / WAYS)

/* What is known of a user's name. */
enum knowledge {
    NOTHING, /* the first look-up is not back yet */
    OLD,     /* the last one told no name: there is that of before, or what stands for one */
    NAME,
};

struct entry {
    struct berth_account_id user; /* length 0: the place is free */
    char name[BERTH_ACCOUNT_NAME_SIZE];
    enum knowledge knowledge;
    bool wanted;         /* a look-up is under way, or waits for its turn */
    bool running;        /* the former */
    bool given_up;       /* nobody waits for it any more */
    uint64_t learned_ms; /* when the last look-up came back, by `now_ms` */
    uint64_t wanted_ms;  /* since when, by the loop's clock */
    uint64_t wanted_as;  /* the how manieth wish that was: the order of turns */
    uint64_t used_as;    /* the how manieth question the last one about it was */
};

/* One look-up. While `busy`, its thread may be writing to the last two. */
struct look_up {
    uv_work_t request;
    struct berth_account_names *names;
    bool busy;
    struct berth_account_id user; /* whose place may be another's when it comes back */
    bool found;
    char name[BERTH_ACCOUNT_NAME_SIZE];
};

struct berth_account_names {
    uv_loop_t *loop;
    struct berth_account_names_options options;
    struct entry entries[SETS][WAYS];
    struct look_up look_ups[BERTH_ACCOUNT_NAMES_AT_ONCE];
    uint64_t questions;
    uint64_t wishes;
    uv_timer_t patience; /* runs until the next one who waits has waited long enough */
    bool late;           /* that was so a turn of the loop ago */
    bool timer_closed;
    bool closing;
    void (*closed)(void *ctx);
    void *ctx;
};

/* ---- the table ---- */

static struct entry *set_of(struct berth_account_names *names, const struct berth_account_id *user)
{
    unsigned hash = 0;

    for (unsigned i = 0; i < user->length; i++) {
        hash = hash * 31 + user->bytes[i];
    }
    return names->entries[hash % SETS];
}

static struct entry *find(struct berth_account_names *names, const struct berth_account_id *user)
{
    struct entry *set = set_of(names, user);

    for (unsigned i = 0; i < WAYS; i++) {
        if (berth_account_same(&set[i].user, user)) {
            return &set[i];
        }
    }
    return NULL;
}

/* Somebody was told to wait for it. */
static bool is_awaited(const struct entry *entry)
{
    return entry->wanted && entry->knowledge == NOTHING && !entry->given_up;
}

/* A user who lost its place may come back while its look-up is still under way. */
static void join_look_up(struct berth_account_names *names, struct entry *entry)
{
    for (unsigned i = 0; i < BERTH_ACCOUNT_NAMES_AT_ONCE; i++) {
        const struct look_up *look_up = &names->look_ups[i];
        if (look_up->busy && berth_account_same(&look_up->user, &entry->user)) {
            entry->wanted = true;
            entry->running = true;
            entry->given_up = true; /* it was waited for */
        }
    }
}

/* Gives a user a place.  @return NULL: all that it may have are awaited */
static struct entry *take_place(struct berth_account_names *names,
                                const struct berth_account_id *user)
{
    struct entry *set = set_of(names, user);
    struct entry *oldest = NULL;

    for (unsigned i = 0; i < WAYS; i++) {
        if (!is_awaited(&set[i]) && (oldest == NULL || set[i].used_as < oldest->used_as)) {
            oldest = &set[i];
        }
    }
    if (oldest != NULL) {
        *oldest = (struct entry){.user = *user};
        (void)berth_account_nameless(user, oldest->name, sizeof oldest->name);
        join_look_up(names, oldest);
    }
    return oldest;
}

static bool is_due(const struct berth_account_names *names, const struct entry *entry)
{
    uint64_t good_ms =
        entry->knowledge == NAME ? BERTH_ACCOUNT_NAMES_FOUND_MS : BERTH_ACCOUNT_NAMES_FAILED_MS;

    return !entry->wanted && (entry->knowledge == NOTHING ||
                              names->options.now_ms(names->loop) >= entry->learned_ms + good_ms);
}

/* ---- patience ---- */

static void on_patience_over(uv_timer_t *timer);

static void plan_patience(struct berth_account_names *names)
{
    uint64_t now_ms = uv_now(names->loop);
    uint64_t first_ms = UINT64_MAX;

    names->late = false;
    for (unsigned i = 0; i < BERTH_ACCOUNT_NAMES_MAX; i++) {
        const struct entry *entry = &names->entries[i / WAYS][i % WAYS];
        if (is_awaited(entry) && entry->wanted_ms < first_ms) {
            first_ms = entry->wanted_ms;
        }
    }
    if (first_ms == UINT64_MAX) {
        (void)uv_timer_stop(&names->patience);
        return;
    }
    uint64_t end_ms = first_ms + names->options.patience_ms;
    (void)uv_timer_start(&names->patience, on_patience_over, end_ms > now_ms ? end_ms - now_ms : 0,
                         0);
}

static void give_up(struct berth_account_names *names)
{
    uint64_t now_ms = uv_now(names->loop);

    for (unsigned i = 0; i < BERTH_ACCOUNT_NAMES_MAX; i++) {
        struct entry *entry = &names->entries[i / WAYS][i % WAYS];
        entry->given_up =
            entry->given_up ||
            (is_awaited(entry) && now_ms >= entry->wanted_ms + names->options.patience_ms);
    }
    plan_patience(names);
    names->options.learned(names->options.ctx);
}

/* Where the loop itself was held up, the answers are there and come with this turn: it is waited
 * for one more. */
static void end_patience(struct berth_account_names *names)
{
    if (names->late) {
        give_up(names);
    } else {
        names->late = true;
        (void)uv_timer_start(&names->patience, on_patience_over, 1, 0);
    }
}

static void on_patience_over(uv_timer_t *timer)
{
    end_patience(timer->data);
}

/* ---- look-ups ---- */

static void start_look_ups(struct berth_account_names *names);

static void on_look_up(uv_work_t *request)
{
    struct look_up *look_up = request->data;

    look_up->found =
        look_up->names->options.look_up(&look_up->user, look_up->name, sizeof look_up->name);
}

static void free_if_done(struct berth_account_names *names)
{
    if (names->closing && names->timer_closed && berth_account_names_under_way(names) == 0) {
        void (*closed)(void *ctx) = names->closed;
        void *ctx = names->ctx;
        berth_free(names);
        closed(ctx);
    }
}

/* A name that was known stays where none is told now: a server that is away looks like a user who
 * is not there, and one who is gone does not ask. */
static void learn(struct berth_account_names *names, const struct look_up *look_up)
{
    struct entry *entry = find(names, &look_up->user);

    if (entry == NULL) {
        return;
    }
    entry->wanted = false;
    entry->running = false;
    entry->given_up = false;
    entry->learned_ms = names->options.now_ms(names->loop);
    entry->knowledge = look_up->found ? NAME : OLD;
    if (look_up->found) {
        memcpy(entry->name, look_up->name, sizeof entry->name);
    }
}

static void on_look_up_over(uv_work_t *request, int status)
{
    struct look_up *look_up = request->data;
    struct berth_account_names *names = look_up->names;

    look_up->busy = false;
    if (names->closing) {
        free_if_done(names);
        return;
    }
    (void)status; /* nothing is cancelled before the end */
    learn(names, look_up);
    start_look_ups(names);
    plan_patience(names);
    names->options.learned(names->options.ctx);
}

/* Whom somebody waits for comes first, then who has waited longest. */
static struct entry *next_wanted(struct berth_account_names *names)
{
    struct entry *next = NULL;

    for (unsigned i = 0; i < BERTH_ACCOUNT_NAMES_MAX; i++) {
        struct entry *entry = &names->entries[i / WAYS][i % WAYS];
        if (!entry->wanted || entry->running) {
            continue;
        }
        if (next == NULL || is_awaited(entry) > is_awaited(next) ||
            (is_awaited(entry) == is_awaited(next) && entry->wanted_as < next->wanted_as)) {
            next = entry;
        }
    }
    return next;
}

static void start_look_ups(struct berth_account_names *names)
{
    for (unsigned i = 0; i < BERTH_ACCOUNT_NAMES_AT_ONCE; i++) {
        struct look_up *look_up = &names->look_ups[i];
        struct entry *entry = !look_up->busy ? next_wanted(names) : NULL;
        if (entry != NULL) {
            entry->running = true;
            look_up->busy = true;
            look_up->user = entry->user;
            (void)uv_queue_work(names->loop, &look_up->request, on_look_up, on_look_up_over);
        }
    }
}

unsigned berth_account_names_under_way(const struct berth_account_names *names)
{
    unsigned count = 0;

    for (unsigned i = 0; i < BERTH_ACCOUNT_NAMES_AT_ONCE; i++) {
        count += names->look_ups[i].busy;
    }
    return count;
}

/* ---- what is asked ---- */

static void want(struct berth_account_names *names, struct entry *entry)
{
    entry->wanted = true;
    entry->wanted_ms = uv_now(names->loop);
    entry->wanted_as = ++names->wishes;
    start_look_ups(names);
    if (is_awaited(entry)) {
        plan_patience(names);
    }
}

bool berth_account_names_get(struct berth_account_names *names, const struct berth_account_id *user,
                             char out[BERTH_ACCOUNT_NAME_SIZE])
{
    uint64_t question = ++names->questions;
    struct entry *entry = find(names, user);

    if (entry == NULL) {
        entry = take_place(names, user);
    }
    if (entry == NULL) {
        (void)berth_account_nameless(user, out, BERTH_ACCOUNT_NAME_SIZE);
        return true;
    }
    entry->used_as = question;
    if (is_due(names, entry)) {
        want(names, entry);
    }
    memcpy(out, entry->name, sizeof entry->name);
    return !is_awaited(entry);
}

/* ---- life ---- */

enum berth_code berth_account_names_create(struct berth_account_names **out, uv_loop_t *loop,
                                           const struct berth_account_names_options *options,
                                           struct berth_error *err)
{
    struct berth_account_names *names = berth_alloc(1, sizeof *names);

    if (names == NULL) {
        return berth_fail_memory(err, "the names of users");
    }
    names->loop = loop;
    names->options = *options;
    for (unsigned i = 0; i < BERTH_ACCOUNT_NAMES_AT_ONCE; i++) {
        names->look_ups[i].names = names;
        names->look_ups[i].request.data = &names->look_ups[i];
    }
    (void)uv_timer_init(loop, &names->patience);
    names->patience.data = names;
    *out = names;
    return BERTH_OK;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct berth_account_names *names = handle->data;

    names->timer_closed = true;
    free_if_done(names);
}

void berth_account_names_close(struct berth_account_names *names, void (*closed)(void *ctx),
                               void *ctx)
{
    if (names == NULL) {
        return;
    }
    names->closing = true;
    names->closed = closed;
    names->ctx = ctx;
    for (unsigned i = 0; i < BERTH_ACCOUNT_NAMES_AT_ONCE; i++) {
        if (names->look_ups[i].busy) {
            /* too late for one that runs */
            (void)uv_cancel((uv_req_t *)&names->look_ups[i].request);
        }
    }
    uv_close((uv_handle_t *)&names->patience, on_timer_closed);
}
