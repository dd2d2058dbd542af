#include "CSpelling.h"

#include <stdint.h>

/// Copies the letters, without what is easily mistaken; returns how many there are, or SPELLING_LIMIT + 1 for too many.
static size_t normalize(unsigned char *letters, const char *name, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (byte == '_' || byte == '-') continue;
        if (count == SPELLING_LIMIT) return SPELLING_LIMIT + 1;
        letters[count++] = byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
    }
    return count;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t edit_distance(const unsigned char *a, size_t a_count, const unsigned char *b, size_t b_count) {
    size_t rows[3][SPELLING_LIMIT + 1];
    size_t *before_previous = rows[0], *previous = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_count; j++) previous[j] = j;
    for (size_t i = 0; i < a_count; i++) {
        row[0] = i + 1;
        for (size_t j = 0; j < b_count; j++) {
            size_t edits = least(previous[j + 1] + 1, row[j] + 1);
            edits = least(edits, previous[j] + (a[i] != b[j]));
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) edits = least(edits, before_previous[j - 1] + 1);
            row[j + 1] = edits;
        }
        size_t *oldest = before_previous;
        before_previous = previous;
        previous = row;
        row = oldest;
    }
    return previous[b_count];
}

void spelling_begin(spelling *search, const char *name, size_t length) {
    search->count = normalize(search->written, name, length);
    search->distance = SIZE_MAX;
    search->left = SPELLING_CANDIDATES;
}

spelling_answer spelling_consider(spelling *search, const char *candidate, size_t length) {
    if (search->count > SPELLING_LIMIT || search->left == 0) return SPELLING_FAR;
    search->left--;
    unsigned char wanted[SPELLING_LIMIT];
    size_t count = normalize(wanted, candidate, length);
    if (count > SPELLING_LIMIT) return SPELLING_FAR;
    size_t longer = count > search->count ? count : search->count;
    size_t shorter = count + search->count - longer;
    size_t allowed = longer / 3 > 1 ? longer / 3 : 1;
    if (longer - shorter > allowed) return SPELLING_FAR;
    size_t distance = edit_distance(search->written, search->count, wanted, count);
    if (distance > allowed || distance > search->distance) return SPELLING_FAR;
    if (distance == search->distance) return SPELLING_AS_NEAR;
    search->distance = distance;
    return SPELLING_NEARER;
}
