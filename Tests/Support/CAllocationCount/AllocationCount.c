#include "AllocationCount.h"

#include <stddef.h>

static _Thread_local int counting;
static _Thread_local allocation_counts counts;

// Sanitizers have allocators of their own.
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__linux__) && defined(__GLIBC__) && !__has_feature(thread_sanitizer) && !__has_feature(address_sanitizer)
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void count(void) { counts.allocations += counting; }

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    count();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    count();
    *block = __libc_memalign(alignment, size);
    return *block ? 0 : 12;
}
#endif

void allocation_count_begin(void) {
    counts = (allocation_counts){0};
    counting = 1;
}

allocation_counts allocation_count_end(void) {
    counting = 0;
    return counts;
}
