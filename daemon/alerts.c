/* SPDX-License-Identifier: MIT */
#include "alerts.h"

#include "alert_channel.h"
#include "base/memory.h"
#include "log.h"
#include "pool_overlap.h"
#include "pool_watch.h"
#include "present.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_A_MS 1000000u

#define LOST_LOG_MS 60000
#define JSON_MAX ((size_t)4096)
#define POOL_NAME_SIZE 65

static const struct berth_channel_ops *const kinds[] = {
    &berth_channel_system_log,
    &berth_channel_command,
    &berth_channel_metrics,
};

/* What a pool was told as, while it has the same name and ports. */
struct watched_pool {
    char name[POOL_NAME_SIZE];
    struct berth_port_range range;
    uint32_t low;
    struct berth_pool_watch watch;
};

struct berth_alerts {
    struct berth_channel_world world;
    struct berth_channel *first;   /* in the order of the settings, kind by kind */
    struct berth_channel *leaving; /* that are told nothing any more; the one to end first first */
    struct watched_pool pools[BERTH_SETTINGS_POOLS_MAX];
    size_t pool_count;
    uint8_t sources_told[BERTH_SOURCES_MAX]; /* enum berth_source_state; WAITING: nothing is open */
    bool store_told;                         /* that it fails */
    bool stopped;
    struct berth_text json; /* of what no event exists for */
};

const char *berth_alert_severity_name(const struct berth_alert *alert)
{
    static const char *const names[] = {[BERTH_NOTICE_SEVERITY_INFO] = "information",
                                        [BERTH_NOTICE_SEVERITY_WARNING] = "warning",
                                        [BERTH_NOTICE_SEVERITY_ERROR] = "error"};

    return names[berth_notice_info(alert->notice)->severity];
}

/* ---- channels ---- */

void berth_channel_failed(struct berth_channel *channel, const char *reason)
{
    channel->state.failing = true;
    (void)snprintf(channel->state.reason, sizeof channel->state.reason, "%s", reason);
}

void berth_channel_worked(struct berth_channel *channel)
{
    channel->state.failing = false;
}

/* "metrics /var/lib/berth.prom", "systemLog" */
static const char *name_of(char out[512], const struct berth_channel *channel)
{
    bool has_target = channel->target != NULL;

    (void)snprintf(out, 512, "%s%s%s", channel->ops->name, has_target ? " " : "",
                   has_target ? channel->target : "");
    return out;
}

static void end(struct berth_channel *channel)
{
    if (!channel->ending) {
        channel->ending = true;
        channel->ops->end(channel);
    }
}

static void end_all(struct berth_channel *list)
{
    for (; list != NULL; list = list->next) {
        end(list);
    }
}

/* Waits for those that have begun to end, for all together until a moment. */
static void stop_all(struct berth_channel **list, uint64_t until_ns)
{
    while (*list != NULL) {
        struct berth_channel *channel = *list;
        uint64_t now_ns = uv_hrtime();
        *list = channel->next;
        channel->ops->stop(channel,
                           now_ns < until_ns ? (unsigned)((until_ns - now_ns) / NS_A_MS) : 0);
    }
}

static void append(struct berth_channel **list, struct berth_channel *channel)
{
    while (*list != NULL) {
        list = &(*list)->next;
    }
    channel->next = NULL;
    *list = channel;
}

/* Takes out of a list the channel that the settings go on asking for; NULL: it has none. */
static struct berth_channel *take_former(struct berth_channel **list,
                                         const struct berth_channel_ops *ops,
                                         const struct berth_settings *settings, size_t number)
{
    for (; *list != NULL; list = &(*list)->next) {
        struct berth_channel *channel = *list;
        if (channel->ops == ops && !channel->ending && ops->adopt(channel, settings, number)) {
            *list = channel->next;
            return channel;
        }
    }
    return NULL;
}

static struct berth_channel *start_one(struct berth_alerts *alerts,
                                       const struct berth_channel_ops *ops,
                                       const struct berth_settings *settings, size_t number)
{
    struct berth_channel *channel;
    struct berth_error err;

    if (ops->start(&channel, &alerts->world, settings, number, &err) != BERTH_OK) {
        berth_log(BERTH_LOG_ERROR, "alerts do not go to %s: %s", ops->name, err.detail);
        return NULL;
    }
    channel->ops = ops;
    return channel;
}

