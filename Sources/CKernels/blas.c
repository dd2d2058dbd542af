#include "blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

ck_sgemm_function ck_sgemm;
ck_dgemm_function ck_dgemm;
ck_dsyevd_function ck_dsyevd;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512];
static char configuration[256];

/// An environment variable, set for the time of the load, so that children do not inherit our choice.
typedef struct {
    const char *name;
    char *before;
} setting;

static setting set_for_load(const char *name, const char *value) {
    const char *before = getenv(name);
    setting s = {name, before ? strdup(before) : NULL};
    setenv(name, value, 1);
    return s;
}

static void restore(setting s) {
    if (!s.name) return;
    if (s.before) setenv(s.name, s.before, 1);
    else unsetenv(s.name);
    free(s.before);
}

static void load(void) {
    // OpenBLAS 0.3.21 does not know CPUs newer than itself: it takes a Zen 5 for a Haswell and runs at half speed. The kernel set
    // is our choice as that of our own kernels is, recorded with a run, so a variable that happens to be set for some other
    // program does not decide it; EOSS_OPENBLAS_CORETYPE does.
    const char *wanted = getenv("EOSS_OPENBLAS_CORETYPE");
    if (!wanted && ck_best_level() == CK_LEVEL_V4) wanted = "SkylakeX";
    setting core = wanted ? set_for_load("OPENBLAS_CORETYPE", wanted) : (setting){0};
    // Its own threads are never used; this keeps them from being started.
    setting threads = set_for_load("OPENBLAS_NUM_THREADS", "1");
#ifdef __APPLE__
    const char *names[] = {"libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib"};
#else
    const char *names[] = {"libopenblas.so.0", "libopenblas.so"};
#endif
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    restore(core);
    restore(threads);
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
    // LAPACK is in Debian's OpenBLAS and may be left out of others: who needs it asks.
    ck_dsyevd = (ck_dsyevd_function)dlsym(library, "dsyevd_");
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
