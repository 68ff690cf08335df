/* SPDX-License-Identifier: MIT */
/* Windows's tracing sessions as far as one session of one program needs them: the calls of
 * watchers/windows/etw_calls.h, with a script. What is told reaches the reader with the next flush
 * or at the session's end, as in Windows. All functions may be called from any thread. */
#ifndef BERTH_TESTS_FAKE_ETW_H
#define BERTH_TESTS_FAKE_ETW_H

#include "watchers/windows/etw_calls.h"
#include "watchers/windows/etw_trouble.h"

#include <stdbool.h>

/** The calls that can fail or are counted. */
enum fake_etw_call {
    FAKE_ETW_HOLD,
    FAKE_ETW_START,
    FAKE_ETW_STOP,
    FAKE_ETW_ENABLE,
    FAKE_ETW_FLUSH,
    FAKE_ETW_QUERY,
    FAKE_ETW_OPEN,
    FAKE_ETW_CALL_COUNT
};

/** Starts anew, with no session open: everything succeeds, no session is there, nothing has been
 * called. */
void fake_etw_begin(void);

/** Lets a call fail with a Win32 code, `times` times from now on. */
void fake_etw_fail(enum fake_etw_call call, uint32_t code, unsigned times);

/** Puts a session there that a killed daemon left behind. */
void fake_etw_leave_session(void);

/** Tells an event; its data is copied, at most 256 bytes of it. Where the last `enable` of its
 *  provider did not ask for its id, or no session is there, it goes nowhere. */
void fake_etw_tell(const struct berth_etw_event *event);

/** Ends the session, as `logman stop` does; `code` is what the reader then ends with. */
void fake_etw_take_away(uint32_t code);

/** Says how many events found no room: with the next buffer, or when asked. */
void fake_etw_lose(uint64_t by_buffer, uint64_t by_question);

/** Keeps the reader from ending when the session does, until it is let go. */
void fake_etw_hang(bool hangs);

/** Keeps the name from being taken: what holds it waits, until it is let go. */
void fake_etw_block(bool blocks);

/** Lets what is told go nowhere, as a provider does that writes nothing. */
void fake_etw_mute(bool muted);

/** Tells how often a call was made. */
unsigned fake_etw_count(enum fake_etw_call call);

/** Waits until a call was made so often.  @return false: it took 20 s and more */
bool fake_etw_await(enum fake_etw_call call, unsigned count);

/** Waits until all that was told has been read.  @return false: it took 20 s and more */
bool fake_etw_await_read(void);

/** Tells whether a session is there, the name is held, a trace is open, a reader reads. */
bool fake_etw_is_clean(void);

/** Waits until nothing is left of a session.  @return false: it took 20 s and more */
bool fake_etw_await_clean(void);

/** Gives what was last asked of a provider.  @return false: nothing yet */
bool fake_etw_request(enum berth_etw_provider provider, struct berth_etw_request *out);

/** Gives the calls. */
struct berth_etw_calls fake_etw_calls(void);

#endif
