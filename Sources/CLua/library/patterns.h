/// Lua patterns: matched by backtracking over the text of the pattern, as Lua's own string library does, with a bound on the time
/// between two looks at the flags.
#pragma once

#include "../internal.h"

#define CAPTURE_LIMIT 32

typedef struct capture {
    const char *start;
    ptrdiff_t length;  // or one of these
#define CAPTURE_OPEN (-1)
#define CAPTURE_POSITION (-2)
} capture;

typedef struct matcher {
    lua_State *L;
    const char *subject, *end;        // what is searched
    const char *pattern, *pattern_end;  // without the anchor
    ptrdiff_t budget;                 // steps left before the flags are looked at
    int depth;                        // nested matches still allowed
    int level;                        // captures begun
    capture captures[CAPTURE_LIMIT];
} matcher;

void matcher_init(matcher *m, lua_State *L, const char *subject, size_t length, const char *pattern, size_t count);
/// The end of the match that begins at `start`, else null. Raises for a malformed pattern where matching reaches the fault.
const char *match_at(matcher *m, const char *start);
/// Pushes the captures, or the whole match where there are none and `start` is not null; returns their count.
int push_captures_of(matcher *m, const char *start, const char *end);
/// Pushes capture `index` (0-based), or the whole match where there is none and `index` is 0.
void push_capture_of(matcher *m, int index, const char *start, const char *end);
