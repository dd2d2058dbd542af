/// Loops over the vector functions of the C library (libmvec): result[i] = f(x[i]) for whole vectors, or f(x[i], y) for one vector y.
///
/// They take and return a vector in register 0 of its kind. The compiler passes a vector wider than the build's own target in
/// memory, and the build's target is every x86-64, so the calls are written out.
#if defined(__x86_64__) && defined(__linux__)

// void name(T *result (rdi), const T *x (rsi), int64_t vectors (rdx)); the stack is aligned to 16 at the call.
#define LOOP(name, function, move, bytes, vector)    \
    __asm__(                                         \
        ".text\n"                                    \
        ".globl " name "\n"                          \
        ".hidden " name "\n"                         \
        ".type " name ",@function\n"                 \
        ".p2align 4\n"                               \
        name ":\n"                                   \
        ".cfi_startproc\n"                           \
        "pushq %rbx\n"                               \
        ".cfi_def_cfa_offset 16\n"                   \
        ".cfi_offset %rbx, -16\n"                    \
        "pushq %r12\n"                               \
        ".cfi_def_cfa_offset 24\n"                   \
        ".cfi_offset %r12, -24\n"                    \
        "pushq %r13\n"                               \
        ".cfi_def_cfa_offset 32\n"                   \
        ".cfi_offset %r13, -32\n"                    \
        "movq %rdi, %rbx\n"                          \
        "movq %rsi, %r12\n"                          \
        "movq %rdx, %r13\n"                          \
        "testq %r13, %r13\n"                         \
        "jle 2f\n"                                   \
        "1:\n"                                       \
        move " (%r12), %" vector "\n"                \
        "call " function "@PLT\n"                    \
        move " %" vector ", (%rbx)\n"                \
        "addq $" bytes ", %r12\n"                    \
        "addq $" bytes ", %rbx\n"                    \
        "decq %r13\n"                                \
        "jnz 1b\n"                                   \
        "2:\n"                                       \
        "vzeroupper\n"                               \
        "popq %r13\n"                                \
        ".cfi_def_cfa_offset 24\n"                   \
        "popq %r12\n"                                \
        ".cfi_def_cfa_offset 16\n"                   \
        "popq %rbx\n"                                \
        ".cfi_def_cfa_offset 8\n"                    \
        "ret\n"                                      \
        ".cfi_endproc\n"                             \
        ".size " name ",.-" name "\n")

#define FUNCTION(f)                                                       \
    LOOP("ck_map_" f "f_v4", "_ZGVeN16v_" f "f", "vmovups", "64", "zmm0"); \
    LOOP("ck_map_" f "_v4", "_ZGVeN8v_" f, "vmovupd", "64", "zmm0");      \
    LOOP("ck_map_" f "f_v3", "_ZGVdN8v_" f "f", "vmovups", "32", "ymm0"); \
    LOOP("ck_map_" f "_v3", "_ZGVdN4v_" f, "vmovupd", "32", "ymm0")

// void name(T *result (rdi), const T *x (rsi), const T *y (rdx), int64_t vectors (rcx)).
#define LOOP2(name, function, move, bytes, vector, second) \
    __asm__(                                               \
        ".text\n"                                          \
        ".globl " name "\n"                                \
        ".hidden " name "\n"                               \
        ".type " name ",@function\n"                       \
        ".p2align 4\n"                                     \
        name ":\n"                                         \
        ".cfi_startproc\n"                                 \
        "pushq %rbx\n"                                     \
        ".cfi_def_cfa_offset 16\n"                         \
        ".cfi_offset %rbx, -16\n"                          \
        "pushq %r12\n"                                     \
        ".cfi_def_cfa_offset 24\n"                         \
        ".cfi_offset %r12, -24\n"                          \
        "pushq %r13\n"                                     \
        ".cfi_def_cfa_offset 32\n"                         \
        ".cfi_offset %r13, -32\n"                          \
        "pushq %r14\n"                                     \
        ".cfi_def_cfa_offset 40\n"                         \
        ".cfi_offset %r14, -40\n"                          \
        "subq $8, %rsp\n"                                  \
        ".cfi_def_cfa_offset 48\n"                         \
        "movq %rdi, %rbx\n"                                \
        "movq %rsi, %r12\n"                                \
        "movq %rcx, %r13\n"                                \
        "movq %rdx, %r14\n"                                \
        "testq %r13, %r13\n"                               \
        "jle 2f\n"                                         \
        "1:\n"                                             \
        move " (%r12), %" vector "\n"                      \
        move " (%r14), %" second "\n"                      \
        "call " function "@PLT\n"                          \
        move " %" vector ", (%rbx)\n"                      \
        "addq $" bytes ", %r12\n"                          \
        "addq $" bytes ", %rbx\n"                          \
        "decq %r13\n"                                      \
        "jnz 1b\n"                                         \
        "2:\n"                                             \
        "vzeroupper\n"                                     \
        "addq $8, %rsp\n"                                  \
        ".cfi_def_cfa_offset 40\n"                         \
        "popq %r14\n"                                      \
        ".cfi_def_cfa_offset 32\n"                         \
        "popq %r13\n"                                      \
        ".cfi_def_cfa_offset 24\n"                         \
        "popq %r12\n"                                      \
        ".cfi_def_cfa_offset 16\n"                         \
        "popq %rbx\n"                                      \
        ".cfi_def_cfa_offset 8\n"                          \
        "ret\n"                                            \
        ".cfi_endproc\n"                                   \
        ".size " name ",.-" name "\n")

#define FUNCTION2(f)                                                               \
    LOOP2("ck_map_" f "f_v4", "_ZGVeN16vv_" f "f", "vmovups", "64", "zmm0", "zmm1"); \
    LOOP2("ck_map_" f "_v4", "_ZGVeN8vv_" f, "vmovupd", "64", "zmm0", "zmm1");      \
    LOOP2("ck_map_" f "f_v3", "_ZGVdN8vv_" f "f", "vmovups", "32", "ymm0", "ymm1"); \
    LOOP2("ck_map_" f "_v3", "_ZGVdN4vv_" f, "vmovupd", "32", "ymm0", "ymm1")

FUNCTION("exp");
FUNCTION("expm1");
FUNCTION("log");
FUNCTION("log1p");
FUNCTION("tanh");
FUNCTION("erf");
FUNCTION2("pow");
__asm__(".section .note.GNU-stack,\"\",@progbits\n.text\n");

#endif
