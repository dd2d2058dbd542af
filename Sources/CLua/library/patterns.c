// Nothing is prepared before a match: most patterns are short and matched once, in a loop. A step is one byte of the pattern looked at
// for one byte of the subject; after STEPS_BETWEEN_POLLS of them, well under a millisecond, the flags are looked at, since
// backtracking may take time exponential in the number of repetitions.

#include "patterns.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_LIMIT 200  // nested matches; each takes a frame of the C stack
#define STEPS_BETWEEN_POLLS (1 << 16)

static inline int byte_at(const char *at) { return (unsigned char)*at; }

static void poll_steps(matcher *m) {
    m->budget = STEPS_BETWEEN_POLLS;
    poll_flags(m->L);
}

static inline void spend(matcher *m, ptrdiff_t steps) {
    m->budget -= steps;
    if (m->budget < 0) poll_steps(m);
}

// MARK: one byte

/// True if the byte belongs to what `%class` stands for.
static bool in_class(int byte, int class) {
    int member;
    switch (class | 0x20) {  // lower case, for a letter; no other byte becomes one
        case 'a': member = isalpha(byte); break;
        case 'c': member = iscntrl(byte); break;
        case 'd': member = isdigit(byte); break;
        case 'g': member = isgraph(byte); break;
        case 'l': member = islower(byte); break;
        case 'p': member = ispunct(byte); break;
        case 's': member = isspace(byte); break;
        case 'u': member = isupper(byte); break;
        case 'w': member = isalnum(byte); break;
        case 'x': member = isxdigit(byte); break;
        case 'z': member = byte == 0; break;  // from Lua 5.1, still understood
        default: return class == byte;
    }
    return isupper(class) ? member == 0 : member != 0;
}

/// True if the byte belongs to the set from its '[' at `set` to its ']' at `last`.
static bool in_set(int byte, const char *set, const char *last) {
    const char *at = set + 1;
    bool complement = *at == '^';
    if (complement) at++;
    for (; at < last; at++) {
        if (*at == '%') {
            at++;
            if (in_class(byte, byte_at(at))) return !complement;
        } else if (at[1] == '-' && at + 2 < last) {
            if (byte_at(at) <= byte && byte <= byte_at(at + 2)) return !complement;
            at += 2;
        } else if (byte_at(at) == byte) {
            return !complement;
        }
    }
    return complement;
}

/// The end of the single-byte item at `p`.
static const char *item_end(matcher *m, const char *p) {
    char first = *p++;
    if (first == '%') {
        if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 1;
    }
    if (first != '[') return p;
    if (*p == '^') p++;
    do {  // a ']' in the first place is a member
        if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p++ == '%' && p < m->pattern_end) p++;
    } while (*p != ']');
    return p + 1;
}

/// True if the item from `p` to `after` takes the byte at `s`.
static inline bool takes(const matcher *m, const char *s, const char *p, const char *after) {
    if (s >= m->end) return false;
    switch (*p) {
        case '.': return true;
        case '%': return in_class(byte_at(s), byte_at(p + 1));
        case '[': return in_set(byte_at(s), p, after - 1);
        default: return *p == *s;
    }
}

// MARK: items

static const char *match(matcher *m, const char *s, const char *p);

/// As many bytes as the item at `p` takes, then fewer, until the rest after its '*' or '+' at `after` matches.
static const char *match_longest(matcher *m, const char *s, const char *p, const char *after) {
    ptrdiff_t count = 0, cost = after - p;
    for (; takes(m, s + count, p, after); count++) spend(m, cost);
    for (; count >= 0; count--) {
        const char *end = match(m, s + count, after + 1);
        if (end != NULL) return end;
    }
    return NULL;
}

/// As few bytes as the item at `p` must take for the rest after its '-' at `after` to match.
static const char *match_shortest(matcher *m, const char *s, const char *p, const char *after) {
    for (;; s++) {
        const char *end = match(m, s, after + 1);
        if (end != NULL || !takes(m, s, p, after)) return end;
        spend(m, after - p);
    }
}

/// What %bxy matches, with x and y at `p`.
static const char *match_balanced(matcher *m, const char *s, const char *p) {
    if (p >= m->pattern_end - 1) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->end || *s != p[0]) return NULL;
    size_t nested = 1;
    for (const char *at = s + 1; at < m->end; at++) {
        spend(m, 1);
        if (*at == p[1]) {
            if (--nested == 0) return at + 1;
        } else if (*at == p[0]) {
            nested++;
        }
    }
    return NULL;
}

/// Matches the rest at `p` after the beginning of a capture.
static const char *open_capture(matcher *m, const char *s, const char *p, ptrdiff_t kind) {
    if (m->level >= CAPTURE_LIMIT) luaL_error(m->L, "too many captures");
    m->captures[m->level] = (capture){s, kind};
    m->level++;
    const char *end = match(m, s, p);
    if (end == NULL) m->level--;
    return end;
}

