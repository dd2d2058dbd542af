// The functions of the table library that could loop in C without end, because a `__len` may promise any length and
// an `__index` any element: insert, remove, move, concat, sort. Each looks at the flags as it goes.

#include "../internal.h"

typedef struct ticker {
    lua_State *L;
    uint32_t ticks;
} ticker;

static void tick(ticker *ticker) {
    if ((++ticker->ticks & 0xfff) == 0) poll_flags(ticker->L);
}

static lua_Integer length_of(lua_State *L, int index) {
    luaL_checktype(L, index, LUA_TTABLE);
    return luaL_len(L, index);
}

static int table_insert(lua_State *L) {
    ticker ticker = {L, 0};
    lua_Integer end = (lua_Integer)((lua_Unsigned)length_of(L, 1) + 1);
    lua_Integer position = end;
    switch (lua_gettop(L)) {
        case 2: break;
        case 3:
            position = luaL_checkinteger(L, 2);
            luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
            for (lua_Integer i = end; i > position; i--, tick(&ticker)) {
                lua_geti(L, 1, i - 1);
                lua_seti(L, 1, i);
            }
            break;
        default: return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, position);
    return 0;
}

static int table_remove(lua_State *L) {
    ticker ticker = {L, 0};
    lua_Integer size = length_of(L, 1);
    lua_Integer position = luaL_optinteger(L, 2, size);
    if (!lua_isnone(L, 2) && position != size)
        luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
    lua_geti(L, 1, position);
    for (; position < size; position++, tick(&ticker)) {
        lua_geti(L, 1, position + 1);
        lua_seti(L, 1, position);
    }
    lua_pushnil(L);
    lua_seti(L, 1, position);
    return 1;
}

static int table_move(lua_State *L) {
    ticker ticker = {L, 0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    luaL_checktype(L, target, LUA_TTABLE);
    if (last >= first) {
        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        lua_Integer count = last - first + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        bool overlaps = target == 1 || lua_rawequal(L, 1, target);
        bool forwards = !overlaps || to > last || to <= first;
        for (lua_Integer k = 0; k < count; k++, tick(&ticker)) {
            lua_Integer i = forwards ? k : count - 1 - k;
            lua_geti(L, 1, first + i);
            lua_seti(L, target, to + i);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

static int table_concat(lua_State *L) {
    ticker ticker = {L, 0};
    lua_Integer size = length_of(L, 1);
    size_t between;
    const char *separator = luaL_optlstring(L, 2, "", &between);
    lua_Integer first = luaL_optinteger(L, 3, 1);
    lua_Integer last = luaL_optinteger(L, 4, size);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (lua_Integer i = first; i <= last; i++, tick(&ticker)) {
        lua_geti(L, 1, i);
        if (!lua_isstring(L, -1))
            return luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)i);
        luaL_addvalue(&buffer);
        if (i == last) break;  // also where last is the largest integer
        luaL_addlstring(&buffer, separator, between);
    }
    luaL_pushresult(&buffer);
    return 1;
}

// MARK: sort, by merging: stable, never more than n log₂ n comparisons, and no order function can lead it out of bounds.
// The elements are sorted in a table of their own, so that an error in the order function leaves the table as it was.

enum { SORT_TABLE = 1, SORT_ORDER = 2, SORT_FROM = 3, SORT_TO = 4 };

/// True if the value below the top comes after the one on top; both stay.
static bool out_of_order(lua_State *L) {
    if (lua_isnil(L, SORT_ORDER)) return lua_compare(L, -1, -2, LUA_OPLT);
    lua_pushvalue(L, SORT_ORDER);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -4);
    lua_call(L, 2, 1);
    bool result = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return result;
}

/// Copies from[i…last] to to[k…].
static void copy_run(lua_State *L, lua_Integer i, lua_Integer last, lua_Integer k, ticker *ticker) {
    for (; i <= last; i++, k++, tick(ticker)) {
        lua_rawgeti(L, SORT_FROM, i);
        lua_rawseti(L, SORT_TO, k);
    }
}

/// Merges from[first…middle] and from[middle + 1…last] into to[first…last].
static void merge(lua_State *L, lua_Integer first, lua_Integer middle, lua_Integer last, ticker *ticker) {
    lua_rawgeti(L, SORT_FROM, middle);
    lua_rawgeti(L, SORT_FROM, middle + 1);
    bool needed = out_of_order(L);
    lua_pop(L, 2);
    if (!needed) {
        copy_run(L, first, last, first, ticker);
        return;
    }
    lua_Integer i = first, j = middle + 1, k = first;
    while (i <= middle && j <= last) {
        lua_rawgeti(L, SORT_FROM, i);
        lua_rawgeti(L, SORT_FROM, j);
        if (out_of_order(L)) {
            j++;
            lua_rawseti(L, SORT_TO, k++);
            lua_pop(L, 1);
        } else {
            i++;
            lua_pop(L, 1);
            lua_rawseti(L, SORT_TO, k++);
        }
        tick(ticker);
    }
    copy_run(L, i, middle, k, ticker);
    copy_run(L, j, last, k + (middle - i + 1), ticker);
}

static int table_sort(lua_State *L) {
    ticker ticker = {L, 0};
    lua_Integer count = length_of(L, SORT_TABLE);
    if (!lua_isnoneornil(L, SORT_ORDER)) luaL_checktype(L, SORT_ORDER, LUA_TFUNCTION);
    lua_settop(L, SORT_ORDER);
    if (count < 2) return 0;
    luaL_argcheck(L, count < INT32_MAX, SORT_TABLE, "array too big");
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 1; i <= count; i++, tick(&ticker)) {
        lua_geti(L, SORT_TABLE, i);
        lua_rawseti(L, SORT_FROM, i);
    }
    lua_createtable(L, (int)count, 0);
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer first = 1; first <= count; first += 2 * width) {
            lua_Integer middle = first + width - 1, last = first + 2 * width - 1;
            if (middle >= count) copy_run(L, first, count, first, &ticker);
            else merge(L, first, middle, last < count ? last : count, &ticker);
        }
        lua_insert(L, SORT_FROM);  // the merged one is the next to read from
    }
    for (lua_Integer i = 1; i <= count; i++, tick(&ticker)) {
        lua_rawgeti(L, SORT_FROM, i);
        lua_seti(L, SORT_TABLE, i);
    }
    return 0;
}

void open_tables(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"insert", table_insert}, {"remove", table_remove}, {"move", table_move},
        {"concat", table_concat}, {"sort", table_sort},     {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
