/* SPDX-License-Identifier: MIT */
#include "access.h"

#include "accounts.h"
#include "base/memory.h"

#define WARNINGS_MAX 4096

static enum berth_code resolve_rule(const struct berth_access_rule *rule,
                                    struct berth_access_entry *out, struct berth_error *err)
{
    *out = (struct berth_access_entry){.role = (enum berth_role)rule->role,
                                       .subject = (enum berth_subject)rule->subject};
    switch (out->subject) {
    case BERTH_SUBJECT_EVERYONE:
        return BERTH_OK;
    case BERTH_SUBJECT_GROUP:
        return berth_account_find_group(rule->name, &out->account, err);
    case BERTH_SUBJECT_USER:
        break;
    }
    return berth_account_find_user(rule->name, &out->account, err);
}

/* A default rule for a group that this machine does not have is nothing to warn of; a group that
 * may be there is. */
static void warn(struct berth_access *access, const struct berth_settings *settings,
                 const char *path, const struct berth_access_rule *rule,
                 const struct berth_error *why)
{
    if (settings->access_given) {
        berth_text_printf(&access->warnings, "%s:%u: %s: the rule grants nothing\n", path,
                          rule->line, why->detail);
    } else if (why->code != BERTH_NOT_FOUND) {
        berth_text_printf(&access->warnings, "%s: its default rule grants nothing\n", why->detail);
    }
}

/* A name that cannot be resolved costs its rule only. */
static enum berth_code resolve_rules(struct berth_access *access,
                                     const struct berth_settings *settings, const char *path,
                                     struct berth_error *err)
{
    struct berth_error why;

    for (size_t i = 0; i < settings->rule_count; i++) {
        const struct berth_access_rule *rule = &settings->rules[i];
        enum berth_code code = resolve_rule(rule, &access->entries[access->count], &why);
        if (code == BERTH_NO_MEMORY) {
            *err = why;
            return code;
        }
        if (code == BERTH_OK) {
            access->count++;
        } else {
            warn(access, settings, path, rule, &why);
        }
    }
    return BERTH_OK;
}

enum berth_code berth_access_resolve(struct berth_access *out,
                                     const struct berth_settings *settings, const char *path,
                                     struct berth_error *err)
{
    struct berth_access access = {.own_user = berth_account_own_user()};

    berth_text_init(&access.warnings, WARNINGS_MAX);
    access.entries = berth_alloc(settings->rule_count, sizeof *access.entries);
    if (access.entries == NULL) {
        return berth_fail_memory(err, "the access rules");
    }
    enum berth_code code = resolve_rules(&access, settings, path, err);
    if (code == BERTH_OK) {
        *out = access;
    } else {
        berth_access_fini(&access);
    }
    return code;
}

void berth_access_fini(struct berth_access *access)
{
    berth_free(access->entries);
    berth_text_fini(&access->warnings);
    access->entries = NULL;
    access->count = 0;
}

static bool has_group(const struct berth_peer *peer, const struct berth_account_id *group)
{
    for (uint32_t i = 0; i < peer->group_count; i++) {
        if (berth_account_same(&peer->groups[i], group)) {
            return true;
        }
    }
    return false;
}

static bool applies(const struct berth_access_entry *entry, const struct berth_peer *peer)
{
    switch (entry->subject) {
    case BERTH_SUBJECT_EVERYONE:
        return true;
    case BERTH_SUBJECT_USER:
        return berth_account_same(&entry->account, &peer->user);
    case BERTH_SUBJECT_GROUP:
        break;
    }
    return has_group(peer, &entry->account);
}

static bool administers(const struct berth_access *access, const struct berth_peer *peer)
{
    if (berth_account_is_administrator(&peer->user) ||
        berth_account_same(&access->own_user, &peer->user)) {
        return true;
    }
    for (uint32_t i = 0; i < peer->group_count; i++) {
        if (berth_account_is_administrator(&peer->groups[i]) ||
            berth_account_same(&access->own_user, &peer->groups[i])) {
            return true;
        }
    }
    return false;
}

enum berth_role berth_access_role(const struct berth_access *access, const struct berth_peer *peer,
                                  struct berth_account_id *through)
{
    enum berth_role role = BERTH_ROLE_NONE;

    through->length = 0;
    if (administers(access, peer)) {
        return BERTH_ROLE_ADMIN;
    }
    for (size_t i = 0; i < access->count; i++) {
        const struct berth_access_entry *entry = &access->entries[i];
        if (entry->role > role && applies(entry, peer)) {
            role = entry->role;
            *through = entry->subject == BERTH_SUBJECT_GROUP ? entry->account
                                                             : (struct berth_account_id){0};
        }
    }
    return role;
}
