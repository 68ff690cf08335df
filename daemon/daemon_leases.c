/* SPDX-License-Identifier: MIT */
/* Leases that outlast the daemon: the store, and the ports that are held. */
#include "daemon_private.h"

#include "base/memory.h"
#include "places.h"

#define STORE_BUSY_MS 2000 /* how long a predecessor may take to let go of the store */

enum berth_code berth__daemon_keep_lease(void *ctx, const struct berth_lease_change *change,
                                         struct berth_error *err)
{
    const struct berth_daemon *daemon = ctx;
    enum berth_code code = berth_port_holds_prepare(daemon->holds, change, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = berth_lease_keeper_keep(daemon->keeper, change, err);
    if (code != BERTH_OK) {
        berth_port_holds_undo(daemon->holds, change);
    }
    return code;
}

void berth__daemon_forget_lease(void *ctx, const struct berth_lease *lease)
{
    const struct berth_daemon *daemon = ctx;

    berth_lease_keeper_forget(daemon->keeper, lease);
}

static void on_flushed(void *ctx, uint64_t upto, const struct berth_error *failure)
{
    const struct berth_daemon *daemon = ctx;

    if (daemon->server != NULL) {
        berth_server_flushed(daemon->server, upto, failure);
    }
}

uint64_t berth__daemon_flush(struct berth_service *service)
{
    const struct berth_daemon *daemon = BERTH_CONTAINER_OF(service, struct berth_daemon, service);

    return berth_lease_keeper_flush(daemon->keeper);
}

/* The command line's state folder, the configuration's, or the default place. */
static enum berth_code find_state(const struct berth_daemon *daemon,
                                  const struct berth_settings *settings, char **out,
                                  struct berth_error *err)
{
    const char *given = daemon->options->state != NULL ? daemon->options->state : settings->state;

    if (given == NULL) {
        return berth_place_state(out, err);
    }
    *out = berth_copy(given);
    return *out != NULL ? BERTH_OK : berth_fail_memory(err, "the state folder");
}

enum berth_code berth__daemon_open_store(struct berth_daemon *daemon,
                                         const struct berth_settings *settings,
                                         struct berth_error *err)
{
    char *folder = NULL;
    enum berth_code code = find_state(daemon, settings, &folder, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = berth_place_prepare_state(folder, err);
    if (code != BERTH_OK) {
        berth_free(folder);
        return code;
    }
    const struct berth_lease_keeper_options options = {
        .store = {.folder = folder,
                  .durability = (enum berth_durability)settings->store.durability,
                  .history_ms = settings->store.history_ms,
                  .busy_timeout_ms = STORE_BUSY_MS},
        .flushed = on_flushed,
        .ctx = daemon,
    };
    code = berth_lease_keeper_open(&daemon->keeper, daemon->loop, &options, err);
    if (code == BERTH_OK) {
        code = berth_known_bindings_create(&daemon->known, daemon->loop, folder, daemon->allocator,
                                           err);
    }
    berth_free(folder);
    if (code == BERTH_OK) {
        code = berth_lease_keeper_load(daemon->keeper, daemon->allocator, err);
    }
    if (code == BERTH_OK) {
        berth_port_holds_retry(daemon->holds, daemon->allocator, true);
        daemon->service.store = berth_lease_keeper_store(daemon->keeper);
        daemon->service.store_health = berth_lease_keeper_health(daemon->keeper);
    }
    return code;
}

void berth__daemon_close_store(struct berth_daemon *daemon)
{
    berth_lease_keeper_close(daemon->keeper);
    daemon->keeper = NULL;
    daemon->service.store = NULL;
}
