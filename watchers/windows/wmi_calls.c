/* SPDX-License-Identifier: MIT */
#define COBJMACROS
#include <windows.h>

#include <wbemidl.h>

#include "watchers/windows/wmi_calls.h"

#include "base/compiler.h"
#include "base/memory.h"
#include "base/windows/os_text.h"
#include "base/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

/* The answers of WMI that have a meaning here, some of which mingw-w64's headers lack.
 * Source: Microsoft, WMI error constants. */
static const struct {
    uint32_t result;
    enum berth_code code;
    const char *words;
} answers[] = {
    {0x8004100EU, BERTH_NOT_FOUND, "there is no such namespace"},
    {0x80041010U, BERTH_NOT_FOUND, "there is no such class"},
    {0x80041002U, BERTH_NOT_FOUND, "there is no such thing"},
    {0x80041003U, BERTH_DENIED, "access is denied"},
    {0x80070005U, BERTH_DENIED, "access is denied"},
    {0x80041006U, BERTH_NO_MEMORY, "WMI has no memory"},
    {0x8007000EU, BERTH_NO_MEMORY, "there is no memory"},
    {0x80041001U, BERTH_IO, "it failed"},
    {0x80041017U, BERTH_NOT_SUPPORTED, "the query is not accepted"},
    {0x80041033U, BERTH_IO, "WMI is shutting down"},
    {0x8004106CU, BERTH_IO, "a quota of WMI is used up"},
    {0x80040154U, BERTH_NOT_SUPPORTED, "WMI is not installed"},
    {0x80010108U, BERTH_IO, "WMI has ended"},
    {0x800706BAU, BERTH_IO, "WMI does not answer"},
};

static enum berth_code fail_wmi(struct berth_error *err, HRESULT result, const char *what)
{
    char words[256];

    for (size_t i = 0; i < BERTH_COUNT(answers); i++) {
        if (answers[i].result == (uint32_t)result) {
            return berth_fail(err, answers[i].code, (int)result, "%s: %s (0x%08x)", what,
                              answers[i].words, (unsigned)result);
        }
    }
    return berth_fail(err, BERTH_IO, (int)result, "%s: %s", what,
                      berth_os_text(words, sizeof words, (unsigned long)result));
}

/* ---- the thread ---- */

/* Once for a process. Where something else was first (RPC_E_TOO_LATE), its word stands; what that
 * forbids, the questions themselves say. */
static void set_security(void)
{
    (void)CoInitializeSecurity(NULL, -1, NULL, NULL, RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
                               RPC_C_IMP_LEVEL_IMPERSONATE, NULL, EOAC_NONE, NULL);
}

static enum berth_code enter(void **out, struct berth_error *err)
{
    IWbemLocator *locator = NULL;
    HRESULT result = CoInitializeEx(NULL, COINIT_MULTITHREADED);

    if (FAILED(result)) {
        return fail_wmi(err, result, "COM does not start");
    }
    set_security(); /* where it is set already, RPC_E_TOO_LATE: the process has what it has */
    result = CoCreateInstance(&CLSID_WbemLocator, NULL, CLSCTX_INPROC_SERVER, &IID_IWbemLocator,
                              (void **)&locator);
    if (FAILED(result)) {
        CoUninitialize();
        return fail_wmi(err, result, "WMI does not start");
    }
    *out = locator;
    return BERTH_OK;
}

static void leave(void *context)
{
    IWbemLocator *locator = context;

    IWbemLocator_Release(locator);
    CoUninitialize();
}

/* ---- subscriptions ---- */

/* Gives a string of COM; NULL: no memory. */
static BSTR make_bstr(const char *text)
{
    wchar_t *wide = berth_wide(text);
    BSTR string = wide != NULL ? SysAllocString(wide) : NULL;

    berth_free(wide);
    return string;
}

/* Lets a proxy act for this process. An object that is none (E_NOINTERFACE) needs no such thing,
 * and a refusal shows in what is asked of it. */
static void set_blanket(void *proxy)
{
    (void)CoSetProxyBlanket(proxy, RPC_C_AUTHN_WINNT, RPC_C_AUTHZ_NONE, NULL,
                            RPC_C_AUTHN_LEVEL_PKT_PRIVACY, RPC_C_IMP_LEVEL_IMPERSONATE, NULL,
                            EOAC_NONE);
}

