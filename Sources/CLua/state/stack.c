// Reading and pushing values, and raw access to tables.

#include <stdio.h>
#include <string.h>

#include "../internal.h"

_Static_assert(CLUA_NONE == LUA_TNONE && CLUA_NIL == LUA_TNIL && CLUA_BOOLEAN == LUA_TBOOLEAN
                   && CLUA_POINTER == LUA_TLIGHTUSERDATA && CLUA_NUMBER == LUA_TNUMBER && CLUA_STRING == LUA_TSTRING
                   && CLUA_TABLE == LUA_TTABLE && CLUA_FUNCTION == LUA_TFUNCTION && CLUA_USERDATA == LUA_TUSERDATA
                   && CLUA_THREAD == LUA_TTHREAD,
               "clua_kind follows Lua's numbers");

// MARK: readers

int32_t clua_top(lua_State *L) { return lua_gettop(L); }

void clua_set_top(lua_State *L, int32_t index) {
    // No to-be-closed slot is ever marked by the shim, so lua_settop calls nothing.
    if (index <= lua_gettop(L)) lua_settop(L, index);
}

clua_kind clua_type(lua_State *L, int32_t index) { return (clua_kind)lua_type(L, index); }

int32_t clua_absolute(lua_State *L, int32_t index) { return lua_absindex(L, index); }

bool clua_to_boolean(lua_State *L, int32_t index) { return lua_toboolean(L, index) != 0; }

bool clua_to_integer(lua_State *L, int32_t index, int64_t *value) {
    if (lua_type(L, index) != LUA_TNUMBER) return false;  // a string would be converted
    int exact;
    lua_Integer integer = lua_tointegerx(L, index, &exact);
    if (exact) *value = integer;
    return exact != 0;
}

bool clua_to_number(lua_State *L, int32_t index, double *value) {
    if (lua_type(L, index) != LUA_TNUMBER) return false;
    *value = lua_tonumberx(L, index, NULL);
    return true;
}

bool clua_is_integer(lua_State *L, int32_t index) { return lua_isinteger(L, index) != 0; }

const char *clua_to_string(lua_State *L, int32_t index, size_t *length) {
    if (lua_type(L, index) != LUA_TSTRING) return NULL;  // lua_tolstring would convert a number, and allocate
    return lua_tolstring(L, index, length);
}

bool clua_write_number(lua_State *L, int32_t index, char *text, size_t size) {
    if (lua_type(L, index) != LUA_TNUMBER) return false;
    if (lua_isinteger(L, index)) {
        snprintf(text, size, LUA_INTEGER_FMT, lua_tointegerx(L, index, NULL));
        return true;
    }
    lua_number2str(text, size, lua_tonumberx(L, index, NULL));
    size_t length = strlen(text);
    if (text[strspn(text, "-0123456789")] == '\0') snprintf(text + length, size - length, ".0");  // a float of integer value
    return true;
}

const void *clua_identity(lua_State *L, int32_t index) { return lua_topointer(L, index); }

bool clua_same(lua_State *L, int32_t a, int32_t b) { return lua_rawequal(L, a, b) != 0; }

uint64_t clua_raw_length(lua_State *L, int32_t index) { return lua_rawlen(L, index); }

bool clua_has_metatable(lua_State *L, int32_t index) {
    if (!lua_checkstack(L, 1) || !lua_getmetatable(L, index)) return false;
    lua_pop(L, 1);
    return true;
}

int64_t clua_read_numbers(lua_State *L, int32_t table, int64_t first, int64_t count, double *values) {
    if (!lua_checkstack(L, 1)) return 0;
    int64_t read = 0;
    for (; read < count; read++) {
        int type = lua_rawgeti(L, table, first + read);
        if (type == LUA_TNUMBER) values[read] = lua_tonumberx(L, -1, NULL);
        lua_pop(L, 1);
        if (type != LUA_TNUMBER) break;
    }
    return read;
}

// MARK: pushing what needs no memory but a stack slot

clua_status clua_reserve(lua_State *L, int32_t slots) { return lua_checkstack(L, slots) ? CLUA_OK : CLUA_MEMORY; }

#define PUSH(call)                                 \
    if (!lua_checkstack(L, 1)) return CLUA_MEMORY; \
    call;                                          \
    return CLUA_OK

clua_status clua_push_nil(lua_State *L) { PUSH(lua_pushnil(L)); }
clua_status clua_push_boolean(lua_State *L, bool value) { PUSH(lua_pushboolean(L, value)); }
clua_status clua_push_integer(lua_State *L, int64_t value) { PUSH(lua_pushinteger(L, value)); }
clua_status clua_push_number(lua_State *L, double value) { PUSH(lua_pushnumber(L, value)); }
clua_status clua_push_copy(lua_State *L, int32_t index) { PUSH(lua_pushvalue(L, index)); }
clua_status clua_push_globals(lua_State *L) { PUSH(lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS)); }
clua_status clua_get_index(lua_State *L, int32_t table, int64_t index) { PUSH(lua_rawgeti(L, table, index)); }

void clua_set_metatable(lua_State *L, int32_t index) { lua_setmetatable(L, index); }
void clua_remove(lua_State *L, int32_t index) { lua_remove(L, index); }
void clua_insert(lua_State *L, int32_t index) { lua_insert(L, index); }

// MARK: operations that allocate, each a body in protected mode

typedef struct {
    const char *bytes;
    size_t length;
} text_arguments;

static int push_string(lua_State *L) {
    const text_arguments *text = lua_touserdata(L, -1);
    lua_pushlstring(L, text->bytes, text->length);
    return 1;
}

clua_status clua_push_string(lua_State *L, const char *bytes, size_t length) {
    text_arguments text = {bytes, length};
    return protect(L, push_string, &text, 0, 1);
}

