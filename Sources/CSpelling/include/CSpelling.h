/// CSpelling: which of some known names someone who wrote another one most likely meant. In C, so that every target may use it:
/// the bridge to Lua imports nothing of ours but C, and the experiments do not know the bridge.
///
/// Near is what has at most a third of its letters wrong, where an insertion, a deletion, a substitution and a swap of two
/// neighbours count once each: the Damerau–Levenshtein distance in its form without a part edited twice [Damerau 1964;
/// Levenshtein 1966]. Case and the characters between words ('_', '-') are not counted. The cost is bounded: a name of more than
/// SPELLING_LIMIT letters is near to none, and no more than SPELLING_CANDIDATES are looked at.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#pragma clang assume_nonnull begin

#define SPELLING_LIMIT 64
#define SPELLING_CANDIDATES 4096

/// A search for the nearest name; begun by `spelling_begin`, then shown one candidate after the other.
typedef struct spelling {
    unsigned char written[SPELLING_LIMIT];
    size_t count;     // letters in `written`, more than the limit where it is too long
    size_t distance;  // of the nearest so far
    size_t left;      // candidates still looked at
} spelling;

void spelling_begin(spelling *search, const char *_Nullable name, size_t length);

typedef enum spelling_answer {
    SPELLING_FAR,     // not near, or less near than one before
    SPELLING_AS_NEAR, // as near as the nearest before
    SPELLING_NEARER,  // the nearest so far
} spelling_answer;

/// Compares a candidate with what was written.
spelling_answer spelling_consider(spelling *search, const char *_Nullable candidate, size_t length);

#pragma clang assume_nonnull end
