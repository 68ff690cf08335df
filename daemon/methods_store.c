/* SPDX-License-Identifier: MIT */
/* history, export, import: what the store knows beyond the present, and leases that move. */
#include "lease_record.h"
#include "methods.h"

#include <string.h>

#define HISTORY_DEFAULT 100
#define HISTORY_MAX 10000 /* fits into an answer */

/* ---- history ---- */

struct history_writer {
    struct berth_json *json;
};

static bool write_entry(void *ctx, const struct berth_history_entry *entry)
{
    struct berth_json *json = ((struct history_writer *)ctx)->json;

    berth_json_open_object(json);
    berth_present_time(json, "time", entry->time_unix_ms);
    berth_json_member_string(json, "event", entry->event);
    berth_json_member_number(json, "port", entry->port);
    berth_json_member_string(json, "key", entry->key);
    berth_json_member_string(json, "generation", entry->generation);
    berth_json_member_string(json, "by", entry->by[0] != '\0' ? entry->by : NULL);
    berth_json_close_object(json);
    return json->out->failed == BERTH_OK;
}

enum berth_code berth_method_history(struct berth_call *call, json_t *params,
                                     struct berth_json *result, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    struct history_writer writer = {result};
    const char *key = NULL;
    uint16_t port = 0;
    unsigned limit = HISTORY_DEFAULT;
    const struct berth_param table[] = {
        {"port", BERTH_PARAM_PORT, &port},
        {"key", BERTH_PARAM_STRING, &key},
        {"limit", BERTH_PARAM_COUNT, &limit},
    };
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code != BERTH_OK) {
        return code;
    }
    if ((port != 0) == (key != NULL) || limit > HISTORY_MAX) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "name a port or a key; limit is at most %d",
                          HISTORY_MAX);
    }
    if (service->store == NULL) {
        return berth_fail(err, BERTH_NOT_SUPPORTED, 0, "no history is kept");
    }
    berth_json_open_object(result);
    berth_json_key(result, "entries");
    berth_json_open_array(result);
    code = berth_store_history(service->store, port, key, limit, write_entry, &writer, err);
    berth_json_close_array(result);
    berth_json_close_object(result);
    return code;
}

/* ---- export ---- */

static void export_lease(struct berth_json *json, const struct berth_lease *lease)
{
    const struct berth_lease_change as_is = {.lease = lease, .state = lease->state};
    const struct berth_lease_record record = berth_lease_record_of(&as_is, 0);

    berth_json_open_object(json);
    berth_json_member_string(json, "lease", record.id);
    berth_json_member_string(json, "key", record.key);
    berth_json_member_string(json, "generation", record.generation);
    berth_json_member_string(json, "state", record.state);
    berth_json_key(json, "ports");
    berth_json_open_array(json);
    for (unsigned i = 0; i < record.port_count; i++) {
        berth_json_number(json, record.ports[i]);
    }
    berth_json_close_array(json);
    berth_json_member_string(json, "holder", lease->holder);
    berth_json_member_string(json, "protocol", record.protocol);
    berth_json_member_number(json, "ttl_ms", (long long)record.ttl_ms);
    berth_json_member_boolean(json, "hold", record.hold);
    berth_json_key(json, "owner");
    berth_json_open_object(json);
    berth_json_member_string(json, "id", record.owner_id);
    berth_json_member_string(json, "name", record.owner_name);
    berth_json_member_string(json, "group", record.owner_group);
    berth_json_close_object(json);
    berth_json_member_number(json, "granted_unix_ms", record.granted_unix_ms);
    berth_json_key(json, "meta");
    berth_json_raw(json, lease->meta != NULL ? lease->meta : "{}",
                   lease->meta != NULL ? strlen(lease->meta) : 2);
    berth_json_close_object(json);
}

enum berth_code berth_method_export(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err)
{
    const struct berth_service *service = berth_call_service(call);
    const struct berth_lease_book *book = &service->allocator->book;
    enum berth_code code = berth_params_read(params, NULL, 0, err);

    if (code != BERTH_OK) {
        return code;
    }
    berth_json_open_object(result);
    berth_json_key(result, "leases");
    berth_json_open_array(result);
    for (const struct berth_lease *lease = book->live.first; lease != NULL; lease = lease->next) {
        export_lease(result, lease);
    }
    for (const struct berth_lease *lease = book->ended.first; lease != NULL; lease = lease->next) {
        export_lease(result, lease);
    }
    berth_json_close_array(result);
    berth_json_close_object(result);
    return BERTH_OK;
}

/* ---- import ---- */

/* An exported lease as it is read; points into the parameters. */
struct imported {
    struct berth_lease_record record;
    char *meta; /* for free() */
};

static enum berth_code read_ports(struct berth_lease_record *record, const json_t *list,
                                  struct berth_error *err)
{
    size_t count = json_array_size(list);

    if (count < 1 || count > BERTH_PORTS_PER_LEASE_MAX) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "ports must be 1 to %d ports",
                          BERTH_PORTS_PER_LEASE_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        json_int_t port = json_integer_value(json_array_get(list, i));
        if (port < 1 || port > 65535) {
            return berth_fail(err, BERTH_INVALID_PARAMS, 0, "a port must be 1 to 65535");
        }
        record->ports[record->port_count++] = (uint16_t)port;
    }
    return BERTH_OK;
}

