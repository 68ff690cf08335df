/* SPDX-License-Identifier: MIT */
/* The real calls beneath the TCP table: bound endpoints by a function played here, as Wine has
 * none, and processes. */
#include <windows.h>

#include "tests/support/cmocka_all.h"
#include "watchers/windows/process.h"
#include "watchers/windows/tcp_calls.h"

static struct {
    ULONG result;
    DWORD count; /* of rows; ~0: no table at all */
} os;

static unsigned long __stdcall fake_bound(void **table, void *heap, unsigned long flags)
{
    size_t size = 4 + os.count * berth_tcp_rows_row_size(BERTH_TCP_ROWS_BOUND4);

    assert_ptr_equal(heap, GetProcessHeap());
    assert_int_equal(flags, 0);
    if (os.result != 0 || os.count == UINT32_MAX) {
        *table = NULL;
        return os.result;
    }
    *table = HeapAlloc(heap, 0, size);
    assert_non_null(*table);
    memset(*table, 0x11, size);
    memcpy(*table, &os.count, sizeof os.count);
    return 0;
}

static void bound__copied__has_the_rows_and_their_size(void **state)
{
    unsigned char buffer[4 + 3 * 28];
    uint32_t size = sizeof buffer;
    uint32_t count;

    (void)state;
    os.result = 0;
    os.count = 3;
    assert_int_equal(berth_tcp_calls_copy_bound(fake_bound, BERTH_TCP_ROWS_BOUND4, buffer, &size),
                     0);
    assert_int_equal(size, sizeof buffer);
    memcpy(&count, buffer, sizeof count);
    assert_int_equal(count, 3);
    assert_int_equal(buffer[sizeof buffer - 1], 0x11);
    os.count = 4;
    assert_int_equal(berth_tcp_calls_copy_bound(fake_bound, BERTH_TCP_ROWS_BOUND4, buffer, &size),
                     ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(size, 4 + 4 * 28);
}

static void bound__none_or_refused__is_empty_or_its_code(void **state)
{
    uint32_t number = 4711;
    uint32_t size = sizeof number;

    (void)state;
    os.result = 0;
    os.count = UINT32_MAX;
    assert_int_equal(berth_tcp_calls_copy_bound(fake_bound, BERTH_TCP_ROWS_BOUND4, &number, &size),
                     0);
    assert_int_equal(number, 0);
    assert_int_equal(size, 4);
    os.result = ERROR_ACCESS_DENIED;
    assert_int_equal(berth_tcp_calls_copy_bound(fake_bound, BERTH_TCP_ROWS_BOUND4, &number, &size),
                     ERROR_ACCESS_DENIED);
}

/* What the system exports decides, not which system it is. */
static void real_calls__list_bound_sockets__where_both_functions_are_exported(void **state)
{
    HMODULE library = GetModuleHandleW(L"iphlpapi.dll");
    bool exported = GetProcAddress(library, "InternalGetBoundTcpEndpointTable") != NULL &&
                    GetProcAddress(library, "InternalGetBoundTcp6EndpointTable") != NULL;

    (void)state;
    assert_int_equal(berth_tcp_calls_real().lists_bound, exported);
    assert_int_equal(berth_tcp_calls_real().own_process_id, GetCurrentProcessId());
}

static void process__this_one__has_its_name_and_an_age(void **state)
{
    uint64_t created = 0;
    FILETIME now;
    char image[260];
    void *process = berth_process_open(GetCurrentProcessId(), &created);

    (void)state;
    assert_non_null(process);
    GetSystemTimeAsFileTime(&now);
    assert_true(created != 0 &&
                created <= ((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime));
    assert_true(berth_process_image(process, image, sizeof image));
    assert_string_equal(image, "test_contract_windows_tcp_calls.exe");
    assert_true(berth_process_image(process, image, 5));
    assert_string_equal(image, "test");
    berth_process_close(process);
}

static void process__that_is_none__is_not_opened(void **state)
{
    uint64_t created;

    (void)state;
    assert_null(berth_process_open(0, &created));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bound__copied__has_the_rows_and_their_size),
        cmocka_unit_test(bound__none_or_refused__is_empty_or_its_code),
        cmocka_unit_test(real_calls__list_bound_sockets__where_both_functions_are_exported),
        cmocka_unit_test(process__this_one__has_its_name_and_an_age),
        cmocka_unit_test(process__that_is_none__is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
