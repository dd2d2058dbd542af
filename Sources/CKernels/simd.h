/// Vectors of the present kernel set. A file of kernels is compiled once for each set: `variant_*.c` defines CK_LEVEL,
/// includes this header and then the kernels, all between attribute push and pop.
#include <stdint.h>
#include <string.h>

#include "engine.h"

#if CK_LEVEL == 4
#define NAME(x) ck_##x##_v4
#define VECTOR_BYTES 64
#elif CK_LEVEL == 3
#define NAME(x) ck_##x##_v3
#define VECTOR_BYTES 32
#else
#define NAME(x) ck_##x##_plain
#define VECTOR_BYTES 16
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("clang loop unroll(full)")
#define NO_UNROLL _Pragma("clang loop unroll(disable)")

/// The compiler takes this pointer for a value that it knows nothing of.
#define KEEP_APART(pointer) __asm__("" : "+r"(pointer))

#define F32_LANES (VECTOR_BYTES / 4)
#define F64_LANES (VECTOR_BYTES / 8)

typedef float f32v __attribute__((vector_size(VECTOR_BYTES)));
typedef double f64v __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t i32v __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t i64v __attribute__((vector_size(VECTOR_BYTES)));
typedef float f32h __attribute__((vector_size(VECTOR_BYTES / 2)));

typedef float f32v_unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef double f64v_unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
typedef float f32h_unaligned __attribute__((vector_size(VECTOR_BYTES / 2), aligned(4), may_alias));

INLINE f32v load_f32(const float *p) { return *(const f32v_unaligned *)p; }
INLINE f64v load_f64(const double *p) { return *(const f64v_unaligned *)p; }
INLINE void store_f32(float *p, f32v v) { *(f32v_unaligned *)p = v; }
INLINE void store_f64(double *p, f64v v) { *(f64v_unaligned *)p = v; }
INLINE f32h load_half_f32(const float *p) { return *(const f32h_unaligned *)p; }

INLINE f32v splat_f32(float x) { return x - (f32v){}; }
INLINE f64v splat_f64(double x) { return x - (f64v){}; }

// The first n lanes, 0 < n < lanes; the others are zero. No byte beyond them is touched.
#if CK_LEVEL == 4
INLINE f32v load_part_f32(const float *p, int64_t n) { return (f32v)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
INLINE f64v load_part_f64(const double *p, int64_t n) { return (f64v)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p); }
INLINE void store_part_f32(float *p, f32v v, int64_t n) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v); }
INLINE void store_part_f64(double *p, f64v v, int64_t n) { _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)v); }
#elif CK_LEVEL == 3
static const int32_t NAME(lanes_kept)[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
INLINE f32v load_part_f32(const float *p, int64_t n) {
    return (f32v)_mm256_maskload_ps(p, _mm256_loadu_si256((const __m256i *)(NAME(lanes_kept) + 8 - n)));
}
INLINE f64v load_part_f64(const double *p, int64_t n) {
    return (f64v)_mm256_maskload_pd(p, _mm256_loadu_si256((const __m256i *)(NAME(lanes_kept) + 8 - 2 * n)));
}
// In halves: masked stores are slow on many CPUs of this level.
INLINE void store_part_f32(float *p, f32v v, int64_t n) {
    __m128 rest = _mm256_castps256_ps128((__m256)v);
    if (n & 4) {
        _mm_storeu_ps(p, rest);
        rest = _mm256_extractf128_ps((__m256)v, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)p, rest);
        rest = _mm_movehl_ps(rest, rest);
        p += 2;
    }
    if (n & 1) _mm_store_ss(p, rest);
}
INLINE void store_part_f64(double *p, f64v v, int64_t n) {
    __m128d rest = _mm256_castpd256_pd128((__m256d)v);
    if (n & 2) {
        _mm_storeu_pd(p, rest);
        rest = _mm256_extractf128_pd((__m256d)v, 1);
        p += 2;
    }
    if (n & 1) _mm_store_sd(p, rest);
}
#else
INLINE f32v load_part_f32(const float *p, int64_t n) {
    float lanes[F32_LANES] = {0};
    for (int64_t i = 0; i < n; i++) lanes[i] = p[i];
    return load_f32(lanes);
}
INLINE f64v load_part_f64(const double *p, int64_t n) {
    double lanes[F64_LANES] = {0};
    for (int64_t i = 0; i < n; i++) lanes[i] = p[i];
    return load_f64(lanes);
}
INLINE void store_part_f32(float *p, f32v v, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = v[i];
}
INLINE void store_part_f64(double *p, f64v v, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = v[i];
}
#endif

// a * b + c, in one rounding where the CPU has it.
#if CK_LEVEL > 0 || defined(__aarch64__)
INLINE f32v fma_f32(f32v a, f32v b, f32v c) { return __builtin_elementwise_fma(a, b, c); }
INLINE f64v fma_f64(f64v a, f64v b, f64v c) { return __builtin_elementwise_fma(a, b, c); }
#else
INLINE f32v fma_f32(f32v a, f32v b, f32v c) { return a * b + c; }
INLINE f64v fma_f64(f64v a, f64v b, f64v c) { return a * b + c; }
#endif

