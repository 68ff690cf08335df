/* SPDX-License-Identifier: MIT */
/* What the daemon counts, in Prometheus's text format. docs/alerts.md lists it; a test holds the
 * two together. */
#ifndef BERTH_DAEMON_METRICS_TEXT_H
#define BERTH_DAEMON_METRICS_TEXT_H

#include "service.h"

#define BERTH_METRICS_MAX ((size_t)1 << 20)

/** Adds all metrics. What the text cannot take shows in `out->failed`.
 *  @param[in] out  with a limit of BERTH_METRICS_MAX
 *  @thread loop  @blocks no  @source prometheus.io, "Exposition formats", text format 0.0.4 */
void berth_metrics_write(struct berth_text *out, struct berth_service *service,
                         struct berth_now now);

#endif
