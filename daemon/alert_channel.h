/* SPDX-License-Identifier: MIT */
/* The contract of a channel by which alerts reach an operator. The next one is a file with these
 * functions, and a row in the table of alerts.c.
 *
 * A channel never makes the loop wait: what may block is done by a thread of its own
 * (outbox.h). What waits in it has a ceiling: the oldest alert makes room for the newest and is
 * counted as lost. Its failures are its own: they show in its state, which alerts.c logs and
 * `status` tells. All is called on the loop's thread. */
#ifndef BERTH_DAEMON_ALERT_CHANNEL_H
#define BERTH_DAEMON_ALERT_CHANNEL_H

#include "alert.h"
#include "service.h"

#include <uv.h>

#define BERTH_CHANNEL_WAITING_MAX 64 /* alerts */
#define BERTH_CHANNEL_STOP_MS 500    /* for all together, when the daemon stops */
#define BERTH_CHANNEL_LEAVE_MS                                                                     \
    60000 /* for that in a channel which is not in the settings any more */
#define BERTH_CHANNELS_LEAVING_MAX 32

/** How a channel does. */
struct berth_channel_state {
    uint64_t told;   /* alerts, or files, that it has delivered */
    uint64_t failed; /* that it tried in vain */
    uint64_t lost;   /* that it did not come to, as too many waited */
    size_t waiting;
    bool failing;     /* the latest attempt was in vain, or does not come to an end */
    char reason[256]; /* why; "": it never failed */
};

struct berth_channel {
    const struct berth_channel_ops *ops;
    struct berth_channel_state state;
    char *target; /* a path; NULL: the channel has none */
    struct berth_channel *next;
    uint64_t leaves_ms;  /* it is in the settings no more, and ends then at the latest */
    bool ending;         /* `end` was called */
    bool logged_failing; /* what alerts.c has logged */
    uint64_t logged_lost;
    uint64_t logged_lost_ms;
};

/** What a channel may use while it runs. */
struct berth_channel_world {
    uv_loop_t *loop;
    struct berth_service *service;
};

struct berth_channel_ops {
    const char *name; /* in the log, in `status`, in the metrics */

    /** Tells how many channels of the kind the settings ask for. */
    size_t (*wanted)(const struct berth_settings *settings);

    /** Starts number `number` of them. Settings are not kept.
     *  @return BERTH_OK; BERTH_NO_MEMORY, BERTH_IO: nothing was started */
    enum berth_code (*start)(struct berth_channel **out, const struct berth_channel_world *world,
                             const struct berth_settings *settings, size_t number,
                             struct berth_error *err);

    /** Lets the channel go on as number `number` of the settings' channels of its kind, with its
     *  queue, its numbers and what the settings say of it now.
     *  @return false: that is another channel; nothing changed */
    bool (*adopt)(struct berth_channel *channel, const struct berth_settings *settings,
                  size_t number);

    /** Tells whether nothing waits and nothing is under way. */
    bool (*idle)(struct berth_channel *channel);

    /** Takes an alert; what becomes of it shows in the state. NULL: it takes none. */
    void (*tell)(struct berth_channel *channel, const struct berth_alert *alert);

    /** Brings the state up to date and does what is due; called about twice a second. */
    void (*look)(struct berth_channel *channel, struct berth_now now);

    /** Begins the end: what waits goes out or is lost, and no alert is taken any more. Waits for
     *  nothing. */
    void (*end)(struct berth_channel *channel);

    /** Ends the channel, which `end` was called for: what has not come to an end within `wait_ms`
     *  is left to itself. The channel's memory is given back. */
    void (*stop)(struct berth_channel *channel, unsigned wait_ms);
};

extern const struct berth_channel_ops berth_channel_system_log;
extern const struct berth_channel_ops berth_channel_command;
extern const struct berth_channel_ops berth_channel_metrics;

/** Notes that the channel's latest attempt failed, or that it went well. */
void berth_channel_failed(struct berth_channel *channel, const char *reason);
void berth_channel_worked(struct berth_channel *channel);

#endif
