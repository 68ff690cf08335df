/* SPDX-License-Identifier: MIT */
/* The table of what a configuration may hold: elements, their attributes with kinds and bounds, and
 * what has to go together within one element. config/berthd.xsd says the same to editors. */
#include "base/memory.h"
#include "log_file.h"
#include "settings_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND 1000ULL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* -- places: one more element of a list, zeroed -- */

/* Gives an array with room for one more, growing by doubling; NULL: no memory. */
static void *grow(void *items, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0;

    return full ? berth_resize(items, count == 0 ? 1 : count * 2, size) : items;
}

static void *place_pool(struct berth_settings *settings, unsigned line)
{
    struct berth_pool_settings *pools = grow(settings->pools, settings->pool_count, sizeof *pools);

    if (pools == NULL) {
        return NULL;
    }
    settings->pools = pools;
    pools += settings->pool_count++;
    *pools = (struct berth_pool_settings){.low_percent = BERTH_SETTINGS_LOW_PERCENT, .line = line};
    return pools;
}

static void *place_reserved(struct berth_settings *settings, unsigned line)
{
    struct berth_reserved_settings *reserved =
        grow(settings->reserved, settings->reserved_count, sizeof *reserved);

    if (reserved == NULL) {
        return NULL;
    }
    settings->reserved = reserved;
    reserved += settings->reserved_count++;
    *reserved = (struct berth_reserved_settings){.line = line};
    return reserved;
}

static void *place_iis(struct berth_settings *settings, unsigned line)
{
    struct berth_iis_settings *iis = grow(settings->iis, settings->iis_count, sizeof *iis);

    if (iis == NULL) {
        return NULL;
    }
    settings->iis = iis;
    iis += settings->iis_count++;
    *iis = (struct berth_iis_settings){.line = line};
    return iis;
}

static void *place_rule(struct berth_settings *settings, unsigned line)
{
    struct berth_access_rule *rules = grow(settings->rules, settings->rule_count, sizeof *rules);

    if (rules == NULL) {
        return NULL;
    }
    settings->rules = rules;
    rules += settings->rule_count++;
    *rules = (struct berth_access_rule){.line = line};
    return rules;
}

static void *place_command(struct berth_settings *settings, unsigned line)
{
    struct berth_command_settings *commands =
        grow(settings->alerts.commands, settings->alerts.command_count, sizeof *commands);

    if (commands == NULL) {
        return NULL;
    }
    settings->alerts.commands = commands;
    commands += settings->alerts.command_count++;
    *commands = (struct berth_command_settings){.timeout_ms = BERTH_SETTINGS_COMMAND_TIMEOUT_MS,
                                                .line = line};
    return commands;
}

/* Of the command that is being read, which is the last one. */
static void *place_argument(struct berth_settings *settings, unsigned line)
{
    struct berth_command_settings *command =
        &settings->alerts.commands[settings->alerts.command_count - 1];
    char **arguments = grow(command->arguments, command->argument_count, sizeof *arguments);

    (void)line;
    if (arguments == NULL) {
        return NULL;
    }
    command->arguments = arguments;
    arguments += command->argument_count++;
    *arguments = NULL;
    return arguments;
}

/* -- whole elements -- */

/* Finds an attribute in no namespace. Own search: xmlHasNsProp would look into a DTD as well. */
const xmlAttr *berth_settings_attribute(const xmlNode *element, const char *name)
{
    for (const xmlAttr *a = element->properties; a != NULL; a = a->next) {
        if (a->ns == NULL && strcmp((const char *)a->name, name) == 0) {
            return a;
        }
    }
    return NULL;
}

/* Reports an element whose attributes do not go together, unless `attribute` was reported by itself
 * already (it need not be there). */
static void refuse_element(struct berth_settings_reader *reader, const xmlNode *element,
                           const char *attribute, const char *format, ...) BERTH_PRINTF(4, 5);

static void refuse_element(struct berth_settings_reader *reader, const xmlNode *element,
                           const char *attribute, const char *format, ...)
{
    const xmlAttr *at = berth_settings_attribute(element, attribute);
    char text[400];
    va_list args;

    if (at != NULL && berth_settings_was_reported(reader, element, at)) {
        return;
    }
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0) {
        text[0] = '\0';
    }
    va_end(args);
    berth_settings_mark(reader, element, at);
    berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_ERROR, berth_settings_line(element),
                          "<%s>: %s", (const char *)element->name, text);
}

