/* SPDX-License-Identifier: MIT */
/* An account database that does as a test wishes: answers, fails, hangs for some users. One a
 * program; its look_up runs on threads of the pool. */
#ifndef BERTH_TESTS_SCRIPTED_ACCOUNTS_H
#define BERTH_TESTS_SCRIPTED_ACCOUNTS_H

#include "account_names.h"
#include "cmocka_all.h"
#include "daemon/account_names.h"

#include <stdio.h>
#include <uv.h>

#define SCRIPTED_LOOK_UPS 256

static struct {
    uv_mutex_t mutex;
    uv_cond_t changed;
    bool made;
    unsigned hangs_from; /* who has a number from here hangs; 0: nobody */
    const char *name;    /* of everybody; NULL: there is none to be had */
    unsigned asked;
    unsigned inside; /* look-ups */
    unsigned most_inside;
    struct berth_account_id order[SCRIPTED_LOOK_UPS]; /* whom they were for */
} accounts;

/* Users that look_up() knows the numbers of. */
#define SCRIPTED_USERS 200
static struct berth_account_id scripted_users[SCRIPTED_USERS];

static inline const struct berth_account_id *scripted_user(unsigned number)
{
    return &scripted_users[number];
}

static inline unsigned scripted_number(const struct berth_account_id *user)
{
    unsigned number = 0;

    while (number < SCRIPTED_USERS && !berth_account_same(user, &scripted_users[number])) {
        number++;
    }
    return number;
}

/** Makes it answer everybody with "alice", and forgets what it was asked. */
static inline void scripted_accounts_begin(void)
{
    if (!accounts.made) {
        assert_int_equal(uv_mutex_init(&accounts.mutex), 0);
        assert_int_equal(uv_cond_init(&accounts.changed), 0);
        accounts.made = true;
        for (unsigned i = 0; i < SCRIPTED_USERS; i++) {
            assert_int_equal(
                berth_account_find_user(account_user(1000 + i), &scripted_users[i], NULL),
                BERTH_OK);
        }
    }
    accounts.hangs_from = 0;
    accounts.name = "alice";
    accounts.asked = 0;
    accounts.most_inside = 0;
}

static inline bool scripted_look_up(const struct berth_account_id *user, char *out, size_t size)
{
    unsigned number = scripted_number(user);

    uv_mutex_lock(&accounts.mutex);
    if (accounts.asked < SCRIPTED_LOOK_UPS) {
        accounts.order[accounts.asked] = *user;
    }
    accounts.asked++;
    accounts.inside++;
    accounts.most_inside =
        accounts.inside > accounts.most_inside ? accounts.inside : accounts.most_inside;
    uv_cond_broadcast(&accounts.changed);
    while (accounts.hangs_from != 0 && number >= accounts.hangs_from) {
        uv_cond_wait(&accounts.changed, &accounts.mutex);
    }
    accounts.inside--;
    bool found = accounts.name != NULL;
    if (found) {
        (void)snprintf(out, size, "%s", accounts.name);
    } else {
        (void)berth_account_nameless(user, out, size);
    }
    uv_mutex_unlock(&accounts.mutex);
    return found;
}

/** Changes what it answers from now on; whoever hangs and is not to any more is answered so. */
static inline void scripted_accounts_say(const char *name, unsigned hangs_from)
{
    uv_mutex_lock(&accounts.mutex);
    accounts.name = name;
    accounts.hangs_from = hangs_from;
    uv_cond_broadcast(&accounts.changed);
    uv_mutex_unlock(&accounts.mutex);
}

static inline unsigned scripted_accounts_asked(void)
{
    uv_mutex_lock(&accounts.mutex);
    unsigned asked = accounts.asked;
    uv_mutex_unlock(&accounts.mutex);
    return asked;
}

/** Waits until it was asked so often. */
static inline void scripted_accounts_await(unsigned asked)
{
    uv_mutex_lock(&accounts.mutex);
    while (accounts.asked < asked) {
        uv_cond_wait(&accounts.changed, &accounts.mutex);
    }
    uv_mutex_unlock(&accounts.mutex);
}

#endif
