/* SPDX-License-Identifier: MIT */
/* The watcher of http.sys, Windows' HTTP server in the kernel: source `httpsys`, one feed, "urls".
 *
 * It claims the ports of URL reservations and certificate bindings, of which http.sys may start to
 * listen at any moment, and of URLs that are registered now, with the process that has them. It
 * asks through a table of calls, so that what it makes of the answers is tested anywhere:
 * windows/http_sys.c has the real one. */
#ifndef BERTH_WATCHERS_HTTP_SYS_H
#define BERTH_WATCHERS_HTTP_SYS_H

#include "base/text.h"
#include "watcher.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** What http.sys keeps lists of. */
enum berth_http_list {
    BERTH_HTTP_URL_RESERVATIONS, /* `netsh http show urlacl` */
    BERTH_HTTP_ADDRESS_BINDINGS, /* `netsh http show sslcert`: by address and port */
    BERTH_HTTP_HOST_BINDINGS,    /* by host name and port (SNI) */
    BERTH_HTTP_STORE_BINDINGS,   /* by port, of the central certificate store */
    BERTH_HTTP_LIST_COUNT
};

/** One entry of a list. Strings are UTF-8 and valid until the next call. */
struct berth_http_entry {
    const char *url;  /* of a reservation */
    const char *sddl; /* who may register it; NULL: not told */
    struct berth_address address;
    uint16_t port;    /* of a binding; 0: it has none */
    const char *host; /* of a HOST binding */
};

/** How http.sys is asked. All run on the pool's thread, one at a time, and may block. */
struct berth_http_calls {
    /** Begins a round of questions.
     *  @return BERTH_OK; BERTH_NOT_FOUND: this machine has no http.sys, or it is disabled, and the
     *          error's detail says so; BERTH_IO; BERTH_NO_MEMORY */
    enum berth_code (*begin)(void *context, struct berth_error *err);

    /** Gives entry number `index` of a list.
     *  @return BERTH_OK; BERTH_NOT_FOUND: the list has no more entries; BERTH_NOT_SUPPORTED: this
     *          system has no such list; BERTH_IO, BERTH_MALFORMED, BERTH_TOO_LARGE, BERTH_NO_MEMORY
     */
    enum berth_code (*entry)(void *context, enum berth_http_list list, uint32_t index,
                             struct berth_http_entry *out, struct berth_error *err);

    /** Ends the round. Called after each `begin` that succeeded. */
    void (*end)(void *context);

    /** Adds what `netsh http show servicestate view=requestq` prints. May be NULL.
     *  @return BERTH_OK, or why it cannot be had */
    enum berth_code (*service_state)(void *context, struct berth_text *out,
                                     struct berth_error *err);

    /** Writes the name of a process's image, without its folder. May be NULL.
     *  @return false: not known */
    bool (*image)(void *context, uint32_t process_id, char *out, size_t size);

    /** Gives the context back. May be NULL. */
    void (*close)(void *context);
};

struct berth_http_options {
    uint64_t poll_ms;  /* 0: 30,000. How often the lists are read */
    uint64_t state_ms; /* 0: 300,000. How often registered URLs are, which takes a process; a look
                          that is asked for reads them too */
};

/** The most entries of each list, and the most registered URLs. */
#define BERTH_HTTP_ENTRIES_MAX 65536u

/** Gives a watcher that is not started, over these calls. It keeps to watchers/watcher.h.
 *
 *  A claim's holder is the URL, or what is bound ("SSL 10.0.0.1:443"); its detail says who may
 *  register or has registered it. States: `absent` while there is no http.sys; `degraded` while the
 *  registered URLs cannot be read, of which those last read stay; `waiting` and `stale` as of
 *  poll_watcher.h. An entry that makes no sense is a warning; a list that cannot be read to its end
 *  is a failure.
 *  @param[out] out      for ops->destroy()
 *  @param[in]  calls    must outlive the watcher
 *  @param[in]  context  the calls'; on error still the caller's
 *  @return BERTH_OK; BERTH_NO_MEMORY  @thread the loop's  @blocks no
 *  @source Microsoft, HttpQueryServiceConfiguration; netsh http */
enum berth_code berth_http_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                          const struct berth_http_calls *calls, void *context,
                                          const struct berth_http_options *options,
                                          struct berth_error *err);

#endif
