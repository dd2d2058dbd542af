/// The routines taken from OpenBLAS, through dlopen, so that a program that multiplies nothing starts fast.
#pragma once

#include <stddef.h>

enum { CK_ROW_MAJOR = 101, CK_NO_TRANSPOSE = 111, CK_TRANSPOSE = 112 };

typedef void (*ck_sgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                                  int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void (*ck_dgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha, const double *a,
                                  int lda, const double *b, int ldb, double beta, double *c, int ldc);
/// LAPACK's symmetric eigenproblem by divide and conquer, with Fortran's hidden lengths of the two strings.
typedef void (*ck_dsyevd_function)(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *w,
                                   double *work, const int *work_size, int *integers, const int *integers_size, int *info,
                                   size_t job_length, size_t triangle_length);

/// Set by `ck_blas_load`; `ck_dsyevd` stays NULL in an OpenBLAS without LAPACK.
extern ck_sgemm_function ck_sgemm;
extern ck_dgemm_function ck_dgemm;
extern ck_dsyevd_function ck_dsyevd;
