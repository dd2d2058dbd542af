#pragma once

#include "engine.h"

/// Kernels on blocks of long vectors (the parameters of a model and what lives in their space), in f32 and f64.
///
/// All arithmetic is in double, without fused multiply-add; every element of a result is rounded once, when it is
/// stored. Sums run over chunks of CK_VECTORS_CHUNK elements, inside a chunk over 16 lanes that are added by a fixed
/// tree, over the chunks of a tile in order, and over the tiles in order; tiles are a function of n alone. So a result is
/// a function of the values alone: the same bits on every CPU, whatever the kernel set and the number of threads.
///
/// DOTS:    sums[i + xs*j] = <x[i], y[j]>.
/// COMBINE: y[j] = keep*y[j] + sum over i of c[i + xs*j]*x[i]. With keep = 0 the old y is not read. A y may be the very
///          same vector as an x only if xs = 1 and ys = 1; otherwise they do not overlap.
/// PROJECT: both in one pass over x: y[j] -= sum over i of c[i + xs*j]*x[i], then sums[i + xs*j] = <x[i], y[j]>.
enum ck_vectors_operation { CK_VECTORS_DOTS, CK_VECTORS_COMBINE, CK_VECTORS_PROJECT };

#define CK_VECTORS_CHUNK 1024

/// Blocks are arrays of pointers, matrices of coefficients column-major. No refs: the addresses are the caller's.
typedef struct {
    int64_t n, xs, ys;
    const void *const *x;
    void *const *y;
    const double *c;
    double keep;
    double *sums;           // room for xs * ys numbers a tile, NULL for COMBINE; the first ones are the result
    void **pointers;        // room for xs + ys pointers a tile
    int64_t tile;           // elements of a tile: set by ck_vectors_run
} ck_vectors;
ck_kernel ck_vectors_kernel(int operation, int element, int level);

/// Tiles that vectors of n elements are cut into.
int64_t ck_vectors_tiles(int64_t n);

/// Runs it on the pool's threads, or on the calling one alone where that is as fast or the pool is busy.
void ck_vectors_run(int operation, int element, ck_vectors *work, int level, ck_pool *pool);
