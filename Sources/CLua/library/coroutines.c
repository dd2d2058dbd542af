// coroutine.resume, wrap and close: a stop that ends a coroutine goes on in the one that resumed it. coroutine.yield, which says
// where it cannot be.

#include "../internal.h"

/// Nested closings allowed: lua_resetthread in 5.4.4 does not count C levels from the thread that calls it.
#define CLOSING_LIMIT 100

static lua_State *check_thread(lua_State *L) {
    lua_State *thread = lua_tothread(L, 1);
    luaL_argexpected(L, thread != NULL, 1, "thread");
    return thread;
}

/// Marks a coroutine that a stop has ended. The stop was raised in a hook, and Lua leaves hooks off on that coroutine for good: no
/// further stop could reach a `__close` handler that ran on it.
static void mark_stopped(lua_State *thread) {
    lua_pop(thread, 1);  // the error value
    lua_pushlightuserdata(thread, (void *)&key_stop);
    lua_sethook(thread, NULL, 0, 0);
}

static bool is_stopped(lua_State *thread) {
    int status = lua_status(thread);
    return status != LUA_OK && status != LUA_YIELD && lua_touserdata(thread, -1) == &key_stop;
}

/// Moves `arguments` values to `thread` and lets it run. Returns how many results have been moved back, or -1 with the error
/// value on top.
static int resume(lua_State *L, lua_State *thread, int arguments) {
    if (!lua_checkstack(thread, arguments)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, thread, arguments);
    clua_context *context = context_of(L);
    lua_State *running = context->running;
    context->running = thread;
    int results = 0;
    int status = lua_resume(thread, L, arguments, &results);
    context->running = running;
    if (stopping(L)) {
        if (status != LUA_OK && status != LUA_YIELD) mark_stopped(thread);
        raise_stop(L);
    }
    if (status == LUA_OK || status == LUA_YIELD) {
        if (lua_checkstack(L, results + 1)) {
            lua_xmove(thread, L, results);
            return results;
        }
        lua_pop(thread, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    luaL_checkstack(L, 1, NULL);
    lua_xmove(thread, L, 1);
    return -1;
}

static int coroutine_resume(lua_State *L) {
    lua_State *thread = check_thread(L);
    int results = resume(L, thread, lua_gettop(L) - 1);
    bool ended_well = results >= 0;
    context_of(L)->coroutine_traceback[0] = '\0';  // an inner error, if any, is caught here
    lua_pushboolean(L, ended_well);
    int count = ended_well ? results + 1 : 2;
    lua_insert(L, -count);
    return count;
}

/// Closes what the thread left open. Returns false with the error value on top of `thread`.
static bool close_thread(lua_State *L, lua_State *thread) {
    clua_context *context = context_of(L);
    if (context->closing_depth >= CLOSING_LIMIT) luaL_error(L, "C stack overflow (coroutines closing coroutines)");
    lua_State *running = context->running;
    context->closing_depth++;
    context->running = thread;
    int status = lua_resetthread(thread);
    context->running = running;
    context->closing_depth--;
    if (stopping(L)) raise_stop(L);
    return status == LUA_OK;
}

static int wrapped(lua_State *L) {
    lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
    int results = resume(L, thread, lua_gettop(L));
    if (results >= 0) return results;
    int status = lua_status(thread);
    note_coroutine_traceback(L, thread);
    if (status != LUA_OK && status != LUA_YIELD && !close_thread(L, thread)) {
        lua_pop(L, 1);
        luaL_checkstack(L, 1, NULL);
        lua_xmove(thread, L, 1);  // an error of a closing handler takes the place of the first
    }
    if (lua_type(L, -1) == LUA_TSTRING && status != LUA_ERRMEM) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int coroutine_wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *thread = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, thread, 1);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

/// What a coroutine does, as coroutine.status has it; null if it can be closed.
static const char *unclosable(lua_State *L, lua_State *thread) {
    if (thread == L) return "running";
    lua_Debug activation;
    if (lua_status(thread) == LUA_OK && lua_getstack(thread, 0, &activation) != 0) return "normal";
    return NULL;
}

static int coroutine_close(lua_State *L) {
    lua_State *thread = check_thread(L);
    const char *activity = unclosable(L, thread);
    if (activity != NULL) return luaL_error(L, "cannot close a %s coroutine", activity);
    if (is_stopped(thread)) {
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "stopped");
        return 2;
    }
    if (close_thread(L, thread)) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    luaL_checkstack(L, 1, NULL);
    lua_xmove(thread, L, 1);
    return 2;
}

/// Pushes the name of the innermost function of C that is being called, beside the one that asks, and where it was called; false where
/// there is none.
static bool push_crossed_call(lua_State *L) {
    lua_Debug activation, caller;
    for (int level = 1; lua_getstack(L, level, &activation); level++) {
        lua_getinfo(L, "Sn", &activation);
        if (activation.what[0] != 'C') continue;
        const char *name = activation.name != NULL ? activation.name : "?";
        if (lua_getstack(L, level + 1, &caller) && lua_getinfo(L, "Sl", &caller) && caller.currentline > 0)
            lua_pushfstring(L, "'%s', called at %s:%d,", name, caller.short_src, caller.currentline);
        else lua_pushfstring(L, "'%s'", name);
        return true;
    }
    return false;
}

/// coroutine.yield, whose error says, after Lua's own words, what cannot be left and come back to.
static int coroutine_yield(lua_State *L) {
    if (lua_isyieldable(L)) return lua_yield(L, lua_gettop(L));
    bool outside = lua_pushthread(L) != 0;
    if (outside || !push_crossed_call(L)) {
        lua_pushstring(L, outside ? "attempt to yield from outside a coroutine" : "attempt to yield across a C-call boundary");
        return lua_error(L);
    }
    lua_pushfstring(L,
                    "attempt to yield across a C-call boundary: %s must return before the coroutine that called it can yield "
                    "(a coroutine made in the function that it calls back may yield there)",
                    lua_tostring(L, -1));
    return lua_error(L);
}

void open_coroutines(lua_State *L) {
    static const luaL_Reg functions[] = {{"resume", coroutine_resume},
                                         {"wrap", coroutine_wrap},
                                         {"close", coroutine_close},
                                         {"yield", coroutine_yield},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
