#pragma once
#include <stddef.h>
#include <stdint.h>

/// Calls `test` with one input after the other, as libFuzzer finds them, until the options in `argv` say that it is enough.
int eoss_fuzz(int argc, char **argv, int (*test)(const uint8_t *bytes, size_t count));
