// coroutine.resume, wrap and close: a stop that ends a coroutine goes on in the one that resumed it.

#include "../internal.h"

/// Nested closings allowed: lua_resetthread in 5.4.4 does not count C levels from the thread that calls it.
#define CLOSING_LIMIT 100

static lua_State *check_thread(lua_State *L) {
    lua_State *thread = lua_tothread(L, 1);
    luaL_argexpected(L, thread != NULL, 1, "coroutine");
    return thread;
}

static bool is_finished(lua_State *thread) { return lua_status(thread) == LUA_OK && lua_gettop(thread) == 0; }

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
    if (is_finished(thread)) {
        lua_pushliteral(L, "cannot resume dead coroutine");
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

/// True if the thread is neither running nor has resumed the one that is.
static bool can_close(lua_State *L, lua_State *thread) {
    if (thread == L) return false;
    if (lua_status(thread) == LUA_YIELD) return true;
    lua_Debug activation;
    return lua_status(thread) != LUA_OK || lua_getstack(thread, 0, &activation) == 0;
}

static int coroutine_close(lua_State *L) {
    lua_State *thread = check_thread(L);
    if (!can_close(L, thread)) return luaL_error(L, "cannot close a running or normal coroutine");
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

void open_coroutines(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"resume", coroutine_resume}, {"wrap", coroutine_wrap}, {"close", coroutine_close}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
