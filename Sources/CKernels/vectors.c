/// Blocks of long vectors over the threads of a pool.
#include "vectors.h"

/// Elements of a tile, whole chunks: enough work to be worth handing out, and no more than MOST_TILES tiles.
enum { LEAST_TILE = 32 * CK_VECTORS_CHUNK, MOST_TILES = 64 };
/// Elements that an operation must touch before waking another thread pays.
enum { WORTH_THREADS = 1 << 18 };

static int64_t tile_size(int64_t n) {
    int64_t chunks = (n + CK_VECTORS_CHUNK - 1) / CK_VECTORS_CHUNK;
    int64_t size = (chunks + MOST_TILES - 1) / MOST_TILES * CK_VECTORS_CHUNK;
    return size < LEAST_TILE ? LEAST_TILE : size;
}

int64_t ck_vectors_tiles(int64_t n) { return n ? (n + tile_size(n) - 1) / tile_size(n) : 1; }

void ck_vectors_run(int operation, int element, ck_vectors *work, int level, ck_pool *pool) {
    int64_t tiles = ck_vectors_tiles(work->n), count = work->xs * work->ys;
    ck_call call = {ck_vectors_kernel(operation, element, level), tiles, NULL, work};
    work->tile = tile_size(work->n);
    if (tiles > 1 && work->n * (work->xs + work->ys + count) >= WORTH_THREADS && ck_pool_try_lock(pool)) {
        ck_run(pool, &call, 1, NULL, NULL);
        ck_pool_unlock(pool);
    } else {
        for (int64_t tile = 0; tile < tiles; tile++) call.kernel(&call, NULL, tile, NULL);
    }
    if (!work->sums) return;
    for (int64_t tile = 1; tile < tiles; tile++)
        for (int64_t i = 0; i < count; i++) work->sums[i] += work->sums[tile * count + i];
}
