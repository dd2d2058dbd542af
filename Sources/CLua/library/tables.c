// The functions of the table library that could loop in C without end, because a `__len` may promise any length and
// an `__index` any element: insert, remove, move, concat, sort. Each looks at the flags as it goes.

#include <limits.h>

#include "../internal.h"

typedef struct ticker {
    lua_State *L;
    uint32_t ticks;
} ticker;

static inline void tick(ticker *ticker) {
    if ((++ticker->ticks & 0xfff) == 0) poll_flags(ticker->L);
}

/// What a function does to its table.
enum { READS = 1, WRITES = 2, MEASURES = 4 };

/// Checks that the argument is a table, or a value whose metatable has a metamethod for each of `uses`.
static void check_table(lua_State *L, int argument, int uses) {
    static const struct {
        int use;
        const char *event;
    } metamethods[] = {{READS, "__index"}, {WRITES, "__newindex"}, {MEASURES, "__len"}};
    if (lua_type(L, argument) == LUA_TTABLE) return;
    bool fits = lua_getmetatable(L, argument) != 0;
    for (int i = 0; fits && i < 3; i++) {
        if ((uses & metamethods[i].use) == 0) continue;
        lua_pushstring(L, metamethods[i].event);
        fits = lua_rawget(L, -2) != LUA_TNIL;
        lua_pop(L, 1);
    }
    if (!fits) luaL_checktype(L, argument, LUA_TTABLE);  // raises
    lua_pop(L, 1);
}

static lua_Integer check_length(lua_State *L, int argument, int uses) {
    check_table(L, argument, uses | MEASURES);
    return luaL_len(L, argument);
}

static int table_insert(lua_State *L) {
    ticker ticker = {L, 0};
    lua_Integer end = (lua_Integer)((lua_Unsigned)check_length(L, 1, READS | WRITES) + 1);
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
    lua_Integer size = check_length(L, 1, READS | WRITES);
    lua_Integer position = luaL_optinteger(L, 2, size);
    if (position != size)
        luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 1, "position out of bounds");
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
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    check_table(L, 1, READS);
    check_table(L, target, WRITES);
    if (last >= first) {
        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        lua_Integer count = last - first + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        bool forwards = to > last || to <= first || (target != 1 && !lua_compare(L, 1, target, LUA_OPEQ));
        for (lua_Integer k = 0; k < count; k++, tick(&ticker)) {
            lua_Integer i = forwards ? k : count - 1 - k;
            lua_geti(L, 1, first + i);
            lua_seti(L, target, to + i);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

static void add_element(lua_State *L, luaL_Buffer *buffer, lua_Integer i) {
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), (LUAI_UACINT)i);
    luaL_addvalue(buffer);
}

static int table_concat(lua_State *L) {
    ticker ticker = {L, 0};
    lua_Integer size = check_length(L, 1, READS);
    size_t between;
    const char *separator = luaL_optlstring(L, 2, "", &between);
    lua_Integer i = luaL_optinteger(L, 3, 1);
    lua_Integer last = luaL_optinteger(L, 4, size);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (; i < last; i++, tick(&ticker)) {
        add_element(L, &buffer, i);
        luaL_addlstring(&buffer, separator, between);
    }
    if (i == last) add_element(L, &buffer, i);
    luaL_pushresult(&buffer);
    return 1;
}

// MARK: sort: quicksort in place [Hoare 1961; Sedgewick 1978], the steps of Lua's own, so that equal elements and order functions
// that are none come out as there. Only where Lua draws a pivot from the clock is ours a function of the bounds.

enum { SORT_TABLE = 1, SORT_ORDER = 2 };

/// True if the value at index `a` of the stack comes before the one at `b`.
static bool in_order(lua_State *L, int a, int b) {
    if (lua_isnil(L, SORT_ORDER)) return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, SORT_ORDER);
    lua_pushvalue(L, a - 1);
    lua_pushvalue(L, b - 2);
    lua_call(L, 2, 1);
    bool result = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return result;
}

