// The library a script sees.
//
// A sandboxed state has the standard library without what reaches files, processes, bytecode or the internals of Lua,
// and with our own versions of what could loop without end in C or catch a stop. A trusted state has all of it, still with
// the latter.

#include <stdio.h>
#include <string.h>

#include "../internal.h"

static const luaL_Reg safe_libraries[] = {
    {LUA_GNAME, luaopen_base},       {LUA_COLIBNAME, luaopen_coroutine}, {LUA_TABLIBNAME, luaopen_table},
    {LUA_STRLIBNAME, luaopen_string}, {LUA_UTF8LIBNAME, luaopen_utf8},    {LUA_MATHLIBNAME, luaopen_math},
    {LUA_OSLIBNAME, luaopen_os},     {NULL, NULL},
};

/// What a sandboxed script may use of the base library, beside what `open_base` defines.
static const char *const base_kept[] = {
    "_G",     "_VERSION", "assert",  "error",  "getmetatable", "ipairs",   "next",     "pairs",
    "rawequal", "rawget",  "rawlen",  "rawset", "select",       "tonumber", "tostring", "type",
    "coroutine", "table",  "string",  "utf8",   "math",         "os",       NULL,
};

static const char *const os_kept[] = {"clock", "date", "difftime", "time", NULL};

static bool listed(const char *name, const char *const *list) {
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0) return true;
    return false;
}

/// Removes from the table on top what is not listed.
static void keep_only(lua_State *L, const char *const *list) {
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && listed(lua_tostring(L, -1), list)) continue;
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, -4);  // clearing a field is allowed while traversing
    }
}

/// os.date([format [, time]]), Lua's own, which no stop could interrupt on a format of megabytes.
static int os_date(lua_State *L) {
    size_t length;
    luaL_argcheck(L, (luaL_optlstring(L, 1, "", &length), length <= 4096), 1, "format too long (4096 bytes at most)");
    return lua_tocfunction(L, lua_upvalueindex(1))(L);  // in this call's frame, so that its errors name `date`
}

static void open_os(lua_State *L) {
    keep_only(L, os_kept);
    lua_getfield(L, -1, "date");
    lua_pushcclosure(L, os_date, 1);
    lua_setfield(L, -2, "date");
}

/// What `warn` calls: writes to the standard error, once a script has turned warnings on.
static void warn(void *owner, const char *message, int continues) {
    clua_context *context = owner;
    if (!context->in_warning && !continues && message[0] == '@') {
        if (strcmp(message, "@on") == 0) context->warns = true;
        if (strcmp(message, "@off") == 0) context->warns = false;
        return;
    }
    if (context->warns) {
        if (!context->in_warning) lua_writestringerror("%s", "Lua warning: ");
        lua_writestringerror("%s", message);
        if (!continues) lua_writestringerror("%s", "\n");
    }
    context->in_warning = continues != 0;
}

/// Lets `library` (a table among the globals) be amended by `amend`.
static void amend(lua_State *L, const char *library, void (*amend)(lua_State *)) {
    lua_getglobal(L, library);
    amend(L);
    lua_pop(L, 1);
}

static const char random_key;

/// The generator of `math.random`, null where this Lua keeps none of this form. Raises nothing.
static void *random_state(lua_State *L) {
    if (!lua_checkstack(L, 1)) return NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &random_key);
    void *state = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return state;
}

bool clua_get_random(lua_State *L, clua_random_state *state) {
    void *own = random_state(L);
    if (own != NULL) memcpy(state, own, sizeof *state);
    return own != NULL;
}

bool clua_set_random(lua_State *L, const clua_random_state *state) {
    void *own = random_state(L);
    if (own != NULL) memcpy(own, state, sizeof *state);
    return own != NULL;
}

void open_libraries(lua_State *L) {
    bool trusted = context_of(L)->trusted;
    if (trusted) {
        luaL_openlibs(L);
    } else {
        for (const luaL_Reg *library = safe_libraries; library->func != NULL; library++) {
            luaL_requiref(L, library->name, library->func, 1);
            lua_pop(L, 1);
        }
        lua_pushglobaltable(L);
        keep_only(L, base_kept);
        lua_pop(L, 1);
        amend(L, "os", open_os);
    }
    open_base(L);
    amend(L, "coroutine", open_coroutines);
    amend(L, "string", open_strings);
    amend(L, "table", open_tables);
    open_numbers(L);
    if (trusted) {
        lua_setwarnf(L, warn, context_of(L));
    } else {
        lua_pushliteral(L, "");  // strings share one metatable: a script must not change it
        lua_getmetatable(L, -1);
        lua_pushliteral(L, "string");
        lua_setfield(L, -2, "__metatable");
        lua_pop(L, 2);
    }
    // The same script, the same numbers: Lua seeds this from the clock and an address.
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 0);
    lua_call(L, 1, 0);
    // The generator's state is an upvalue of `math.random`: kept, whatever a script does with that function.
    lua_getfield(L, -1, "random");
    if (lua_getupvalue(L, -1, 1) != NULL) {
        if (lua_rawlen(L, -1) == sizeof(clua_random_state)) {
            lua_rawsetp(L, LUA_REGISTRYINDEX, &random_key);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 2);
    if (!trusted) watch_globals(L);
}
