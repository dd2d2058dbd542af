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

// Lua's own functions, the same in every state. They are kept here and not in upvalues, so that ours are plain C functions as
// theirs are (`debug.getinfo(math.sin).nups` is 0). Each of ours goes on as Lua's, with its own call's arguments and name.

/// The functions of `math` that stand with ours before them: without `random`, which has its state in an upvalue and takes
/// integers, and `type`, which tells what a value is.
#define FUNCTIONS_OF_MATH(each)                                                                                                \
    each(abs) each(acos) each(asin) each(atan) each(ceil) each(cos) each(deg) each(exp) each(floor) each(fmod) each(log)       \
        each(max) each(min) each(modf) each(rad) each(sin) each(sqrt) each(tointeger) each(tan)

#define DEFINE(name)                                                                                                           \
    static _Atomic(lua_CFunction) own_##name;                                                                                  \
    static int math_##name(lua_State *L) {                                                                                     \
        for (int i = lua_gettop(L); i >= 1; i--) take_number(L, i);                                                            \
        return own_##name(L);                                                                                                  \
    }
FUNCTIONS_OF_MATH(DEFINE)
#undef DEFINE

static _Atomic(lua_CFunction) own_tonumber, own_format;

/// tonumber(v [, base]): with a base the argument is a string.
static int base_tonumber(lua_State *L) {
    if (lua_isnoneornil(L, 2) && !lua_isnone(L, 1)) take_number(L, 1);
    return own_tonumber(L);
}

/// string.format(format, …): arguments of numeric conversions; %s shows the object as `tostring` does.
static int string_format(lua_State *L) {
    bool any = false;
    for (int i = lua_gettop(L); i > 1 && !any; i--) any = lua_type(L, i) == LUA_TUSERDATA;
    if (!any || lua_type(L, 1) != LUA_TSTRING) return own_format(L);
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
    return own_format(L);
}

/// Lets `replacement` stand before the function `name` of the table on top, and notes the latter in `own`.
static void stand_before(lua_State *L, const char *name, _Atomic(lua_CFunction) *own, lua_CFunction replacement) {
    lua_getfield(L, -1, name);
    lua_CFunction function = lua_tocfunction(L, -1);
    if (function == NULL || lua_getupvalue(L, -1, 1) != NULL) luaL_error(L, "%s is not Lua's own", name);
    *own = function;
    lua_pushcfunction(L, replacement);
    lua_setfield(L, -3, name);
    lua_pop(L, 1);
}

void open_numbers(lua_State *L) {
    lua_getglobal(L, LUA_MATHLIBNAME);
#define STAND_BEFORE(name) stand_before(L, #name, &own_##name, math_##name);
    FUNCTIONS_OF_MATH(STAND_BEFORE)
#undef STAND_BEFORE
    lua_getglobal(L, LUA_STRLIBNAME);
    stand_before(L, "format", &own_format, string_format);
    lua_pushglobaltable(L);
    stand_before(L, "tonumber", &own_tonumber, base_tonumber);
    lua_pop(L, 3);
}
