// The functions of the string library that could loop in C without end: rep, find, match, gmatch, gsub. Without
// `dump`, which writes bytecode, unless the script is trusted.

#define _GNU_SOURCE  // memmem, which takes linear time
#include <limits.h>
#include <string.h>

#include "patterns.h"

/// Turns a position that counts from the end if negative into an offset from 0; beyond the start is 0.
static size_t offset_of(lua_Integer position, size_t length) {
    if (position > 0) return (size_t)position - 1;
    if (position == 0) return 0;
    return (lua_Unsigned)-(lua_Unsigned)position > length ? 0 : length - (size_t)-position;
}

static int string_rep(lua_State *L) {
    size_t length, between;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer times = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &between);
    size_t unit = length + between;
    // Lua's own bound is that of an int.
    if (times > 0 && (unit < length || unit > (size_t)INT_MAX / (size_t)times))
        return luaL_error(L, "resulting string too large");
    if (times <= 0 || unit == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
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
    size_t at = 0;
    do {  // piece by piece between zero bytes
        if (strpbrk(text + at, "^$*+?.([%-") != NULL) return true;
        at += strlen(text + at) + 1;
    } while (at <= length);
    return false;
}

static int find_plainly(lua_State *L, const char *subject, size_t length, size_t from, const char *text, size_t count) {
    const char *found = count == 0 ? subject + from : memmem(subject + from, length - from, text, count);
    if (found == NULL) {
        luaL_pushfail(L);
        return 1;
    }
    lua_pushinteger(L, found - subject + 1);
    lua_pushinteger(L, found - subject + (lua_Integer)count);
    return 2;
}

static int find_or_match(lua_State *L, bool find) {
    size_t length, count;
    const char *subject = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &count);
    size_t from = offset_of(luaL_optinteger(L, 3, 1), length);
    if (from > length) {
        luaL_pushfail(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || !has_magic(pattern, count)))
        return find_plainly(L, subject, length, from, pattern, count);
    bool anchored = *pattern == '^';
    matcher m;
    matcher_init(&m, L, subject, length, pattern + anchored, count - anchored);
    const char *start = subject + from;
    do {
        const char *end = match_at(&m, start);
        if (end == NULL) continue;
        if (!find) return push_captures_of(&m, start, end);
        lua_pushinteger(L, start - subject + 1);
        lua_pushinteger(L, end - subject);
        return 2 + push_captures_of(&m, NULL, NULL);
    } while (start++ < m.end && !anchored);
    luaL_pushfail(L);
    return 1;
}

static int string_find(lua_State *L) { return find_or_match(L, true); }
static int string_match(lua_State *L) { return find_or_match(L, false); }

// MARK: gmatch and gsub: an empty match directly after a match is not taken

/// A loop over matches: the matcher, where to go on, and where the last match ended.
typedef struct walk {
    matcher m;
    const char *at, *last_end;
} walk;

/// Upvalues: subject and pattern, which the walk points into, and the walk.
static int gmatch_step(lua_State *L) {
    walk *walk = lua_touserdata(L, lua_upvalueindex(3));
    walk->m.L = L;
    for (const char *start = walk->at; start <= walk->m.end; start++) {
        const char *end = match_at(&walk->m, start);
        if (end == NULL || end == walk->last_end) continue;
        walk->at = walk->last_end = end;
        return push_captures_of(&walk->m, start, end);
    }
    return 0;
}

static int string_gmatch(lua_State *L) {
    size_t length, count;
    const char *subject = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &count);
    size_t from = offset_of(luaL_optinteger(L, 3, 1), length);
    lua_settop(L, 2);
    walk *walk = lua_newuserdatauv(L, sizeof *walk, 0);
    matcher_init(&walk->m, L, subject, length, pattern, count);  // a '^' stands for itself here
    walk->at = subject + (from <= length ? from : length + 1);
    walk->last_end = NULL;
    lua_pushcclosure(L, gmatch_step, 3);
    return 1;
}

/// Adds the replacement string at index 3, with %0 … %9 replaced by captures.
static void add_text(matcher *m, luaL_Buffer *buffer, const char *start, const char *end) {
    size_t length;
    const char *text = lua_tolstring(m->L, 3, &length);
    const char *escape;
    while ((escape = memchr(text, '%', length)) != NULL) {
        luaL_addlstring(buffer, text, (size_t)(escape - text));
        char escaped = escape[1];
        if (escaped == '%') {
            luaL_addchar(buffer, '%');
        } else if (escaped == '0') {
            luaL_addlstring(buffer, start, (size_t)(end - start));
        } else if (escaped >= '1' && escaped <= '9') {
            push_capture_of(m, escaped - '1', start, end);
            luaL_addvalue(buffer);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
        length -= (size_t)(escape + 2 - text);
        text = escape + 2;
    }
    luaL_addlstring(buffer, text, length);
}

/// Adds what stands for the match; true if that is a replacement.
static bool add_replacement(matcher *m, luaL_Buffer *buffer, const char *start, const char *end) {
    lua_State *L = m->L;
    switch (lua_type(L, 3)) {
        case LUA_TFUNCTION: {
            lua_pushvalue(L, 3);
            int count = push_captures_of(m, start, end);
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
    const char *pattern = luaL_checklstring(L, 2, &count);
    int type = lua_type(L, 3);
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1);
    luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                     "string/function/table");
    bool anchored = *pattern == '^';
    walk walk = {.at = subject};
    matcher_init(&walk.m, L, subject, length, pattern + anchored, count - anchored);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    const char *copied = subject;  // up to here the result is written
    lua_Integer replaced = 0;
    bool changed = false;
    while (replaced < most) {
        const char *end = match_at(&walk.m, walk.at);
        if (end != NULL && end != walk.last_end) {
            replaced++;
            luaL_addlstring(&buffer, copied, (size_t)(walk.at - copied));
            changed |= add_replacement(&walk.m, &buffer, walk.at, end);
            copied = walk.at = walk.last_end = end;
        } else if (walk.at < walk.m.end) {
            walk.at++;
        } else {
            break;
        }
        if (anchored) break;
    }
    if (changed) {
        luaL_addlstring(&buffer, copied, (size_t)(walk.m.end - copied));
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
