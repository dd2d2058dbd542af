#include <stdint.h>

#include "vector.h"

/// Elements of a tile, whole chunks: enough work to be worth handing out, and no more than MOST_TILES tiles.
enum { LEAST_TILE = 32 * EOSS_VECTOR_CHUNK, MOST_TILES = 64 };
/// Elements that an operation must touch before waking another thread pays.
enum { WORTH_THREADS = 1 << 18 };

static size_t tile_size(size_t n) {
    size_t chunks = (n + EOSS_VECTOR_CHUNK - 1) / EOSS_VECTOR_CHUNK;
    size_t size = (chunks + MOST_TILES - 1) / MOST_TILES * EOSS_VECTOR_CHUNK;
    return size < LEAST_TILE ? LEAST_TILE : size;
}

size_t eoss_vector_tiles(size_t n) {
    size_t size = tile_size(n);
    return n ? (n + size - 1) / size : 1;
}

/// The pointers of a tile, moved to where it starts; `to` has room for all of them.
static void move(void **to, const void *const *from, size_t count, size_t bytes) {
    for (size_t i = 0; i < count; i++) to[i] = (char *)from[i] + bytes;
}

static void run_tile(const ck_call *call, char *const *bases, int64_t tile, char *scratch) {
    (void)bases, (void)scratch;
    const eoss_vector_work *w = call->parameters;
    const eoss_vector_kernels *k = eoss_vector_kernels_best();
    size_t size = tile_size(w->n), start = (size_t)tile * size, n = w->n - start < size ? w->n - start : size;
    size_t bytes = start * (w->element == CK_F32 ? sizeof(float) : sizeof(double));
    void **x = w->pointers + (size_t)tile * (w->xs + w->ys), **y = x + w->xs;
    move(x, w->x, w->xs, bytes);
    move(y, (const void *const *)w->y, w->ys, bytes);
    double *out = w->partial ? w->partial + (size_t)tile * w->xs * w->ys : NULL;
    int f32 = w->element == CK_F32;
    switch (w->operation) {
    case EOSS_VECTOR_DOTS:
        if (f32) k->dots_f32(n, (const float *const *)x, w->xs, (const float *const *)y, w->ys, out);
        else k->dots_f64(n, (const double *const *)x, w->xs, (const double *const *)y, w->ys, out);
        break;
    case EOSS_VECTOR_COMBINE:
        if (f32) k->combine_f32(n, (const float *const *)x, w->xs, w->c, w->keep, (float *const *)y, w->ys);
        else k->combine_f64(n, (const double *const *)x, w->xs, w->c, w->keep, (double *const *)y, w->ys);
        break;
    default:
        if (f32) k->project_f32(n, (const float *const *)x, w->xs, w->c, (float *const *)y, w->ys, out);
        else k->project_f64(n, (const double *const *)x, w->xs, w->c, (double *const *)y, w->ys, out);
    }
}

void eoss_vector_run(const eoss_vector_work *work, ck_pool *pool) {
    size_t tiles = eoss_vector_tiles(work->n);
    ck_call call = {run_tile, (int64_t)tiles, NULL, work};
    size_t touched = work->n * (work->xs + work->ys + work->xs * work->ys);
    if (tiles > 1 && touched >= WORTH_THREADS && ck_pool_try_lock(pool)) {
        ck_run(pool, &call, 1, NULL, NULL);
        ck_pool_unlock(pool);
    } else {
        for (size_t tile = 0; tile < tiles; tile++) run_tile(&call, NULL, (int64_t)tile, NULL);
    }
    if (work->operation == EOSS_VECTOR_COMBINE) return;
    size_t count = work->xs * work->ys;
    for (size_t i = 0; i < count; i++) work->out[i] = work->partial[i];
    for (size_t tile = 1; tile < tiles; tile++)
        for (size_t i = 0; i < count; i++) work->out[i] += work->partial[tile * count + i];
}