static void apply_kind(struct berth_alerts *alerts, struct berth_channel **former,
                       const struct berth_channel_ops *ops, const struct berth_settings *settings)
{
    for (size_t i = 0; i < ops->wanted(settings); i++) {
        struct berth_channel *channel = take_former(former, ops, settings, i);
        if (channel == NULL) {
            channel = take_former(&alerts->leaving, ops, settings, i);
        }
        if (channel == NULL) {
            channel = start_one(alerts, ops, settings, i);
        }
        if (channel != NULL) {
            append(&alerts->first, channel);
        }
    }
}

/* Has those that are done end, and those whose time is over; the next time but one they are gone.
 */
static void look_at_leaving(struct berth_alerts *alerts, struct berth_now now)
{
    struct berth_channel **at = &alerts->leaving;

    while (*at != NULL) {
        struct berth_channel *channel = *at;
        bool over = now.ms >= channel->leaves_ms;
        if (channel->ending && over) {
            /* where nothing is under way the thread is on its last lines */
            bool idle = channel->ops->idle(channel);
            *at = channel->next;
            channel->ops->stop(channel, idle ? BERTH_CHANNEL_STOP_MS : 0);
            continue;
        }
        if (!channel->ending && (over || channel->ops->idle(channel))) {
            end(channel);
            channel->leaves_ms = now.ms + BERTH_CHANNEL_STOP_MS;
        }
        at = &channel->next;
    }
}

/* What waits in it goes out yet: the loop does not wait for that. */
static void leave(struct berth_alerts *alerts, struct berth_channel *channel, struct berth_now now)
{
    size_t count = 1;

    channel->leaves_ms = now.ms + BERTH_CHANNEL_LEAVE_MS;
    append(&alerts->leaving, channel);
    for (const struct berth_channel *at = alerts->leaving; at != channel; at = at->next) {
        count++;
    }
    if (count > BERTH_CHANNELS_LEAVING_MAX) {
        struct berth_channel *oldest = alerts->leaving;
        alerts->leaving = oldest->next;
        end(oldest);
        oldest->ops->stop(oldest, 0);
    }
}

static void apply_channels(struct berth_alerts *alerts, const struct berth_settings *settings,
                           struct berth_now now)
{
    struct berth_channel *former = alerts->first;

    alerts->first = NULL;
    for (size_t i = 0; i < BERTH_COUNT(kinds); i++) {
        apply_kind(alerts, &former, kinds[i], settings);
    }
    while (former != NULL) {
        struct berth_channel *channel = former;
        former = channel->next;
        leave(alerts, channel, now);
    }
    look_at_leaving(alerts, now);
}

static void log_channel(struct berth_channel *channel, struct berth_now now)
{
    const struct berth_channel_state *state = &channel->state;
    char name[512];

    if (state->failing != channel->logged_failing) {
        channel->logged_failing = state->failing;
        berth_log(state->failing ? BERTH_LOG_WARNING : BERTH_LOG_INFO, "alerts by %s %s%s",
                  name_of(name, channel), state->failing ? "fail: " : "work again",
                  state->failing ? state->reason : "");
    }
    if (state->lost != channel->logged_lost &&
        (channel->logged_lost_ms == 0 || now.ms - channel->logged_lost_ms >= LOST_LOG_MS)) {
        berth_log(BERTH_LOG_WARNING, "alerts by %s: %" PRIu64 " were lost, too many waited",
                  name_of(name, channel), state->lost - channel->logged_lost);
        channel->logged_lost = state->lost;
        channel->logged_lost_ms = now.ms;
    }
}

/* ---- telling ---- */

static void tell_all(struct berth_alerts *alerts, struct berth_alert *alert)
{
    char text[BERTH_NOTICE_TEXT_SIZE];

    if (alerts->first == NULL) {
        return;
    }
    alert->revision = alerts->world.service->allocator->revision;
    alert->text = berth_notice_text(text, alert->notice, alert->strings);
    for (struct berth_channel *channel = alerts->first; channel != NULL; channel = channel->next) {
        if (channel->ops->tell != NULL) {
            channel->ops->tell(channel, alert);
        }
    }
}

static struct berth_channel *find_system_log(struct berth_channel *channel)
{
    while (channel != NULL && channel->ops != &berth_channel_system_log) {
        channel = channel->next;
    }
    return channel;
}

