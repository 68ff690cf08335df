/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "watchers/windows/hint_rules.h"

#include <stdio.h>

#define IIS BERTH_HINT_BIT(BERTH_SOURCE_IIS)
#define TCP BERTH_HINT_BIT(BERTH_SOURCE_TCP)
#define HTTP BERTH_HINT_BIT(BERTH_SOURCE_HTTPSYS)
#define EXCLUDED BERTH_HINT_BIT(BERTH_SOURCE_EXCLUDED)

static void event__of_a_url__concerns_what_listens_there(void **state)
{
    static const uint16_t registered[] = {31, 32, 33, 113, 114, 115};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(registered); i++) {
        assert_int_equal(berth_hint_of_event(BERTH_HINT_HTTP_EVENTS, registered[i]),
                         HTTP | TCP | EXCLUDED);
    }
    assert_int_equal(berth_hint_of_event(BERTH_HINT_HTTP_EVENTS, 18), HTTP);
    assert_int_equal(berth_hint_of_event(BERTH_HINT_HTTP_EVENTS, 112), HTTP);
}

static void event__of_a_commit__concerns_iis(void **state)
{
    (void)state;
    assert_int_equal(berth_hint_of_event(BERTH_HINT_IIS_EVENTS, 29), IIS);
    assert_int_equal(berth_hint_of_event(BERTH_HINT_IIS_EVENTS, 50), IIS);
    assert_int_equal(berth_hint_of_event(BERTH_HINT_IIS_EVENTS, 55), IIS);
}

/* They carry passwords. */
static void events_14_and_16__are_neither_asked_for_nor_known(void **state)
{
    size_t count;
    const uint16_t *ids = berth_hint_event_ids(BERTH_HINT_IIS_EVENTS, &count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(ids[i] != 14 && ids[i] != 16);
    }
    assert_int_equal(berth_hint_of_event(BERTH_HINT_IIS_EVENTS, 14), 0);
    assert_int_equal(berth_hint_of_event(BERTH_HINT_IIS_EVENTS, 16), 0);
}

/* What is asked for is what means something, no more and no less, within what a filter takes. */
static void event_ids__are_those_of_the_rules(void **state)
{
    static const enum berth_hint_facility facilities[] = {BERTH_HINT_HTTP_EVENTS,
                                                          BERTH_HINT_IIS_EVENTS};

    (void)state;
    for (size_t f = 0; f < BERTH_COUNT(facilities); f++) {
        size_t count;
        size_t found = 0;
        const uint16_t *ids = berth_hint_event_ids(facilities[f], &count);
        assert_in_range(count, 1, 64);
        for (unsigned id = 0; id <= UINT16_MAX; id++) {
            bool known = berth_hint_of_event(facilities[f], (uint16_t)id) != 0;
            bool asked = found < count && ids[found] == id;
            assert_int_equal(known, asked);
            found += asked;
        }
        assert_int_equal(found, count);
    }
}

static void event__of_another_facility__is_nothing(void **state)
{
    size_t count = 7;

    (void)state;
    assert_int_equal(berth_hint_of_event(BERTH_HINT_WMI_SITES, 31), 0);
    assert_null(berth_hint_event_ids(BERTH_HINT_WMI_SITES, &count));
    assert_int_equal(count, 0);
    assert_int_equal(berth_hint_of_event(BERTH_HINT_IIS_EVENTS, 31), 0);
}

static unsigned of_service(const char *name)
{
    struct berth_wmi_event event = {.class_name = "__InstanceModificationEvent",
                                    .target_class = "Win32_Service"};

    (void)snprintf(event.target_name, sizeof event.target_name, "%s", name);
    return berth_hint_of_wmi(&event);
}

static void wmi__service__concerns_what_hangs_on_it(void **state)
{
    static const struct {
        const char *name;
        unsigned sources;
    } cases[] = {
        {"W3SVC", IIS | HTTP | TCP},
        {"WAS", HTTP | TCP},
        {"HTTP", HTTP | TCP | EXCLUDED},
        {"winnat", TCP | EXCLUDED},
        {"WinNat", TCP | EXCLUDED},
        {"hns", TCP | EXCLUDED},
        {"FTPSVC", TCP},
        {"NetTcpPortSharing", TCP},
        {"Spooler", 0},
        {"", 0},
        {"W3SVC2", 0},
        {"W3SV", 0},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        assert_int_equal(of_service(cases[i].name), cases[i].sources);
    }
}

static void wmi__each_service_of_the_query__is_known(void **state)
{
    size_t count = 0;
    const char *name;

    (void)state;
    while ((name = berth_hint_service(count)) != NULL) {
        assert_true(of_service(name) != 0);
        assert_null(strchr(name, '\'')); /* it goes into WQL as it is */
        count++;
    }
    assert_true(count >= 7);
}

static void wmi__process_end_and_site__concern_tcp_and_iis(void **state)
{
    const struct berth_wmi_event ended = {.class_name = "Win32_ProcessStopTrace"};
    const struct berth_wmi_event site = {.class_name = "__InstanceCreationEvent",
                                         .target_class = "Site",
                                         .target_name = "Win32_Service"};

    (void)state;
    assert_int_equal(berth_hint_of_wmi(&ended), TCP);
    assert_int_equal(berth_hint_of_wmi(&site), IIS | HTTP | TCP);
}

static void wmi__anything_else__is_nothing(void **state)
{
    const struct berth_wmi_event empty = {.class_name = ""};
    const struct berth_wmi_event other = {.class_name = "__InstanceModificationEvent",
                                          .target_class = "Win32_LogicalDisk",
                                          .target_name = "W3SVC"};

    (void)state;
    assert_int_equal(berth_hint_of_wmi(&empty), 0);
    assert_int_equal(berth_hint_of_wmi(&other), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event__of_a_url__concerns_what_listens_there),
        cmocka_unit_test(event__of_a_commit__concerns_iis),
        cmocka_unit_test(events_14_and_16__are_neither_asked_for_nor_known),
        cmocka_unit_test(event_ids__are_those_of_the_rules),
        cmocka_unit_test(event__of_another_facility__is_nothing),
        cmocka_unit_test(wmi__service__concerns_what_hangs_on_it),
        cmocka_unit_test(wmi__each_service_of_the_query__is_known),
        cmocka_unit_test(wmi__process_end_and_site__concern_tcp_and_iis),
        cmocka_unit_test(wmi__anything_else__is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
