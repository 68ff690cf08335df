/* SPDX-License-Identifier: MIT */
/* What becomes of a port that looks free and is tried before it is given: the rules of the bind
 * probe, without a socket.
 *
 *   the answer    on Windows   on Linux     the port …
 *   FREE          –            –            is given
 *   NOT_TOLD      –            EACCES       is given: Berth may not try ports below 1024, a server
 * may IN_USE        10048        EADDRINUSE   is filed as `tcp` for a minute: the table, which is
 * read meanwhile, will say by whom, or that it is free again SHARED        –            EADDRINUSE
 * is passed over this once and filed nowhere: whoever is on it lets others in, as connections in
 * TIME_WAIT do, of which nothing that stays true in a second can be said FORBIDDEN     10013 – is
 * filed as `excluded` for ten minutes: reserved at run time, or held exclusively by another account
 *   FAILED        any other    any other    is passed over: nothing was learned of it
 *
 * After BERTH_PROBE_FAILURES_MAX ports that were not given the answer is `busy`, with the counts. A
 * lease that is reused is not probed: its own holder may be on the port. */
#ifndef BERTH_ALLOCATOR_PROBE_VERDICT_H
#define BERTH_ALLOCATOR_PROBE_VERDICT_H

#include "base/error.h"
#include "claim.h"

#include <stdbool.h>
#include <stdint.h>

/** What a bind of a port said. */
enum berth_probe_answer {
    BERTH_PROBE_FREE,
    BERTH_PROBE_NOT_TOLD,
    BERTH_PROBE_IN_USE,
    BERTH_PROBE_SHARED,
    BERTH_PROBE_FORBIDDEN,
    BERTH_PROBE_FAILED,
    BERTH_PROBE_ANSWER_COUNT
};

/** What is done about it. */
enum berth_probe_verdict {
    BERTH_PROBE_GIVE,
    BERTH_PROBE_FILE,     /* a claim is put on the port for a while, and another port is tried */
    BERTH_PROBE_PASS_OVER /* another port is tried, for this allocation */
};

#define BERTH_PROBE_FAILURES_MAX 32u
#define BERTH_PROBE_IN_USE_MS 60000u
#define BERTH_PROBE_FORBIDDEN_MS 600000u

/** Judges an answer.  @thread any  @blocks no, as all here */
enum berth_probe_verdict berth_probe_judge(enum berth_probe_answer answer);

/** Gives the claim by which a port is filed; to be asked for IN_USE and FORBIDDEN only.
 *
 *  IN_USE gives one of kind BOUND of no known process, FORBIDDEN one of kind EXCLUSION; the detail
 *  says that a bind was refused. The strings are constants.
 *  @param[in] now_ms  on the ledger's clock; `until_ms` is when it ends */
struct berth_claim berth_probe_claim(uint16_t port, enum berth_probe_answer answer,
                                     uint64_t now_ms);

/** What a search needs of its surroundings. */
struct berth_probe_hooks {
    /** Gives the next ports to try, `count` of them; none that was filed or passed over.
     *  @return BERTH_OK, or why there are none (pool_exhausted) */
    enum berth_code (*candidate)(void *context, uint16_t *ports, unsigned count,
                                 struct berth_error *err);
    /** Tries a port.  @param[out] os_code  the system's code unless FREE; 0: none */
    enum berth_probe_answer (*probe)(void *context, uint16_t port, int *os_code);
    /** Files a port.  @return BERTH_OK, or why not: then the search ends with that */
    enum berth_code (*file)(void *context, const struct berth_claim *claim,
                            struct berth_error *err);
    /** Keeps a port from the next candidates of this search. */
    void (*pass_over)(void *context, uint16_t port);
};

/** What a search met. */
struct berth_probe_counts {
    unsigned of[BERTH_PROBE_ANSWER_COUNT]; /* by answer */
    uint16_t last_port;                    /* the last one that was not given; 0: none */
    int last_os_code;                      /* the system's code for it */
};

/** Chooses ports that can be bound: tries candidates until all ports of one are given.
 *
 *  The ports of a candidate are tried in order; one that is not given ends it, so that ports tried
 *  before it may come again.
 *  @param[in]  now_ms  on the ledger's clock
 *  @param[out] ports   room for `count`; of no meaning unless BERTH_OK
 *  @param[out] counts  what was met, in any case
 *  @return BERTH_OK; BERTH_BUSY: BERTH_PROBE_FAILURES_MAX ports were not given, and the error
 *          counts them; what `candidate` or `file` returned */
enum berth_code berth_probe_choose(const struct berth_probe_hooks *hooks, void *context,
                                   uint64_t now_ms, uint16_t *ports, unsigned count,
                                   struct berth_probe_counts *counts, struct berth_error *err);

#endif
