/// The kernel set for AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "blas.h"
#include "engine.h"
#include "vectors.h"

// The tuning is named because x86-64-v4 by itself stands for CPUs that do better with halves of these vectors.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,tune=znver4"))), apply_to = function)
#define CK_LEVEL 4
#include "simd.h"

#include "products.inc"
#include "elementwise.inc"
#include "chain.inc"
#include "reduce.inc"
#include "region.inc"
#include "copy.inc"
#include "rows.inc"
#include "convolutions.inc"
#include "vectors.inc"
#pragma clang attribute pop
#endif
