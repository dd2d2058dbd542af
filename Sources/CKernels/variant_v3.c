/// The kernel set for AVX2 and FMA.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "blas.h"
#include "engine.h"
#include "vectors.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define CK_LEVEL 3
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
