// Calls both ways: the trampoline from Lua to Swift, protected calls from Swift to Lua, and errors on their way.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../internal.h"

// MARK: from Lua to Swift

/// Makes the pending Swift error a Lua value and raises it. Here no Swift frame stands above the next lua_pcall.
static int raise_pending(lua_State *L) {
    clua_context *context = context_of(L);
    clua_handle **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_errors);
    lua_setmetatable(L, -2);
    *box = context->pending;
    context->pending = NULL;
    if (*box != NULL) handle_link(context, *box);
    return lua_error(L);
}

static int raise(lua_State *L, int32_t reason) {
    luaL_checkstack(L, 4, NULL);
    switch (reason) {
        case CLUA_RAISE_STOP: raise_stop(L);
        case CLUA_RAISE_VALUE: return lua_error(L);
        case CLUA_RAISE_ERROR:
            if (context_of(L)->pending != NULL) return raise_pending(L);
            break;
        default: break;
    }
    // lua_error knows its own memory error by this string, which exists since the state was made.
    lua_pushliteral(L, "not enough memory");
    return lua_error(L);
}

/// What Lua calls for every Swift function. Upvalues: the function object, and a value kept alive with it.
static int trampoline(lua_State *L) {
    clua_context *context = context_of(L);
    if (stopping(L)) raise_stop(L);
    clua_handle **box = lua_touserdata(L, lua_upvalueindex(1));
    if (*box == NULL) return luaL_error(L, "this function has been closed");
    lua_State *outer = context->current;
    context->current = L;
    cross(context);
    int32_t results = context->host.call((*box)->object, L, lua_gettop(L));
    cross(context);
    context->current = outer;
    // It came while the host ran, where no hook was set; or a pause did, which the host has not come to in time: in a loop of
    // short calls the ticker may find the host at every look.
    if (clua_control_pausing(context->control) && control_has_waited(context->control)) {
        clua_control_request_stop(context->control);
    }
    if (stopping(L)) raise_stop(L);
    return results >= 0 ? results : raise(L, results);
}

/// Sees the kept value and the handle; leaves the closure.
static int new_function(lua_State *L) {
    clua_handle *handle = lua_touserdata(L, 2);
    clua_handle **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_functions);
    lua_setmetatable(L, -2);
    *box = handle;
    handle_link(context_of(L), handle);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, trampoline, 2);
    return 1;
}

clua_status clua_push_function(lua_State *L, void *function, int32_t keep) {
    clua_context *context = context_of(L);
    clua_handle *handle = handle_new(function, NULL, 0);
    if (handle == NULL) {
        context->host.release(function);
        return CLUA_MEMORY;
    }
    clua_status status = CLUA_MEMORY;
    if (lua_checkstack(L, 1)) {
        if (keep != 0) lua_pushvalue(L, keep);
        else lua_pushnil(L);
        status = protect(L, new_function, handle, 1, 1);
    }
    if (status != CLUA_OK) handle_abandon(context, handle);
    return status;
}

void *clua_to_function(lua_State *L, int32_t index) {
    if (lua_tocfunction(L, index) != trampoline || !lua_checkstack(L, 1)) return NULL;
    lua_getupvalue(L, index, 1);
    clua_handle **box = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return *box != NULL ? (*box)->object : NULL;
}

clua_status clua_push_kept(lua_State *L) {
    if (!lua_checkstack(L, 1)) return CLUA_MEMORY;
    lua_pushvalue(L, lua_upvalueindex(2));
    return CLUA_OK;
}

void clua_set_pending(clua_context *context, void *error) {
    if (context->pending != NULL) handle_abandon(context, context->pending);
    context->pending = handle_new(error, &key_errors, 0);
    if (context->pending == NULL) context->host.release(error);  // then the trampoline raises "not enough memory"
}

