#include "include/lapack.h"

#include <stdlib.h>

#include "blas.h"
#include "engine.h"

int ck_symmetric_eigen(int n, double *a, double *w) {
    // The workspace for n up to 30,000 fits into an int; such a matrix takes 7 GB.
    if (n < 1 || n > 30000 || ck_blas_load() || !ck_dsyevd) return -1;
    int work_size = 1 + 6 * n + 2 * n * n, integers_size = 3 + 5 * n, info = -1;
    double *work = malloc(sizeof *work * (size_t)work_size);
    int *integers = malloc(sizeof *integers * (size_t)integers_size);
    if (work && integers) ck_dsyevd("V", "U", &n, a, &n, w, work, &work_size, integers, &integers_size, &info, 1, 1);
    free(work);
    free(integers);
    return info;
}