static void finish_pool(struct berth_settings_reader *reader, const xmlNode *element, void *place)
{
    struct berth_pool_settings *pool = place;

    if (pool->ports.first == 0) {
        return; /* reported as missing or wrong */
    }
    uint32_t total = (uint32_t)pool->ports.last - pool->ports.first + 1;
    if (pool->low_percent != 0) {
        pool->low_ports = berth_settings_percent(pool->ports, pool->low_percent);
    } else if (pool->low_ports > total) {
        refuse_element(reader, element, "low",
                       "low=\"%u\" is more than the %u ports that the pool has; accepted is a "
                       "number up to that, or a share such as 5%%",
                       (unsigned)pool->low_ports, (unsigned)total);
    }
}

static void finish_tcp(struct berth_settings_reader *reader, const xmlNode *element, void *place)
{
    struct berth_settings *settings = place;

    if (settings->tcp.full_ms >= settings->tcp.poll_ms) {
        return;
    }
    if (berth_settings_attribute(element, "full") == NULL) {
        settings->tcp.full_ms = settings->tcp.poll_ms; /* the default follows */
        return;
    }
    refuse_element(reader, element, "full",
                   "full is shorter than poll; accepted is a duration of at least poll");
}

/* An IIS step of Octopus clears a site's bindings and adds them back, in 300 s at the most. */
static void finish_lease(struct berth_settings_reader *reader, const xmlNode *element, void *place)
{
    const struct berth_settings *settings = place;

    if (settings->lease.linger_ms < 5 * MINUTE) {
        berth_diagnostics_add(reader->diagnostics, BERTH_SEVERITY_WARNING,
                              berth_settings_line(element),
                              "<lease>: linger is shorter than 5 minutes, for which a deployment "
                              "may leave a site without its bindings: another site could be given "
                              "its port meanwhile");
    }
}

static void finish_allow(struct berth_settings_reader *reader, const xmlNode *element, void *place)
{
    const struct berth_access_rule *rule = place;
    const xmlAttr *group = berth_settings_attribute(element, "group");
    const xmlAttr *user = berth_settings_attribute(element, "user");

    if (group == NULL && user == NULL) {
        refuse_element(reader, element, "group",
                       "neither group nor user is given; accepted is one of the two");
    } else if (rule->subject == BERTH_SUBJECT_EVERYONE && rule->role == BERTH_ROLE_ADMIN) {
        refuse_element(reader, element, "group",
                       "group=\"*\" would make every local user an administrator; accepted with "
                       "role=\"admin\" is the name, SID or gid of a group");
    }
}

static void finish_access(struct berth_settings_reader *reader, const xmlNode *element, void *place)
{
    struct berth_settings *settings = place;

    (void)reader;
    (void)element;
    settings->access_given = true;
}

static void finish_system_log(struct berth_settings_reader *reader, const xmlNode *element,
                              void *place)
{
    struct berth_settings *settings = place;

    (void)reader;
    (void)element;
    settings->alerts.system_log = true;
}

