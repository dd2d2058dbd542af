// Objects that stand for a number: their class has `__tonumber` in its metatable. The functions of Lua that take numbers take
// them too: those of `math`, `string.format`, `tonumber`. (Arithmetic and comparison ask the object's operators.)

#include <string.h>

#include "../internal.h"

/// Puts the number that the object at `index` stands for in its place; leaves every other value.
static void take_number(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TUSERDATA || luaL_getmetafield(L, index, "__tonumber") == LUA_TNIL) return;
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    if (lua_type(L, -1) == LUA_TNUMBER) lua_replace(L, index);
    else lua_pop(L, 1);
}

/// Goes on as the function of Lua's in upvalue 1, with this call's arguments and name. It must not have upvalues of its own.
static int go_on(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

static int with_numbers(lua_State *L) {
    for (int i = lua_gettop(L); i >= 1; i--) take_number(L, i);
    return go_on(L);
}

/// tonumber(v [, base]): with a base the argument is a string.
static int base_tonumber(lua_State *L) {
    if (lua_isnoneornil(L, 2) && !lua_isnone(L, 1)) take_number(L, 1);
    return go_on(L);
}

/// string.format(format, …): arguments of numeric conversions; %s shows the object as `tostring` does.
static int string_format(lua_State *L) {
    bool any = false;
    for (int i = lua_gettop(L); i > 1 && !any; i--) any = lua_type(L, i) == LUA_TUSERDATA;
    if (!any || lua_type(L, 1) != LUA_TSTRING) return go_on(L);
    size_t length;
    const char *at = lua_tolstring(L, 1, &length), *end = at + length;
    int argument = 1;
    while ((at = memchr(at, '%', (size_t)(end - at))) != NULL && ++at < end) {
        if (*at == '%') {
            at++;
            continue;
        }
        while (at < end && *at != '\0' && strchr("-+ #0123456789.", *at) != NULL) at++;
        if (at == end) break;
        argument++;
        if (*at != '\0' && strchr("aAcdeEfFgGiouxX", *at) != NULL) take_number(L, argument);
    }
    return go_on(L);
}

/// Lets `replacement` stand before the function `name` of the table on top.
static void stand_before(lua_State *L, const char *name, lua_CFunction replacement) {
    lua_getfield(L, -1, name);
    if (lua_tocfunction(L, -1) == NULL || lua_getupvalue(L, -1, 1) != NULL) luaL_error(L, "%s is not Lua's own", name);
    lua_pushcclosure(L, replacement, 1);
    lua_setfield(L, -2, name);
}

void open_numbers(lua_State *L) {
    // Without `random`, which has its state in an upvalue and takes integers, and `type`, which tells what a value is.
    static const char *const functions[] = {"abs",  "acos", "asin", "atan", "ceil", "cos", "deg",  "exp",       "floor", "fmod",
                                            "log",  "max",  "min",  "modf", "rad",  "sin", "sqrt", "tointeger", "tan",   NULL};
    lua_getglobal(L, LUA_MATHLIBNAME);
    for (const char *const *name = functions; *name != NULL; name++) stand_before(L, *name, with_numbers);
    lua_getglobal(L, LUA_STRLIBNAME);
    stand_before(L, "format", string_format);
    lua_pushglobaltable(L);
    stand_before(L, "tonumber", base_tonumber);
    lua_pop(L, 3);
}