void berth_alerts_report(struct berth_alerts *alerts, enum berth_notice notice,
                         const char *const *strings)
{
    struct berth_alert alert = {.notice = notice};
    struct berth_error err;

    for (unsigned i = 0; i < berth_notice_info(notice)->strings; i++) {
        alert.strings[i] = strings[i];
    }
    struct berth_channel *channel = find_system_log(alerts->first);
    if (channel == NULL) {
        channel = find_system_log(alerts->leaving);
    }
    if (channel != NULL) {
        channel->ops->tell(channel, &alert);
        return;
    }
    (void)berth_system_log_report(notice, strings, &err); /* nobody to tell is no reason to fail */
}

/* The latest event's object. */
static const char *event_json(const struct berth_alerts *alerts)
{
    const struct berth_text *text = &alerts->world.service->events->text;

    return text->failed == BERTH_OK ? berth_text_string(text) : "";
}

/* An object for what is no event to subscribe to. */
static const char *own_json(struct berth_alerts *alerts, const char *topic, const char *type,
                            const char *subject, const char *text, struct berth_now now)
{
    struct berth_json json;

    berth_text_clear(&alerts->json);
    berth_json_init(&json, &alerts->json);
    berth_json_open_object(&json);
    berth_json_member_number(&json, "revision",
                             (long long)alerts->world.service->allocator->revision);
    berth_present_time(&json, "time", now.unix_ms);
    berth_json_member_string(&json, "topic", topic);
    berth_json_member_string(&json, "type", type);
    if (subject != NULL) {
        berth_json_member_string(&json, "pool", subject);
    }
    berth_json_member_string(&json, "text", text);
    berth_json_close_object(&json);
    return alerts->json.failed == BERTH_OK ? berth_text_string(&alerts->json) : "";
}

void berth_alerts_conflict(struct berth_alerts *alerts, const struct berth_conflict_entry *entry,
                           bool opened, struct berth_now now)
{
    bool error = entry->conflict.severity == BERTH_CONFLICT_ERROR;
    char id[17];
    char port[8];

    (void)snprintf(id, sizeof id, "%016" PRIx64, entry->conflict.id);
    (void)snprintf(port, sizeof port, "%u", entry->conflict.port);
    struct berth_alert alert = {
        .notice = !opened ? BERTH_NOTICE_CONFLICT_CLOSED
                  : error ? BERTH_NOTICE_CONFLICT_ERROR
                          : BERTH_NOTICE_CONFLICT_WARNING,
        .strings = {id, port, entry->text},
        .type = opened ? "conflict.opened" : "conflict.closed",
        .kind = berth_conflict_kind_name(entry->conflict.kind),
        .port = entry->conflict.port,
        .unix_ms = now.unix_ms,
        .json = event_json(alerts),
    };
    tell_all(alerts, &alert);
}

static size_t number_of(const struct berth_alerts *alerts, const struct berth_source_entry *source)
{
    return (size_t)(source - alerts->world.service->allocator->sources.at);
}

void berth_alerts_source_removed(struct berth_alerts *alerts,
                                 const struct berth_source_entry *source)
{
    alerts->sources_told[number_of(alerts, source)] = BERTH_STATE_WAITING;
}

void berth_alerts_source(struct berth_alerts *alerts, const struct berth_source_entry *source,
                         struct berth_now now)
{
    static const struct {
        enum berth_notice notice;
        const char *type;
    } by_state[BERTH_STATE_COUNT] = {
        [BERTH_STATE_READY] = {BERTH_NOTICE_SOURCE_READY, "source.ready"},
        [BERTH_STATE_STALE] = {BERTH_NOTICE_SOURCE_STALE, "source.stale"},
        [BERTH_STATE_DEGRADED] = {BERTH_NOTICE_SOURCE_DEGRADED, "source.degraded"},
    };
    size_t number = number_of(alerts, source);
    enum berth_source_state before = (enum berth_source_state)alerts->sources_told[number];
    bool told = by_state[source->state].type != NULL;

    if (before == source->state) {
        return;
    }
    alerts->sources_told[number] = told ? (uint8_t)source->state : BERTH_STATE_WAITING;
    /* that it is ready is worth telling of one that was not */
    if (told && (source->state != BERTH_STATE_READY || before != BERTH_STATE_WAITING)) {
        struct berth_alert alert = {
            .notice = by_state[source->state].notice,
            .strings = {source->name, source->reason != NULL ? source->reason : "no reason known"},
            .type = by_state[source->state].type,
            .subject = source->name,
            .unix_ms = now.unix_ms,
            .json = event_json(alerts),
        };
        tell_all(alerts, &alert);
    }
}

