// What a prompt sees: beside the globals, the local variables of the script that is paused or has ended. A prompt's chunk gets an
// environment that looks names up when they are used, so that a paused script's variables are read and assigned where they are.

#include <string.h>

#include "../internal.h"

/// The chunk name of what is typed at a prompt; its own frames are not part of what it sees.
const char prompt_source[] = "@prompt";

typedef struct {
    lua_State *thread;
    lua_Debug activation;
    int local;    // the number of the local variable, 0 for none
    int upvalue;  // the number of the upvalue of the function, 0 for none
} place;

/// Pushes the function of a frame that a prompt sees, or pushes nothing and returns false.
static bool push_visible_function(lua_State *thread, lua_Debug *activation) {
    if (!lua_checkstack(thread, 2) || !lua_getinfo(thread, "Sf", activation)) return false;
    if (activation->what[0] != 'C' && strcmp(activation->source, prompt_source) != 0) return true;
    lua_pop(thread, 1);
    return false;
}

/// The variable of this name in the innermost frame that has one, its latest declaration first.
static bool find_in_thread(lua_State *thread, const char *name, place *found) {
    found->thread = thread;
    for (int level = 0; lua_getstack(thread, level, &found->activation); level++) {
        if (!push_visible_function(thread, &found->activation)) continue;
        const char *variable;
        found->local = found->upvalue = 0;
        for (int i = 1; (variable = lua_getlocal(thread, &found->activation, i)) != NULL; i++) {
            if (strcmp(variable, name) == 0) found->local = i;
            lua_pop(thread, 1);
        }
        for (int i = 1; found->local == 0 && (variable = lua_getupvalue(thread, -1, i)) != NULL; i++) {
            if (strcmp(variable, name) == 0) found->upvalue = i;
            lua_pop(thread, 1);
        }
        lua_pop(thread, 1);
        if (found->local != 0 || found->upvalue != 0) return true;
    }
    return false;
}

/// In the running thread, then in the main one, whose frames stand below those of a coroutine.
static bool find(lua_State *L, const char *name, place *found) {
    lua_State *main = context_of(L)->L;
    return find_in_thread(L, name, found) || (main != L && find_in_thread(main, name, found));
}

/// Pushes the variable's value onto `L`.
static void push_variable(lua_State *L, place *from) {
    lua_State *thread = from->thread;
    if (from->local != 0) {
        lua_getlocal(thread, &from->activation, from->local);
    } else {
        lua_getinfo(thread, "f", &from->activation);
        lua_getupvalue(thread, -1, from->upvalue);
        lua_remove(thread, -2);
    }
    lua_xmove(thread, L, 1);
}

/// Pops a value off `L` into the variable.
static void assign_variable(lua_State *L, place *to) {
    lua_State *thread = to->thread;
    if (to->local != 0) {
        lua_xmove(L, thread, 1);
        lua_setlocal(thread, &to->activation, to->local);
    } else {
        lua_getinfo(thread, "f", &to->activation);
        if (thread == L) lua_insert(L, -2);
        else lua_xmove(L, thread, 1);
        lua_setupvalue(thread, -2, to->upvalue);
        lua_pop(thread, 1);
    }
}

/// Pushes what was kept of the script's locals when it ended, a table.
static void push_kept_locals(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &key_locals); }

static int read_variable(lua_State *L) {
    lua_settop(L, 2);
    place found;
    if (lua_type(L, 2) == LUA_TSTRING && find(L, lua_tostring(L, 2), &found)) {
        push_variable(L, &found);
        return 1;
    }
    push_kept_locals(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return 1;
    lua_pushglobaltable(L);
    lua_pushvalue(L, 2);
    lua_gettable(L, -2);
    return 1;
}

static int assign(lua_State *L) {
    lua_settop(L, 3);
    place found;
    if (lua_type(L, 2) == LUA_TSTRING && find(L, lua_tostring(L, 2), &found)) {
        assign_variable(L, &found);
        return 0;
    }
    push_kept_locals(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) == LUA_TNIL) lua_pushglobaltable(L);
    else lua_pop(L, 1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_settable(L, -3);
    return 0;
}

/// Sees the compiled chunk, and leaves it with the prompt's environment.
static int set_environment(lua_State *L) {
    lua_settop(L, 1);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key_scope) == LUA_TNIL) {
        lua_newtable(L);
        lua_createtable(L, 0, 3);
        lua_pushcfunction(L, read_variable);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, assign);
        lua_setfield(L, -2, "__newindex");
        lua_pushliteral(L, "environment");
        lua_setfield(L, -2, "__metatable");
        lua_setmetatable(L, -2);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &key_scope);
        lua_replace(L, -2);
    }
    push_kept_locals(L);
    if (lua_isnil(L, -1)) {
        lua_newtable(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &key_locals);
    }
    lua_pop(L, 1);
    lua_setupvalue(L, 1, 1);  // the only upvalue of a main chunk is _ENV
    lua_settop(L, 1);
    return 1;
}

clua_status clua_enter_prompt(lua_State *L) { return protect(L, set_environment, NULL, 1, 1); }

// MARK: listing what is visible

