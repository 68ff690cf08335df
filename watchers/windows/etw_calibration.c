/* SPDX-License-Identifier: MIT */
#include "watchers/windows/etw_calibration.h"

#include <stdio.h>

enum sign {
    SIGN_LISTENS,
    SIGN_UNBOUND,
    SIGN_BOUND,
    SIGN_TAKEN,
    SIGN_GIVEN_BACK,
    SIGN_ORDER,   /* of the bytes of a port that was taken */
    SIGN_CONTEXT, /* whose it is */
    SIGN_COUNT
};

#define BIT(number) (1u << (number))

static const char *const sign_names[SIGN_COUNT] = {
    [SIGN_LISTENS] = "listeners",
    [SIGN_UNBOUND] = "the end of listeners",
    [SIGN_BOUND] = "bound sockets",
    [SIGN_TAKEN] = "ports that are taken",
    [SIGN_GIVEN_BACK] = "ports that are given back",
    [SIGN_ORDER] = "the order of a port's bytes",
    [SIGN_CONTEXT] = "the process that takes a port",
};

bool berth_etw_calibration_suits(uint16_t port)
{
    return (port & 0xFF) != port >> 8;
}

void berth_etw_calibration_begin(struct berth_etw_calibration *calibration, uint16_t port,
                                 uint32_t process_id, bool low_volume)
{
    *calibration = (struct berth_etw_calibration){
        .port = port,
        .process_id = process_id,
        .low_volume = low_volume,
        .until_ns = UINT64_MAX,
    };
}

void berth_etw_calibration_used(struct berth_etw_calibration *calibration, uint64_t now_ns)
{
    calibration->until_ns = now_ns + BERTH_ETW_CALIBRATION_NS;
}

static bool is_about_it(const struct berth_etw_calibration *calibration,
                        const struct berth_etw_event *event, enum berth_etw_port_order order,
                        struct berth_tcp_event *out)
{
    return berth_etw_tcpip_decode(event, order, out) && out->port == calibration->port;
}

static void note_taken(struct berth_etw_calibration *calibration,
                       const struct berth_etw_event *event, enum berth_etw_port_order order)
{
    calibration->told |= BIT(SIGN_TAKEN);
    calibration->orders |= BIT(order);
    if (event->process_id == calibration->process_id) {
        calibration->own_orders |= BIT(order);
    }
}

/* Notes what an event says if its port is read in one order. */
static void note_in_order(struct berth_etw_calibration *calibration,
                          const struct berth_etw_event *event, enum berth_etw_port_order order)
{
    struct berth_tcp_event read;

    if (!is_about_it(calibration, event, order, &read)) {
        return;
    }
    switch ((enum berth_tcp_event_what)read.what) {
    case BERTH_TCP_EVENT_LISTEN:
        calibration->told |= BIT(SIGN_LISTENS);
        calibration->process_told |= read.process_id == calibration->process_id;
        break;
    case BERTH_TCP_EVENT_RELEASE:
        calibration->told |= BIT(SIGN_UNBOUND);
        break;
    case BERTH_TCP_EVENT_CONNECT:
        if (event->id == 1008) {
            calibration->told |= BIT(SIGN_BOUND);
            calibration->bound_in_context |= event->process_id == calibration->process_id;
        } else {
            note_taken(calibration, event, order);
        }
        break;
    case BERTH_TCP_EVENT_DISCONNECT:
        calibration->told |= event->id == 1193 ? BIT(SIGN_GIVEN_BACK) : 0;
        break;
    default:
        break;
    }
}

void berth_etw_calibration_note(struct berth_etw_calibration *calibration,
                                const struct berth_etw_event *event)
{
    note_in_order(calibration, event, BERTH_ETW_ORDER_HOST);
    note_in_order(calibration, event, BERTH_ETW_ORDER_NETWORK);
}

/* What is missing, as bits. Of what did not come at all, nothing more is missed. */
static unsigned missing(const struct berth_etw_calibration *calibration)
{
    unsigned wanted = BIT(SIGN_LISTENS) | BIT(SIGN_UNBOUND);
    unsigned had = calibration->told;

    wanted |= calibration->low_volume ? BIT(SIGN_BOUND) : BIT(SIGN_TAKEN) | BIT(SIGN_GIVEN_BACK);
    if ((had & BIT(SIGN_TAKEN)) != 0 &&
        berth_etw_calibration_order(calibration) == BERTH_ETW_ORDER_UNKNOWN) {
        wanted |= BIT(SIGN_ORDER);
    }
    if (!berth_etw_calibration_knows_own(calibration)) {
        wanted |= BIT(SIGN_CONTEXT);
    }
    return wanted & ~had;
}

static void list_missing(unsigned bits, char *out, size_t size)
{
    const char *before = "";
    int length = snprintf(out, size, "Windows's events of TCP do not tell: ");

    for (unsigned sign = 0; sign < SIGN_COUNT && length > 0 && (size_t)length < size; sign++) {
        if ((bits & BIT(sign)) != 0) {
            length +=
                snprintf(out + length, size - (size_t)length, "%s%s", before, sign_names[sign]);
            before = ", ";
        }
    }
}

enum berth_etw_verdict berth_etw_calibration_judge(const struct berth_etw_calibration *calibration,
                                                   uint64_t now_ns,
                                                   char reason[BERTH_ETW_CALIBRATION_REASON_SIZE])
{
    unsigned bits = missing(calibration);

    reason[0] = '\0';
    if (calibration->until_ns == UINT64_MAX || (bits != 0 && now_ns < calibration->until_ns)) {
        return BERTH_ETW_PENDING;
    }
    if (bits == 0) {
        return BERTH_ETW_WHOLE;
    }
    if (calibration->told == 0) {
        (void)snprintf(reason, BERTH_ETW_CALIBRATION_REASON_SIZE,
                       "the tracing session runs, but Windows's events of TCP do not tell of a "
                       "listener that was opened to try them");
        return BERTH_ETW_SILENT;
    }
    list_missing(bits, reason, BERTH_ETW_CALIBRATION_REASON_SIZE);
    return BERTH_ETW_PARTIAL;
}

bool berth_etw_calibration_knows_own(const struct berth_etw_calibration *calibration)
{
    bool bound = (calibration->told & BIT(SIGN_BOUND)) != 0;
    bool taken = (calibration->told & BIT(SIGN_TAKEN)) != 0;

    return (!bound || calibration->bound_in_context) && (!taken || calibration->own_orders != 0);
}

enum berth_etw_port_order
berth_etw_calibration_order(const struct berth_etw_calibration *calibration)
{
    unsigned orders = calibration->own_orders != 0 ? calibration->own_orders : calibration->orders;

    if (orders == BIT(BERTH_ETW_ORDER_HOST)) {
        return BERTH_ETW_ORDER_HOST;
    }
    return orders == BIT(BERTH_ETW_ORDER_NETWORK) ? BERTH_ETW_ORDER_NETWORK
                                                  : BERTH_ETW_ORDER_UNKNOWN;
}
