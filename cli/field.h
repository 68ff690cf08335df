/* SPDX-License-Identifier: MIT */
/* Reads members of the daemon's answers. A member that is missing or of another type than expected
 * reads as if it were not there: an answer that surprises never crashes a command. */
#ifndef BERTH_CLI_FIELD_H
#define BERTH_CLI_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Gives a string member.  @return NULL: there is none; lives as long as `object` */
const char *berth_field_string(const json_t *object, const char *name);

/** Gives a whole-number member.  @return `otherwise`: there is none */
long long berth_field_number(const json_t *object, const char *name, long long otherwise);

/** Tells whether a member is true. */
bool berth_field_true(const json_t *object, const char *name);

/** Gives an array member.  @return NULL: there is none; jansson takes NULL as an empty array */
const json_t *berth_field_array(const json_t *object, const char *name);

/** Gives an object member.  @return NULL: there is none; jansson takes NULL as an empty object */
const json_t *berth_field_object(const json_t *object, const char *name);

/** Reads a value as a port.  @return false: it is none, `out` unchanged */
bool berth_field_port(uint16_t *out, const json_t *value);

/** Reads a value as an array of two ports, the first not above the second.
 *  @return false: it is none, `out` unchanged */
bool berth_field_range(uint16_t out[2], const json_t *value);

/** Gives the elements of an array ordered by a whole-number member, equal ones in their order.
 *  @return an array of json_array_size() borrowed elements for berth_free(); NULL: no memory, or
 *          the array is empty or NULL */
const json_t **berth_field_sorted(const json_t *array, const char *member);

#endif