/* ---- pools ---- */

static void tell_pool(struct berth_alerts *alerts, const struct watched_pool *pool, uint32_t free,
                      uint32_t total, struct berth_now now)
{
    static const enum berth_notice notices[] = {[BERTH_LEVEL_OK] = BERTH_NOTICE_POOL_RECOVERED,
                                                [BERTH_LEVEL_LOW] = BERTH_NOTICE_POOL_LOW,
                                                [BERTH_LEVEL_EXHAUSTED] =
                                                    BERTH_NOTICE_POOL_EXHAUSTED};
    enum berth_pool_level level = pool->watch.level;
    bool exhausted = level == BERTH_LEVEL_EXHAUSTED;
    char type[32];
    char free_text[16];
    char total_text[16];

    (void)snprintf(type, sizeof type, "pool.%s", berth_pool_level_name(level));
    (void)snprintf(free_text, sizeof free_text, "%u", free);
    (void)snprintf(total_text, sizeof total_text, "%u", total);
    berth_log(level == BERTH_LEVEL_OK ? BERTH_LOG_INFO : BERTH_LOG_WARNING,
              "pool %s is %s: %u of %u ports are free", pool->name, berth_pool_level_name(level),
              free, total);
    berth_events_pool(alerts->world.service->events, type, pool->name, free, total, pool->low, now);
    struct berth_alert alert = {
        .notice = notices[level],
        .strings = {pool->name, exhausted ? total_text : free_text, total_text},
        .type = type,
        .subject = pool->name,
        .unix_ms = now.unix_ms,
        .json = event_json(alerts),
    };
    tell_all(alerts, &alert);
}

static void look_at_pools(struct berth_alerts *alerts, struct berth_now now)
{
    const struct berth_allocator *allocator = alerts->world.service->allocator;

    /* as long as a source is waiting, everything looks free */
    for (size_t i = 0; i < alerts->pool_count && allocator->all_heard; i++) {
        struct watched_pool *pool = &alerts->pools[i];
        const struct berth_pool *real = berth_policy_pool(&allocator->policy, pool->name);
        if (real == NULL) {
            continue;
        }
        uint32_t total = (uint32_t)(real->range.last - real->range.first) + 1;
        uint32_t free = berth_policy_pool_free(&allocator->free_set, real);
        if (berth_pool_watch_note(&pool->watch, free, total, pool->low, now.ms)) {
            tell_pool(alerts, pool, free, total, now);
        }
    }
}

static const struct watched_pool *find_pool(const struct watched_pool *pools, size_t count,
                                            const struct berth_pool_settings *settings)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pools[i].name, settings->name) == 0 &&
            pools[i].range.first == settings->ports.first &&
            pools[i].range.last == settings->ports.last) {
            return &pools[i];
        }
    }
    return NULL;
}

static void apply_pools(struct berth_alerts *alerts, const struct berth_settings *settings)
{
    struct watched_pool fresh[BERTH_SETTINGS_POOLS_MAX];

    for (size_t i = 0; i < settings->pool_count; i++) {
        const struct berth_pool_settings *pool = &settings->pools[i];
        const struct watched_pool *before = find_pool(alerts->pools, alerts->pool_count, pool);
        fresh[i] = (struct watched_pool){.range = pool->ports, .low = pool->low_ports};
        (void)snprintf(fresh[i].name, sizeof fresh[i].name, "%s", pool->name);
        if (before != NULL) {
            fresh[i].watch = before->watch;
        }
    }
    memcpy(alerts->pools, fresh, settings->pool_count * sizeof fresh[0]);
    alerts->pool_count = settings->pool_count;
}

static void tell_overlaps(struct berth_alerts *alerts, struct berth_now now)
{
    const struct berth_service *service = alerts->world.service;
    const struct berth_policy *policy = &service->allocator->policy;
    char text[BERTH_POOL_OVERLAP_SIZE];
    const char *how;

    for (size_t i = 0; i < policy->pool_count; i++) {
        if (!berth_pool_overlap(text, &policy->pools[i], service->facts, &how)) {
            continue;
        }
        const char *name = policy->pools[i].name;
        berth_log(BERTH_LOG_WARNING, "%s", text);
        struct berth_alert alert = {
            .notice = BERTH_NOTICE_POOL_OVERLAP,
            .strings = {name, how},
            .type = "pool.overlap",
            .subject = name,
            .unix_ms = now.unix_ms,
            .json = own_json(alerts, "pools", "pool.overlap", name, text, now),
        };
        tell_all(alerts, &alert);
    }
}

