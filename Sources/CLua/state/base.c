// Our versions of functions of the base library: protected calls that let a stop through, `load` for text only in the sandbox and
// metatables without finalizers there, `print` to the host.

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
    if (!context_of(L)->trusted) {  // a trusted script's handler sees the frames that it would see in Lua
        lua_pushvalue(L, 2);
        lua_pushcclosure(L, guarded_handler, 1);
        lua_replace(L, 2);
    }
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);  // function, handler, true, function, arguments…
    int status = lua_pcallk(L, arguments, LUA_MULTRET, 2, 2, finish_protected);
    return finish_protected(L, status, 2);
}

// MARK: load

/// Stack slots of `load`; the piece that was read last is kept at PIECE.
enum { LOAD_CHUNK = 1, LOAD_NAME = 2, LOAD_MODE = 3, LOAD_ENVIRONMENT = 4, PIECE = 5 };

static const char refused_chunk[] = "attempt to load a binary chunk (mode is 't')";

/// Bytecode can do anything to the interpreter that loads it: a sandboxed script loads text, whatever mode it asks for.
static bool is_refused(lua_State *L, const char *text, size_t length) {
    return !context_of(L)->trusted && length > 0 && text[0] == LUA_SIGNATURE[0];
}

/// Reads the next piece from the function at LOAD_CHUNK. `begun` is the reader's: whether a piece has been read.
static const char *read_piece(lua_State *L, void *begun, size_t *length) {
    poll_flags(L);
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, LOAD_CHUNK);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        *length = 0;
        return NULL;
    }
    if (!lua_isstring(L, -1)) luaL_error(L, "reader function must return a string");
    lua_replace(L, PIECE);
    const char *text = lua_tolstring(L, PIECE, length);
    bool *has_begun = begun;
    if (!*has_begun && is_refused(L, text, *length)) {
        lua_pushstring(L, refused_chunk);
        lua_error(L);
    }
    *has_begun = true;
    return text;
}

/// load(chunk [, name [, mode [, environment]]])
static int base_load(lua_State *L) {
    bool has_environment = !lua_isnone(L, LOAD_ENVIRONMENT);
    const char *mode = luaL_optstring(L, LOAD_MODE, "bt");
    size_t length;
    const char *text = lua_tolstring(L, LOAD_CHUNK, &length);
    int status;
    if (text != NULL) {
        const char *name = luaL_optstring(L, LOAD_NAME, text);
        lua_settop(L, PIECE);
        if (is_refused(L, text, length)) {
            lua_pushstring(L, refused_chunk);
            status = LUA_ERRSYNTAX;
        } else {
            status = luaL_loadbufferx(L, text, length, name, mode);
        }
    } else {
        const char *name = luaL_optstring(L, LOAD_NAME, "=(load)");
        luaL_checktype(L, LOAD_CHUNK, LUA_TFUNCTION);
        lua_settop(L, PIECE);
        bool begun = false;
        status = lua_load(L, read_piece, &begun, name, mode);
    }
    if (stopping(L)) raise_stop(L);
    if (status == LUA_ERRMEM) return lua_error(L);  // the script's end, not a fault of the chunk
    if (status != LUA_OK) {
        luaL_pushfail(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_environment) {
        lua_pushvalue(L, LOAD_ENVIRONMENT);
        if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
    }
    return 1;
}

// MARK: metatables, memory, output

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

/// collectgarbage([option [, …]]): Lua's own. A script may stop the collector: where the memory limit is reached Lua collects
/// all the same.
static int base_collectgarbage(lua_State *L) {
    static const char *const names[] = {"stop",       "restart",   "collect",      "count",       "step", "setpause",
                                        "setstepmul", "isrunning", "generational", "incremental", NULL};
    static const int options[] = {LUA_GCSTOP,       LUA_GCRESTART,   LUA_GCCOLLECT, LUA_GCCOUNT, LUA_GCSTEP, LUA_GCSETPAUSE,
                                  LUA_GCSETSTEPMUL, LUA_GCISRUNNING, LUA_GCGEN,     LUA_GCINC};
    int option = options[luaL_checkoption(L, 1, "collect", names)];
    int first = (int)luaL_optinteger(L, 2, 0), second = 0, third = 0;
    if (option == LUA_GCGEN || option == LUA_GCINC) second = (int)luaL_optinteger(L, 3, 0);
    if (option == LUA_GCINC) third = (int)luaL_optinteger(L, 4, 0);
    int result = lua_gc(L, LUA_GCISRUNNING);
    if (result != -1) {  // else a finalizer asks
        if (option == LUA_GCCOLLECT) {
            clua_collect(L);
            result = 0;
        } else {
            result = lua_gc(L, option, first, second, third);
        }
    }
    if (result == -1) luaL_pushfail(L);
    else if (option == LUA_GCCOUNT) lua_pushnumber(L, result + (lua_Number)lua_gc(L, LUA_GCCOUNTB) / 1024);
    else if (option == LUA_GCSTEP || option == LUA_GCISRUNNING) lua_pushboolean(L, result);
    else if (option == LUA_GCGEN || option == LUA_GCINC) lua_pushstring(L, result == LUA_GCINC ? "incremental" : "generational");
    else lua_pushinteger(L, result);
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
