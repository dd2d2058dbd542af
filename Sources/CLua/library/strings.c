// The functions of the string library that could loop in C without end: rep, find, match, gmatch, gsub. Without
// `dump`, which writes bytecode.

#define _GNU_SOURCE  // memmem, which takes linear time
#include <string.h>

#include "patterns.h"

/// Turns a position that counts from the end if negative into an offset from 0; beyond the start is 0.
static size_t offset_of(lua_Integer position, size_t length) {
    if (position > 0) return (size_t)position - 1;
    if (position == 0) return 0;
    return (lua_Unsigned)-position > length ? 0 : length - (size_t)-position;
}

static int string_rep(lua_State *L) {
    size_t length, between;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer times = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &between);
    size_t unit = length + between;
    if (times <= 0 || unit == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (unit < length || (lua_Unsigned)times > (size_t)INT64_MAX / unit) return luaL_error(L, "resulting string too large");
    size_t total = unit * (size_t)times - between;
    luaL_Buffer buffer;
    char *to = luaL_buffinitsize(L, &buffer, total);
    // The first unit, then twice as much each time.
    memcpy(to, text, length);
    size_t done = length;
    if (times > 1) {
        memcpy(to + length, separator, between);
        done = unit;
        while (done < total) {
            size_t more = done < total - done ? done : total - done;
            memcpy(to + done, to, more);
            done += more;
        }
    }
    luaL_pushresultsize(&buffer, total);
    return 1;
}

static bool has_magic(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] != '\0' && strchr("^$*+?.([%-", text[i]) != NULL) return true;
    return false;
}

static int find_plainly(lua_State *L, const char *subject, size_t length, size_t from, const char *text, size_t count) {
    const char *found = count == 0 ? subject + from : memmem(subject + from, length - from, text, count);
    if (found == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - subject + 1);
    lua_pushinteger(L, found - subject + (lua_Integer)count);
    return 2;
}

/// The first match at or after `*start`, which is set to its beginning.
static const char *search(matcher *m, const char **start) {
    do {
        const char *end = match_at(m, *start);
        if (end != NULL) return end;
    } while (!m->pattern->anchored && (*start)++ < m->end);
    return NULL;
}

static int find_or_match(lua_State *L, bool find) {
    size_t length, count;
    const char *subject = luaL_checklstring(L, 1, &length);
    const char *text = luaL_checklstring(L, 2, &count);
    size_t from = offset_of(luaL_optinteger(L, 3, 1), length);
    if (from > length) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || !has_magic(text, count)))
        return find_plainly(L, subject, length, from, text, count);
    matcher m;
    matcher_init(&m, L, push_pattern(L, text, count), subject, length);
    const char *start = subject + from;
    const char *end = search(&m, &start);
    if (end == NULL) {
        lua_pushnil(L);
        return 1;
    }
    if (!find) return push_captures_of(&m, start, end, true);
    lua_pushinteger(L, start - subject + 1);
    lua_pushinteger(L, end - subject);
    return 2 + push_captures_of(&m, start, end, false);
}

static int string_find(lua_State *L) { return find_or_match(L, true); }
static int string_match(lua_State *L) { return find_or_match(L, false); }

// MARK: gmatch

/// Where a loop over matches stands. An empty match directly after a match is not taken.
typedef struct position {
    size_t next;
    size_t last_end;  // SIZE_MAX before the first match
} position;

/// The next match of a loop.
static const char *next_match(matcher *m, position *at, const char **start) {
    *start = m->subject + at->next;
    while (*start <= m->end) {
        const char *end = search(m, start);
        if (end == NULL) return NULL;
        if (end > *start || (size_t)(end - m->subject) != at->last_end) {
            at->next = at->last_end = (size_t)(end - m->subject);
            return end;
        }
        (*start)++;
        if (m->pattern->anchored) return NULL;
    }
    return NULL;
}

