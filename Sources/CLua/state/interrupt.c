// Stops and pauses: flags set from anywhere. Lua looks at them where it calls the host, in long C loops, and in a hook that is
// there only while a stop is asked for.

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "../internal.h"

struct clua_control {
    _Atomic int stop, pause;
    _Atomic int64_t stop_since;  // monotonic milliseconds
    _Atomic int64_t pause_until;  // likewise: then a pause that Lua does not come to becomes a stop
    _Atomic bool answered;
};

static int64_t monotonic_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1000 * (int64_t)now.tv_sec + now.tv_nsec / 1000000;
}

clua_control *clua_control_new(void) { return calloc(1, sizeof(clua_control)); }

void clua_control_free(clua_control *control) { free(control); }

static void set_stop(clua_control *control, clua_stop reason) {
    int running = CLUA_RUNNING;
    if (atomic_load(&control->stop) == CLUA_RUNNING) {
        atomic_store(&control->stop_since, monotonic_milliseconds());
        atomic_store(&control->answered, false);
    }
    atomic_compare_exchange_strong(&control->stop, &running, (int)reason);
}

void clua_control_request_stop(clua_control *control) {
    set_stop(control, CLUA_STOP_REQUESTED);
    ticker_ring();
}

void control_answer(clua_control *control) { atomic_store(&control->answered, true); }

void control_run_away(clua_control *control) { set_stop(control, CLUA_STOP_RUNAWAY); }

clua_stop clua_control_stop(const clua_control *control) {
    return (clua_stop)atomic_load_explicit(&((clua_control *)control)->stop, memory_order_relaxed);
}

void clua_control_clear_stop(clua_control *control) { atomic_store(&control->stop, CLUA_RUNNING); }

void clua_control_request_pause(clua_control *control, double patience) {
    int64_t until = patience < 1e9 ? monotonic_milliseconds() + (int64_t)(1000 * patience) : INT64_MAX;
    atomic_store(&control->pause_until, until);
    atomic_store(&control->pause, 1);
    ticker_ring();
}

bool control_has_waited(clua_control *control) { return monotonic_milliseconds() >= atomic_load(&control->pause_until); }

bool clua_control_pausing(const clua_control *control) {
    return atomic_load_explicit(&((clua_control *)control)->pause, memory_order_relaxed) != 0;
}

void clua_control_clear_pause(clua_control *control) { atomic_store(&control->pause, 0); }

double clua_control_stop_age(const clua_control *control) {
    clua_control *mutable = (clua_control *)control;
    if (atomic_load(&mutable->stop) == CLUA_RUNNING || atomic_load(&mutable->answered)) return -1;
    return 1e-3 * (double)(monotonic_milliseconds() - atomic_load(&mutable->stop_since));
}

/// A coroutine keeps the hook that it had when a stop ended another one: it goes when it is called.
static void hook(lua_State *L, lua_Debug *activation) {
    (void)activation;
    if (stopping(L)) raise_stop(L);
    lua_sethook(L, NULL, 0, 0);
}

// At instructions alone: a hook at calls would also end the shim's own protected calls, which the host still needs.
void arm_hook(lua_State *L) { lua_sethook(L, hook, LUA_MASKCOUNT, 1); }

/// Raises, and sees to it that what runs on the way out (`__close` handlers) ends at its first instruction: otherwise
/// handlers that open further handlers could go on without end.
_Noreturn void raise_stop(lua_State *L) {
    arm_hook(L);
    // Where there is no room, what stands on top goes up in its stead: it is the flag that tells, not the value.
    if (lua_checkstack(L, 1)) lua_pushlightuserdata(L, (void *)&key_stop);
    lua_error(L);
    abort();  // lua_error does not return
}
