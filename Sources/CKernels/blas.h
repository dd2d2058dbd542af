/// The two routines taken from OpenBLAS, through dlopen, so that a program that multiplies nothing starts fast.
#pragma once

enum { CK_ROW_MAJOR = 101, CK_NO_TRANSPOSE = 111, CK_TRANSPOSE = 112 };

typedef void (*ck_sgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                                  int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void (*ck_dgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha, const double *a,
                                  int lda, const double *b, int ldb, double beta, double *c, int ldc);

/// Set by `ck_blas_load`.
extern ck_sgemm_function ck_sgemm;
extern ck_dgemm_function ck_dgemm;
