// A Lua state with its memory limit.

#include <stdlib.h>
#include <string.h>

#include "../internal.h"

const char key_cache, key_anchors, key_functions, key_errors, key_strings, key_stop, key_scope, key_locals, key_watched, key_assigned;

/// True if the test setting wants this allocation to fail.
static bool fails_by_setting(const clua_context *context) {
    int64_t first = context->fail_first;
    return first > 0 && context->allocations >= first
        && (context->fail_count == 0 || context->allocations - first < context->fail_count);
}

static void *refuse(clua_context *context, size_t size) {
    context->refused++;
    context->refusal_size = size;
    context->refusal_used = context->used;
    // Reading the call chain is safe here: a collection may begin at any allocation and reads the same fields.
    if (context->ready) write_position(context->running, context->refusal_position, POSITION_SIZE);
    return NULL;
}

/// Lua's allocator. Shrinking and freeing never fail, as Lua requires.
static void *allocate(void *owner, void *block, size_t old_size, size_t new_size) {
    clua_context *context = owner;
    if (block == NULL) old_size = 0;  // then Lua passes a type tag here
    if (new_size == 0) {
        context->used -= old_size;
        return arena_resize(&context->arena, block, old_size, 0);
    }
    if (new_size > old_size) {
        size_t more = new_size - old_size;
        context->allocations++;
        if (fails_by_setting(context)) return refuse(context, new_size);
        if (context->limit != 0 && (context->used > context->limit || more > context->limit - context->used))
            return refuse(context, new_size);
    }
    void *moved = arena_resize(&context->arena, block, old_size, new_size);
    if (moved == NULL) return refuse(context, new_size);
    context->used += new_size - old_size;
    if (context->used > context->peak) context->peak = context->used;
    return moved;
}

/// The allocator while lua_newstate runs: the state is in its first block, and complete up to its strings when it asks for the
/// second.
static void *allocate_state(void *owner, void *block, size_t old_size, size_t new_size) {
    clua_context *context = owner;
    if (new_size > 0 && context->allocations == 1) set_seed(context->state_block);
    void *allocated = allocate(owner, block, old_size, new_size);
    if (context->allocations == 1) context->state_block = allocated;
    return allocated;
}

/// Only reached when the shim forgot a protected call: a defect of ours, which must not go on as a jump over Swift.
static int panic(lua_State *L) {
    const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no message";
    lua_writestringerror("CLua: an error outside of protected mode: %s\n", message);
    abort();
}

static int set_up(lua_State *L) {
    // luaD_seterrorobj makes this string outside of protected mode when an error handler fails. While it exists,
    // interning it again allocates nothing.
    lua_newtable(L);
    lua_pushliteral(L, "error in error handling");
    lua_rawseti(L, -2, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_strings);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_anchors);
    open_objects(L);
    open_errors(L);
    open_libraries(L);
    return 0;
}

clua_context *clua_open(const clua_options *options, clua_control *control, const clua_host *host, void *owner) {
    if (!clua_start_ticker()) return NULL;
    clua_context *context = calloc(1, sizeof *context);
    if (context == NULL) return NULL;
    context->control = control;
    context->host = *host;
    context->owner = owner;
    context->trusted = options->trusted;
    context->limit = options->memory_limit;
    context->patience = options->patience;
    context->fail_first = options->fail_first;
    context->fail_count = options->fail_count;
    atomic_init(&context->crossings, 1);
    arena_open(&context->arena);
    lua_State *L = lua_newstate(allocate_state, context);
    if (L == NULL) {
        clua_free(context);
        return NULL;
    }
    lua_setallocf(L, allocate, context);
    context->L = context->current = context->running = L;
    *(clua_context **)lua_getextraspace(L) = context;  // new threads get a copy of the main thread's space
    lua_atpanic(L, panic);
    if (protect(L, set_up, NULL, 0, 0) != CLUA_OK) {
        clua_close(context);
        clua_free(context);
        return NULL;
    }
    context->ready = true;
    return context;
}

void clua_close(clua_context *context) {
    context->ready = false;
    context->current = context->running = context->L;
    if (context->pending != NULL) handle_abandon(context, context->pending);
    context->pending = NULL;
    lua_close(context->L);
    // A finalizer that found no memory for its call frame has left its object behind.
    while (context->live != NULL) handle_release(context, context->live);
}

void clua_free(clua_context *context) {
    arena_close(&context->arena);
    free(context);
}

lua_State *clua_current(const clua_context *context) { return context->current; }

clua_context *clua_context_of(lua_State *L) { return context_of(L); }

clua_counters clua_count(const clua_context *context) {
    return (clua_counters){.used = context->used,
                           .peak = context->peak,
                           .limit = context->limit,
                           .allocations = context->allocations,
                           .refused = context->refused,
                           .live_objects = context->live_objects,
                           .external = context->external};
}

bool clua_has_arena(const clua_context *context) { return context->arena.base != NULL; }

void clua_fail_allocations(clua_context *context, int64_t first, int64_t count) {
    context->fail_first = first > 0 ? context->allocations + first : 0;
    context->fail_count = count;
}

void clua_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT); }

bool clua_collect_here(clua_context *context) {
    bool host_runs = atomic_load_explicit(&context->crossings, memory_order_relaxed) % 2 != 0;
    if (!entered_here(context) || !host_runs) return false;
    clua_collect(context->current);
    return true;
}

clua_status status_of(lua_State *L, int status) {
    if (status == LUA_OK) return CLUA_OK;
    if (stopping(L)) return CLUA_STOPPED;
    if (status == LUA_ERRMEM) return CLUA_MEMORY;
    return status == LUA_ERRERR ? CLUA_OVERFLOW : CLUA_RAISED;
}

clua_status protect(lua_State *L, lua_CFunction body, void *arguments, int operands, int results) {
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        lua_pop(L, operands);
        return CLUA_MEMORY;
    }
    lua_pushcfunction(L, body);
    lua_insert(L, -(operands + 1));
    lua_pushlightuserdata(L, arguments);
    int status = lua_pcall(L, operands + 1, results, 0);
    if (status == LUA_OK) return CLUA_OK;
    lua_pop(L, 1);
    // The bodies raise nothing of their own: what is neither memory nor a stop is the end of the C stack.
    return status == LUA_ERRMEM ? CLUA_MEMORY : CLUA_OVERFLOW;
}
