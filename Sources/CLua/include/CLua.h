/// CLua: Lua 5.4 behind a C shim that owns every setjmp and longjmp.
///
/// This header does not include <lua.h>, on purpose: what Swift cannot see it cannot call, and everything
/// declared here returns normally. Three kinds of function stand here:
///  - readers, which never raise and never allocate;
///  - operations that Lua may fail (memory, C stack): they run in protected mode and return a `clua_status`;
///  - control of a state from outside (limits, flags, counters), most of it callable from any thread.
/// Lua errors are raised only by C code in this target, in frames with no Swift frame above the `lua_pcall`
/// that catches them. Indices are Lua stack indices; "pushes" and "pops" speak of the stack of `L`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct lua_State lua_State;
typedef struct clua_context clua_context;  // one Lua state with its limits, objects and error texts
typedef struct clua_control clua_control;  // flags that any thread or signal handler may set

/// How an operation ended. On anything but CLUA_OK the operation's operands have been popped and nothing pushed.
typedef enum clua_status {
    CLUA_OK = 0,
    CLUA_RAISED = 1,    // a Lua error; `clua_call` and `clua_load` leave the error value on the stack
    CLUA_MEMORY = 2,    // an allocation was refused
    CLUA_OVERFLOW = 3,  // the Lua or C stack is exhausted
    CLUA_STOPPED = 4,   // a stop was requested or the script ran away
} clua_status;

/// The types of Lua values, as `clua_type` tells them.
typedef enum clua_kind {
    CLUA_NONE = -1,
    CLUA_NIL = 0,
    CLUA_BOOLEAN = 1,
    CLUA_POINTER = 2,  // light userdata
    CLUA_NUMBER = 3,
    CLUA_STRING = 4,
    CLUA_TABLE = 5,
    CLUA_FUNCTION = 6,
    CLUA_USERDATA = 7,
    CLUA_THREAD = 8,
} clua_kind;

/// What a Swift function called from Lua returns: a count of results on top of the stack, or one of these.
enum {
    CLUA_RAISE_ERROR = -1,   // the error object handed over by `clua_set_pending`
    CLUA_RAISE_MEMORY = -2,  // "not enough memory"
    CLUA_RAISE_STOP = -3,    // a stop on its way out
    CLUA_RAISE_VALUE = -4,   // the Lua value on top of the stack
};

/// What the shim calls in Swift. None of these may call back into the same operation's frame.
typedef struct clua_host {
    /// Calls the function object with `count` arguments at 1…count of `L`'s frame.
    int32_t (*call)(void *function, lua_State *L, int32_t count);
    /// Gives back one strong reference. Called outside of the collector only.
    void (*release)(void *object);
    /// Writes one line of `print`; returns 0, or the system's error number where it could not. Must not call Lua.
    int (*print)(void *owner, const char *text, size_t length);
} clua_host;

// MARK: flags, settable from any thread and from signal handlers (interrupt.c)

typedef enum clua_stop {
    CLUA_RUNNING = 0,
    CLUA_STOP_REQUESTED = 1,
    CLUA_STOP_RUNAWAY = 2,
} clua_stop;

clua_control *_Nullable clua_control_new(void);
void clua_control_free(clua_control *control);
void clua_control_request_stop(clua_control *control);
clua_stop clua_control_stop(const clua_control *control);
void clua_control_clear_stop(clua_control *control);
/// A script that still runs Lua after `patience` seconds is stopped.
void clua_control_request_pause(clua_control *control, double patience);
bool clua_control_pausing(const clua_control *control);
void clua_control_clear_pause(clua_control *control);
/// Seconds since the stop was requested; negative while none is, and once the outermost call from Swift has ended with it.
double clua_control_stop_age(const clua_control *control);

// MARK: states (context.c)

typedef struct clua_options {
    size_t memory_limit;   // bytes of Lua memory, 0 for none
    double patience;       // seconds of Lua's work without a call into the host, 0 for no limit
    bool trusted;          // the whole standard library instead of the sandbox
    int64_t fail_first;    // for tests: allocations fail from this one on (1-based; 0 for never) …
    int64_t fail_count;    // … and so many of them (0: all further ones)
} clua_options;

/// Starts the thread that makes scripts look at their flags, one for the process; false where the system has no thread left.
bool clua_start_ticker(void);
/// A new state with its libraries, or null where memory does not suffice. `control` must outlive it.
clua_context *_Nullable clua_open(const clua_options *options, clua_control *control, const clua_host *host,
                                  void *owner);
/// Closes the Lua state; every object it held is on the release list after it.
void clua_close(clua_context *context);
/// Frees the context. To be called after `clua_close` and a last `clua_drain`.
void clua_free(clua_context *context);

/// The thread in whose frame Swift is now: that of the innermost call into Swift, else the main one.
lua_State *clua_current(const clua_context *context);
clua_context *clua_context_of(lua_State *L);

