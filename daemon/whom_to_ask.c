/* SPDX-License-Identifier: MIT */
#include "whom_to_ask.h"

#include "present.h"

#include <inttypes.h>
#include <string.h>

#define SENTENCE_MAX ((size_t)8192)
#define SYSTEM_PID 4 /* the process System, in which http.sys and other drivers listen */

/* What a sentence is about. */
struct asked {
    const struct berth_service *service;
    const struct berth_claim *claim;
    struct berth_now now;
    bool windows; /* which commands there are */
};

static void add_until(struct berth_text *out, const struct asked *asked)
{
    char time[32];

    berth_text_puts(
        out, berth_format_time(time, sizeof time,
                               berth_allocator_claim_ends_unix_ms(asked->service->allocator,
                                                                  asked->claim, asked->now)));
}

/* The file, of a source that is one. */
static const char *source_of(const struct asked *asked)
{
    const struct berth_sources *sources = &asked->service->allocator->sources;

    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        const struct berth_source_entry *entry = &sources->at[i];
        for (unsigned feed = 0; entry->in_use && feed < entry->feed_count; feed++) {
            if (entry->feeds[feed] == asked->claim->feed) {
                return entry->name;
            }
        }
    }
    return "applicationHost.config";
}

static void ask_for_lease(struct berth_text *out, const struct asked *asked)
{
    struct berth_lease *lease;

    if (berth_allocator_find(asked->service->allocator, NULL, NULL, NULL, asked->claim->port,
                             &lease, NULL) != BERTH_OK) {
        return;
    }
    berth_text_printf(out,
                      "Ask %s, who owns the lease; the owner or an administrator ends it by: "
                      "berth release --lease %s",
                      lease->owner->name, lease->id);
}

static void ask_for_cooling(struct berth_text *out, const struct asked *asked)
{
    berth_text_printf(out, "The key %s can have it back now, any other one from ",
                      asked->claim->holder);
    add_until(out, asked);
}

static void ask_for_binding(struct berth_text *out, const struct asked *asked)
{
    const struct berth_claim *claim = asked->claim;

    berth_text_printf(out, "Ask who runs the site %s; ",
                      claim->holder != NULL ? claim->holder : "?");
    if ((claim->flags & BERTH_CLAIM_LINGERING) != 0) {
        berth_text_puts(out, "the port is kept for it until ");
        add_until(out, asked);
    } else if (asked->windows) {
        berth_text_printf(out, "an administrator sees the binding by: Get-WebBinding -Port %u",
                          claim->port);
    } else {
        berth_text_printf(out, "its binding stands in %s", source_of(asked));
    }
}

static void ask_for_ftp_data(struct berth_text *out, const struct asked *asked)
{
    berth_text_printf(out, "Ask who runs IIS; the range stands under <firewallSupport> in %s",
                      source_of(asked));
}

static void find_unknown(struct berth_text *out, const struct asked *asked)
{
    berth_text_puts(out, "An administrator finds the process by: ");
    berth_text_printf(
        out, asked->windows ? "Get-NetTCPConnection -LocalPort %u" : "ss -tanp 'sport = :%u'",
        asked->claim->port);
}

/* Tells whether anything but the socket says that http.sys serves a port. */
static bool is_of_http_sys(const struct asked *asked)
{
    struct berth_claims_at walk =
        berth_ledger_at(asked->service->allocator->ledger, asked->claim->port);
    const struct berth_claim *claim;

    while ((claim = berth_claims_next(&walk)) != NULL) {
        if (claim->kind == BERTH_CLAIM_URL || claim->kind == BERTH_CLAIM_BINDING) {
            return true;
        }
    }
    return false;
}

static void ask_for_system(struct berth_text *out, const struct asked *asked)
{
    static const uint16_t drivers[] = {111, 139, 445, 2049}; /* NFS, NetBIOS, SMB, NFS */
    bool of_driver = false;

    for (size_t i = 0; i < BERTH_COUNT(drivers); i++) {
        of_driver = of_driver || drivers[i] == asked->claim->port;
    }
    berth_text_puts(out, of_driver && !is_of_http_sys(asked)
                             ? "Windows itself listens there (SMB, NetBIOS or NFS); an "
                               "administrator sees the services by: "
                               "Get-Service LanmanServer, NfsService"
                             : "Ask who runs the site or service behind http.sys; an administrator "
                               "finds it by: netsh http show servicestate");
}

