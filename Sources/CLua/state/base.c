// Our versions of functions of the base library: protected calls that let a stop through, `load` for text only,
// metatables without finalizers, a collector that cannot be switched off, `print` to the host.

#include <string.h>

#include "../internal.h"

/// Ends pcall and xpcall, also after a yield inside of them. Below the results stand `extra` values and `true`.
static int finish_protected(lua_State *L, int status, lua_KContext extra) {
    if (stopping(L)) raise_stop(L);
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)extra;
    context_of(L)->coroutine_traceback[0] = '\0';  // that error is caught
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int base_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_protected);
    return finish_protected(L, status, 0);
}

/// The handler that xpcall installs: the script's own (upvalue 1) never sees a stop. It would run with hooks off, since a stop
/// is raised in a hook, and so could never be stopped itself.
static int guarded_handler(lua_State *L) {
    if (stopping(L)) return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int base_xpcall(lua_State *L) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int arguments = lua_gettop(L) - 2;
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, guarded_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);  // function, handler, true, function, arguments…
    int status = lua_pcallk(L, arguments, LUA_MULTRET, 2, 2, finish_protected);
    return finish_protected(L, status, 2);
}

/// Pushes the concatenation of what the function at `index` returns until nil or "".
static void read_pieces(lua_State *L, int index) {
    luaL_Buffer pieces;
    luaL_buffinit(L, &pieces);
    for (;;) {
        poll_flags(L);
        luaL_checkstack(L, 2, "too many nested functions");
        lua_pushvalue(L, index);
        lua_call(L, 0, 1);
        if (lua_isnil(L, -1)) break;
        if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "reader function must return a string");
        if (lua_rawlen(L, -1) == 0) break;
        luaL_addvalue(&pieces);
    }
    lua_pop(L, 1);
    luaL_pushresult(&pieces);
}

/// load(chunk [, name [, mode [, environment]]]), for text whatever `mode` says.
static int base_load(lua_State *L) {
    bool has_environment = !lua_isnone(L, 4);
    const char *mode = luaL_optstring(L, 3, "t");
    luaL_argcheck(L, strchr(mode, 't') != NULL, 3, "only text chunks can be loaded");
    lua_settop(L, 4);
    const char *name;
    if (lua_type(L, 1) == LUA_TSTRING) {
        name = luaL_optstring(L, 2, lua_tostring(L, 1));
    } else {
        luaL_checktype(L, 1, LUA_TFUNCTION);
        name = luaL_optstring(L, 2, "=(load)");
        read_pieces(L, 1);
        lua_replace(L, 1);
    }
    size_t length;
    const char *text = lua_tolstring(L, 1, &length);
    int status = luaL_loadbufferx(L, text, length, name, "t");
    if (status == LUA_ERRMEM) return lua_error(L);
    if (status != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_environment) {
        lua_pushvalue(L, 4);
        if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
    }
    return 1;
}

/// setmetatable(table, metatable). A `__gc` of a script would run inside the collector with hooks off: no stop could reach it.
static int base_setmetatable(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    lua_settop(L, 2);
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
    if (!context_of(L)->trusted && lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "a script cannot set finalizers ('__gc')");
        lua_pop(L, 1);
    }
    lua_setmetatable(L, 1);
    return 1;
}

static int base_collectgarbage(lua_State *L) {
    static const char *const names[] = {"collect", "count", "step", NULL};
    const char *option = luaL_optstring(L, 1, "collect");
    if (strcmp(option, "count") == 0) {
        lua_pushnumber(L, (double)context_of(L)->used / 1024);
        return 1;
    }
    if (strcmp(option, "step") == 0) {
        lua_pushboolean(L, lua_gc(L, LUA_GCSTEP, 0));
        return 1;
    }
    if (strcmp(option, "collect") != 0) return luaL_checkoption(L, 1, NULL, names);  // raises, naming the option
    clua_collect(L);
    lua_pushinteger(L, 0);
    return 1;
}

static int base_print(lua_State *L) {
    int count = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
        if (i > 1) luaL_addchar(&line, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    clua_context *context = context_of(L);
    cross(context);
    int failure = context->host.print(context->owner, text, length);
    cross(context);
    if (failure != 0) return luaL_error(L, "print cannot write: %s", strerror(failure));
    return 0;
}

void open_base(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"pcall", base_pcall},
        {"xpcall", base_xpcall},
        {"load", base_load},
        {"setmetatable", base_setmetatable},
        {"collectgarbage", base_collectgarbage},
        {"print", base_print},
        {NULL, NULL},
    };
    lua_pushglobaltable(L);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
