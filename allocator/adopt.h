/* SPDX-License-Identifier: MIT */
/* Leases for sites that have their ports already: first a plan of what would be done, with a reason
 * for each binding that is passed over, then the deed.
 *
 * An adopted lease has the key "adopted:PROTOCOL:PORT:SITE". Neither a protocol nor a port has a
 * colon, so whatever follows the third one is the site's name, colons and all. No other lease has
 * such a key. It stands back for its site: see berth_allocator_allocate(). */
#ifndef BERTH_ALLOCATOR_ADOPT_H
#define BERTH_ALLOCATOR_ADOPT_H

#include "allocator.h"

#define BERTH_ADOPTED_MAX 10000       /* leases that one plan makes */
#define BERTH_ADOPT_SKIPPED_MAX 10000 /* bindings that one plan says why it skips them */

/** Room for any adopted key, NUL included. */
#define BERTH_ADOPTED_KEY_SIZE (sizeof BERTH_LEASE_ADOPTED_PREFIX + 16 + BERTH_LEASE_HOLDER_MAX)

/** What becomes of a binding. */
enum berth_adopt_verdict {
    BERTH_ADOPT_DONE,      /* it gets a lease */
    BERTH_ADOPT_OUTSIDE,   /* its port lies in no pool */
    BERTH_ADOPT_LEASED,    /* its port has a lease */
    BERTH_ADOPT_LINGERING, /* it vanished from its configuration */
    BERTH_ADOPT_SHARED,    /* another site has the port too, and a lease has one holder */
    BERTH_ADOPT_TWICE,     /* its site's other protocol on the port gets the lease */
    BERTH_ADOPT_NAME,      /* the site's name is none that a lease's holder can have */
    BERTH_ADOPT_QUOTA,     /* the caller would have too many leases */
    BERTH_ADOPT_LATER,     /* BERTH_ADOPTED_MAX others come first */
    BERTH_ADOPT_FAILED,    /* the lease could not be made: `failure` of the plan */
    BERTH_ADOPT_VERDICT_COUNT
};

/** A site's bindings of one protocol on one port. Strings are the ledger's and the book's. */
struct berth_adoption {
    const char *site;
    const char *other;               /* LEASED: the lease's key; SHARED: another site; else NULL */
    const struct berth_lease *lease; /* DONE: the lease, once it is made; else NULL */
    uint16_t port;
    enum berth_protocol protocol;
    enum berth_adopt_verdict verdict;
};

/** Ports ascending, on each the sites by name. */
struct berth_adopt_plan {
    struct berth_adoption *items;
    size_t count;
    size_t capacity;
    size_t adopted; /* those with DONE */
    size_t skipped; /* the others */
    size_t omitted; /* skipped ones beyond BERTH_ADOPT_SKIPPED_MAX, which are not listed */
    struct berth_error failure;
};

/** Works out which bindings would get a lease, and changes nothing.
 *  @param[in]  site  only this site's, whatever the case of its letters; NULL: all
 *  @param[out] out   valid until the next change of the allocator other than
 * berth_allocator_adopt() on it; for berth_adopt_plan_fini(), set only on success
 *  @return BERTH_OK; BERTH_NOT_READY; BERTH_NOT_FOUND: that site has no binding with a port;
 *          BERTH_NO_MEMORY */
enum berth_code berth_allocator_plan_adoption(const struct berth_allocator *allocator,
                                              const char *site, const struct berth_caller *caller,
                                              struct berth_adopt_plan *out,
                                              struct berth_refusal *refusal,
                                              struct berth_error *err);

/** Makes the leases of a plan that was just made, each one a change of its own: what fails makes
 *  those that remain FAILED.
 *  @return BERTH_OK: at least the first was made, or there is none; else nothing changed */
enum berth_code berth_allocator_adopt(struct berth_allocator *allocator,
                                      struct berth_adopt_plan *plan,
                                      const struct berth_caller *caller, struct berth_now now,
                                      struct berth_error *err);

/** Gives a plan's memory back. */
void berth_adopt_plan_fini(struct berth_adopt_plan *plan);

/** Writes the key that a DONE one has or would have.
 *  @param[out] out  at least BERTH_ADOPTED_KEY_SIZE bytes  @return `out` */
char *berth_adoption_key(char *out, size_t size, const struct berth_adoption *adoption);

/** Says why a binding is skipped, in words.  @return `out`; "" for one that is not */
char *berth_adoption_reason(char *out, size_t size, const struct berth_adopt_plan *plan,
                            const struct berth_adoption *adoption);

#endif
