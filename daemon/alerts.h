/* SPDX-License-Identifier: MIT */
/* Alerts: picks out of what happens what an operator is to be told of, and hands it to each channel
 * that berthd.config asks for (alert_channel.h). docs/alerts.md lists them. */
#ifndef BERTH_DAEMON_ALERTS_H
#define BERTH_DAEMON_ALERTS_H

#include "service.h"
#include "system_log.h"

#include <uv.h>

struct berth_alerts;
struct berth_channel;

/** Makes alerts without channels.
 *  @param[in] service  what they are about; its events must have been made; must outlive the alerts
 *  @return BERTH_OK; BERTH_NO_MEMORY  @thread loop, as all here */
enum berth_code berth_alerts_create(struct berth_alerts **out, uv_loop_t *loop,
                                    struct berth_service *service, struct berth_error *err);

/** Makes channels, thresholds and warnings follow the service's settings. A channel that is in the
 *  settings as before goes on with its queue, also where its time limit or interval is another one
 *  now. One that is not is told nothing any more; what waits in it goes out, for at most
 *  BERTH_CHANNEL_LEAVE_MS. A channel that cannot be started is logged, and the others are. Pools
 *  that overlap the ephemeral range are told.
 *  @blocks no; BERTH_CHANNEL_STOP_MS where more than BERTH_CHANNELS_LEAVING_MAX leave at once */
void berth_alerts_apply(struct berth_alerts *alerts, struct berth_now now);

/** Tells that a conflict opened or ended. To be called right after berth_events_conflict(), whose
 *  event goes along. */
void berth_alerts_conflict(struct berth_alerts *alerts, const struct berth_conflict_entry *entry,
                           bool opened, struct berth_now now);

/** Tells that a source is stale or degraded, once, and that it is ready again then. To be called
 *  right after berth_events_source(). */
void berth_alerts_source(struct berth_alerts *alerts, const struct berth_source_entry *source,
                         struct berth_now now);

/** Forgets what was told of a source that is being removed: the next one in its place is another.
 */
void berth_alerts_source_removed(struct berth_alerts *alerts,
                                 const struct berth_source_entry *source);

/** Reports what is of the daemon's own life by the system's log: as the channel does, if there is
 * one, else directly, which does nothing where the log is not open.
 *  @param[in] strings  as berth_system_log_report()  @blocks as that, without the channel */
void berth_alerts_report(struct berth_alerts *alerts, enum berth_notice notice,
                         const char *const *strings);

/** Looks at pools, store and channels. To be called about twice a second. */
void berth_alerts_tick(struct berth_alerts *alerts, struct berth_now now);

/** Gives the first channel; the next one is its `next`.  @return NULL: there is none */
const struct berth_channel *berth_alerts_channels(const struct berth_alerts *alerts);

/** Writes the member "alerts" of `status`. NULL alerts have no channels. */
void berth_alerts_write(struct berth_json *json, const struct berth_alerts *alerts);

/** Ends all channels and tells nothing any more. NULL is accepted.  @blocks up to
 *  BERTH_CHANNEL_STOP_MS for each channel whose outside hangs */
void berth_alerts_stop(struct berth_alerts *alerts);

/** Gives the memory back, after the loop has ended. NULL is accepted. */
void berth_alerts_destroy(struct berth_alerts *alerts);

#endif