typedef struct clua_counters {
    size_t used, peak, limit;      // bytes of Lua memory
    int64_t allocations;           // requests for more memory so far
    int64_t refused;               // of these, refused: by the limit, by the test setting, or by the system
    int64_t live_objects;          // Swift references held by Lua, functions included
    size_t external;               // bytes these objects hold outside of Lua
} clua_counters;
clua_counters clua_count(const clua_context *context);
/// Sets the test setting of `clua_options` anew, counting from now.
void clua_fail_allocations(clua_context *context, int64_t first, int64_t count);
/// True if the small objects of this state stand where they stand in every process, so that they have the same order as keys: false
/// under sanitizers, and where the system does not give the addresses.
bool clua_has_arena(const clua_context *context);
/// A full collection. Releases nothing itself: see `clua_drain`.
void clua_collect(lua_State *L);
/// The same if this thread is inside a call from the state's script to the host, where alone it may be done; false if not.
bool clua_collect_here(clua_context *context);

// MARK: reading the stack: never raises, never allocates (stack.c)

int32_t clua_top(lua_State *L);
void clua_set_top(lua_State *L, int32_t index);
clua_kind clua_type(lua_State *L, int32_t index);
int32_t clua_absolute(lua_State *L, int32_t index);
bool clua_to_boolean(lua_State *L, int32_t index);
/// True for a number that is an integer or a float of integer value.
bool clua_to_integer(lua_State *L, int32_t index, int64_t *value);
/// True for a number; strings are not numbers.
bool clua_to_number(lua_State *L, int32_t index, double *value);
/// True for a number of Lua's integer subtype.
bool clua_is_integer(lua_State *L, int32_t index);
/// The bytes of a string (not of a number), valid while it is on the stack; null for anything else.
const char *_Nullable clua_to_string(lua_State *L, int32_t index, size_t *length);
/// Writes a number as Lua's tostring does; false for anything else.
bool clua_write_number(lua_State *L, int32_t index, char *text, size_t size);
const void *_Nullable clua_identity(lua_State *L, int32_t index);
bool clua_same(lua_State *L, int32_t a, int32_t b);
uint64_t clua_raw_length(lua_State *L, int32_t index);
bool clua_has_metatable(lua_State *L, int32_t index);
/// Copies numbers table[first], … into `values`; returns how many were numbers before the first that was not.
int64_t clua_read_numbers(lua_State *L, int32_t table, int64_t first, int64_t count, double *values);

// MARK: pushing and tables (stack.c)

clua_status clua_reserve(lua_State *L, int32_t slots);
clua_status clua_push_nil(lua_State *L);
clua_status clua_push_boolean(lua_State *L, bool value);
clua_status clua_push_integer(lua_State *L, int64_t value);
clua_status clua_push_number(lua_State *L, double value);
clua_status clua_push_copy(lua_State *L, int32_t index);
clua_status clua_push_globals(lua_State *L);
/// Pops a value and makes it the global of this name, past metamethods; counted among those that were assigned.
clua_status clua_set_global(lua_State *L, const char *name);
clua_status clua_push_string(lua_State *L, const char *_Nullable bytes, size_t length);
clua_status clua_new_table(lua_State *L, int32_t array, int32_t fields);
/// A new table {values[0], …}.
clua_status clua_push_numbers(lua_State *L, const double *_Nullable values, int64_t count);
/// table[key] = the value on top, which is popped. No metamethods.
clua_status clua_set_field(lua_State *L, int32_t table, const char *_Nullable key, size_t length);
clua_status clua_set_index(lua_State *L, int32_t table, int64_t index);
/// Pushes table[key], without metamethods.
clua_status clua_get_field(lua_State *L, int32_t table, const char *_Nullable key, size_t length);
clua_status clua_get_index(lua_State *L, int32_t table, int64_t index);
/// Pops a key, pushes the next key and its value; `more` is false, and nothing pushed, at the end.
clua_status clua_next(lua_State *L, int32_t table, bool *more);
/// Pushes the `__name` in the metatable of the value at `index`, nil where there is none.
clua_status clua_push_metatable_name(lua_State *L, int32_t index);
/// Pops a table and makes it the metatable of the table at `index`.
void clua_set_metatable(lua_State *L, int32_t index);
/// Pushes a function for `__pairs` that goes through the table at `index` instead of its argument.
clua_status clua_push_pairs(lua_State *L, int32_t index);
void clua_remove(lua_State *L, int32_t index);
void clua_insert(lua_State *L, int32_t index);

/// Values that Swift holds for the length of a call: slots of a table in the registry.
clua_status clua_anchor(lua_State *L, int64_t slot);  // pops the value
clua_status clua_push_anchored(lua_State *L, int64_t slot);
void clua_release_anchor(lua_State *L, int64_t slot);

// MARK: objects (objects.c)