void *clua_to_error(lua_State *L, int32_t index) {
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_checkstack(L, 2) || !lua_getmetatable(L, index)) return NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_errors);
    int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    clua_handle **box = same ? lua_touserdata(L, index) : NULL;
    return box != NULL && *box != NULL ? (*box)->object : NULL;
}

void open_errors(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, finalize_object);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "error");
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__name");
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_errors);
}

/// Sees the new metatable; adds what every userdata of ours needs.
static int set_error_class(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_errors);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    return 0;
}

clua_status clua_set_error_class(lua_State *L) { return protect(L, set_error_class, NULL, 1, 0); }

/// Upvalue: a function of the string library.
static int text_method(lua_State *L) {
    luaL_checkany(L, 1);
    luaL_tolstring(L, 1, NULL);
    lua_replace(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

typedef struct {
    const char *bytes;
    size_t length;
} name_arguments;

static int push_text_method(lua_State *L) {
    const name_arguments *name = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_strings);
    lua_rawgeti(L, -1, 2);
    lua_pushlstring(L, name->bytes, name->length);
    if (lua_rawget(L, -2) == LUA_TFUNCTION) lua_pushcclosure(L, text_method, 1);
    else lua_pushnil(L);
    return 1;
}

clua_status clua_push_text_method(lua_State *L, const char *bytes, size_t length) {
    name_arguments name = {bytes, length};
    return protect(L, push_text_method, &name, 0, 1);
}

// MARK: where an error happened

static bool is_position(const lua_Debug *activation) { return activation->currentline > 0; }

void write_position(lua_State *L, char *text, size_t size) {
    text[0] = '\0';
    lua_Debug activation;
    for (int level = 0; lua_getstack(L, level, &activation); level++) {
        if (lua_getinfo(L, "Sl", &activation) && is_position(&activation)) {
            snprintf(text, size, "%s:%d", activation.short_src, activation.currentline);
            return;
        }
    }
}

const char *clua_where(lua_State *L) {
    clua_context *context = context_of(L);
    write_position(L, context->where, POSITION_SIZE);
    return context->where;
}

typedef struct {
    char *text;
    size_t used, size;
} text_buffer;

__attribute__((format(printf, 2, 3))) static void append(text_buffer *buffer, const char *format, ...) {
    va_list values;
    va_start(values, format);
    size_t room = buffer->size - buffer->used;
    int length = vsnprintf(buffer->text + buffer->used, room, format, values);
    va_end(values);
    if (length > 0) buffer->used += (size_t)length < room ? (size_t)length : room - 1;
}

static void append_activation(text_buffer *buffer, const lua_Debug *activation) {
    if (buffer->used > 0) append(buffer, "\n");
    if (is_position(activation)) append(buffer, "%s:%d: in ", activation->short_src, activation->currentline);
    else append(buffer, "[host]: in ");
    if (activation->what[0] == 'm') append(buffer, "main chunk");
    else if (activation->name != NULL && activation->namewhat[0] != '\0')
        append(buffer, "%s '%s'", activation->namewhat, activation->name);
    else if (activation->what[0] == 'C') append(buffer, "a function");
    else append(buffer, "function <%s:%d>", activation->short_src, activation->linedefined);
    if (activation->istailcall) append(buffer, " (called as a tail call)");
}

/// How many activations `L` has. lua_getstack walks from the top, so counting them one by one would take quadratic time.
static int depth_of(lua_State *L) {
    lua_Debug activation;
    int below = 1, above = 0;  // activation `above` exists or is 0; `below` is sought beyond the last
    while (lua_getstack(L, below, &activation)) {
        above = below;
        below *= 2;
    }
    while (below - above > 1) {
        int middle = above + (below - above) / 2;
        if (lua_getstack(L, middle, &activation)) above = middle;
        else below = middle;
    }
    return below;
}

/// Writes the activations of `L` from `level` on, the middle ones left out of a deep stack. lua_getinfo with these options
/// allocates nothing, so this neither raises nor collects.
static void write_traceback(lua_State *L, int level, text_buffer *buffer) {
    const int shown_first = 12, shown_last = 10;
    lua_Debug activation;
    int depth = depth_of(L);
    for (int i = level; i < depth && lua_getstack(L, i, &activation); i++) {
        if (i == level + shown_first && depth - i > shown_last) {
            append(buffer, "\n... (%d levels left out)", depth - i - shown_last);
            i = depth - shown_last;
            lua_getstack(L, i, &activation);
        }
        if (lua_getinfo(L, "Slnt", &activation)) append_activation(buffer, &activation);
    }
}

void note_coroutine_traceback(lua_State *L, lua_State *thread) {
    clua_context *context = context_of(L);
    // An inner coroutine's frames come first.
    text_buffer buffer = {context->coroutine_traceback, strlen(context->coroutine_traceback), TRACEBACK_SIZE};
    write_traceback(thread, 0, &buffer);
}

/// The handler of every protected call from Swift: notes where the error happened, and leaves its value alone. Never raises.
int message_handler(lua_State *L) {
    clua_context *context = context_of(L);
    write_position(L, context->position, POSITION_SIZE);
    memcpy(context->traceback, context->coroutine_traceback, TRACEBACK_SIZE);
    context->coroutine_traceback[0] = '\0';
    text_buffer buffer = {context->traceback, strlen(context->traceback), TRACEBACK_SIZE};
    write_traceback(L, 1, &buffer);
    if (context->watching) keep_watched_locals(L);
    return 1;
}

const char *clua_error_position(const clua_context *context) { return context->position; }
const char *clua_error_traceback(const clua_context *context) { return context->traceback; }
const char *clua_refusal_position(const clua_context *context) { return context->refusal_position; }
size_t clua_refusal_size(const clua_context *context) { return context->refusal_size; }
size_t clua_refusal_used(const clua_context *context) { return context->refusal_used; }

// MARK: from Swift to Lua

clua_status clua_call(lua_State *L, int32_t arguments, int32_t results) {
    clua_context *context = context_of(L);
    int function = lua_gettop(L) - arguments;
    context->position[0] = context->traceback[0] = '\0';
    if (stopping(L) || !lua_checkstack(L, 1)) {
        lua_settop(L, function - 1);
        if (!stopping(L)) return CLUA_MEMORY;
        if (context->call_depth == 0) control_answer(context->control);
        return CLUA_STOPPED;
    }
    lua_pushcfunction(L, message_handler);
    lua_insert(L, function);
    lua_State *running = context->running;
    context->running = L;
    if (context->call_depth++ == 0) ticker_enter(context);
    cross(context);
    int status = lua_pcall(L, arguments, results, function);
    cross(context);
    if (--context->call_depth == 0) ticker_leave(context);
    context->running = running;
    lua_remove(L, function);
    clua_status ended = status_of(L, status);
    if (ended == CLUA_STOPPED && context->call_depth == 0) control_answer(context->control);
    // A stop asked for while the last instructions ran is left to the next look at the flag.
    if (ended != CLUA_OK && ended != CLUA_RAISED) lua_settop(L, function - 1);
    return ended;
}

typedef struct {
    const char *text, *name;
    size_t length;
    int status;
} chunk_arguments;

static int load_chunk(lua_State *L) {
    chunk_arguments *chunk = lua_touserdata(L, 1);
    chunk->status = luaL_loadbufferx(L, chunk->text, chunk->length, chunk->name, "t");
    return 1;
}

clua_status clua_load(lua_State *L, const char *text, size_t length, const char *name) {
    chunk_arguments chunk = {text != NULL ? text : "", name, length, LUA_OK};
    clua_status status = protect(L, load_chunk, &chunk, 0, 1);
    if (status != CLUA_OK || chunk.status == LUA_OK) return status;
    if (chunk.status == LUA_ERRSYNTAX) return CLUA_RAISED;
    lua_pop(L, 1);
    return chunk.status == LUA_ERRMEM ? CLUA_MEMORY : CLUA_OVERFLOW;
}
