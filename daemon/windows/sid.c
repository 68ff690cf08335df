/* SPDX-License-Identifier: MIT */
#include "daemon/windows/sid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEAD_BYTES 8
#define SUB_AUTHORITIES_MAX 15
#define NT_AUTHORITY 5
#define SERVICE_DOMAIN 80         /* S-1-5-80 */
#define SERVICE_SUB_AUTHORITIES 6 /* 80 and five words of a hash of the name */
#define AUTHORITY_MAX 0xFFFFFFFFFFFF

#define ONE_PART(authority, part)                                                                  \
    {                                                                                              \
        .length = 12, .bytes = { 1, 1, 0, 0, 0, 0, 0, authority, part }                            \
    }

const struct berth_account_id berth_sid_owner_rights = ONE_PART(3, 4);
const struct berth_account_id berth_sid_anonymous = ONE_PART(NT_AUTHORITY, 7);
const struct berth_account_id berth_sid_authenticated_users = ONE_PART(NT_AUTHORITY, 11);
const struct berth_account_id berth_sid_system = ONE_PART(NT_AUTHORITY, 18);
const struct berth_account_id berth_sid_local_service = ONE_PART(NT_AUTHORITY, 19);
const struct berth_account_id berth_sid_network_service = ONE_PART(NT_AUTHORITY, 20);
const struct berth_account_id berth_sid_administrators = {
    .length = 16, .bytes = {1, 2, 0, 0, 0, 0, 0, NT_AUTHORITY, 32, 0, 0, 0, 0x20, 0x02}};

bool berth_sid_take(const void *bytes, size_t length, struct berth_account_id *out)
{
    const uint8_t *sid = bytes;

    if (length < HEAD_BYTES || sid[0] != 1 || sid[1] > SUB_AUTHORITIES_MAX) {
        return false;
    }
    size_t size = HEAD_BYTES + (size_t)4 * sid[1];
    if (length < size) {
        return false;
    }
    *out = (struct berth_account_id){.length = (uint8_t)size};
    memcpy(out->bytes, sid, size);
    return true;
}

static uint32_t sub_authority(const uint8_t *sid, unsigned index)
{
    const uint8_t *at = sid + HEAD_BYTES + (size_t)4 * index;

    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* Reads a number of up to `high` and moves on behind it. */
static bool read_number(const char **text, unsigned base, uint64_t high, uint64_t *out)
{
    const char *at = *text;
    uint64_t number = 0;

    for (; (unsigned)digit_of(*at) < base; at++) {
        number = number * base + (unsigned)digit_of(*at);
        if (number > high) {
            return false;
        }
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    *out = number;
    return true;
}

static bool read_authority(const char **text, uint64_t *out)
{
    bool hexadecimal = (*text)[0] == '0' && ((*text)[1] == 'x' || (*text)[1] == 'X');

    *text += hexadecimal ? 2 : 0;
    return read_number(text, hexadecimal ? 16 : 10, AUTHORITY_MAX, out);
}

bool berth_sid_read(const char *text, struct berth_account_id *out)
{
    struct berth_account_id sid = {.length = HEAD_BYTES, .bytes = {1}};
    uint64_t number;

    if ((text[0] != 'S' && text[0] != 's') || strncmp(text + 1, "-1-", 3) != 0) {
        return false;
    }
    text += 4;
    if (!read_authority(&text, &number)) {
        return false;
    }
    for (unsigned i = 0; i < 6; i++) {
        sid.bytes[2 + i] = (uint8_t)(number >> (40 - 8 * i));
    }
    while (*text == '-' && sid.bytes[1] < SUB_AUTHORITIES_MAX) {
        text++;
        if (!read_number(&text, 10, UINT32_MAX, &number)) {
            return false;
        }
        for (unsigned i = 0; i < 4; i++) {
            sid.bytes[sid.length++] = (uint8_t)(number >> (8 * i));
        }
        sid.bytes[1]++;
    }
    if (*text != '\0' || sid.bytes[1] == 0) {
        return false;
    }
    *out = sid;
    return true;
}

char *berth_sid_write(const struct berth_account_id *sid, char *out)
{
    struct berth_account_id checked;
    uint64_t authority = 0;

    out[0] = '\0';
    if (!berth_sid_take(sid->bytes, sid->length, &checked) || checked.length != sid->length) {
        return out;
    }
    for (unsigned i = 0; i < 6; i++) {
        authority = authority << 8 | sid->bytes[2 + i];
    }
    int length = snprintf(out, BERTH_ACCOUNT_TEXT_SIZE,
                          authority > UINT32_MAX ? "S-1-0x%012" PRIX64 : "S-1-%" PRIu64, authority);
    for (unsigned i = 0; i < sid->bytes[1]; i++) {
        length += snprintf(out + length, BERTH_ACCOUNT_TEXT_SIZE - (size_t)length, "-%" PRIu32,
                           sub_authority(sid->bytes, i));
    }
    return out;
}

bool berth_sid_is_service(const struct berth_account_id *sid)
{
    return sid->length == HEAD_BYTES + 4 * SERVICE_SUB_AUTHORITIES &&
           sid->bytes[7] == NT_AUTHORITY && sub_authority(sid->bytes, 0) == SERVICE_DOMAIN;
}