/// Upvalues: subject, pattern, position.
static int gmatch_step(lua_State *L) {
    size_t length;
    const char *subject = lua_tolstring(L, lua_upvalueindex(1), &length);
    position *at = lua_touserdata(L, lua_upvalueindex(3));
    if (at->next > length) return 0;
    matcher m;
    matcher_init(&m, L, lua_touserdata(L, lua_upvalueindex(2)), subject, length);
    const char *start;
    const char *end = next_match(&m, at, &start);
    if (end == NULL) {
        at->next = length + 1;
        return 0;
    }
    return push_captures_of(&m, start, end, true);
}

static int string_gmatch(lua_State *L) {
    size_t length, count;
    luaL_checklstring(L, 1, &length);
    const char *text = luaL_checklstring(L, 2, &count);
    size_t from = offset_of(luaL_optinteger(L, 3, 1), length);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    pattern *compiled = (pattern *)push_pattern(L, text, count);
    if (compiled->anchored) return luaL_error(L, "a pattern for gmatch cannot begin with '^': it matches once");
    position *at = lua_newuserdatauv(L, sizeof *at, 0);
    *at = (position){from > length ? length + 1 : from, SIZE_MAX};
    lua_pushcclosure(L, gmatch_step, 3);
    return 1;
}

// MARK: gsub

/// Adds the replacement string at index 3, with %0 … %9 replaced by captures.
static void add_text(matcher *m, luaL_Buffer *buffer, const char *start, const char *end) {
    size_t length;
    const char *text = lua_tolstring(m->L, 3, &length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            luaL_addchar(buffer, text[i]);
            continue;
        }
        char escaped = ++i < length ? text[i] : '\0';
        if (escaped == '%') {
            luaL_addchar(buffer, '%');
        } else if (escaped == '0') {
            luaL_addlstring(buffer, start, (size_t)(end - start));
        } else if (escaped >= '1' && escaped <= '9') {
            push_capture_of(m, escaped - '1', start, end);
            luaL_tolstring(m->L, -1, NULL);  // a position is a number
            lua_remove(m->L, -2);
            luaL_addvalue(buffer);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
}

/// Adds what stands for the match; true if it differs from the match.
static bool add_replacement(matcher *m, luaL_Buffer *buffer, const char *start, const char *end) {
    lua_State *L = m->L;
    switch (lua_type(L, 3)) {
        case LUA_TFUNCTION: {
            lua_pushvalue(L, 3);
            int count = push_captures_of(m, start, end, true);
            lua_call(L, count, 1);
            break;
        }
        case LUA_TTABLE:
            push_capture_of(m, 0, start, end);
            lua_gettable(L, 3);
            break;
        default: add_text(m, buffer, start, end); return true;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(buffer, start, (size_t)(end - start));
        return false;
    }
    if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(buffer);
    return true;
}

static int string_gsub(lua_State *L) {
    size_t length, count;
    const char *subject = luaL_checklstring(L, 1, &length);
    const char *text = luaL_checklstring(L, 2, &count);
    int type = lua_type(L, 3);
    luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                     "string/function/table");
    if (type == LUA_TNUMBER) lua_tolstring(L, 3, NULL);
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1);
    matcher m;
    matcher_init(&m, L, push_pattern(L, text, count), subject, length);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    position at = {0, SIZE_MAX};
    const char *copied = subject;  // up to here the result is written
    lua_Integer replaced = 0;
    bool changed = false;
    while (replaced < most && at.next <= length) {
        const char *start;
        const char *end = next_match(&m, &at, &start);
        if (end == NULL) break;
        replaced++;
        luaL_addlstring(&buffer, copied, (size_t)(start - copied));
        changed |= add_replacement(&m, &buffer, start, end);
        copied = end;
        if (m.pattern->anchored) break;
    }
    if (changed) {
        luaL_addlstring(&buffer, copied, (size_t)(m.end - copied));
        luaL_pushresult(&buffer);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushinteger(L, replaced);
    return 2;
}

void open_strings(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"rep", string_rep},       {"find", string_find}, {"match", string_match},
        {"gmatch", string_gmatch}, {"gsub", string_gsub}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_strings);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 2);  // for clua_push_text_method
    lua_pop(L, 1);
    if (context_of(L)->trusted) return;
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
}