/// Copies the fields of the table on top whose keys are names into `into`, and pops it; nil is no table.
static void copy_fields(lua_State *L, int into) {
    if (lua_istable(L, -1)) {
        for (lua_pushnil(L); lua_next(L, -2) != 0;) {
            if (lua_type(L, -2) == LUA_TSTRING) {
                lua_pushvalue(L, -2);
                lua_pushvalue(L, -2);
                lua_rawset(L, into);
            }
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

/// Moves the value on top of `thread` into `into` under a variable's name, unless that is a temporary's.
static void move_variable(lua_State *L, lua_State *thread, const char *name, int into) {
    if (name[0] == '(' || strcmp(name, "_ENV") == 0 || !lua_checkstack(L, 4)) {
        lua_pop(thread, 1);
        return;
    }
    lua_xmove(thread, L, 1);
    lua_setfield(L, into, name);
}

/// The variables of a thread's frames, the innermost last, so that it is theirs that stay.
static void copy_variables(lua_State *L, lua_State *thread, int into) {
    lua_Debug activation;
    int level = 0;
    while (lua_getstack(thread, level, &activation)) level++;
    while (level-- > 0) {
        if (!lua_getstack(thread, level, &activation) || !push_visible_function(thread, &activation)) continue;
        int function = lua_gettop(thread);
        const char *variable;
        for (int i = 1; (variable = lua_getupvalue(thread, function, i)) != NULL; i++) move_variable(L, thread, variable, into);
        for (int i = 1; (variable = lua_getlocal(thread, &activation, i)) != NULL; i++) move_variable(L, thread, variable, into);
        lua_remove(thread, function);
    }
}

static int list_visible(lua_State *L) {
    lua_settop(L, 0);
    lua_newtable(L);
    lua_pushglobaltable(L);
    copy_fields(L, 1);
    push_kept_locals(L);
    copy_fields(L, 1);
    lua_State *main = context_of(L)->L;
    if (main != L) copy_variables(L, main, 1);
    copy_variables(L, L, 1);
    return 1;
}

clua_status clua_push_visible(lua_State *L) { return protect(L, list_visible, NULL, 0, 1); }

// MARK: keeping the locals of a script that ends
//
// A hook at returns would slow down every call. Instead the script begins, on its first line, with a variable to be closed: its
// handler runs in the script's own frame when it returns, where all locals are still alive. Errors pass by the message handler,
// while the frame stands. The variable's value is what `_ENV` is at first, and `_ENV` becomes the globals.

static const char keeper_text[] = "local keeper <close>, _ENV = _ENV, _ENV[1] ";
#define KEEPER_LOCALS 2

typedef struct {
    const char *text, *name;
    size_t length;
    int pieces;  // read so far
} kept_chunk;

static const char *read_piece(lua_State *L, void *arguments, size_t *size) {
    (void)L;
    kept_chunk *chunk = arguments;
    switch (chunk->pieces++) {
        case 0: *size = sizeof keeper_text - 1; return keeper_text;
        case 1: *size = chunk->length; return chunk->text;
        default: return NULL;
    }
}

/// The handler of the variable.
static int keep_at_end(lua_State *L) {
    keep_watched_locals(L);
    context_of(L)->watching = false;
    return 0;
}

/// Leaves the compiled chunk, or nil.
static int load_watched(lua_State *L) {
    kept_chunk *chunk = lua_touserdata(L, 1);
    lua_settop(L, 0);
    if (lua_load(L, read_piece, chunk, chunk->name, "t") != LUA_OK) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 1, 0);  // what the variable is, and holds
    lua_pushglobaltable(L);
    lua_rawseti(L, -2, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, keep_at_end);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_setupvalue(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_watched);
    context_of(L)->watching = true;
    return 1;
}

clua_status clua_load_keeping_locals(lua_State *L, const char *text, size_t length, const char *name) {
    kept_chunk chunk = {text != NULL ? text : "", name, length, 0};
    clua_status status = protect(L, load_watched, &chunk, 0, 1);
    if (status != CLUA_OK || !lua_isnil(L, -1)) return status;
    lua_pop(L, 1);
    return clua_load(L, text, length, name);  // says what is wrong, or has as many locals as Lua allows by itself
}

static int keep_locals(lua_State *L) {
    lua_settop(L, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_watched);
    lua_Debug activation;
    for (int level = 0; lua_getstack(L, level, &activation); level++) {
        lua_getinfo(L, "f", &activation);
        bool is_script = lua_rawequal(L, -1, 1) != 0;
        lua_pop(L, 1);
        if (!is_script) continue;
        lua_newtable(L);
        const char *variable;
        for (int i = KEEPER_LOCALS + 1; (variable = lua_getlocal(L, &activation, i)) != NULL; i++) {
            if (variable[0] == '(') lua_pop(L, 1);  // a temporary of the interpreter's
            else lua_setfield(L, -2, variable);
        }
        lua_rawsetp(L, LUA_REGISTRYINDEX, &key_locals);
        return 0;
    }
    return 0;
}

void keep_watched_locals(lua_State *L) { protect(L, keep_locals, NULL, 0, 0); }
