// Swift objects as userdata: lifetimes, identity, captured values, classes.

#include <stdlib.h>

#include "../internal.h"

// MARK: handles

clua_handle *handle_new(void *object, const void *class_id, size_t external) {
    clua_handle *handle = malloc(sizeof *handle);
    if (handle != NULL) *handle = (clua_handle){.object = object, .class_id = class_id, .external = external};
    return handle;
}

void handle_link(clua_context *context, clua_handle *handle) {
    handle->linked = true;
    handle->next = context->live;
    if (context->live != NULL) context->live->previous = handle;
    context->live = handle;
    context->live_objects++;
    context->external += handle->external;
    context->unfed += handle->external;
}

/// From the live list to the release list: pointers only, so that it may happen inside the collector.
void handle_release(clua_context *context, clua_handle *handle) {
    if (handle->previous != NULL) handle->previous->next = handle->next;
    else context->live = handle->next;
    if (handle->next != NULL) handle->next->previous = handle->previous;
    context->live_objects--;
    context->external -= handle->external;
    handle->next = context->released;
    context->released = handle;
}

void handle_abandon(clua_context *context, clua_handle *handle) {
    if (handle->linked) return;
    handle->next = context->released;
    context->released = handle;
}

bool clua_drain(clua_context *context) {
    clua_handle *handle = context->released;
    if (handle == NULL) return false;
    context->released = handle->next;
    void *object = handle->object;
    free(handle);
    context->host.release(object);  // may run any deinit, and so re-enter
    return true;
}

/// `__gc` of every userdata of ours.
int finalize_object(lua_State *L) {
    clua_handle **box = lua_touserdata(L, 1);
    if (box != NULL && *box != NULL) {
        handle_release(context_of(L), *box);
        *box = NULL;
    }
    return 0;
}

// MARK: userdata

/// Sees the handle, which names the class; leaves the userdata.
static int new_object(lua_State *L) {
    clua_context *context = context_of(L);
    clua_handle *handle = lua_touserdata(L, 1);
    clua_handle **box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, handle->class_id);
    lua_setmetatable(L, -2);
    *box = handle;
    handle_link(context, handle);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_cache);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, handle->object);
    lua_pop(L, 1);
    return 1;
}

clua_status clua_new_object(lua_State *L, void *object, const void *class_id, size_t external) {
    clua_context *context = context_of(L);
    clua_handle *handle = handle_new(object, class_id, external);
    if (handle == NULL) {
        context->host.release(object);
        return CLUA_MEMORY;
    }
    clua_status status = protect(L, new_object, handle, 0, 1);
    if (status != CLUA_OK) handle_abandon(context, handle);
    return status;
}

bool clua_push_known(lua_State *L, const void *object) {
    if (!lua_checkstack(L, 2)) return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_cache);
    int type = lua_rawgetp(L, -1, object);
    lua_remove(L, -2);
    if (type == LUA_TUSERDATA) return true;
    lua_pop(L, 1);
    return false;
}

/// The handle in a userdata whose metatable is that of a class of ours; null otherwise. Never raises.
static clua_handle *to_handle(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_checkstack(L, 2) || !lua_getmetatable(L, index)) return NULL;
    int ours = lua_rawgetp(L, -1, &key_cache);  // the mark of our classes' metatables
    lua_pop(L, 2);
    if (ours == LUA_TNIL) return NULL;
    clua_handle **box = lua_touserdata(L, index);
    return *box;
}

void *clua_to_object(lua_State *L, int32_t index, const void **class_id) {
    clua_handle *handle = to_handle(L, index);
    if (handle == NULL) return NULL;
    if (class_id != NULL) *class_id = handle->class_id;
    return handle->object;
}

void clua_set_external(lua_State *L, const void *object, size_t external) {
    if (!clua_push_known(L, object)) return;
    clua_handle *handle = to_handle(L, -1);
    lua_pop(L, 1);
    if (handle == NULL) return;
    clua_context *context = context_of(L);
    context->external += external - handle->external;
    if (external > handle->external) context->unfed += external - handle->external;
    handle->external = external;
}

// A cycle of the collector takes about 1.6 ns for each byte that Lua holds, filling fresh memory about 1 ns a byte. Were outside
// bytes counted as Lua's own, a cycle would begin whenever as many had come as Lua holds, and take longer than filling them. Of
// one in EXTERNAL_SHARE it takes a fifth of that, and no more than so many times Lua's memory is garbage outside. What a limit
// on outside memory cannot wait for is collected when that is refused (clua_collect_here).
#define EXTERNAL_SHARE 8
#define LEAST_FEED ((size_t)EXTERNAL_SHARE << 10)  // lua_gc counts in KiB