/// Pops two values: t[i] = the one on top, t[j] = the one below it.
static void put(lua_State *L, lua_Integer i, lua_Integer j) {
    lua_seti(L, SORT_TABLE, i);
    lua_seti(L, SORT_TABLE, j);
}

/// Pops the pivot, which is t[last - 1] too, and puts it where it belongs between what comes before and after it; returns where.
static lua_Integer partition(lua_State *L, lua_Integer first, lua_Integer last, ticker *ticker) {
    lua_Integer i = first, j = last - 1;
    for (;;) {
        while (lua_geti(L, SORT_TABLE, ++i), in_order(L, -1, -2)) {
            if (i == last - 1) luaL_error(L, "invalid order function for sorting");
            lua_pop(L, 1);
            tick(ticker);
        }
        while (lua_geti(L, SORT_TABLE, --j), in_order(L, -3, -1)) {
            if (j < i) luaL_error(L, "invalid order function for sorting");
            lua_pop(L, 1);
            tick(ticker);
        }
        if (j < i) {
            lua_pop(L, 1);
            put(L, last - 1, i);
            return i;
        }
        put(L, i, j);
    }
}

/// Where to look for a pivot: the middle, or once a partition was lopsided some place in the middle half.
static lua_Integer pivot_place(lua_Integer first, lua_Integer last, uint64_t lopsided) {
    const lua_Integer large = 100;
    if (last - first < large || lopsided == 0) return first + (last - first) / 2;
    uint64_t mixed = ((uint64_t)first * 0x9e3779b97f4a7c15u ^ (uint64_t)last) * 0xbf58476d1ce4e5b9u * lopsided;
    lua_Integer quarter = (last - first) / 4;
    return first + quarter + (lua_Integer)((mixed >> 32) % (uint64_t)(2 * quarter));
}

static void sort_range(lua_State *L, lua_Integer first, lua_Integer last, uint64_t lopsided, ticker *ticker) {
    while (first < last) {
        tick(ticker);
        lua_geti(L, SORT_TABLE, first);
        lua_geti(L, SORT_TABLE, last);
        if (in_order(L, -1, -2)) put(L, first, last);
        else lua_pop(L, 2);
        if (last - first == 1) return;
        lua_Integer pivot = pivot_place(first, last, lopsided);
        lua_geti(L, SORT_TABLE, pivot);
        lua_geti(L, SORT_TABLE, first);
        if (in_order(L, -2, -1)) {
            put(L, pivot, first);
        } else {
            lua_pop(L, 1);
            lua_geti(L, SORT_TABLE, last);
            if (in_order(L, -1, -2)) put(L, pivot, last);
            else lua_pop(L, 2);
        }
        if (last - first == 2) return;
        lua_geti(L, SORT_TABLE, pivot);
        lua_pushvalue(L, -1);
        lua_geti(L, SORT_TABLE, last - 1);
        put(L, pivot, last - 1);
        pivot = partition(L, first, last, ticker);
        // The smaller side first, by recursion: its depth is then at most log₂ n.
        lua_Integer smaller;
        if (pivot - first < last - pivot) {
            sort_range(L, first, pivot - 1, lopsided, ticker);
            smaller = pivot - first;
            first = pivot + 1;
        } else {
            sort_range(L, pivot + 1, last, lopsided, ticker);
            smaller = last - pivot;
            last = pivot - 1;
        }
        if ((last - first) / 128 > smaller) lopsided++;
    }
}

static int table_sort(lua_State *L) {
    ticker ticker = {L, 0};
    lua_Integer count = check_length(L, SORT_TABLE, READS | WRITES);
    if (count < 2) return 0;
    luaL_argcheck(L, count < INT_MAX, SORT_TABLE, "array too big");
    if (!lua_isnoneornil(L, SORT_ORDER)) luaL_checktype(L, SORT_ORDER, LUA_TFUNCTION);
    lua_settop(L, SORT_ORDER);
    sort_range(L, 1, count, 0, &ticker);
    return 0;
}

void open_tables(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"insert", table_insert}, {"remove", table_remove}, {"move", table_move},
        {"concat", table_concat}, {"sort", table_sort},     {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
