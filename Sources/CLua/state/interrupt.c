// Stops and pauses: flags set from anywhere, seen by a count hook and in long C loops.

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "../internal.h"

struct clua_control {
    _Atomic int stop, pause;
    _Atomic int64_t stop_since;  // monotonic milliseconds
    _Atomic bool answered;
};

double monotonic_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

clua_control *clua_control_new(void) { return calloc(1, sizeof(clua_control)); }

void clua_control_free(clua_control *control) { free(control); }

static void set_stop(clua_control *control, clua_stop reason) {
    int running = CLUA_RUNNING;
    int64_t now = (int64_t)(1000 * monotonic_seconds());
    if (atomic_load(&control->stop) == CLUA_RUNNING) {
        atomic_store(&control->stop_since, now);
        atomic_store(&control->answered, false);
    }
    atomic_compare_exchange_strong(&control->stop, &running, (int)reason);
}

void clua_control_request_stop(clua_control *control) { set_stop(control, CLUA_STOP_REQUESTED); }

void control_answer(clua_control *control) { atomic_store(&control->answered, true); }

void control_run_away(clua_control *control) { set_stop(control, CLUA_STOP_RUNAWAY); }

clua_stop clua_control_stop(const clua_control *control) {
    return (clua_stop)atomic_load_explicit(&((clua_control *)control)->stop, memory_order_relaxed);
}

void clua_control_clear_stop(clua_control *control) { atomic_store(&control->stop, CLUA_RUNNING); }

void clua_control_request_pause(clua_control *control) { atomic_store(&control->pause, 1); }

bool clua_control_pausing(const clua_control *control) {
    return atomic_load_explicit(&((clua_control *)control)->pause, memory_order_relaxed) != 0;
}

void clua_control_clear_pause(clua_control *control) { atomic_store(&control->pause, 0); }

double clua_control_stop_age(const clua_control *control) {
    clua_control *mutable = (clua_control *)control;
    if (atomic_load(&mutable->stop) == CLUA_RUNNING || atomic_load(&mutable->answered)) return -1;
    return monotonic_seconds() - 1e-3 * (double)atomic_load(&mutable->stop_since);
}

static void hook(lua_State *L, lua_Debug *activation) {
    if (activation->event != LUA_HOOKCOUNT) return keep_locals_of_returning(L, activation);
    poll_flags(L);
    if (lua_gethookcount(L) != HOOK_COUNT) install_hook(L);  // a stop has passed here and has been answered
}

void install_hook(lua_State *L) {
    int returns = context_of(L)->watching ? LUA_MASKRET : 0;
    lua_sethook(L, hook, LUA_MASKCOUNT | returns, HOOK_COUNT);
}

/// Raises, and sees to it that what runs on the way out (`__close` handlers) ends at its first instruction: otherwise
/// handlers that open further handlers could go on without end.
_Noreturn void raise_stop(lua_State *L) {
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    luaL_checkstack(L, 1, NULL);  // raises by itself where there is no room; the flag stays
    lua_pushlightuserdata(L, (void *)&key_stop);
    lua_error(L);
    abort();  // lua_error does not return
}

void poll_flags(lua_State *L) {
    clua_context *context = context_of(L);
    if (stopping(L)) raise_stop(L);
    if (context->host_calls != context->seen_calls) {
        context->seen_calls = context->host_calls;
        context->seen_at = monotonic_seconds();
    } else if (context->patience > 0 && monotonic_seconds() - context->seen_at > context->patience) {
        control_run_away(context->control);
        raise_stop(L);
    }
}