static void ask_for_socket(struct berth_text *out, const struct asked *asked)
{
    const struct berth_claim *claim = asked->claim;

    if (claim->process_id == BERTH_ID_NONE) {
        find_unknown(out, asked);
        return;
    }
    if (asked->windows && claim->process_id == SYSTEM_PID) {
        ask_for_system(out, asked);
        return;
    }
    berth_text_printf(out, "Ask who runs %s (pid %" PRIu32 "",
                      claim->holder != NULL ? claim->holder : "that process", claim->process_id);
    if (claim->user_id != BERTH_ID_NONE) {
        berth_text_printf(out, ", uid %" PRIu32, claim->user_id);
    }
    berth_text_puts(out, "); an administrator sees more by: ");
    berth_text_printf(
        out, asked->windows ? "tasklist /svc /fi \"pid eq %" PRIu32 "\"" : "ps -fp %" PRIu32,
        claim->process_id);
}

static void ask_for_time_wait(struct berth_text *out, const struct asked *asked)
{
    (void)asked;
    berth_text_puts(out, "Nobody need be asked: closed connections leave the port within minutes");
}

static void ask_for_url(struct berth_text *out, const struct asked *asked)
{
    (void)asked;
    berth_text_puts(out, "An administrator sees the reservations by: netsh http show urlacl, "
                         "and certificates by: netsh http show sslcert");
}

static void ask_for_exclusion(struct berth_text *out, const struct asked *asked)
{
    (void)asked;
    berth_text_puts(out, "An administrator sees the ranges by: netsh interface ipv4 show "
                         "excludedportrange protocol=tcp");
}

static void ask_for_reservation(struct berth_text *out, const struct asked *asked)
{
    const char *path = asked->service->settings_path;

    berth_text_printf(out, "Ask who keeps %s, where it stands under <reserved>",
                      path != NULL ? path : "berthd.config");
}

static void (*const ask_by_kind[BERTH_CLAIM_KIND_COUNT])(struct berth_text *out,
                                                         const struct asked *asked) = {
    [BERTH_CLAIM_LEASE] = ask_for_lease,
    [BERTH_CLAIM_COOLING] = ask_for_cooling,
    [BERTH_CLAIM_BINDING] = ask_for_binding,
    [BERTH_CLAIM_FTP_DATA] = ask_for_ftp_data,
    [BERTH_CLAIM_LISTENER] = ask_for_socket,
    [BERTH_CLAIM_BOUND] = ask_for_socket,
    [BERTH_CLAIM_CONNECTION] = find_unknown,
    [BERTH_CLAIM_TIME_WAIT] = ask_for_time_wait,
    [BERTH_CLAIM_URL] = ask_for_url,
    [BERTH_CLAIM_EXCLUSION] = ask_for_exclusion,
    [BERTH_CLAIM_RESERVATION] = ask_for_reservation,
};

/* Two sockets of one process make one sentence. */
static bool is_said(const struct berth_text *said, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(berth_text_string(&said[i]), berth_text_string(&said[count])) == 0) {
            return true;
        }
    }
    return false;
}

void berth_whom_to_ask_write(struct berth_json *json, const struct berth_service *service,
                             uint16_t port, struct berth_now now)
{
    struct asked asked = {service, NULL, now, strcmp(service->platform, "windows") == 0};
    struct berth_claims_at walk = berth_ledger_at(service->allocator->ledger, port);
    struct berth_text said[BERTH_ASK_MAX];
    size_t count = 0;

    for (unsigned seen = 0; count < BERTH_ASK_MAX && seen < BERTH_ASK_LOOKED_AT_MAX; seen++) {
        asked.claim = berth_claims_next(&walk);
        if (asked.claim == NULL) {
            break;
        }
        berth_text_init(&said[count], SENTENCE_MAX);
        ask_by_kind[asked.claim->kind](&said[count], &asked);
        if (said[count].failed != BERTH_OK || said[count].length == 0 || is_said(said, count)) {
            berth_text_fini(&said[count]);
        } else {
            count++;
        }
    }
    berth_json_key(json, "ask");
    berth_json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        berth_json_string(json, berth_text_string(&said[i]));
        berth_text_fini(&said[i]);
    }
    berth_json_close_array(json);
}
