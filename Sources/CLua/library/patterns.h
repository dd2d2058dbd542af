/// Lua patterns, compiled and matched with a bound on the time between two looks at the flags.
#pragma once

#include "../internal.h"

#define CAPTURE_LIMIT 32

typedef enum item_kind {
    ITEM_SET,       // one byte of `set`, repeated as `repeat` says
    ITEM_OPEN,      // ( : capture `number` begins
    ITEM_CLOSE,     // ) : capture `number` ends
    ITEM_POSITION,  // () : capture `number` is a position
    ITEM_REFERENCE, // %1 … %9 : what capture `number` matched
    ITEM_BALANCED,  // %bxy
    ITEM_FRONTIER,  // %f[set]
    ITEM_END,       // $ at the end
} item_kind;

typedef struct pattern_item {
    uint32_t set[8];  // a bit for each byte
    uint8_t kind;
    char repeat;      // one of "1?*+-"
    uint8_t number;
    uint8_t open, close;
} pattern_item;

typedef struct pattern {
    bool anchored;
    int count, captures;
    pattern_item items[];
} pattern;

typedef struct capture {
    const char *start;
    ptrdiff_t length;  // or one of these
#define CAPTURE_OPEN (-1)
#define CAPTURE_POSITION (-2)
} capture;

typedef struct matcher {
    lua_State *L;
    const pattern *pattern;
    const char *subject, *end;
    int depth;
    uint32_t steps;
    capture captures[CAPTURE_LIMIT];
} matcher;

/// Compiles the text and pushes a userdata that holds the pattern. Raises for a malformed one.
const pattern *push_pattern(lua_State *L, const char *text, size_t length);
void matcher_init(matcher *matcher, lua_State *L, const pattern *pattern, const char *subject, size_t length);
/// The end of the match that begins at `start`, else null.
const char *match_at(matcher *matcher, const char *start);
/// Pushes the captures, or the whole match where there are none and `whole`; returns their count.
int push_captures_of(matcher *matcher, const char *start, const char *end, bool whole);
/// Pushes capture `index` (0-based), or the whole match where the pattern has none and `index` is 0.
void push_capture_of(matcher *matcher, int index, const char *start, const char *end);
