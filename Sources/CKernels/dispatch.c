/// The choice of a kernel set, and what else depends on the CPU.
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <unistd.h>

#include "engine.h"
#include "vectors.h"

#if defined(__x86_64__)
#define FOR_LEVEL(level, function, ...)                            \
    ((level) == CK_LEVEL_V4   ? ck_##function##_v4(__VA_ARGS__)    \
     : (level) == CK_LEVEL_V3 ? ck_##function##_v3(__VA_ARGS__)    \
                              : ck_##function##_plain(__VA_ARGS__))
#define DECLARE(type, function, ...)       \
    type ck_##function##_v4(__VA_ARGS__);  \
    type ck_##function##_v3(__VA_ARGS__);  \
    type ck_##function##_plain(__VA_ARGS__)
#else
#define FOR_LEVEL(level, function, ...) ((void)(level), ck_##function##_plain(__VA_ARGS__))
#define DECLARE(type, function, ...) type ck_##function##_plain(__VA_ARGS__)
#endif

DECLARE(ck_kernel, product_kernel, int kind, int element, int result);
DECLARE(ck_kernel, column_dots_kernel, int element);
DECLARE(ck_block_operation, block_operation, int opcode, int element);
DECLARE(ck_chain, chain, const int32_t *program, int64_t operations, uint64_t written, int element);
DECLARE(ck_kernel, region_kernel, void);
DECLARE(ck_kernel, reduce_kernel, int element);
DECLARE(ck_kernel, copy_kernel, int squares);
DECLARE(ck_kernel, rows_kernel, int kind, int element);
DECLARE(ck_kernel, pad_kernel, void);
DECLARE(ck_kernel, convolution_kernel, int kind, int element);
DECLARE(ck_kernel, convolution_pack_kernel, int element);
DECLARE(ck_kernel, convolution_sum_kernel, int element);
DECLARE(ck_kernel, vectors_kernel, int operation, int element);

int ck_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")) {
        return CK_LEVEL_V4;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return CK_LEVEL_V3;
#endif
    return CK_LEVEL_PLAIN;
}

int ck_available_cores(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

const char *ck_level_name(int level) {
#if defined(__x86_64__)
    return level == CK_LEVEL_V4 ? "x86-64-v4" : level == CK_LEVEL_V3 ? "x86-64-v3" : "x86-64";
#elif defined(__aarch64__)
    (void)level;
    return "aarch64";
#else
    (void)level;
    return "plain";
#endif
}

ck_kernel ck_product_kernel_for(int kind, int element, int result, int level) {
    return FOR_LEVEL(level, product_kernel, kind, element, result);
}
ck_kernel ck_column_dots_kernel(int element, int level) { return FOR_LEVEL(level, column_dots_kernel, element); }
ck_block_operation ck_block_operation_for(int opcode, int element, int level) {
    return FOR_LEVEL(level, block_operation, opcode, element);
}
ck_chain ck_chain_for(const int32_t *program, int64_t operations, uint64_t written, int element, int level) {
    return FOR_LEVEL(level, chain, program, operations, written, element);
}
ck_kernel ck_region_kernel(int level) { return FOR_LEVEL(level, region_kernel); }
ck_kernel ck_reduce_kernel(int element, int level) { return FOR_LEVEL(level, reduce_kernel, element); }
ck_kernel ck_copy_kernel(int squares, int level) { return FOR_LEVEL(level, copy_kernel, squares); }
ck_kernel ck_rows_kernel_for(int kind, int element, int level) { return FOR_LEVEL(level, rows_kernel, kind, element); }
ck_kernel ck_pad_kernel(int level) { return FOR_LEVEL(level, pad_kernel); }
ck_kernel ck_convolution_kernel_for(int kind, int element, int level) { return FOR_LEVEL(level, convolution_kernel, kind, element); }
ck_kernel ck_convolution_pack_kernel(int element, int level) { return FOR_LEVEL(level, convolution_pack_kernel, element); }
ck_kernel ck_convolution_sum_kernel(int element, int level) { return FOR_LEVEL(level, convolution_sum_kernel, element); }
ck_kernel ck_vectors_kernel(int operation, int element, int level) { return FOR_LEVEL(level, vectors_kernel, operation, element); }
