/* SPDX-License-Identifier: MIT */
/* Writes a ledger's claims and changes as text, so that tests compare them as a whole. */
#ifndef BERTH_TESTS_LEDGER_TEXT_H
#define BERTH_TESTS_LEDGER_TEXT_H

#include "allocator/ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct ledger_text {
    char text[16384];
    size_t length;
};

static inline void ledger_text_clear(struct ledger_text *out)
{
    out->length = 0;
    out->text[0] = '\0';
}

BERTH_PRINTF(2, 3)
static inline void ledger_text_add(struct ledger_text *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(out->text + out->length, sizeof out->text - out->length, format, args);
    va_end(args);
    if (length > 0 && out->length + (size_t)length < sizeof out->text) {
        out->length += (size_t)length;
    }
}

/** "80 binding Shop/shop.example x2 [http *:80:] lingers@9 stopped" */
static inline void ledger_text_claim(struct ledger_text *out, const struct berth_claim *claim)
{
    ledger_text_add(out, "%u %s", claim->port,
                    berth_claim_kind_name((enum berth_claim_kind)claim->kind));
    if (claim->holder != NULL) {
        ledger_text_add(out, " %s", claim->holder);
    }
    if (claim->host != NULL) {
        ledger_text_add(out, "/%s", claim->host);
    }
    if (claim->count != 1) {
        ledger_text_add(out, " x%" PRIu32, claim->count);
    }
    if (claim->detail != NULL) {
        ledger_text_add(out, " [%s]", claim->detail);
    }
    if ((claim->flags & BERTH_CLAIM_STOPPED) != 0) {
        ledger_text_add(out, " stopped");
    }
    if ((claim->flags & BERTH_CLAIM_LINGERING) != 0) {
        ledger_text_add(out, " lingers@%" PRIu64, claim->until_ms);
    }
}

/** One line a change: "+" appeared, "~" changed, "?" lingers, "-" vanished. */
static inline void ledger_text_change(void *ctx, const struct berth_change *change)
{
    static const char marks[] = "+~?-";
    struct ledger_text *out = ctx;

    ledger_text_add(out, "%c", marks[change->type]);
    ledger_text_claim(out, change->after != NULL ? change->after : change->before);
    ledger_text_add(out, "\n");
}

/** One line a claim, of some ports, in the order in which the ledger walks. */
static inline void ledger_text_ports(struct ledger_text *out, const struct berth_ledger *ledger,
                                     const uint16_t *ports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct berth_claims_at walk = berth_ledger_at(ledger, ports[i]);
        const struct berth_claim *claim;
        while ((claim = berth_claims_next(&walk)) != NULL) {
            ledger_text_claim(out, claim);
            ledger_text_add(out, " #%u\n", claim->feed);
        }
    }
}

#endif