/// Matches the rest at `p` after the end of the innermost open capture.
static const char *close_capture(matcher *m, const char *s, const char *p) {
    int index = m->level - 1;
    while (index >= 0 && m->captures[index].length != CAPTURE_OPEN) index--;
    if (index < 0) luaL_error(m->L, "invalid pattern capture");
    m->captures[index].length = s - m->captures[index].start;
    const char *end = match(m, s, p);
    if (end == NULL) m->captures[index].length = CAPTURE_OPEN;
    return end;
}

/// What the capture of this digit matched, once more. A position never matches.
static const char *match_reference(matcher *m, const char *s, int digit) {
    int index = digit - '1';
    if (index < 0 || index >= m->level || m->captures[index].length == CAPTURE_OPEN)
        luaL_error(m->L, "invalid capture index %%%d", index + 1);
    const capture *capture = &m->captures[index];
    if (capture->length == CAPTURE_POSITION || m->end - s < capture->length) return NULL;
    spend(m, capture->length);
    return memcmp(capture->start, s, (size_t)capture->length) == 0 ? s + capture->length : NULL;
}

/// True if the set that begins at `p` and ends before `after` does not have the byte before `s` but the one at `s`; '\0' stands
/// before the subject and after it.
static bool at_frontier(const matcher *m, const char *s, const char *p, const char *after) {
    int before = s == m->subject ? 0 : byte_at(s - 1);
    return !in_set(before, p, after - 1) && in_set(byte_at(s), p, after - 1);
}

/// The end of the match of the pattern's rest from `p` on at `s`, else null.
static const char *match(matcher *m, const char *s, const char *p) {
    if (m->depth-- == 0) luaL_error(m->L, "pattern too complex");
    while (p != m->pattern_end) {
        const char *after;
        switch (*p) {
            case '(':
                s = p[1] == ')' ? open_capture(m, s, p + 2, CAPTURE_POSITION) : open_capture(m, s, p + 1, CAPTURE_OPEN);
                goto done;
            case ')': s = close_capture(m, s, p + 1); goto done;
            case '$':
                if (p + 1 != m->pattern_end) break;
                if (s != m->end) s = NULL;
                goto done;
            case '%':
                switch (p[1]) {
                    case 'b':
                        s = match_balanced(m, s, p + 2);
                        if (s == NULL) goto done;
                        p += 4;
                        continue;
                    case 'f':
                        p += 2;
                        if (*p != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
                        after = item_end(m, p);
                        spend(m, after - p);
                        if (!at_frontier(m, s, p, after)) {
                            s = NULL;
                            goto done;
                        }
                        p = after;
                        continue;
                    case '0': case '1': case '2': case '3': case '4':
                    case '5': case '6': case '7': case '8': case '9':
                        s = match_reference(m, s, byte_at(p + 1));
                        if (s == NULL) goto done;
                        p += 2;
                        continue;
                    default: break;
                }
                break;
            default: break;
        }
        after = item_end(m, p);
        spend(m, after - p);
        bool taken = takes(m, s, p, after);
        switch (*after) {
            case '?': {
                const char *end = taken ? match(m, s + 1, after + 1) : NULL;
                if (end != NULL) {
                    s = end;
                    goto done;
                }
                p = after + 1;
                continue;
            }
            case '*':
            case '-':
                if (!taken) {  // nothing to try: no nested match
                    p = after + 1;
                    continue;
                }
                s = *after == '*' ? match_longest(m, s, p, after) : match_shortest(m, s, p, after);
                goto done;
            case '+': s = taken ? match_longest(m, s + 1, p, after) : NULL; goto done;
            default:
                if (!taken) {
                    s = NULL;
                    goto done;
                }
                s++;
                p = after;
        }
    }
done:
    m->depth++;
    return s;
}

// MARK: what a match is asked for

void matcher_init(matcher *m, lua_State *L, const char *subject, size_t length, const char *pattern, size_t count) {
    m->L = L;
    m->subject = subject;
    m->end = subject + length;
    m->pattern = pattern;
    m->pattern_end = pattern + count;
    m->budget = STEPS_BETWEEN_POLLS;
}

const char *match_at(matcher *m, const char *start) {
    m->depth = DEPTH_LIMIT;
    m->level = 0;
    spend(m, 1);
    return match(m, start, m->pattern);
}

void push_capture_of(matcher *m, int index, const char *start, const char *end) {
    if (index >= m->level) {
        if (index != 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
        lua_pushlstring(m->L, start, (size_t)(end - start));
        return;
    }
    const capture *capture = &m->captures[index];
    if (capture->length == CAPTURE_OPEN) luaL_error(m->L, "unfinished capture");
    if (capture->length == CAPTURE_POSITION) lua_pushinteger(m->L, capture->start - m->subject + 1);
    else lua_pushlstring(m->L, capture->start, (size_t)capture->length);
}

int push_captures_of(matcher *m, const char *start, const char *end) {
    int count = m->level == 0 && start != NULL ? 1 : m->level;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++) push_capture_of(m, i, start, end);
    return count;
}
