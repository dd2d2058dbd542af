// Patterns are compiled to a list of items, each with the set of bytes it takes, and matched by backtracking. Backtracking may take
// time exponential in the number of repetitions: every 16,384 comparisons the flags are looked at.

#include "patterns.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_LIMIT 200
#define STEPS_BETWEEN_POLLS (1u << 14)

// MARK: sets of bytes

static bool in_set(const uint32_t *set, unsigned char byte) { return set[byte >> 5] >> (byte & 31) & 1; }
static void add_byte(uint32_t *set, unsigned char byte) { set[byte >> 5] |= 1u << (byte & 31); }

static bool in_class(int byte, int class) {
    switch (tolower(class)) {
        case 'a': return isalpha(byte) != 0;
        case 'c': return iscntrl(byte) != 0;
        case 'd': return isdigit(byte) != 0;
        case 'g': return isgraph(byte) != 0;
        case 'l': return islower(byte) != 0;
        case 'p': return ispunct(byte) != 0;
        case 's': return isspace(byte) != 0;
        case 'u': return isupper(byte) != 0;
        case 'w': return isalnum(byte) != 0;
        case 'x': return isxdigit(byte) != 0;
        default: return false;
    }
}

/// Adds what `%class` stands for: a class, its complement for a capital, or the character itself.
static void add_escape(uint32_t *set, unsigned char class) {
    if (strchr("acdglpsuwx", tolower(class)) == NULL || class == '\0') {
        add_byte(set, class);
        return;
    }
    bool complement = isupper(class) != 0;
    for (int byte = 0; byte < 256; byte++)
        if (in_class(byte, class) != complement) add_byte(set, (unsigned char)byte);
}

// MARK: compiling

typedef struct reader {
    lua_State *L;
    const char *at, *end;
    pattern *pattern;
    uint8_t open[CAPTURE_LIMIT];
    bool closed[CAPTURE_LIMIT];
    int open_count;
} reader;

static unsigned char next_byte(reader *reader, const char *message) {
    if (reader->at >= reader->end) luaL_error(reader->L, "malformed pattern (%s)", message);
    return (unsigned char)*reader->at++;
}

/// Reads a set after its '['.
static void read_set(reader *reader, uint32_t *set) {
    const char *missing = "missing ']'";
    bool complement = reader->at < reader->end && *reader->at == '^';
    if (complement) reader->at++;
    bool first = true;
    for (;;) {
        unsigned char byte = next_byte(reader, missing);
        if (byte == ']' && !first) break;
        first = false;
        if (byte == '%') {
            add_escape(set, next_byte(reader, missing));
        } else if (reader->end - reader->at >= 2 && reader->at[0] == '-' && reader->at[1] != ']') {
            unsigned char last = (unsigned char)reader->at[1];
            for (int b = byte; b <= last; b++) add_byte(set, (unsigned char)b);
            reader->at += 2;
        } else {
            add_byte(set, byte);
        }
    }
    if (!complement) return;
    for (int i = 0; i < 8; i++) set[i] = ~set[i];
}

static void read_open(reader *reader, pattern_item *item) {
    if (reader->pattern->captures == CAPTURE_LIMIT) luaL_error(reader->L, "too many captures");
    item->number = (uint8_t)reader->pattern->captures++;
    if (reader->at < reader->end && *reader->at == ')') {
        reader->at++;
        item->kind = ITEM_POSITION;
        reader->closed[item->number] = true;
    } else {
        item->kind = ITEM_OPEN;
        reader->open[reader->open_count++] = item->number;
    }
}

static void read_close(reader *reader, pattern_item *item) {
    if (reader->open_count == 0) luaL_error(reader->L, "invalid pattern capture");
    item->kind = ITEM_CLOSE;
    item->number = reader->open[--reader->open_count];
    reader->closed[item->number] = true;
}