// Sums over the lanes, by halving.
INLINE float sum_f32(f32v v) {
#if VECTOR_BYTES == 64
    f32h h = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    typedef float f32q __attribute__((vector_size(16)));
    f32q q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
#elif VECTOR_BYTES == 32
    f32h q = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
    f32v q = v;
#endif
    return (q[0] + q[2]) + (q[1] + q[3]);
}
INLINE double sum_f64(f64v v) {
    typedef double f64q __attribute__((vector_size(16)));
#if VECTOR_BYTES == 64
    typedef double f64h __attribute__((vector_size(32)));
    f64h h = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
    f64q q = __builtin_shufflevector(h, h, 0, 1) + __builtin_shufflevector(h, h, 2, 3);
#elif VECTOR_BYTES == 32
    f64q q = __builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3);
#else
    f64q q = v;
#endif
    return q[0] + q[1];
}

// The largest lane of finite ones, by halving.
INLINE float largest_f32(f32v v) {
#if VECTOR_BYTES == 64
    f32h h = __builtin_elementwise_max(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                                       __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
    typedef float f32q __attribute__((vector_size(16)));
    f32q q = __builtin_elementwise_max(__builtin_shufflevector(h, h, 0, 1, 2, 3), __builtin_shufflevector(h, h, 4, 5, 6, 7));
#elif VECTOR_BYTES == 32
    f32h q = __builtin_elementwise_max(__builtin_shufflevector(v, v, 0, 1, 2, 3), __builtin_shufflevector(v, v, 4, 5, 6, 7));
#else
    f32v q = v;
#endif
    float a = q[0] > q[2] ? q[0] : q[2], b = q[1] > q[3] ? q[1] : q[3];
    return a > b ? a : b;
}
INLINE double largest_f64(f64v v) {
    double largest = v[0];
    UNROLL for (int i = 1; i < F64_LANES; i++) largest = v[i] > largest ? v[i] : largest;
    return largest;
}

#if VECTOR_BYTES == 64
/// Sums over the lanes of eight vectors, `step` apart: in a third of the instructions of eight single sums.
INLINE f32h sums_of_8_f32(const f32v *v, int step) {
    f32v pairs[4], fours[2];
    UNROLL for (int i = 0; i < 4; i++) {
        f32v a = v[2 * i * step], b = v[(2 * i + 1) * step];
        pairs[i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
                   __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    }
    UNROLL for (int i = 0; i < 2; i++) {
        f32v a = pairs[2 * i], b = pairs[2 * i + 1];
        fours[i] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
                   __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
    f32v halves = __builtin_shufflevector(fours[0], fours[1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                  __builtin_shufflevector(fours[0], fours[1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    return __builtin_shufflevector(halves, halves, 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(halves, halves, 4, 5, 6, 7, 12, 13, 14, 15);
}
#endif

#if VECTOR_BYTES == 32
/// Sums over the lanes of four vectors, `step` apart, each as `sum_f32` has it: in half of the instructions.
INLINE __m128 sums_of_4_f32(const f32v *v, int step) {
    __m128 halves[4];
    UNROLL for (int i = 0; i < 4; i++) {
        halves[i] = _mm256_castps256_ps128((__m256)v[i * step]) + _mm256_extractf128_ps((__m256)v[i * step], 1);
    }
    __m128 low = _mm_unpacklo_ps(halves[0], halves[1]) + _mm_unpackhi_ps(halves[0], halves[1]);
    __m128 high = _mm_unpacklo_ps(halves[2], halves[3]) + _mm_unpackhi_ps(halves[2], halves[3]);
    return _mm_movelh_ps(low, high) + _mm_movehl_ps(high, low);
}
#endif

/// The lanes of v in f64, low and high half added.
INLINE f64v widen_and_fold(f32v v) {
#if VECTOR_BYTES == 64
    f32h low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
    f32h high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
#elif VECTOR_BYTES == 32
    f32h low = __builtin_shufflevector(v, v, 0, 1, 2, 3), high = __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
    f32h low = __builtin_shufflevector(v, v, 0, 1), high = __builtin_shufflevector(v, v, 2, 3);
#endif
    return __builtin_convertvector(low, f64v) + __builtin_convertvector(high, f64v);
}

INLINE int64_t minimum(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t tiles_of(int64_t n, int64_t tile) { return (n + tile - 1) / tile; }

INLINE char *place(const ck_call *call, char *const *bases, int i) { return bases[call->refs[i].slot] + call->refs[i].offset; }

/// Offset, in elements, of entry `index` of a row-major index space read through strides.
INLINE int64_t strided_offset(int64_t index, int64_t rank, const int64_t *extents, const int64_t *strides) {
    int64_t offset = 0;
    for (int64_t d = rank - 1; d >= 0; d--) {
        offset += index % extents[d] * strides[d];
        index /= extents[d];
    }
    return offset;
}

/// Where a batch of a product's result begins.
INLINE int64_t result_offset(const ck_product *p, int64_t batch) {
    return strided_offset(batch, p->batch_rank, p->batch_extents, p->batch_c);
}

/// Terms of the sums of a batch: all of K, or a chunk of it.
INLINE int64_t terms_of_batch(const ck_product *p, int64_t batch) {
    return p->k_chunk ? minimum(p->k_chunk, p->k - batch * p->k_chunk) : p->k;
}
