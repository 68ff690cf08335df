/* SPDX-License-Identifier: MIT */
/* An alert: something that an operator is to be told of, whichever channel it goes by. */
#ifndef BERTH_DAEMON_ALERT_H
#define BERTH_DAEMON_ALERT_H

#include "system_log.h"

#include <stdint.h>

/** All strings belong to who tells the alert; a channel that keeps it copies them. */
struct berth_alert {
    enum berth_notice notice; /* number, severity; docs/alerts.md has them all */
    const char *strings[BERTH_NOTICE_STRINGS_MAX]; /* of the notice */
    const char *type;                              /* "conflict.opened" … */
    const char *kind;                              /* of a conflict; NULL: it is none */
    const char *subject; /* a pool's or source's name; NULL: it is about none */
    uint16_t port;       /* 0: it is about none */
    uint64_t revision;
    int64_t unix_ms;
    const char *text; /* the notice as a sentence, one line */
    const char *json; /* the event, an object; "" where there was no memory to write it */
};

/** Gives "information", "warning", "error".  @return a string constant  @thread any */
const char *berth_alert_severity_name(const struct berth_alert *alert);

#endif
