#include "blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

ck_sgemm_function ck_sgemm;
ck_dgemm_function ck_dgemm;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512];
static char configuration[256];

/// Sets a variable for the time of the load, unless the user has set it; children should not inherit our choice.
static int set_for_load(const char *name, const char *value) {
    if (getenv(name)) return 0;
    return setenv(name, value, 1) == 0;
}

static void load(void) {
    // OpenBLAS 0.3.21 does not know CPUs newer than itself: it takes a Zen 5 for a Haswell and runs at half speed.
    int core = ck_best_level() == CK_LEVEL_V4 && set_for_load("OPENBLAS_CORETYPE", "SkylakeX");
    // Its own threads are never used; this keeps them from being started.
    int threads = set_for_load("OPENBLAS_NUM_THREADS", "1");
#ifdef __APPLE__
    const char *names[] = {"libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib"};
#else
    const char *names[] = {"libopenblas.so.0", "libopenblas.so"};
#endif
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (core) unsetenv("OPENBLAS_CORETYPE");
    if (threads) unsetenv("OPENBLAS_NUM_THREADS");
    if (!library) {
        const char *reason = dlerror();
        snprintf(failure, sizeof failure, "the library OpenBLAS cannot be loaded (%s); on Debian: apt install libopenblas0-pthread",
                 reason ? reason : "no reason given");
        return;
    }
    ck_sgemm_function sgemm = (ck_sgemm_function)dlsym(library, "cblas_sgemm");
    ck_dgemm_function dgemm = (ck_dgemm_function)dlsym(library, "cblas_dgemm");
    void (*set_threads)(int) = (void (*)(int))dlsym(library, "openblas_set_num_threads");
    const char *(*get_config)(void) = (const char *(*)(void))dlsym(library, "openblas_get_config");
    if (!sgemm || !dgemm) {
        snprintf(failure, sizeof failure, "the library %s lacks cblas_sgemm or cblas_dgemm; on Debian: apt install libopenblas0-pthread",
                 names[0]);
        return;
    }
    if (set_threads) set_threads(1);
    if (get_config) snprintf(configuration, sizeof configuration, "%s", get_config());
    ck_sgemm = sgemm;
    ck_dgemm = dgemm;
}

const char *ck_blas_load(void) {
    pthread_once(&once, load);
    return failure[0] ? failure : NULL;
}

const char *ck_blas_configuration(void) { return configuration; }