/// Reads what follows a '%'. Returns true for a set of bytes, which may be repeated.
static bool read_escape(reader *reader, pattern_item *item) {
    unsigned char byte = next_byte(reader, "ends with '%'");
    if (byte == 'b') {
        item->kind = ITEM_BALANCED;
        item->open = next_byte(reader, "missing arguments to '%b'");
        item->close = next_byte(reader, "missing arguments to '%b'");
        return false;
    }
    if (byte == 'f') {
        if (reader->at >= reader->end || *reader->at != '[') luaL_error(reader->L, "missing '[' after '%%f' in pattern");
        reader->at++;
        item->kind = ITEM_FRONTIER;
        read_set(reader, item->set);
        return false;
    }
    if (isdigit(byte)) {
        int number = byte - '1';
        if (number < 0 || number >= reader->pattern->captures || !reader->closed[number])
            luaL_error(reader->L, "invalid capture index %%%d in pattern", number + 1);
        item->kind = ITEM_REFERENCE;
        item->number = (uint8_t)number;
        return false;
    }
    add_escape(item->set, byte);
    return true;
}

static void read_item(reader *reader) {
    pattern_item *item = &reader->pattern->items[reader->pattern->count++];
    memset(item, 0, sizeof *item);
    item->kind = ITEM_SET;
    item->repeat = '1';
    char byte = *reader->at++;
    bool repeatable = true;
    switch (byte) {
        case '(': read_open(reader, item); return;
        case ')': read_close(reader, item); return;
        case '$':
            if (reader->at == reader->end) {
                item->kind = ITEM_END;
                return;
            }
            add_byte(item->set, '$');
            break;
        case '%': repeatable = read_escape(reader, item); break;
        case '[': read_set(reader, item->set); break;
        case '.': memset(item->set, 0xff, sizeof item->set); break;
        default: add_byte(item->set, (unsigned char)byte);
    }
    if (repeatable && reader->at < reader->end && strchr("?*+-", *reader->at) != NULL && *reader->at != '\0')
        item->repeat = *reader->at++;
}

const pattern *push_pattern(lua_State *L, const char *text, size_t length) {
    if (length > (size_t)INT32_MAX / sizeof(pattern_item)) luaL_error(L, "pattern too long");
    pattern *compiled = lua_newuserdatauv(L, sizeof(pattern) + length * sizeof(pattern_item), 0);
    reader reader = {.L = L, .at = text, .end = text + length, .pattern = compiled};
    compiled->count = compiled->captures = 0;
    compiled->anchored = length > 0 && *text == '^';
    if (compiled->anchored) reader.at++;
    while (reader.at < reader.end) read_item(&reader);
    if (reader.open_count > 0) luaL_error(L, "unfinished capture");
    return compiled;
}

// MARK: matching

void matcher_init(matcher *matcher, lua_State *L, const pattern *pattern, const char *subject, size_t length) {
    matcher->L = L;
    matcher->pattern = pattern;
    matcher->subject = subject;
    matcher->end = subject + length;
    matcher->depth = 0;
    matcher->steps = 0;
}

static void spend(matcher *matcher, size_t steps) {
    matcher->steps += (uint32_t)(steps < STEPS_BETWEEN_POLLS ? steps : STEPS_BETWEEN_POLLS);
    if (matcher->steps < STEPS_BETWEEN_POLLS) return;
    matcher->steps = 0;
    poll_flags(matcher->L);
}

static const char *match_from(matcher *m, int i, const char *s);

static bool takes(const matcher *m, const pattern_item *item, const char *s) {
    return s < m->end && in_set(item->set, (unsigned char)*s);
}

static const char *match_longest(matcher *m, int i, const char *s, size_t least) {
    const pattern_item *item = &m->pattern->items[i];
    size_t count = 0;
    while (takes(m, item, s + count)) count++;
    spend(m, count);
    for (; count + 1 > least; count--) {
        const char *end = match_from(m, i + 1, s + count);
        if (end != NULL) return end;
        if (count == 0) break;
    }
    return NULL;
}

static const char *match_shortest(matcher *m, int i, const char *s) {
    for (;; s++) {
        const char *end = match_from(m, i + 1, s);
        if (end != NULL) return end;
        if (!takes(m, &m->pattern->items[i], s)) return NULL;
    }
}