/// Pushes a new userdata for a Swift object of a class made by `clua_new_class`, and remembers it in the weak
/// identity cache. Takes over one strong reference, in every case: where it fails the reference is on the release list.
/// `external` is what the object holds outside of Lua, in bytes.
clua_status clua_new_object(lua_State *L, void *object, const void *class_id, size_t external);
/// Pushes the userdata that stands for this object, if Lua still has one.
bool clua_push_known(lua_State *L, const void *object);
/// The object in a userdata of ours, and its class; null for any other value.
void *_Nullable clua_to_object(lua_State *L, int32_t index, const void *_Nullable *_Nullable class_id);
/// Tells the collector that the object's outside bytes changed.
void clua_set_external(lua_State *L, const void *object, size_t external);
/// Lets the incremental collector work for the outside bytes that have come since the last call, as it does for Lua's own, unless the
/// script has stopped it.
void clua_feed_collector(lua_State *L);

/// Stores the value at `value` in the user value of the object at `owner`; `slot` gets its number.
clua_status clua_capture(lua_State *L, int32_t owner, int32_t value, int64_t *slot);
/// Pushes what was captured; false if the object's userdata, and so its captures, are gone.
bool clua_push_captured(lua_State *L, const void *owner, int64_t slot);
void clua_release_captured(lua_State *L, const void *owner, int64_t slot);

/// The state of the generator behind `math.random` (xoshiro256**).
typedef struct {
    uint64_t words[4];
} clua_random_state;
/// Copies it; false where this Lua keeps none of this form.
bool clua_get_random(lua_State *L, clua_random_state *state);
/// Puts it back; numbers go on from there.
bool clua_set_random(lua_State *L, const clua_random_state *state);

/// Takes the next object off the release list and drops Lua's reference to it; false when the list is empty.
bool clua_drain(clua_context *context);

/// Pops two functions, `fallback` (object, key) and above it `refuse` (object, key, value); pushes the metatable of a
/// new class and the tables of its methods, getters and setters.
clua_status clua_new_class(lua_State *L, const void *class_id, const char *name);

// MARK: calls (calls.c)

/// Pushes a Lua function that calls the function object. Takes over one strong reference, in every case. The value at
/// `keep` (0 for none) stays alive as long as the function.
clua_status clua_push_function(lua_State *L, void *function, int32_t keep);
/// The function object behind a Lua function of ours, else null.
void *_Nullable clua_to_function(lua_State *L, int32_t index);
/// Pushes the value that the running Swift function keeps (`keep` above).
clua_status clua_push_kept(lua_State *L);
/// Calls the function below `arguments` values; leaves `results` results (-1: all), or the error value where the status is
/// CLUA_RAISED. Then `clua_error_position` and `clua_error_traceback` speak of that error.
clua_status clua_call(lua_State *L, int32_t arguments, int32_t results);
/// Compiles text (never bytecode) and pushes the function, or the message where the status is CLUA_RAISED.
clua_status clua_load(lua_State *L, const char *_Nullable text, size_t length, const char *name);
/// The same, and the chunk's locals will be kept when it ends, by returning or by an error. (A chunk of 199 or 200 local variables,
/// as many as Lua allows, runs without.)
clua_status clua_load_keeping_locals(lua_State *L, const char *_Nullable text, size_t length, const char *name);
/// Gives the compiled chunk on top the environment of a prompt: the local variables of the frames it stands above, then those
/// kept by `clua_load_keeping_locals`, then the globals.
clua_status clua_enter_prompt(lua_State *L);
/// Pushes a new table of all variables that a prompt sees, by their names. Calls no metamethod.
clua_status clua_push_visible(lua_State *L);
/// The error object to raise when the running Swift function returns CLUA_RAISE_ERROR. Takes over one strong reference.
void clua_set_pending(clua_context *context, void *error);
/// The Swift error object in an error value, else null.
void *_Nullable clua_to_error(lua_State *L, int32_t index);
/// Sets the metatable of error values from the table on top, which is popped.
clua_status clua_set_error_class(lua_State *L);
/// Pushes a function that does to the text of an error value what string[name] does to a string, nil where there is no such
/// function: so that `message:match(…)` works whether a script caught a string or an error of ours.
clua_status clua_push_text_method(lua_State *L, const char *_Nullable name, size_t length);
/// Where Lua stands: "file:line" of the innermost Lua function on `L`, or "" where there is none.
const char *clua_where(lua_State *L);
const char *clua_error_position(const clua_context *context);
const char *clua_error_traceback(const clua_context *context);
/// Where the last allocation was refused, and how many bytes were asked for.
const char *clua_refusal_position(const clua_context *context);
size_t clua_refusal_size(const clua_context *context);
/// How many bytes Lua held at that moment.
size_t clua_refusal_used(const clua_context *context);

#pragma clang assume_nonnull end
