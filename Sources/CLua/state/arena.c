// Where Lua's small objects stand. Lua hashes a table, function, userdata or coroutine that is a key by the lower half of its
// address, so the order of `pairs` over such keys is an order of addresses. Here they follow from what the script allocated and
// freed before, and from nothing else: the system places neither the pieces (a piece stands behind the one before, from a
// multiple of 2³² on) nor, as malloc does, what other parts of the process allocate in between.

#define _GNU_SOURCE  // MAP_FIXED_NOREPLACE
#include "arena.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct arena_block {
    arena_block *next;
};

#define PIECE ((size_t)256 << 10)
#define WINDOW ((uintptr_t)1 << 32)  // of addresses; a state has one of its own
// Nothing else is placed between these by Linux, unless asked to.
#define FIRST_WINDOW 0x2000u
#define WINDOWS 0x2000u
#define ATTEMPTS 64

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1  // the sanitizers see the bounds of malloc's blocks, and know which addresses are in use
#endif
#endif

static char *map_piece(char *at) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    void *piece = mmap(at, PIECE, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (piece == MAP_FAILED) return NULL;
    if (piece == at) return piece;
    munmap(piece, PIECE);  // a kernel that does not know the flag takes the address for a wish
    return NULL;
}

void arena_open(arena *arena) {
    memset(arena, 0, sizeof *arena);
#ifndef SANITIZED
    static _Atomic uint32_t opened;
    for (int attempt = 0; attempt < ATTEMPTS && arena->base == NULL; attempt++) {
        uintptr_t window = FIRST_WINDOW + atomic_fetch_add(&opened, 1) % WINDOWS;
        arena->base = map_piece((char *)(window * WINDOW));
    }
    arena->next = arena->base;
    arena->end = arena->mapped_end = arena->base != NULL ? arena->base + PIECE : NULL;
#endif
}

void arena_close(arena *arena) {
    if (arena->base != NULL) munmap(arena->base, (size_t)(arena->mapped_end - arena->base));
    memset(arena, 0, sizeof *arena);
}

static bool holds(const arena *arena, const void *block) {
    return (const char *)block >= arena->base && (const char *)block < arena->mapped_end;
}

static size_t units_of(size_t size) { return (size + ARENA_UNIT - 1) / ARENA_UNIT; }

static void give_back(arena *arena, void *block, size_t units) {
    arena_block *freed = block;
    freed->next = arena->free[units];
    arena->free[units] = freed;
}

/// Goes on in a new piece; what is left of the last one is a free block.
static bool extend(arena *arena) {
    if (arena->base == NULL || (uintptr_t)(arena->mapped_end - arena->base) + PIECE > WINDOW) return false;
    if (map_piece(arena->mapped_end) == NULL) return false;
    if (arena->next < arena->end) give_back(arena, arena->next, (size_t)(arena->end - arena->next) / ARENA_UNIT);
    arena->next = arena->mapped_end;
    arena->end = arena->mapped_end += PIECE;
    return true;
}

static void *allocate(arena *arena, size_t size) {
    if (size > ARENA_LARGEST || arena->base == NULL) return malloc(size);
    size_t units = units_of(size);
    arena_block *block = arena->free[units];
    if (block != NULL) {
        arena->free[units] = block->next;
        return block;
    }
    if ((size_t)(arena->end - arena->next) < units * ARENA_UNIT && !extend(arena)) return malloc(size);
    block = (arena_block *)arena->next;
    arena->next += units * ARENA_UNIT;
    return block;
}

static void release(arena *arena, void *block, size_t size) {
    if (holds(arena, block)) give_back(arena, block, units_of(size));
    else free(block);
}

void *arena_resize(arena *arena, void *block, size_t old_size, size_t new_size) {
    if (block == NULL) return new_size > 0 ? allocate(arena, new_size) : NULL;
    if (new_size == 0) {
        release(arena, block, old_size);
        return NULL;
    }
    bool held = holds(arena, block);
    if (held && units_of(new_size) == units_of(old_size)) return block;
    if (!held && (new_size > ARENA_LARGEST || arena->base == NULL)) {
        void *moved = realloc(block, new_size);
        return moved == NULL && new_size <= old_size ? block : moved;
    }
    void *moved = allocate(arena, new_size);
    // A block that stays longer than it need be is freed later as a short one, which does no harm.
    if (moved == NULL) return new_size <= old_size ? block : NULL;
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    release(arena, block, old_size);
    return moved;
}