static HRESULT connect_to(IWbemLocator *locator, const char *name_space, IWbemServices **out)
{
    BSTR name = make_bstr(name_space);

    if (name == NULL) {
        return E_OUTOFMEMORY;
    }
    /* with the flag, one that hangs is given up after two minutes */
    HRESULT result = IWbemLocator_ConnectServer(locator, name, NULL, NULL, NULL,
                                                WBEM_FLAG_CONNECT_USE_MAX_WAIT, NULL, NULL, out);
    SysFreeString(name);
    if (SUCCEEDED(result)) {
        set_blanket(*out);
    }
    return result;
}

static HRESULT ask_for_events(IWbemServices *services, const char *query,
                              IEnumWbemClassObject **out)
{
    BSTR language = make_bstr("WQL");
    BSTR text = make_bstr(query);
    HRESULT result = E_OUTOFMEMORY;

    if (language != NULL && text != NULL) {
        result = IWbemServices_ExecNotificationQuery(
            services, language, text, WBEM_FLAG_RETURN_IMMEDIATELY | WBEM_FLAG_FORWARD_ONLY, NULL,
            out);
    }
    SysFreeString(language);
    SysFreeString(text);
    if (SUCCEEDED(result)) {
        set_blanket(*out);
    }
    return result;
}

static enum berth_code subscribe(void *context, const struct berth_wmi_query *query, void **out,
                                 struct berth_error *err)
{
    IWbemServices *services = NULL;
    IEnumWbemClassObject *events = NULL;
    HRESULT result = connect_to(context, query->name_space, &services);

    if (FAILED(result)) {
        return fail_wmi(err, result, query->name_space);
    }
    result = ask_for_events(services, query->text, &events);
    IWbemServices_Release(services);
    if (FAILED(result)) {
        return fail_wmi(err, result, "events of WMI");
    }
    *out = events;
    return BERTH_OK;
}

static void unsubscribe(void *context, void *subscription)
{
    IEnumWbemClassObject *events = subscription;

    (void)context;
    IEnumWbemClassObject_Release(events);
}

/* ---- events ---- */

/* Reads a property that is a string; empty where it is none. */
static void read_text(IWbemClassObject *object, const wchar_t *property, char *out, size_t size)
{
    VARIANT value;

    out[0] = '\0';
    VariantInit(&value);
    if (SUCCEEDED(IWbemClassObject_Get(object, property, 0, &value, NULL, NULL)) &&
        V_VT(&value) == VT_BSTR && V_BSTR(&value) != NULL) {
        (void)berth_narrow_into(out, size, V_BSTR(&value));
    }
    (void)VariantClear(&value);
}

/* Gives the instance that an event is about, for Release; NULL: about none. */
static IWbemClassObject *target_of(IWbemClassObject *event)
{
    IWbemClassObject *target = NULL;
    VARIANT value;

    VariantInit(&value);
    if (SUCCEEDED(IWbemClassObject_Get(event, L"TargetInstance", 0, &value, NULL, NULL)) &&
        V_VT(&value) == VT_UNKNOWN && V_UNKNOWN(&value) != NULL) {
        (void)IUnknown_QueryInterface(V_UNKNOWN(&value), &IID_IWbemClassObject, (void **)&target);
    }
    (void)VariantClear(&value);
    return target;
}

/* Nothing else of an event is looked at. */
static void read_event(IWbemClassObject *object, struct berth_wmi_event *out)
{
    IWbemClassObject *target = target_of(object);

    read_text(object, L"__CLASS", out->class_name, sizeof out->class_name);
    if (target != NULL) {
        read_text(target, L"__CLASS", out->target_class, sizeof out->target_class);
        read_text(target, L"Name", out->target_name, sizeof out->target_name);
        IWbemClassObject_Release(target);
    }
}

static enum berth_code next(void *context, void *subscription, struct berth_wmi_event *out,
                            struct berth_error *err)
{
    IEnumWbemClassObject *events = subscription;
    IWbemClassObject *object = NULL;
    ULONG count = 0;
    HRESULT result = IEnumWbemClassObject_Next(events, WBEM_NO_WAIT, 1, &object, &count);

    (void)context;
    if (FAILED(result)) {
        return fail_wmi(err, result, "events of WMI");
    }
    if (count == 0 || object == NULL) {
        /* WBEM_S_FALSE is the end, which a query for events has only when something ended it */
        return result == WBEM_S_FALSE
                   ? berth_fail(err, BERTH_IO, 0, "events of WMI have come to an end")
                   : BERTH_BUSY;
    }
    read_event(object, out);
    IWbemClassObject_Release(object);
    return BERTH_OK;
}

const struct berth_wmi_calls berth_wmi_calls = {
    .enter = enter,
    .leave = leave,
    .subscribe = subscribe,
    .next = next,
    .unsubscribe = unsubscribe,
};
