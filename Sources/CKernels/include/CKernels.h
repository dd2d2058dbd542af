#pragma once

#include "engine.h"
#include "lapack.h"
#include "vectors.h"