static const char *match_balanced(matcher *m, const pattern_item *item, const char *s) {
    if (s >= m->end || (unsigned char)*s != item->open) return NULL;
    size_t nested = 1;
    for (const char *at = s + 1; at < m->end; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == item->close) {
            if (--nested == 0) {
                spend(m, (size_t)(at - s));
                return at + 1;
            }
        } else if (byte == item->open) {
            nested++;
        }
    }
    spend(m, (size_t)(m->end - s));
    return NULL;
}

static bool at_frontier(const matcher *m, const pattern_item *item, const char *s) {
    unsigned char before = s == m->subject ? 0 : (unsigned char)s[-1];
    unsigned char after = s == m->end ? 0 : (unsigned char)*s;
    return !in_set(item->set, before) && in_set(item->set, after);
}

/// Matches the rest after setting a capture, and restores it if the rest does not match.
static const char *match_capture(matcher *m, int i, const char *s) {
    const pattern_item *item = &m->pattern->items[i];
    capture *capture = &m->captures[item->number];
    struct capture before = *capture;
    if (item->kind == ITEM_CLOSE) capture->length = s - capture->start;
    else *capture = (struct capture){s, item->kind == ITEM_OPEN ? CAPTURE_OPEN : CAPTURE_POSITION};
    const char *end = match_from(m, i + 1, s);
    if (end == NULL) *capture = before;
    return end;
}

static const char *match_reference(matcher *m, const pattern_item *item, const char *s) {
    const capture *capture = &m->captures[item->number];
    if (capture->length < 0) luaL_error(m->L, "invalid capture index %%%d in pattern", item->number + 1);
    size_t length = (size_t)capture->length;
    spend(m, length);
    if ((size_t)(m->end - s) < length || memcmp(capture->start, s, length) != 0) return NULL;
    return s + length;
}

/// The end of a match of the items from `i` on at `s`, else null.
static const char *match_from(matcher *m, int i, const char *s) {
    if (m->depth++ >= DEPTH_LIMIT) luaL_error(m->L, "pattern too complex");
    for (; s != NULL && i < m->pattern->count; i++) {
        const pattern_item *item = &m->pattern->items[i];
        spend(m, 1);
        switch ((item_kind)item->kind) {
            case ITEM_OPEN:
            case ITEM_CLOSE:
            case ITEM_POSITION: s = match_capture(m, i, s); goto done;
            case ITEM_END: s = s == m->end ? s : NULL; break;
            case ITEM_FRONTIER: s = at_frontier(m, item, s) ? s : NULL; break;
            case ITEM_BALANCED: s = match_balanced(m, item, s); break;
            case ITEM_REFERENCE: s = match_reference(m, item, s); break;
            case ITEM_SET:
                if (item->repeat == '1') {
                    s = takes(m, item, s) ? s + 1 : NULL;
                    break;
                }
                if (item->repeat == '-') s = match_shortest(m, i, s);
                else if (item->repeat != '?') s = match_longest(m, i, s, item->repeat == '+');
                else {
                    const char *with = takes(m, item, s) ? match_from(m, i + 1, s + 1) : NULL;
                    s = with != NULL ? with : match_from(m, i + 1, s);
                }
                goto done;
        }
    }
done:
    m->depth--;
    return s;
}

const char *match_at(matcher *matcher, const char *start) {
    matcher->depth = 0;
    return match_from(matcher, 0, start);
}

void push_capture_of(matcher *m, int index, const char *start, const char *end) {
    if (index == 0 && m->pattern->captures == 0) {
        lua_pushlstring(m->L, start, (size_t)(end - start));
        return;
    }
    if (index >= m->pattern->captures) luaL_error(m->L, "invalid capture index %%%d", index + 1);
    const capture *capture = &m->captures[index];
    if (capture->length == CAPTURE_POSITION) lua_pushinteger(m->L, capture->start - m->subject + 1);
    else lua_pushlstring(m->L, capture->start, (size_t)capture->length);
}

int push_captures_of(matcher *m, const char *start, const char *end, bool whole) {
    int count = m->pattern->captures == 0 && whole ? 1 : m->pattern->captures;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++) push_capture_of(m, i, start, end);
    return count;
}
