/// Counts what one thread asks of the C library's allocator: for tests that say that something takes no memory. The program's malloc is replaced by one that counts and calls the C library's.
#pragma once
#include <stdint.h>

typedef struct {
    int64_t allocations;
} allocation_counts;

/// Begins to count on the calling thread.
void allocation_count_begin(void);
/// Ends; what the calling thread did since `allocation_count_begin`.
allocation_counts allocation_count_end(void);