/* ---- the store ---- */

static void look_at_store(struct berth_alerts *alerts, struct berth_now now)
{
    const struct berth_store_health *health = alerts->world.service->store_health;

    if (health == NULL || health->failing == alerts->store_told) {
        return;
    }
    alerts->store_told = health->failing;
    const char *type = health->failing ? "store.failing" : "store.working";
    struct berth_alert alert = {
        .notice = health->failing ? BERTH_NOTICE_STORE_FAILED : BERTH_NOTICE_STORE_WORKS,
        .strings = {health->error.detail},
        .type = type,
        .unix_ms = now.unix_ms,
        .json = own_json(alerts, "store", type, NULL, health->error.detail, now),
    };
    tell_all(alerts, &alert);
}

/* ---- life ---- */

enum berth_code berth_alerts_create(struct berth_alerts **out, uv_loop_t *loop,
                                    struct berth_service *service, struct berth_error *err)
{
    struct berth_alerts *alerts = berth_alloc(1, sizeof *alerts);

    if (alerts == NULL) {
        return berth_fail_memory(err, "the alerts");
    }
    alerts->world = (struct berth_channel_world){loop, service};
    berth_text_init(&alerts->json, JSON_MAX);
    *out = alerts;
    return BERTH_OK;
}

void berth_alerts_apply(struct berth_alerts *alerts, struct berth_now now)
{
    const struct berth_settings *settings = alerts->world.service->settings;

    apply_channels(alerts, settings, now);
    apply_pools(alerts, settings);
    tell_overlaps(alerts, now);
}

void berth_alerts_tick(struct berth_alerts *alerts, struct berth_now now)
{
    if (alerts->stopped) {
        return;
    }
    look_at_pools(alerts, now);
    look_at_store(alerts, now);
    look_at_leaving(alerts, now);
    for (struct berth_channel *channel = alerts->first; channel != NULL; channel = channel->next) {
        channel->ops->look(channel, now);
        log_channel(channel, now);
    }
}

const struct berth_channel *berth_alerts_channels(const struct berth_alerts *alerts)
{
    return alerts->first;
}

static void write_channel(struct berth_json *json, const struct berth_channel *channel)
{
    const struct berth_channel_state *state = &channel->state;

    berth_json_open_object(json);
    berth_json_member_string(json, "channel", channel->ops->name);
    if (channel->target != NULL) {
        berth_json_member_string(json, "path", channel->target);
    }
    berth_json_member_string(json, "state", state->failing ? "failing" : "ok");
    if (state->failing) {
        berth_json_member_string(json, "reason", state->reason);
    }
    berth_json_member_number(json, "told", (long long)state->told);
    berth_json_member_number(json, "failed", (long long)state->failed);
    berth_json_member_number(json, "lost", (long long)state->lost);
    berth_json_member_number(json, "waiting", (long long)state->waiting);
    berth_json_close_object(json);
}

void berth_alerts_write(struct berth_json *json, const struct berth_alerts *alerts)
{
    berth_json_key(json, "alerts");
    berth_json_open_array(json);
    for (const struct berth_channel *channel = alerts != NULL ? alerts->first : NULL;
         channel != NULL; channel = channel->next) {
        write_channel(json, channel);
    }
    berth_json_close_array(json);
}

void berth_alerts_stop(struct berth_alerts *alerts)
{
    if (alerts != NULL) {
        alerts->stopped = true;
        end_all(alerts->first);
        end_all(alerts->leaving);
        uint64_t until_ns = uv_hrtime() + (uint64_t)BERTH_CHANNEL_STOP_MS * NS_A_MS;
        stop_all(&alerts->first, until_ns);
        stop_all(&alerts->leaving, until_ns);
    }
}

void berth_alerts_destroy(struct berth_alerts *alerts)
{
    if (alerts != NULL) {
        berth_text_fini(&alerts->json);
        berth_free(alerts);
    }
}
