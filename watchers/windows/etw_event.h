/* SPDX-License-Identifier: MIT */
/* One event of Windows's event tracing (ETW) as plain data, and the providers that Berth listens
 * to. No windows.h: what events mean is worked out and tested on every system.
 *
 * @source Microsoft, EVENT_HEADER, EVENT_RECORD; the providers' manifests */
#ifndef BERTH_WATCHERS_WINDOWS_ETW_EVENT_H
#define BERTH_WATCHERS_WINDOWS_ETW_EVENT_H

#include <stddef.h>
#include <stdint.h>

/** Who tells. */
enum berth_etw_provider {
    BERTH_ETW_LOSS,              /* the session itself: events did not arrive (RT_LostEvent) */
    BERTH_ETW_TCPIP,             /* Microsoft-Windows-TCPIP */
    BERTH_ETW_HTTP_SERVICE,      /* Microsoft-Windows-HttpService: http.sys */
    BERTH_ETW_IIS_CONFIGURATION, /* Microsoft-Windows-IIS-Configuration */
    BERTH_ETW_PROVIDER_COUNT     /* of an event: somebody else */
};

/** A GUID in the parts in which it is written: {a-b-c-d0 d1-d2 … d7}. */
struct berth_etw_guid {
    uint32_t a;
    uint16_t b;
    uint16_t c;
    uint8_t d[8];
};

struct berth_etw_event {
    uint8_t provider;     /* enum berth_etw_provider */
    uint8_t version;      /* of the layout of `data` */
    uint8_t opcode;       /* what BERTH_ETW_LOSS tells by; of others of no interest */
    uint8_t pointer_size; /* of pointers in `data`: 4, 8; 0: not known */
    uint16_t id;
    uint32_t process_id; /* in whose context it was written: mostly, not surely, who did it */
    uint64_t time_ns;    /* on the clock of uv_hrtime(); 0: not known */
    const uint8_t *data; /* packed, without padding; valid only while it is being told */
    size_t size;         /* of it in bytes */
};

/** Gives a provider's GUID.  @param[in] provider  not COUNT  @return a constant  @thread any */
const struct berth_etw_guid *berth_etw_provider_guid(enum berth_etw_provider provider);

/** Gives a provider's name, as `logman query providers` shows it.  @return a constant */
const char *berth_etw_provider_name(enum berth_etw_provider provider);

/** Finds the provider of a GUID.  @return COUNT: none of these  @thread any */
enum berth_etw_provider berth_etw_provider_of(const struct berth_etw_guid *guid);

#endif
