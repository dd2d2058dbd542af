/// Shared by the files of CLua. Functions here may raise Lua errors unless they say otherwise.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdatomic.h>

#include "CLua.h"
#include "state/arena.h"

#define TRACEBACK_SIZE 8192   // longer tracebacks are cut
#define POSITION_SIZE (LUA_IDSIZE + 24)

/// One strong reference to a Swift object that Lua holds: the block of a userdata points to it. It is allocated before the
/// userdata, so that a finalizer moves it to the release list without allocating.
typedef struct clua_handle {
    void *object;
    const void *class_id;
    size_t external;
    bool linked;                          // it has been in `live`: a userdata of ours releases it
    struct clua_handle *previous, *next;  // in `live`, or by `next` alone in `released`
} clua_handle;

struct clua_context {
    lua_State *L;        // the main thread
    lua_State *current;  // the thread in whose frame Swift is
    lua_State *volatile running;  // the thread that Lua runs, kept by our `coroutine` functions; read by a signal handler
    clua_control *control;
    clua_host host;
    void *owner;
    bool trusted;
    bool warns, in_warning;  // `warn` is turned on; the last message goes on in the next
    bool watching;  // the locals of the script are to be kept when it ends
    bool ready;  // false while the state is made or closed: no positions are read then

    arena arena;
    void *state_block;  // the first allocation, which holds the state
    size_t used, peak, limit;
    int64_t allocations, refused;
    int64_t fail_first, fail_count;

    clua_handle *live, *released;
    int64_t live_objects;
    size_t external, unfed;  // bytes outside of Lua; those that the collector has not worked for
    int64_t next_capture;

    _Atomic uint64_t crossings;  // of the border between the host and Lua: odd while the host runs
    double patience;             // seconds of Lua without a crossing
    // What the ticker keeps (ticker.c): what it saw last, and its list of the states that run scripts.
    pthread_t thread;
    uint64_t seen_crossings;
    double seen_at;
    clua_context *outer, *previous_entered, *next_entered;
    int closing_depth;  // nested coroutine.close

    clua_handle *pending;
    char position[POSITION_SIZE], traceback[TRACEBACK_SIZE];
    char coroutine_traceback[TRACEBACK_SIZE];  // of the coroutine whose error coroutine.wrap is raising again
    char refusal_position[POSITION_SIZE], where[POSITION_SIZE];
    size_t refusal_size, refusal_used;
    int call_depth;  // nested clua_call
};

static inline clua_context *context_of(lua_State *L) { return *(clua_context **)lua_getextraspace(L); }

extern const char prompt_source[];  // the chunk name of what is typed at a prompt

/// Addresses used as registry keys.
extern const char key_cache;      // the weak table from object addresses to userdata; in a metatable: the mark of a class of ours
extern const char key_anchors;    // values held by Swift for the length of a call
extern const char key_functions;  // the metatable of function objects
extern const char key_errors;     // the metatable of error values
extern const char key_strings;    // strings that must stay interned, and the string library
extern const char key_stop;       // not a key: the error value of a stop
extern const char key_scope;      // the environment of what is typed at a prompt
extern const char key_assigned;   // the names of globals that were assigned, a set, where reads of others are errors
extern const char key_locals;     // the table of locals that the script had when it ended
extern const char key_watched;    // the script's function, while its locals are to be kept

/// Runs `body` in protected mode on the top `operands` values and then a pointer to `arguments`; never raises.
clua_status protect(lua_State *L, lua_CFunction body, void *arguments, int operands, int results);
/// The status that stands for a Lua status; never raises.
clua_status status_of(lua_State *L, int status);

_Noreturn void raise_stop(lua_State *L);
static inline bool stopping(lua_State *L) { return clua_control_stop(context_of(L)->control) != CLUA_RUNNING; }
/// For long C loops, which no hook interrupts.
static inline void poll_flags(lua_State *L) {
    if (stopping(L)) raise_stop(L);
}
/// Makes `L` look at the flags before its next instruction. May be called in a signal handler on the thread that runs `L`.
void arm_hook(lua_State *L);
void control_run_away(clua_control *control);
/// Whether a pause was asked for longer ago than Lua may take to come to it.
bool control_has_waited(clua_control *control);
void control_answer(clua_control *control);

/// One more crossing of the border between the host and Lua, either way.
static inline void cross(clua_context *context) {
    uint64_t crossings = atomic_load_explicit(&context->crossings, memory_order_relaxed);
    atomic_store_explicit(&context->crossings, crossings + 1, memory_order_relaxed);
}

/// Gives the state that begins in this block, and has no string yet, the seed of all states. Never raises.
void set_seed(void *state_block);

/// Has the ticker look at once. Async-signal-safe.
void ticker_ring(void);
/// Around the outermost call from the host into Lua: meanwhile the ticker watches the state.
void ticker_enter(clua_context *context);
void ticker_leave(clua_context *context);
/// True on the thread between these two.
bool entered_here(const clua_context *context);

/// Writes "file:line" of the innermost Lua function into `text`, "" where there is none; never raises.
void write_position(lua_State *L, char *text, size_t size);
/// Notes the traceback of a coroutine that has failed, for the message handler of the thread that goes on with the error.
void note_coroutine_traceback(lua_State *L, lua_State *thread);
int message_handler(lua_State *L);

/// Keeps the locals of the watched script, if it is among the frames of `L`; for its prompt. Never raises.
void keep_watched_locals(lua_State *L);

clua_handle *handle_new(void *object, const void *class_id, size_t external);  // null without memory; never raises
void handle_link(clua_context *context, clua_handle *handle);
void handle_release(clua_context *context, clua_handle *handle);
/// After a failed operation that was to give the handle to a userdata: puts it on the release list if none has it.
void handle_abandon(clua_context *context, clua_handle *handle);
int finalize_object(lua_State *L);

/// Opens the libraries that a script sees: sandboxed or, for a trusted context, all.
void open_libraries(lua_State *L);
void open_base(lua_State *L);        // into the globals
void open_coroutines(lua_State *L);  // into the table on top, which stays
void open_strings(lua_State *L);     // the same
void open_tables(lua_State *L);      // the same
void open_numbers(lua_State *L);     // into math, string and the globals, which are open
/// Makes reading a global that is nearly the name of another an error.
void watch_globals(lua_State *L);
void open_objects(lua_State *L);
void open_errors(lua_State *L);
