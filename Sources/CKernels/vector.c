#include "vector.h"

// Fused multiply-add exists on some of the CPUs only, so it is never used: the bits would depend on the CPU.
#pragma STDC FP_CONTRACT OFF

/// Eight partial sums: one AVX-512 register, two of AVX2, four of SSE2 or NEON.
typedef double lanes __attribute__((vector_size(64)));

/// The same wherever they lie.
typedef double wide __attribute__((vector_size(64), aligned(8), may_alias));

#define REAL float
#define NAME(f) f##_f32
#include "vector_body.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(f) f##_f64
#include "vector_body.h"
#undef REAL
#undef NAME

/// The wrappers of one element type for one instruction set.
#define WRAPPERS(REAL, SUFFIX, SET, TARGET)                                                                            \
    TARGET static void dots_##SUFFIX##_##SET(size_t n, const REAL *const *x, size_t xs, const REAL *const *y,         \
                                             size_t ys, double *out)                                                  \
    {                                                                                                                  \
        dots_body_##SUFFIX(n, x, xs, y, ys, out);                                                                      \
    }                                                                                                                  \
    TARGET static void combine_##SUFFIX##_##SET(size_t n, const REAL *const *x, size_t xs, const double *c,           \
                                                double keep, REAL *const *y, size_t ys)                               \
    {                                                                                                                  \
        combine_body_##SUFFIX(n, x, xs, c, keep, y, ys);                                                               \
    }                                                                                                                  \
    TARGET static void project_##SUFFIX##_##SET(size_t n, const REAL *const *x, size_t xs, const double *c,           \
                                                REAL *const *y, size_t ys, double *out)                               \
    {                                                                                                                  \
        project_body_##SUFFIX(n, x, xs, c, y, ys, out);                                                                \
    }

#define KERNEL_SET(SET, TARGET, LABEL)                                                                                 \
    WRAPPERS(float, f32, SET, TARGET)                                                                                  \
    WRAPPERS(double, f64, SET, TARGET)                                                                                 \
    static const eoss_vector_kernels set_##SET = {                                                                     \
        LABEL,           dots_f32_##SET,    dots_f64_##SET,    combine_f32_##SET,                                      \
        combine_f64_##SET, project_f32_##SET, project_f64_##SET,                                                       \
    };

#if defined(__x86_64__)
KERNEL_SET(v4, __attribute__((target("arch=x86-64-v4"))), "x86-64-v4")
KERNEL_SET(v3, __attribute__((target("arch=x86-64-v3"))), "x86-64-v3")
#endif
KERNEL_SET(baseline, , "baseline")

static const eoss_vector_kernels *sets[4];

__attribute__((constructor)) static void choose_sets(void)
{
    size_t count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
             __builtin_cpu_supports("bmi2");
    int v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
    if (v4) sets[count++] = &set_v4;
    if (v3) sets[count++] = &set_v3;
#endif
    sets[count++] = &set_baseline;
}

const eoss_vector_kernels *eoss_vector_kernels_best(void) { return sets[0]; }

const eoss_vector_kernels *eoss_vector_kernels_at(size_t index) { return index < 4 ? sets[index] : NULL; }
