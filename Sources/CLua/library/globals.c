// Reading a global variable that nobody defined: an error where the name is nearly that of something the script could have meant, a
// variable of the function that reads or a global, since then it is a misspelling, and nil as in Lua where it is not: scripts ask in
// this way whether something is there.

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

/// Pushes the table of the names that no global is near to, so that a loop may ask for one of them again and again. It stands in
/// the table that is the upvalue of both metamethods.
static void push_strangers(lua_State *L) { lua_rawgeti(L, lua_upvalueindex(1), 1); }

static int undefined_global(lua_State *L) {
    lua_settop(L, 2);
    size_t length;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &length) : NULL;
    if (name == NULL || length < SHORTEST_NAME || length > SPELLING_LIMIT || lua_type(L, 1) != LUA_TTABLE) return 0;
    search search = {.name = name};
    spelling_begin(&search.spelling, name, length);
    consider_readers(L, &search);
    push_strangers(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) == LUA_TNIL) {
        consider_keys(L, 1, &search);
        if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key_locals) == LUA_TTABLE) consider_keys(L, lua_gettop(L), &search);
        if (search.best == NULL) {
            lua_pushvalue(L, 2);
            lua_pushboolean(L, 1);
            lua_rawset(L, 3);
        }
    }
    if (search.best == NULL) return 0;
    return luaL_error(L, "undefined global '%s': did you mean '%s'?", name, search.best);
}

/// A new global may be near to a name that none was near to.
static int new_global(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    lua_rawset(L, 1);
    push_strangers(L);
    lua_pushnil(L);
    if (lua_next(L, -2) == 0) return 0;
    lua_newtable(L);
    lua_rawseti(L, lua_upvalueindex(1), 1);
    return 0;
}

void watch_globals(lua_State *L) {
    lua_pushglobaltable(L);
    lua_createtable(L, 0, 2);
    lua_createtable(L, 1, 0);
    lua_newtable(L);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, undefined_global, 1);
    lua_setfield(L, -3, "__index");
    lua_pushcclosure(L, new_global, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