void clua_feed_collector(lua_State *L) {
    clua_context *context = context_of(L);
    if (context->unfed < LEAST_FEED || !lua_gc(L, LUA_GCISRUNNING)) return;
    size_t kibibytes = context->unfed / LEAST_FEED;
    context->unfed %= LEAST_FEED;
    lua_gc(L, LUA_GCSTEP, kibibytes < INT32_MAX / 2048 ? (int)kibibytes : INT32_MAX / 2048);
}

// MARK: captured values

/// Sees owner, value, and where to put the slot.
static int capture(lua_State *L) {
    int64_t *slot = lua_touserdata(L, 3);
    if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, 1);
    }
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, context_of(L)->next_capture + 1);
    *slot = ++context_of(L)->next_capture;
    return 0;
}

clua_status clua_capture(lua_State *L, int32_t owner, int32_t value, int64_t *slot) {
    *slot = 0;
    if (!lua_checkstack(L, 2)) return CLUA_MEMORY;
    owner = lua_absindex(L, owner);
    value = lua_absindex(L, value);
    lua_pushvalue(L, owner);
    lua_pushvalue(L, value);
    return protect(L, capture, slot, 2, 0);
}

/// Pushes the table of the object's captures; never raises.
static bool push_captures(lua_State *L, const void *owner) {
    if (!lua_checkstack(L, 4) || !clua_push_known(L, owner)) return false;
    int type = lua_getiuservalue(L, -1, 1);
    lua_remove(L, -2);
    if (type == LUA_TTABLE) return true;
    lua_pop(L, 1);
    return false;
}

bool clua_push_captured(lua_State *L, const void *owner, int64_t slot) {
    if (!push_captures(L, owner)) return false;
    int type = lua_rawgeti(L, -1, slot);
    lua_remove(L, -2);
    if (type != LUA_TNIL) return true;
    lua_pop(L, 1);
    return false;
}

void clua_release_captured(lua_State *L, const void *owner, int64_t slot) {
    if (!push_captures(L, owner)) return;
    if (lua_rawgeti(L, -1, slot) != LUA_TNIL) {
        lua_pushnil(L);
        lua_rawseti(L, -3, slot);  // an existing key: nothing is allocated
    }
    lua_pop(L, 2);
}

// MARK: classes

/// `__index`: a method, a property, or what `fallback` says. Upvalues: methods, getters, fallback.
static int index_object(lua_State *L) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL) {
        lua_settop(L, 2);
        lua_pushvalue(L, lua_upvalueindex(3));
        lua_insert(L, 1);
        lua_call(L, 2, 1);
    } else {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
    }
    return 1;
}

/// `__newindex`: a setter, or `refuse`. Upvalues: setters, refuse.
static int assign_object(lua_State *L) {
    lua_settop(L, 3);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_insert(L, 1);
        lua_call(L, 3, 0);
    } else {
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 3);
        lua_call(L, 2, 0);
    }
    return 0;
}

typedef struct {
    const void *class_id;
    const char *name;
} class_arguments;

/// Sees fallback, refuse, arguments; leaves metatable, methods, getters, setters.
static int new_class(lua_State *L) {
    const class_arguments *class = lua_touserdata(L, 3);
    lua_settop(L, 2);
    lua_newtable(L);  // 3: metatable
    lua_newtable(L);  // 4: methods
    lua_newtable(L);  // 5: getters
    lua_newtable(L);  // 6: setters
    lua_pushboolean(L, 1);
    lua_rawsetp(L, 3, &key_cache);
    lua_pushstring(L, class->name);
    lua_pushvalue(L, -1);
    lua_setfield(L, 3, "__name");
    lua_setfield(L, 3, "__metatable");
    lua_pushcfunction(L, finalize_object);
    lua_setfield(L, 3, "__gc");
    lua_pushvalue(L, 4);
    lua_pushvalue(L, 5);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, index_object, 3);
    lua_setfield(L, 3, "__index");
    lua_pushvalue(L, 6);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, assign_object, 2);
    lua_setfield(L, 3, "__newindex");
    lua_pushvalue(L, 3);
    lua_rawsetp(L, LUA_REGISTRYINDEX, class->class_id);
    return 4;
}

clua_status clua_new_class(lua_State *L, const void *class_id, const char *name) {
    class_arguments class = {class_id, name};
    return protect(L, new_class, &class, 2, 4);
}

void open_objects(lua_State *L) {
    lua_newtable(L);  // the identity cache: from a Swift address to its userdata
    lua_newtable(L);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_cache);
    lua_newtable(L);  // the metatable of function objects
    lua_pushcfunction(L, finalize_object);
    lua_setfield(L, -2, "__gc");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_functions);
}