/* Windows leaves dots and blanks at a name's end out. */
static bool is_batch_file(const char *path)
{
    size_t length = strlen(path);
    char end[5] = "";

    while (length > 0 && (path[length - 1] == '.' || path[length - 1] == ' ')) {
        length--;
    }
    for (size_t i = 0; length >= 4 && i < 4; i++) {
        char c = path[length - 4 + i];
        end[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return strcmp(end, ".bat") == 0 || strcmp(end, ".cmd") == 0;
}

/* cmd.exe would run parts of an alert's text: decision 0056. */
static void finish_command(struct berth_settings_reader *reader, const xmlNode *element,
                           void *place)
{
    const struct berth_command_settings *command = place;
    char shown[BERTH_SHOWN_SIZE];

    if (command->path != NULL && is_batch_file(command->path)) {
        refuse_element(reader, element, "path",
                       "path=\"%s\": a batch file is read by cmd.exe, which would run what names "
                       "in an alert say; accepted is a program, such as powershell.exe with "
                       "<argument value=\"-File\"/> and so on",
                       berth_settings_show(shown, command->path));
    }
}

/* Holds one share against the connections; where it is not in the file, it follows. */
static void check_share(struct berth_settings_reader *reader, const xmlNode *element,
                        const char *name, uint32_t *value, uint32_t connections)
{
    if (*value <= connections) {
        return;
    }
    if (berth_settings_attribute(element, name) == NULL) {
        *value = connections;
        return;
    }
    refuse_element(reader, element, name,
                   "%s=\"%u\" is more than connections; accepted is a number up to %u", name,
                   (unsigned)*value, (unsigned)connections);
}

static void finish_limits(struct berth_settings_reader *reader, const xmlNode *element, void *place)
{
    struct berth_settings *settings = place;
    uint32_t connections = settings->limits.connections;

    check_share(reader, element, "perUser", &settings->limits.per_user, connections);
    check_share(reader, element, "subscribers", &settings->limits.subscribers, connections);
}

/* -- the tables -- */

static const char *const ephemeral_choices[] = {"last", "never", NULL};
static const char *const auto_choices[] = {"auto", "on", "off", NULL};
static const char *const on_choices[] = {"on", "off", NULL};
static const char *const durability_choices[] = {"commit", "sync", NULL};
static const char *const role_choices[] = {"reader", "allocator", "admin", NULL};

#define AT(type, field) .offset = offsetof(struct type, field)

static const struct berth_attribute_rule berth_attributes[] = {
    {"endpoint", BERTH_VALUE_ENDPOINT, AT(berth_settings, endpoint)},
    {"state", BERTH_VALUE_PATH, AT(berth_settings, state)},
    {0},
};
static const struct berth_attribute_rule pool_attributes[] = {
    {"name", BERTH_VALUE_POOL_NAME, true, AT(berth_pool_settings, name)},
    {"ports", BERTH_VALUE_PORTS, true, AT(berth_pool_settings, ports)},
    {"ephemeral", BERTH_VALUE_CHOICE, AT(berth_pool_settings, ephemeral),
     .low = BERTH_EPHEMERAL_LAST, .choices = ephemeral_choices},
    {"low", BERTH_VALUE_LOW, .required = false},
    {0},
};
static const struct berth_attribute_rule reserved_attributes[] = {
    {"range", BERTH_VALUE_PORTS, true, AT(berth_reserved_settings, ports)},
    {"reason", BERTH_VALUE_TEXT, AT(berth_reserved_settings, reason)},
    {0},
};
static const struct berth_attribute_rule iis_attributes[] = {
    {"config", BERTH_VALUE_PATH, true, AT(berth_iis_settings, path)},
    {0},
};
static const struct berth_attribute_rule tcp_attributes[] = {
    {"poll", BERTH_VALUE_DURATION, AT(berth_settings, tcp.poll_ms), .low = 10, .high = HOUR},
    {"full", BERTH_VALUE_DURATION, AT(berth_settings, tcp.full_ms), .low = 10, .high = DAY},
    {"events", BERTH_VALUE_CHOICE, AT(berth_settings, tcp.events), .choices = auto_choices},
    {"probe", BERTH_VALUE_CHOICE, AT(berth_settings, tcp.probe), .choices = auto_choices},
    {0},
};
static const struct berth_attribute_rule hints_attributes[] = {
    {"etw", BERTH_VALUE_CHOICE, AT(berth_settings, hints.etw), .low = BERTH_CHOICE_ON,
     .choices = on_choices},
    {"wmi", BERTH_VALUE_CHOICE, AT(berth_settings, hints.wmi), .low = BERTH_CHOICE_ON,
     .choices = on_choices},
    {0},
};
static const struct berth_attribute_rule lease_attributes[] = {
    {"ttl", BERTH_VALUE_DURATION, AT(berth_settings, lease.ttl_ms), .low = SECOND,
     .high = 365 * DAY},
    {"linger", BERTH_VALUE_DURATION, AT(berth_settings, lease.linger_ms), .high = 7 * DAY},
    {"cooldown", BERTH_VALUE_DURATION, AT(berth_settings, lease.cooldown_ms), .high = 7 * DAY},
    {0},
};
static const struct berth_attribute_rule store_attributes[] = {
    {"durability", BERTH_VALUE_CHOICE, AT(berth_settings, store.durability),
     .choices = durability_choices},
    {"history", BERTH_VALUE_DURATION, AT(berth_settings, store.history_ms), .high = 3650 * DAY},
    {0},
};
static const struct berth_attribute_rule allow_attributes[] = {
    {"role", BERTH_VALUE_CHOICE, true, AT(berth_access_rule, role), .low = BERTH_ROLE_READER,
     .choices = role_choices},
    {"group", BERTH_VALUE_GROUP, .required = false},
    {"user", BERTH_VALUE_USER, .required = false},
    {0},
};
static const struct berth_attribute_rule conflicts_attributes[] = {
    {"debounce", BERTH_VALUE_DURATION, AT(berth_settings, debounce_ms), .high = 10 * MINUTE},
    {0},
};
static const struct berth_attribute_rule command_attributes[] = {
    {"path", BERTH_VALUE_PATH, true, AT(berth_command_settings, path)},
    {"timeout", BERTH_VALUE_DURATION, AT(berth_command_settings, timeout_ms), .low = SECOND,
     .high = 10 * MINUTE},
    {0},
};
static const struct berth_attribute_rule argument_attributes[] = {
    {"value", BERTH_VALUE_TEXT, true, .offset = 0},
    {0},
};
static const struct berth_attribute_rule metrics_attributes[] = {
    {"path", BERTH_VALUE_PATH, true, AT(berth_settings, alerts.metrics_path)},
    {"interval", BERTH_VALUE_DURATION, AT(berth_settings, alerts.metrics_interval_ms),
     .low = SECOND, .high = HOUR},
    {0},
};
static const struct berth_attribute_rule log_attributes[] = {
    {"file", BERTH_VALUE_PATH, AT(berth_settings, log.path)},
    {"size", BERTH_VALUE_SIZE, AT(berth_settings, log.size_bytes), .low = BERTH_LOG_FILE_SIZE_MIN,
     .high = BERTH_LOG_FILE_SIZE_MAX},
    {"keep", BERTH_VALUE_NUMBER, AT(berth_settings, log.keep), .high = BERTH_LOG_FILE_KEEP_MAX},
    {0},
};
static const struct berth_attribute_rule limits_attributes[] = {
    {"connections", BERTH_VALUE_NUMBER, AT(berth_settings, limits.connections), .low = 16,
     .high = 16384},
    {"perUser", BERTH_VALUE_NUMBER, AT(berth_settings, limits.per_user), .low = 1, .high = 16384},
    {"subscribers", BERTH_VALUE_NUMBER, AT(berth_settings, limits.subscribers), .high = 16384},
    {"leasesPerUser", BERTH_VALUE_NUMBER, AT(berth_settings, limits.leases_per_user), .low = 1,
     .high = 65535},
    {0},
};

static const struct berth_element_rule pools_children[] = {
    {"pool", BERTH_SETTINGS_POOLS_MAX, pool_attributes, NULL, place_pool, finish_pool},
    {0},
};
static const struct berth_element_rule reserved_children[] = {
    {"ports", BERTH_SETTINGS_RESERVED_MAX, reserved_attributes, NULL, place_reserved, NULL},
    {0},
};
static const struct berth_element_rule access_children[] = {
    {"allow", BERTH_SETTINGS_RULES_MAX, allow_attributes, NULL, place_rule, finish_allow},
    {0},
};
static const struct berth_element_rule command_children[] = {
    {"argument", BERTH_SETTINGS_ARGUMENTS_MAX, argument_attributes, NULL, place_argument, NULL},
    {0},
};
static const struct berth_element_rule alerts_children[] = {
    {"eventLog", 1, NULL, NULL, NULL, finish_system_log},
    {"syslog", 1, NULL, NULL, NULL, finish_system_log},
    {"command", BERTH_SETTINGS_COMMANDS_MAX, command_attributes, command_children, place_command,
     finish_command},
    {"metrics", 1, metrics_attributes, NULL, NULL, NULL},
    {0},
};
static const struct berth_element_rule berth_children[] = {
    {"pools", 1, NULL, pools_children, NULL, NULL},
    {"reserved", 1, NULL, reserved_children, NULL, NULL},
    {"iis", BERTH_SETTINGS_IIS_MAX, iis_attributes, NULL, place_iis, NULL},
    {"tcp", 1, tcp_attributes, NULL, NULL, finish_tcp},
    {"hints", 1, hints_attributes, NULL, NULL, NULL},
    {"lease", 1, lease_attributes, NULL, NULL, finish_lease},
    {"store", 1, store_attributes, NULL, NULL, NULL},
    {"access", 1, NULL, access_children, NULL, finish_access},
    {"conflicts", 1, conflicts_attributes, NULL, NULL, NULL},
    {"alerts", 1, NULL, alerts_children, NULL, NULL},
    {"log", 1, log_attributes, NULL, NULL, NULL},
    {"limits", 1, limits_attributes, NULL, NULL, finish_limits},
    {0},
};
const struct berth_element_rule berth_settings_root = {"berth",        1,    berth_attributes,
                                                       berth_children, NULL, NULL};
