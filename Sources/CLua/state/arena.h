/// Memory for the small objects of one state, at addresses that are the same in every process, up to a multiple of 2³².
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ARENA_UNIT 16       // bytes; blocks are multiples of it
#define ARENA_LARGEST 1024  // longer blocks are malloc's

typedef struct arena_block arena_block;

typedef struct arena {
    char *base, *mapped_end;  // null without one: all blocks are malloc's
    char *next, *end;         // what has not been handed out yet of the last piece
    arena_block *free[ARENA_LARGEST / ARENA_UNIT + 1];  // by size in units
} arena;

void arena_open(arena *arena);
/// Gives everything back at once, but for what is malloc's.
void arena_close(arena *arena);
/// realloc for blocks whose size is known; a size of 0 frees. Null where there is no memory, but never for a smaller size.
void *arena_resize(arena *arena, void *block, size_t old_size, size_t new_size);
