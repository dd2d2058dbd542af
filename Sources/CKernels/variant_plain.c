/// The kernel set for every CPU of the architecture.
#include <math.h>
#include <string.h>

#include "blas.h"
#include "engine.h"
#include "vectors.h"

#define CK_LEVEL 0
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
