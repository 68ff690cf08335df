/* SPDX-License-Identifier: MIT */
#include "daemon/default_access.h"

const struct berth_default_rule *berth_default_access(size_t *count)
{
    static const struct berth_default_rule rules[] = {
        {BERTH_ROLE_READER, BERTH_SUBJECT_GROUP, "S-1-5-32-545"}, /* BUILTIN\\Users */
        {BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_GROUP, "berth"},
    };

    *count = BERTH_COUNT(rules);
    return rules;
}
