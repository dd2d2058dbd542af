/// Loops over the vector functions of the C library (libmvec): result[i] = f(x[i]) or f(x[i], y[i]) for whole vectors.
///
/// They take vectors in registers 0 and 1 of their kind and return one in register 0. The compiler passes a vector wider than the
/// build's own target in memory, and the build's target is every x86-64, so the calls are written out.
#if defined(__x86_64__) && defined(__linux__)

// A register that the caller keeps: saved at this distance of the frame's address.
#define SAVE(register, offset) "pushq %" register "\n.cfi_def_cfa_offset " offset "\n.cfi_offset %" register ", -" offset "\n"
#define RESTORE(register, offset) "popq %" register "\n.cfi_def_cfa_offset " offset "\n"

// void name(T *result (rdi), const T *x (rsi), const T *y (rdx), int64_t vectors (rcx)); or without y, vectors in rdx.
// One register more is saved than is used, so that the stack is aligned to 16 at the call.
#define LOOP(name, function, move, bytes, vector, vectors, keep_second, load_second) \
    __asm__(                                                                         \
        ".text\n"                                                                    \
        ".globl " name "\n"                                                          \
        ".hidden " name "\n"                                                         \
        ".type " name ",@function\n"                                                 \
        ".p2align 4\n"                                                               \
        name ":\n"                                                                   \
        ".cfi_startproc\n"                                                           \
        SAVE("rbx", "16") SAVE("r12", "24") SAVE("r13", "32") SAVE("r14", "40") SAVE("r15", "48") \
        "movq %rdi, %rbx\n"                                                          \
        "movq %rsi, %r12\n"                                                          \
        "movq %" vectors ", %r13\n" keep_second                                      \
        "testq %r13, %r13\n"                                                         \
        "jle 2f\n"                                                                   \
        "1:\n"                                                                       \
        move " (%r12), %" vector "0\n" load_second                                   \
        "call " function "@PLT\n"                                                    \
        move " %" vector "0, (%rbx)\n"                                               \
        "addq $" bytes ", %r12\n"                                                    \
        "addq $" bytes ", %rbx\n"                                                    \
        "decq %r13\n"                                                                \
        "jnz 1b\n"                                                                   \
        "2:\n"                                                                       \
        "vzeroupper\n"                                                               \
        RESTORE("r15", "40") RESTORE("r14", "32") RESTORE("r13", "24") RESTORE("r12", "16") RESTORE("rbx", "8") \
        "ret\n"                                                                      \
        ".cfi_endproc\n"                                                             \
        ".size " name ",.-" name "\n")

#define LOOP1(name, function, move, bytes, vector) LOOP(name, function, move, bytes, vector, "rdx", "", "")
#define LOOP2(name, function, move, bytes, vector)                              \
    LOOP(name, function, move, bytes, vector, "rcx", "movq %rdx, %r14\n",        \
         move " (%r14), %" vector "1\naddq $" bytes ", %r14\n")

// Of f in f32 and f64, for both kernel sets; `arguments` as the library's names have them, a v for each.
#define FUNCTION(loop, f, arguments)                                                      \
    loop("ck_map_" f "f_v4", "_ZGVeN16" arguments "_" f "f", "vmovups", "64", "zmm");     \
    loop("ck_map_" f "_v4", "_ZGVeN8" arguments "_" f, "vmovupd", "64", "zmm");           \
    loop("ck_map_" f "f_v3", "_ZGVdN8" arguments "_" f "f", "vmovups", "32", "ymm");      \
    loop("ck_map_" f "_v3", "_ZGVdN4" arguments "_" f, "vmovupd", "32", "ymm")

FUNCTION(LOOP1, "exp", "v");
FUNCTION(LOOP1, "expm1", "v");
FUNCTION(LOOP1, "log", "v");
FUNCTION(LOOP1, "log1p", "v");
FUNCTION(LOOP1, "tanh", "v");
FUNCTION(LOOP1, "erf", "v");
FUNCTION(LOOP2, "pow", "vv");
__asm__(".section .note.GNU-stack,\"\",@progbits\n.text\n");

#endif
