#pragma once

#include <stddef.h>

#include "engine.h"

/// Kernels on long vectors (the parameters of a model and what lives in their space), in f32 and f64.
///
/// All arithmetic is in double, without fused multiply-add; every element of a result is rounded once, when it is
/// stored. Sums run over chunks of EOSS_VECTOR_CHUNK elements, inside a chunk over 16 lanes that are added by a fixed
/// tree, and over the chunks in order. So a result is a function of the values alone: the same bits on every CPU,
/// whatever the kernel set. Blocks are arrays of pointers; matrices of coefficients are column-major.
typedef struct eoss_vector_kernels {
    /// The instruction set, as recorded in run files: "x86-64-v4", "x86-64-v3" or "baseline".
    const char *name;

    /// out[i + xs*j] = <x[i], y[j]>, for n elements, xs vectors x and ys vectors y.
    void (*dots_f32)(size_t n, const float *const *x, size_t xs, const float *const *y, size_t ys, double *out);
    void (*dots_f64)(size_t n, const double *const *x, size_t xs, const double *const *y, size_t ys, double *out);

    /// y[j] = keep*y[j] + sum over i of c[i + xs*j]*x[i]. With keep = 0 the old y is not read.
    /// A y may be the very same vector as an x only if xs = 1 and ys = 1; otherwise they do not overlap.
    void (*combine_f32)(size_t n, const float *const *x, size_t xs, const double *c, double keep, float *const *y,
                        size_t ys);
    void (*combine_f64)(size_t n, const double *const *x, size_t xs, const double *c, double keep, double *const *y,
                        size_t ys);

    /// Both in one pass over x: y[j] -= sum over i of c[i + xs*j]*x[i], then out[i + xs*j] = <x[i], y[j]>.
    void (*project_f32)(size_t n, const float *const *x, size_t xs, const double *c, float *const *y, size_t ys,
                        double *out);
    void (*project_f64)(size_t n, const double *const *x, size_t xs, const double *c, double *const *y, size_t ys,
                        double *out);
} eoss_vector_kernels;

#define EOSS_VECTOR_CHUNK 1024

/// The fastest kernels this CPU can run, chosen at start-up.
const eoss_vector_kernels *eoss_vector_kernels_best(void);

/// Kernel set number `index`, fastest first; NULL past the last one. Sets this CPU cannot run are left out.
const eoss_vector_kernels *eoss_vector_kernels_at(size_t index);

// ---- over threads ---------------------------------------------------------------------------------------------------

enum eoss_vector_operation { EOSS_VECTOR_DOTS, EOSS_VECTOR_COMBINE, EOSS_VECTOR_PROJECT };

/// One of the operations above with its arguments; those that it has not are ignored.
typedef struct {
    int operation;          // eoss_vector_operation
    int element;            // ck_element: CK_F32 or CK_F64
    size_t n, xs, ys;
    const void *const *x;
    void *const *y;
    const double *c;
    double keep;
    double *out;
    double *partial;        // room for xs * ys numbers a tile, for the operations that have an `out`
    void **pointers;        // room for xs + ys pointers a tile
} eoss_vector_work;

/// Tiles that vectors of n elements are cut into: a function of n alone. Each is summed as above, then the tiles in order, so
/// the bits do not depend on the number of threads.
size_t eoss_vector_tiles(size_t n);

/// Runs it on the pool's threads, or on the calling one alone where that is as fast or the pool is busy.
void eoss_vector_run(const eoss_vector_work *work, ck_pool *pool);
