// Reading a global variable that nobody defined is an error, which names what the script may have meant: a variable of the function
// that reads, or a global. As Lua has it, the read gives nil, and an option of that value is silently none: { momentum = mu }.

#include <CSpelling.h>
#include <string.h>

#include "../internal.h"

#define SHORTEST_NAME 3  // everything is near to a name of two letters

typedef struct search {
    spelling spelling;
    const char *name;  // what was written; its own name is no suggestion
    const char *best;  // kept alive by what it names
} search;

static void consider(search *search, const char *candidate) {
    if (candidate[0] == '(' || strlen(candidate) < SHORTEST_NAME || strcmp(candidate, search->name) == 0) return;
    if (spelling_consider(&search->spelling, candidate, strlen(candidate)) == SPELLING_NEARER) search->best = candidate;
}

/// The variables of an activation and those it took from the functions around it.
static void consider_variables(lua_State *L, lua_Debug *activation, search *search) {
    const char *variable;
    for (int i = 1; (variable = lua_getlocal(L, activation, i)) != NULL; i++) {
        consider(search, variable);
        lua_pop(L, 1);
    }
    for (int i = 1; (variable = lua_getupvalue(L, -1, i)) != NULL; i++) {
        consider(search, variable);
        lua_pop(L, 1);
    }
}

/// Considers the variables of the function that reads, or that stands below a prompt, and of those that called it and stand in
/// the same text: around it, most likely.
static void consider_readers(lua_State *L, search *search) {
    const int most = 16;
    const char *source = NULL;
    lua_Debug activation;
    for (int level = 1; level < most && lua_getstack(L, level, &activation); level++) {
        lua_getinfo(L, "Sf", &activation);
        if (activation.what[0] != 'C' && strcmp(activation.source, prompt_source) != 0) {
            if (source == NULL) source = activation.source;
            if (strcmp(activation.source, source) == 0) consider_variables(L, &activation, search);
        }
        lua_pop(L, 1);
    }
}

static void consider_keys(lua_State *L, int table, search *search) {
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) consider(search, lua_tostring(L, -1));
    }
}

/// Whether a Lua of this or another version has a global of this name, absent from the sandbox: nil here, since this is how a module
/// that runs on several asks where it is (`loadstring or load`).
static bool is_of_some_lua(const char *name) {
    static const char *const names[] = {"arg", "bit",      "bit32",      "debug",  "dofile",   "gcinfo",  "getfenv", "io",
                                        "jit", "loadfile", "loadstring", "module", "newproxy", "package", "setfenv", "unpack"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) return true;
    }
    return false;
}

#define ASSIGNED lua_upvalueindex(1)  // of both metamethods: a set of the names that were assigned, be it nil

static int undefined_global(lua_State *L) {
    lua_settop(L, 2);
    if (lua_type(L, 1) != LUA_TTABLE || lua_type(L, 2) != LUA_TSTRING) return 0;
    lua_pushvalue(L, 2);
    if (lua_rawget(L, ASSIGNED) != LUA_TNIL) return 0;
    size_t length;
    const char *name = lua_tolstring(L, 2, &length);
    if (is_of_some_lua(name)) return 0;
    if (length > SPELLING_LIMIT) {
        lua_pushlstring(L, name, SPELLING_LIMIT);
        return luaL_error(L, "undefined global '%s...'", lua_tostring(L, -1));
    }
    if (length >= SHORTEST_NAME) {
        search search = {.name = name};
        spelling_begin(&search.spelling, name, length);
        consider_readers(L, &search);
        consider_keys(L, 1, &search);
        if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key_locals) == LUA_TTABLE) consider_keys(L, lua_gettop(L), &search);
        if (search.best != NULL) return luaL_error(L, "undefined global '%s': did you mean '%s'?", name, search.best);
    }
    return luaL_error(L, "undefined global '%s': assign it first, or ask with rawget(_G, '%s') whether it is there", name, name);
}

static int new_global(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    if (lua_type(L, 2) == LUA_TSTRING) {
        lua_pushvalue(L, 2);
        lua_pushboolean(L, 1);
        lua_rawset(L, ASSIGNED);
    }
    lua_rawset(L, 1);
    return 0;
}

void watch_globals(lua_State *L) {
    lua_pushglobaltable(L);
    lua_createtable(L, 0, 2);
    lua_newtable(L);
    // What is there already, for it may be taken away: nil is then what was assigned.
    lua_pushnil(L);
    while (lua_next(L, -4) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushboolean(L, 1);
        lua_rawset(L, -4);
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_assigned);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, undefined_global, 1);
    lua_setfield(L, -3, "__index");
    lua_pushcclosure(L, new_global, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

static int set_global(lua_State *L) {
    const char *name = lua_touserdata(L, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushstring(L, name);
    lua_pushvalue(L, 1);
    lua_rawset(L, -3);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key_assigned) == LUA_TTABLE) {
        lua_pushstring(L, name);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    return 0;
}

clua_status clua_set_global(lua_State *L, const char *name) { return protect(L, set_global, (void *)name, 1, 0); }