static enum berth_code read_owner(struct berth_lease_record *record, json_t *owner,
                                  struct berth_error *err)
{
    const struct berth_param table[] = {
        {"id", BERTH_PARAM_STRING, &record->owner_id},
        {"name", BERTH_PARAM_STRING, &record->owner_name},
        {"group", BERTH_PARAM_STRING, &record->owner_group},
    };
    enum berth_code code = berth_params_read(owner, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK && (record->owner_id == NULL || record->owner_name == NULL)) {
        code = berth_fail(err, BERTH_INVALID_PARAMS, 0, "owner must have an id and a name");
    }
    return code;
}

static enum berth_code read_imported(struct imported *out, json_t *lease, struct berth_error *err)
{
    struct berth_lease_record *record = &out->record;
    json_t *ports = NULL;
    json_t *owner = NULL;
    json_t *meta = NULL;
    uint64_t granted = 0;
    const struct berth_param table[] = {
        {"lease", BERTH_PARAM_STRING, &record->id},
        {"key", BERTH_PARAM_STRING, &record->key},
        {"generation", BERTH_PARAM_STRING, &record->generation},
        {"state", BERTH_PARAM_STRING, &record->state},
        {"ports", BERTH_PARAM_ARRAY, &ports},
        {"holder", BERTH_PARAM_STRING, &record->holder},
        {"protocol", BERTH_PARAM_STRING, &record->protocol},
        {"ttl_ms", BERTH_PARAM_REVISION, &record->ttl_ms},
        {"hold", BERTH_PARAM_BOOLEAN, &record->hold},
        {"owner", BERTH_PARAM_OBJECT, &owner},
        {"granted_unix_ms", BERTH_PARAM_REVISION, &granted},
        {"meta", BERTH_PARAM_OBJECT, &meta},
    };

    *record = (struct berth_lease_record){
        .generation = "", .holder = "", .protocol = "", .owner_group = ""};
    if (!json_is_object(lease)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "a lease must be an object");
    }
    enum berth_code code = berth_params_read(lease, table, BERTH_COUNT(table), err);
    if (code == BERTH_OK && (record->id == NULL || record->key == NULL || record->state == NULL)) {
        code = berth_fail(err, BERTH_INVALID_PARAMS, 0, "lease, key and state must be there");
    }
    if (code == BERTH_OK) {
        code = read_ports(record, ports, err);
    }
    if (code == BERTH_OK) {
        code = read_owner(record, owner, err);
    }
    if (code == BERTH_OK && json_object_size(meta) > 0) {
        out->meta = json_dumps(meta, JSON_COMPACT);
        code = out->meta != NULL ? BERTH_OK : berth_fail_memory(err, "meta");
    }
    record->meta = out->meta != NULL ? out->meta : "";
    record->granted_unix_ms = (int64_t)granted;
    return code;
}

static void write_skipped(struct berth_json *json, const struct berth_lease_record *record,
                          const char *reason)
{
    berth_json_open_object(json);
    berth_json_member_number(json, "port", record->ports[0]);
    berth_json_member_string(json, "key", record->key);
    berth_json_member_string(json, "reason", reason);
    berth_json_close_object(json);
}

/* Imports one lease; what stands in its way is told in `skipped` and is no error. */
static enum berth_code import_one(struct berth_call *call, json_t *lease, unsigned *imported,
                                  struct berth_json *skipped, struct berth_error *err)
{
    struct berth_service *service = berth_call_service(call);
    const struct berth_caller caller = berth_call_caller(call);
    struct imported in = {.meta = NULL};
    struct berth_lease_kept kept;
    bool already = false;
    enum berth_code code = read_imported(&in, lease, err);

    if (code == BERTH_OK && berth_lease_record_read(&in.record, &kept, err) != BERTH_OK) {
        code = BERTH_INVALID_PARAMS;
        err->code = code;
    }
    if (code == BERTH_OK) {
        kept.ended_unix_ms = 0; /* nothing cools down that ended elsewhere */
        code = berth_allocator_import(service->allocator, &kept, &caller, service->now(service),
                                      &already, err);
    }
    if (code == BERTH_BUSY) {
        write_skipped(skipped, &in.record, err->detail);
        code = BERTH_OK;
    } else if (code == BERTH_OK && already) {
        write_skipped(skipped, &in.record, "it is here already");
    } else if (code == BERTH_OK) {
        (*imported)++;
    }
    free(in.meta);
    return code;
}

enum berth_code berth_method_import(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err)
{
    json_t *leases = NULL;
    unsigned imported = 0;
    const struct berth_param table[] = {{"leases", BERTH_PARAM_ARRAY, &leases}};
    enum berth_code code = berth_params_read(params, table, BERTH_COUNT(table), err);

    if (code == BERTH_OK && leases == NULL) {
        code = berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "leases must be there: what export gave, or a part of it");
    }
    if (code != BERTH_OK) {
        return code;
    }
    berth_json_open_object(result);
    berth_json_key(result, "skipped");
    berth_json_open_array(result);
    for (size_t i = 0; i < json_array_size(leases); i++) {
        code = import_one(call, json_array_get(leases, i), &imported, result, err);
        if (code != BERTH_OK) {
            berth_error_prefix(err, "lease %zu of %zu (%u imported before it)", i + 1,
                               json_array_size(leases), imported);
            return code;
        }
    }
    berth_json_close_array(result);
    berth_json_member_number(result, "imported", imported);
    berth_json_close_object(result);
    return BERTH_OK;
}
