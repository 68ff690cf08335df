/* SPDX-License-Identifier: MIT */
/* Puts the service into the service manager, starts and stops it, and takes it out. */
#ifndef BERTH_DAEMON_WINDOWS_SERVICE_SETUP_H
#define BERTH_DAEMON_WINDOWS_SERVICE_SETUP_H

#include "base/error.h"
#include "base/text.h"
#include "daemon/windows/service_calls.h"

#include <stdbool.h>

#define BERTH_SERVICE_START_MS 90000 /* how long start and stop wait for the service at most */
#define BERTH_SERVICE_STOP_MS 60000
#define BERTH_SERVICE_PRESHUTDOWN_MS 30000 /* what the machine waits for when it shuts down */

enum berth_service_state {
    BERTH_SERVICE_MISSING,
    BERTH_SERVICE_STOPPED,
    BERTH_SERVICE_CHANGING, /* starting or stopping */
    BERTH_SERVICE_RUNNING
};

struct berth_service_report {
    enum berth_service_state state;
    DWORD process_id; /* 0: none */
    DWORD exit_code;  /* of the last run, when stopped */
};

/* All of these are @thread main; their errors name the step and Windows's words and number, and
 * BERTH_DENIED says that it takes an administrator. `notes` takes lines about what could not be
 * done and what that means; nothing there is an error. */

/** How it was before berth_service_install(). */
struct berth_service_before {
    bool installed;
    bool running;
};

/** Has the service in the manager with all its settings afterwards, stopped: made, or the one that
 *  is there brought up to this program's, stopped first if it was running.
 *  @param[in]  program  quoted, as it begins the service's command line; " --service" follows
 *  @param[in]  options  what follows that, beginning with a blank; NULL: none, or those that the
 *                       installed service has
 *  @param[out] before   set whatever comes of it
 *  @return BERTH_OK; BERTH_DENIED, BERTH_IO: a service that was not there before is not there now
 *  @blocks for stopping  @source CreateServiceW, ChangeServiceConfig2W */
enum berth_code berth_service_install(const struct berth_service_calls *calls,
                                      const wchar_t *program, const wchar_t *options,
                                      struct berth_service_before *before, struct berth_text *notes,
                                      struct berth_error *err);

/** Stops the service and takes it out of the manager.
 *  @return BERTH_OK, also if it was not there (noted)  @blocks for stopping */
enum berth_code berth_service_uninstall(const struct berth_service_calls *calls,
                                        struct berth_text *notes, struct berth_error *err);

/** Starts the service and waits until it answers requests.
 *  @return BERTH_OK, also if it was running; BERTH_NOT_FOUND: not installed; BERTH_IO: it ended
 *          again, with which status, or did not get there in time */
enum berth_code berth_service_start(const struct berth_service_calls *calls,
                                    struct berth_error *err);

/** Stops the service and waits for that.
 *  @return BERTH_OK, also if it was stopped; BERTH_NOT_FOUND: not installed; BERTH_IO */
enum berth_code berth_service_stop(const struct berth_service_calls *calls,
                                   struct berth_error *err);

/** Tells how the service is.  @return BERTH_OK, also if it is not installed */
enum berth_code berth_service_query(const struct berth_service_calls *calls,
                                    struct berth_service_report *out, struct berth_error *err);

#endif
