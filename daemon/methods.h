/* SPDX-License-Identifier: MIT */
/* The methods of the protocol, by file: what they share. Each is documented in docs/protocol.md. */
#ifndef BERTH_DAEMON_METHODS_H
#define BERTH_DAEMON_METHODS_H

#include "params.h"
#include "present.h"
#include "service.h"

#include <stdlib.h>

/** Gives the service that a call acts on. */
struct berth_service *berth_call_service(const struct berth_call *call);

/** Gives who asks, as the allocator wants it; valid during the call. */
struct berth_caller berth_call_caller(const struct berth_call *call);

/** Writes the member `revision`. Who knows one may follow from there: events are kept from now on.
 */
void berth_call_write_revision(struct berth_call *call, struct berth_json *result);

/** Adds to an error's data what a refusal by the allocator knows besides its sentence. */
void berth_call_explain(struct berth_call *call, const struct berth_refusal *refusal,
                        enum berth_code code);

/* methods_lease.c */
enum berth_code berth_method_allocate(struct berth_call *call, json_t *params,
                                      struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_release(struct berth_call *call, json_t *params,
                                     struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_renew(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_leases(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err);

/* methods_hold.c */
enum berth_code berth_method_handover(struct berth_call *call, json_t *params,
                                      struct berth_json *result, struct berth_error *err);

/** Allocates with a hold: as berth_allocator_allocate(). Where the caller did not ask for one port
 * only, ports that cannot be held are passed by, up to 16 of them. */
enum berth_code berth_allocate_with_hold(struct berth_service *service,
                                         const struct berth_allocate_request *request,
                                         const struct berth_caller *caller, struct berth_now now,
                                         struct berth_grant *out, struct berth_refusal *refusal,
                                         struct berth_error *err);

/* methods_adopt.c */
enum berth_code berth_method_adopt(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err);

/* methods_ports.c */
enum berth_code berth_method_next(struct berth_call *call, json_t *params,
                                  struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_free(struct berth_call *call, json_t *params,
                                  struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_who(struct berth_call *call, json_t *params, struct berth_json *result,
                                 struct berth_error *err);
enum berth_code berth_method_ports(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err);

/* methods_conflicts.c */
enum berth_code berth_method_conflicts(struct berth_call *call, json_t *params,
                                       struct berth_json *result, struct berth_error *err);

/* methods_store.c */
enum berth_code berth_method_history(struct berth_call *call, json_t *params,
                                     struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_export(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_import(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err);

/* methods_subscribe.c */
enum berth_code berth_method_subscribe(struct berth_call *call, json_t *params,
                                       struct berth_json *result, struct berth_error *err);

/* methods_status.c */
enum berth_code berth_method_hello(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_status(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err);
enum berth_code berth_method_reload(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err);

#endif
