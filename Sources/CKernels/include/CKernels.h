#pragma once

#include "engine.h"
#include "vector.h"
