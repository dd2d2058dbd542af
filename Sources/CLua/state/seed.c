// The seed of Lua's string hashes. Lua makes it from the clock and from addresses, so that the order of `pairs` over string keys
// differs from process to process. Nothing in Lua's interface sets it: it is a word of the block of memory that begins a state,
// written before the first string is made. That block comes from our allocator. Which of its words it is, is not
// guessed: a state is begun, and abandoned at its second allocation, twice; the word is the one that holds, both times, what Lua's
// mixing of clock and addresses gives. Where no word does, in a library that makes its seed in another way, that seed stays.

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../internal.h"

#define SEED 0x5eedu  // any number does
#define UNKNOWN 0

typedef struct {
    char *block;         // of the new state
    size_t size;
    uintptr_t deepest;  // the frame of the second allocation
    uint32_t *words;    // what the block held then
} beginning;

/// Takes the first block, and refuses all others.
static void *begin(void *owner, void *block, size_t old_size, size_t new_size) {
    (void)old_size;
    beginning *state = owner;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    if (state->block == NULL) {
        state->size = new_size;
        return state->block = calloc(1, new_size);
    }
    if (state->words == NULL && (state->words = malloc(state->size)) != NULL) {
        memcpy(state->words, state->block, state->size);
        state->deepest = (uintptr_t)__builtin_frame_address(0);
    }
    return NULL;
}

/// Lua's hash of strings, from the last byte to the first.
static uint32_t hash(const unsigned char *bytes, size_t length, uint32_t seed) {
    uint32_t h = seed ^ (uint32_t)length;
    for (; length > 0; length--) h ^= (h << 5) + (h >> 2) + bytes[length - 1];
    return h;
}

/// What Lua makes of the clock, the state's address, that of a local variable, and that of lua_newstate.
static uint32_t made_from(time_t clock, uintptr_t state, uintptr_t local) {
    uintptr_t parts[3] = {state, local, (uintptr_t)&lua_newstate};
    return hash((const unsigned char *)parts, sizeof parts, (uint32_t)clock);
}

/// The offset of the seed in the block, or UNKNOWN. The local variable stands between the frames of the allocator and of this
/// function, at a multiple of its size.
static __attribute__((noinline)) size_t look_for_offset(void) {
    beginning state = {0};
    time_t before = time(NULL);
    // It fails, for want of memory: nothing is left but the copy.
    if (lua_newstate(begin, &state) != NULL || state.words == NULL) return UNKNOWN;
    size_t found = UNKNOWN;
    bool ambiguous = false;  // two words fit; that two addresses of the variable give one number is no matter
    uintptr_t L = (uintptr_t)state.block + LUA_EXTRASPACE, shallowest = (uintptr_t)__builtin_frame_address(0);
    for (time_t clock = before; clock <= time(NULL); clock++) {
        for (uintptr_t local = state.deepest & ~(uintptr_t)3; local < shallowest; local += 4) {
            uint32_t seed = made_from(clock, L, local);
            for (size_t i = 0; i < state.size / sizeof seed; i++) {
                if (state.words[i] != seed) continue;
                ambiguous |= found != UNKNOWN && found != i * sizeof seed;
                found = i * sizeof seed;
            }
        }
    }
    free(state.words);
    return ambiguous ? UNKNOWN : found;
}

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static size_t offset;

static void look(void) {
    // A chance hit makes a look ambiguous, once in ten thousand.
    for (int attempt = 0; attempt < 4 && offset == UNKNOWN; attempt++) {
        size_t first = look_for_offset();
        if (first == look_for_offset()) offset = first;
    }
}

void set_seed(void *state_block) {
    pthread_once(&looked, look);
    const uint32_t seed = SEED;
    if (offset != UNKNOWN) memcpy((char *)state_block + offset, &seed, sizeof seed);
}
