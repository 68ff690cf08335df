/* SPDX-License-Identifier: MIT */
/* Trying a tracing session with a port of our own. */
#include "watchers/windows/etw_calibration.h"

#include "tests/support/cmocka_all.h"
#include "tests/support/etw_payload.h"

#define PORT 0xC123
#define SWAPPED 0x23C1
#define OWN 4711 /* as etw_payload_build() has it */
#define USED_NS 1000

static char reason[BERTH_ETW_CALIBRATION_REASON_SIZE];

static struct berth_etw_calibration begun(bool low_volume)
{
    struct berth_etw_calibration calibration;

    berth_etw_calibration_begin(&calibration, PORT, OWN, low_volume);
    berth_etw_calibration_used(&calibration, USED_NS);
    return calibration;
}

static void note(struct berth_etw_calibration *calibration, uint16_t id, uint16_t port,
                 bool swapped, uint32_t context)
{
    const struct etw_payload_facts facts = {.id = id,
                                            .pointer_size = 8,
                                            .family = 4,
                                            .port = port,
                                            .swapped = swapped,
                                            .process_id = context};
    struct etw_payload payload;

    etw_payload_build(&payload, &facts);
    payload.event.process_id = context;
    berth_etw_calibration_note(calibration, &payload.event);
}

/* Notes all that a listener of ours comes to, but for one id. */
static void note_all_but(struct berth_etw_calibration *calibration, uint16_t missing, bool swapped)
{
    static const uint16_t ids[] = {1191, 1008, 1123, 1124, 1193, 1009};

    for (size_t i = 0; i < BERTH_COUNT(ids); i++) {
        if (ids[i] != missing) {
            note(calibration, ids[i], PORT, swapped, OWN);
        }
    }
}

static void assert_verdict(const struct berth_etw_calibration *calibration, uint64_t now_ns,
                           enum berth_etw_verdict expected, const char *said)
{
    assert_int_equal(berth_etw_calibration_judge(calibration, now_ns, reason), expected);
    assert_string_equal(reason, said);
}

#define AT_ONCE USED_NS
#define TOO_LATE (USED_NS + BERTH_ETW_CALIBRATION_NS)

static void judge__all_came__is_whole_at_once_and_knows_the_order(void **state)
{
    (void)state;
    for (unsigned swapped = 0; swapped < 2; swapped++) {
        struct berth_etw_calibration calibration = begun(false);
        note_all_but(&calibration, 1008, swapped != 0); /* which full does without */
        assert_verdict(&calibration, AT_ONCE, BERTH_ETW_WHOLE, "");
        assert_int_equal(berth_etw_calibration_order(&calibration),
                         swapped != 0 ? BERTH_ETW_ORDER_NETWORK : BERTH_ETW_ORDER_HOST);
        assert_true(calibration.process_told);
        assert_true(berth_etw_calibration_knows_own(&calibration));
    }
}

