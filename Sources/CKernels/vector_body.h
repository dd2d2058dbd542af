// The bodies of the vector kernels for one element type. Included by vector.c with
//   REAL     float or double
//   NAME(f)  f with the type's suffix
// The functions are always inlined into one wrapper for each instruction set, which compiles them for that set.

#define INLINE static inline __attribute__((always_inline))

/// Eight elements wherever they lie.
typedef REAL NAME(eight) __attribute__((vector_size(8 * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

// A macro, because a function returning `lanes` would have a calling convention that depends on the instruction set.
#define LOAD(x) __builtin_convertvector(*(const NAME(eight) *)(x), lanes)

/// <x, y> of at most one chunk.
INLINE double NAME(chunk_dot)(size_t n, const REAL *x, const REAL *y)
{
    lanes low = {0}, high = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        low += LOAD(x + i) * LOAD(y + i);
        high += LOAD(x + i + 8) * LOAD(y + i + 8);
    }
    if (i < n) {
        // The rest, padded with zeros, goes through the same lanes.
        REAL xs[16] = {0}, ys[16] = {0};
        for (size_t j = 0; i + j < n; j++) {
            xs[j] = x[i + j];
            ys[j] = y[i + j];
        }
        low += LOAD(xs) * LOAD(ys);
        high += LOAD(xs + 8) * LOAD(ys + 8);
    }
    low += high;
    return ((low[0] + low[4]) + (low[2] + low[6])) + ((low[1] + low[5]) + (low[3] + low[7]));
}

/// <x, y0> and <x, y1> of at most one chunk, as chunk_dot gives them; the y are converted, and padded with zeros to 16.
INLINE void NAME(chunk_dot_pair)(size_t n, const REAL *x, const double *y0, const double *y1, double *d0, double *d1)
{
    lanes low0 = {0}, high0 = {0}, low1 = {0}, high1 = {0};
    size_t i = 0;
    for (; i < n; i += 16) {
        REAL rest[16] = {0};
        const REAL *from = x + i;
        if (i + 16 > n) {
            for (size_t j = 0; i + j < n; j++) rest[j] = x[i + j];
            from = rest;
        }
        lanes low = LOAD(from), high = LOAD(from + 8);
        low0 += low * *(const wide *)(y0 + i);
        high0 += high * *(const wide *)(y0 + i + 8);
        low1 += low * *(const wide *)(y1 + i);
        high1 += high * *(const wide *)(y1 + i + 8);
    }
    low0 += high0;
    low1 += high1;
    *d0 += ((low0[0] + low0[4]) + (low0[2] + low0[6])) + ((low0[1] + low0[5]) + (low0[3] + low0[7]));
    *d1 += ((low1[0] + low1[4]) + (low1[2] + low1[6])) + ((low1[1] + low1[5]) + (low1[3] + low1[7]));
}

/// out[i + xs*j] += <x[i], y[j]> over the chunk of `n` elements at `start`.
INLINE void NAME(chunk_dots)(size_t n, size_t start, const REAL *const *x, size_t xs, const REAL *const *y, size_t ys,
                             double *out)
{
    size_t j = 0;
    // Two y at a time: each x is read and converted once for both, and the y once for all x.
    for (; j + 2 <= ys && xs > 1; j += 2) {
        double y0[EOSS_VECTOR_CHUNK], y1[EOSS_VECTOR_CHUNK];
        size_t padded = (n + 15) / 16 * 16;
        for (size_t k = 0; k < n; k++) {
            y0[k] = (double)y[j][start + k];
            y1[k] = (double)y[j + 1][start + k];
        }
        for (size_t k = n; k < padded; k++) y0[k] = y1[k] = 0;
        for (size_t i = 0; i < xs; i++)
            NAME(chunk_dot_pair)(n, x[i] + start, y0, y1, out + i + xs * j, out + i + xs * (j + 1));
    }
    for (; j < ys; j++)
        for (size_t i = 0; i < xs; i++) out[i + xs * j] += NAME(chunk_dot)(n, x[i] + start, y[j] + start);
}

/// sum[0..<n] += sum over i of sign*c[i]*x[i][start + …], the terms added in the order of i.
INLINE void NAME(chunk_accumulate)(size_t n, size_t start, const REAL *const *x, size_t xs, const double *c,
                                   double sign, double *restrict sum)
{
    size_t i = 0;
    for (; i + 4 <= xs; i += 4) {
        // Four at a time save three quarters of the traffic on `sum`; the order of the additions stays.
        const REAL *x0 = x[i] + start, *x1 = x[i + 1] + start, *x2 = x[i + 2] + start, *x3 = x[i + 3] + start;
        double c0 = sign * c[i], c1 = sign * c[i + 1], c2 = sign * c[i + 2], c3 = sign * c[i + 3];
        for (size_t j = 0; j < n; j++)
            sum[j] = (((sum[j] + c0 * (double)x0[j]) + c1 * (double)x1[j]) + c2 * (double)x2[j]) + c3 * (double)x3[j];
    }
    for (; i < xs; i++) {
        const REAL *x0 = x[i] + start;
        double c0 = sign * c[i];
        for (size_t j = 0; j < n; j++) sum[j] += c0 * (double)x0[j];
    }
}

INLINE size_t NAME(chunk_count)(size_t n, size_t start)
{
    return n - start < EOSS_VECTOR_CHUNK ? n - start : EOSS_VECTOR_CHUNK;
}

INLINE void NAME(dots_body)(size_t n, const REAL *const *x, size_t xs, const REAL *const *y, size_t ys, double *out)
{
    for (size_t k = 0; k < xs * ys; k++) out[k] = 0;
    for (size_t start = 0; start < n; start += EOSS_VECTOR_CHUNK) {
        size_t count = NAME(chunk_count)(n, start);
        NAME(chunk_dots)(count, start, x, xs, y, ys, out);
    }
}

INLINE void NAME(combine_body)(size_t n, const REAL *const *x, size_t xs, const double *c, double keep,
                               REAL *const *y, size_t ys)
{
    double sum[EOSS_VECTOR_CHUNK];
    for (size_t start = 0; start < n; start += EOSS_VECTOR_CHUNK) {
        size_t count = NAME(chunk_count)(n, start);
        for (size_t j = 0; j < ys; j++) {
            REAL *to = y[j] + start;
            if (keep == 0)
                for (size_t k = 0; k < count; k++) sum[k] = 0;
            else
                for (size_t k = 0; k < count; k++) sum[k] = keep * (double)to[k];
            NAME(chunk_accumulate)(count, start, x, xs, c + xs * j, 1, sum);
            for (size_t k = 0; k < count; k++) to[k] = (REAL)sum[k];
        }
    }
}

INLINE void NAME(project_body)(size_t n, const REAL *const *x, size_t xs, const double *c, REAL *const *y, size_t ys,
                               double *out)
{
    double sum[EOSS_VECTOR_CHUNK];
    for (size_t k = 0; k < xs * ys; k++) out[k] = 0;
    for (size_t start = 0; start < n; start += EOSS_VECTOR_CHUNK) {
        size_t count = NAME(chunk_count)(n, start);
        for (size_t j = 0; j < ys; j++) {
            REAL *to = y[j] + start;
            for (size_t k = 0; k < count; k++) sum[k] = (double)to[k];
            NAME(chunk_accumulate)(count, start, x, xs, c + xs * j, -1, sum);
            for (size_t k = 0; k < count; k++) to[k] = (REAL)sum[k];
        }
        NAME(chunk_dots)(count, start, x, xs, (const REAL *const *)y, ys, out);
    }
}

#undef LOAD
#undef INLINE