static int new_table(lua_State *L) {
    const int *sizes = lua_touserdata(L, -1);
    lua_createtable(L, sizes[0], sizes[1]);
    return 1;
}

clua_status clua_new_table(lua_State *L, int32_t array, int32_t fields) {
    int sizes[2] = {array, fields};
    return protect(L, new_table, sizes, 0, 1);
}

typedef struct {
    const double *values;
    int64_t count;
} number_arguments;

static int push_numbers(lua_State *L) {
    const number_arguments *numbers = lua_touserdata(L, -1);
    lua_createtable(L, numbers->count <= INT32_MAX ? (int)numbers->count : 0, 0);
    for (int64_t i = 0; i < numbers->count; i++) {
        lua_pushnumber(L, numbers->values[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

clua_status clua_push_numbers(lua_State *L, const double *values, int64_t count) {
    number_arguments numbers = {values, count};
    return protect(L, push_numbers, &numbers, 0, 1);
}

// Bodies below see: table, value, arguments.

static int set_field(lua_State *L) {
    const text_arguments *key = lua_touserdata(L, 3);
    lua_pushlstring(L, key->bytes, key->length);
    lua_pushvalue(L, 2);
    lua_rawset(L, 1);
    return 0;
}

clua_status clua_set_field(lua_State *L, int32_t table, const char *bytes, size_t length) {
    text_arguments key = {bytes, length};
    if (!lua_checkstack(L, 1)) {
        lua_pop(L, 1);
        return CLUA_MEMORY;
    }
    lua_pushvalue(L, table);
    lua_insert(L, -2);
    return protect(L, set_field, &key, 2, 0);
}

static int set_index(lua_State *L) {
    const int64_t *index = lua_touserdata(L, 3);
    lua_pushvalue(L, 2);
    lua_rawseti(L, 1, *index);
    return 0;
}

clua_status clua_set_index(lua_State *L, int32_t table, int64_t index) {
    if (!lua_checkstack(L, 1)) {
        lua_pop(L, 1);
        return CLUA_MEMORY;
    }
    lua_pushvalue(L, table);
    lua_insert(L, -2);
    return protect(L, set_index, &index, 2, 0);
}

static int get_field(lua_State *L) {
    const text_arguments *key = lua_touserdata(L, 2);
    lua_pushlstring(L, key->bytes, key->length);
    lua_rawget(L, 1);
    return 1;
}

clua_status clua_get_field(lua_State *L, int32_t table, const char *bytes, size_t length) {
    text_arguments key = {bytes, length};
    if (!lua_checkstack(L, 1)) return CLUA_MEMORY;
    lua_pushvalue(L, table);
    return protect(L, get_field, &key, 1, 1);
}

// lua_next raises for a key that is no longer in the table, which a finalizer of a trusted script may bring about.
static int next_pair(lua_State *L) {
    bool *more = lua_touserdata(L, 3);
    lua_settop(L, 2);
    *more = lua_next(L, 1) != 0;
    if (*more) return 2;
    lua_pushnil(L);
    lua_pushnil(L);
    return 2;
}

clua_status clua_next(lua_State *L, int32_t table, bool *more) {
    *more = false;
    table = lua_absindex(L, table);
    if (!lua_checkstack(L, 2)) {
        lua_pop(L, 1);
        return CLUA_MEMORY;
    }
    lua_pushvalue(L, table);
    lua_insert(L, -2);
    clua_status status = protect(L, next_pair, more, 2, 2);
    if (status == CLUA_OK && !*more) lua_pop(L, 2);
    return status;
}

static int push_metatable_name(lua_State *L) {
    lua_settop(L, 1);
    if (!lua_getmetatable(L, 1)) return 0;
    lua_pushliteral(L, "__name");
    lua_rawget(L, -2);
    return 1;
}

clua_status clua_push_metatable_name(lua_State *L, int32_t index) {
    if (!lua_checkstack(L, 1)) return CLUA_MEMORY;
    lua_pushvalue(L, index);
    return protect(L, push_metatable_name, NULL, 1, 1);
}

static int next_of(lua_State *L) {
    lua_settop(L, 2);
    if (lua_next(L, 1) != 0) return 2;
    lua_pushnil(L);
    return 1;
}

static int pairs_of(lua_State *L) {
    lua_pushcfunction(L, next_of);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushnil(L);
    return 3;
}

static int push_pairs(lua_State *L) {
    lua_settop(L, 1);
    lua_pushcclosure(L, pairs_of, 1);
    return 1;
}

clua_status clua_push_pairs(lua_State *L, int32_t index) {
    if (!lua_checkstack(L, 1)) return CLUA_MEMORY;
    lua_pushvalue(L, index);
    return protect(L, push_pairs, NULL, 1, 1);
}

// MARK: anchors

static int set_anchor(lua_State *L) {
    const int64_t *slot = lua_touserdata(L, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_anchors);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, *slot);
    return 0;
}

clua_status clua_anchor(lua_State *L, int64_t slot) { return protect(L, set_anchor, &slot, 1, 0); }

clua_status clua_push_anchored(lua_State *L, int64_t slot) {
    if (!lua_checkstack(L, 2)) return CLUA_MEMORY;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_anchors);
    lua_rawgeti(L, -1, slot);
    lua_remove(L, -2);
    return CLUA_OK;
}

void clua_release_anchor(lua_State *L, int64_t slot) {
    if (!lua_checkstack(L, 2)) return;  // the slot is overwritten by its next use
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_anchors);
    lua_pushnil(L);
    lua_rawseti(L, -2, slot);  // an existing key: nothing is allocated
    lua_pop(L, 1);
}