static void judge__one_missing__is_pending_then_partial(void **state)
{
    static const struct {
        uint16_t id;
        const char *said;
    } rows[] = {
        {1123, "Windows's events of TCP do not tell: listeners"},
        {1124, "Windows's events of TCP do not tell: the end of listeners"},
        {1191, "Windows's events of TCP do not tell: ports that are taken"},
        {1193, "Windows's events of TCP do not tell: ports that are given back"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_etw_calibration calibration = begun(false);
        note_all_but(&calibration, rows[i].id, false);
        assert_verdict(&calibration, TOO_LATE - 1, BERTH_ETW_PENDING, "");
        assert_verdict(&calibration, TOO_LATE, BERTH_ETW_PARTIAL, rows[i].said);
    }
}

static void judge__nothing_came__is_silent(void **state)
{
    struct berth_etw_calibration calibration = begun(false);

    (void)state;
    note_all_but(&calibration, 0, false);
    calibration = begun(false);
    note(&calibration, 1123, PORT + 1, false, OWN); /* somebody else's */
    note(&calibration, 1191, PORT + 1, false, OWN);
    assert_verdict(&calibration, TOO_LATE - 1, BERTH_ETW_PENDING, "");
    assert_verdict(&calibration, TOO_LATE, BERTH_ETW_SILENT,
                   "the tracing session runs, but Windows's events of TCP do not tell of a "
                   "listener that was opened to try them");
}

static void judge__port_not_used_yet__is_pending_for_ever(void **state)
{
    struct berth_etw_calibration calibration;

    (void)state;
    berth_etw_calibration_begin(&calibration, PORT, OWN, false);
    note_all_but(&calibration, 0, false);
    assert_verdict(&calibration, UINT64_MAX, BERTH_ETW_PENDING, "");
    berth_etw_calibration_used(&calibration, USED_NS);
    assert_verdict(&calibration, AT_ONCE, BERTH_ETW_WHOLE, "");
}

static void judge__low_volume__wants_bound_sockets_instead(void **state)
{
    struct berth_etw_calibration calibration = begun(true);

    (void)state;
    note(&calibration, 1123, PORT, false, OWN);
    note(&calibration, 1124, PORT, false, OWN);
    assert_verdict(&calibration, TOO_LATE, BERTH_ETW_PARTIAL,
                   "Windows's events of TCP do not tell: bound sockets");
    note(&calibration, 1008, PORT, false, OWN);
    assert_verdict(&calibration, AT_ONCE, BERTH_ETW_WHOLE, "");
    assert_int_equal(berth_etw_calibration_order(&calibration), BERTH_ETW_ORDER_UNKNOWN);
}

static void order__another_takes_the_exchanged_port__ours_decides(void **state)
{
    struct berth_etw_calibration calibration = begun(false);

    (void)state;
    note(&calibration, 1191, SWAPPED, false, OWN + 1);
    note_all_but(&calibration, 1191, false);
    note(&calibration, 1191, PORT, false, OWN);
    assert_int_equal(berth_etw_calibration_order(&calibration), BERTH_ETW_ORDER_HOST);
    assert_verdict(&calibration, AT_ONCE, BERTH_ETW_WHOLE, "");
}

static void order__both_ways_and_nobodys__is_unknown(void **state)
{
    struct berth_etw_calibration calibration = begun(false);

    (void)state;
    note_all_but(&calibration, 1191, false);
    note(&calibration, 1191, SWAPPED, false, 0);
    note(&calibration, 1191, PORT, false, 0);
    assert_int_equal(berth_etw_calibration_order(&calibration), BERTH_ETW_ORDER_UNKNOWN);
    assert_verdict(&calibration, TOO_LATE, BERTH_ETW_PARTIAL,
                   "Windows's events of TCP do not tell: the order of a port's bytes, the process "
                   "that takes a port");
}

static void judge__ports_taken_in_no_process__is_partial(void **state)
{
    struct berth_etw_calibration calibration = begun(false);

    (void)state;
    note_all_but(&calibration, 1191, false);
    note(&calibration, 1191, PORT, false, 0);
    assert_int_equal(berth_etw_calibration_order(&calibration), BERTH_ETW_ORDER_HOST);
    assert_false(berth_etw_calibration_knows_own(&calibration));
    assert_verdict(&calibration, TOO_LATE, BERTH_ETW_PARTIAL,
                   "Windows's events of TCP do not tell: the process that takes a port");
}

static void judge__listener_of_another_process__does_not_tell_processes(void **state)
{
    struct berth_etw_calibration calibration = begun(false);

    (void)state;
    note_all_but(&calibration, 1123, false);
    note(&calibration, 1123, PORT, false, 0);
    assert_false(calibration.process_told);
    assert_verdict(&calibration, AT_ONCE, BERTH_ETW_WHOLE, "");
}

static void judge__longest_reason__fits(void **state)
{
    struct berth_etw_calibration calibration = begun(false);

    (void)state;
    note(&calibration, 1009, PORT, false, OWN);
    note(&calibration, 1008, PORT, false, 0);
    assert_int_equal(berth_etw_calibration_judge(&calibration, TOO_LATE, reason),
                     BERTH_ETW_PARTIAL);
    assert_true(strlen(reason) < sizeof reason - 1);
    assert_non_null(strstr(reason, "the process that takes a port"));
}

static void suits__bytes_differ(void **state)
{
    (void)state;
    assert_true(berth_etw_calibration_suits(0xC123));
    assert_false(berth_etw_calibration_suits(0xC1C1));
    assert_false(berth_etw_calibration_suits(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge__all_came__is_whole_at_once_and_knows_the_order),
        cmocka_unit_test(judge__one_missing__is_pending_then_partial),
        cmocka_unit_test(judge__nothing_came__is_silent),
        cmocka_unit_test(judge__port_not_used_yet__is_pending_for_ever),
        cmocka_unit_test(judge__low_volume__wants_bound_sockets_instead),
        cmocka_unit_test(order__another_takes_the_exchanged_port__ours_decides),
        cmocka_unit_test(order__both_ways_and_nobodys__is_unknown),
        cmocka_unit_test(judge__ports_taken_in_no_process__is_partial),
        cmocka_unit_test(judge__listener_of_another_process__does_not_tell_processes),
        cmocka_unit_test(judge__longest_reason__fits),
        cmocka_unit_test(suits__bytes_differ),
    };
    return cmocka_run_group_tests_name("etw_calibration", tests, NULL, NULL);
}
