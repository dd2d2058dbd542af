#pragma once

/// Eigenvalues in w, smallest first, and eigenvectors in the columns of a, of the symmetric n × n matrix whose upper triangle is
/// in the column-major a; on the calling thread.
///
/// Returns 0, or another number where it cannot be done: no LAPACK in the library, no memory, no convergence; a is then lost.
int ck_symmetric_eigen(int n, double *a, double *w);
