#include "Fuzzer.h"

/// libFuzzer's own entry for programs that have a main function: "libFuzzer as a library", llvm.org/docs/LibFuzzer.html.
extern int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *bytes, size_t count));

int eoss_fuzz(int argc, char **argv, int (*test)(const uint8_t *bytes, size_t count)) {
    return LLVMFuzzerRunDriver(&argc, &argv, test);
}
