/* SPDX-License-Identifier: MIT */
/* One look at an IIS installation, and what follows from its outcome: the part of the IIS watcher
 * that needs no loop. */
#ifndef BERTH_WATCHERS_IIS_LOOK_H
#define BERTH_WATCHERS_IIS_LOOK_H

#include "iis_config.h"
#include "iis_watch_plan.h"

enum berth_iis_look_result {
    BERTH_IIS_LOOK_SAME,   /* nothing changed since `current` was read */
    BERTH_IIS_LOOK_LOADED, /* `loaded` holds the new claims */
    BERTH_IIS_LOOK_FAILED, /* `error` says why */
    BERTH_IIS_LOOK_ABSENT  /* there is provably no IIS; `error` says what is missing */
};

struct berth_iis_look {
    /* the question */
    const char *path;
    size_t file_limit_bytes;
    bool optional;                    /* BERTH_IIS_LOOK_ABSENT may be the answer */
    bool by_content;                  /* do not trust sizes and times */
    struct berth_iis_config *current; /* last good; NULL: none yet. Its stamps are brought up to
                                         date */
    /* the answer */
    enum berth_iis_look_result result;
    struct berth_iis_config loaded;
    struct berth_error error;
    struct berth_iis_watch_plan plan; /* what to watch from now on; may be empty on no memory */
};

/** Looks. The answer's memory is the caller's: berth_iis_look_fini().
 *  A file without a sites section is an error once the current claims are not none.
 *  @thread any; `current` belongs to it meanwhile  @blocks on the disk */
void berth_iis_look_run(struct berth_iis_look *look);

/** Gives the answer's memory back; the question stays. */
void berth_iis_look_fini(struct berth_iis_look *look);

/** When to look, if nothing happens before. */
struct berth_iis_pace {
    uint32_t poll_ms;        /* while all is well */
    uint32_t poll_blind_ms;  /* while a folder cannot be watched */
    uint32_t retry_first_ms; /* after the first failure; doubles with each further one … */
    uint32_t retry_max_ms;   /* … up to this, once */
    uint32_t failing_ms;     /* after that */
};

/** Gives the time to the next look.
 *  @param[in] failures  how many looks in a row have failed
 *  @param[in] blind     a folder cannot be watched  @thread any  @blocks no */
uint32_t berth_iis_pace_next_ms(const struct berth_iis_pace *pace, unsigned failures, bool blind);

/** Gives how long after a look that failed the next one may begin, whatever events ask for: a large
 *  file that is refused costs a tenth of a core at most, and one that is soon read is read again as
 *  soon as it may be whole.
 *  @return at most retry_max_ms  @thread any  @blocks no */
uint32_t berth_iis_pace_spacing_ms(const struct berth_iis_pace *pace, uint64_t took_ns);

#endif
