/// Threads that walk a plan together.
///
/// The calling thread leads: it publishes a call by writing one word per part of the grid, takes tiles itself, and goes on
/// when all tiles are done. It waits for tiles that a worker has claimed, never for a worker, so one that sleeps or is
/// descheduled costs nothing. Each thread takes tiles of its own part first (its caches hold the data of the last step),
/// then of the others'. Workers spin for a while after the last call, then sleep.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() ((void)0)
#endif

/// How long a worker looks for the next call before it sleeps, and how long the leader spins before it yields its core.
enum { SPIN_NANOSECONDS = 80000, YIELD_NANOSECONDS = 30000, PAUSES_PER_LOOK = 16 };

/// A part of the present call's grid: sequence number, next tile, end, in one word, so that a claim by a late thread can
/// never be mistaken for one of another call.
typedef struct {
    _Alignas(128) _Atomic uint64_t word;
} part;

static uint64_t part_word(uint64_t sequence, uint64_t next, uint64_t end) {
    return (sequence & 0xffffffff) << 32 | next << 16 | end;
}

/// Largest grid; the part words hold 16-bit tile numbers.
enum { MAX_TILES = 65535 };

struct ck_pool {
    _Alignas(128) _Atomic uint32_t sequence;    // of the published call
    _Alignas(128) _Atomic int64_t done;         // tiles finished by workers
    _Alignas(128) _Atomic int sleepers;
    _Atomic int quit;
    // Written by the leader between calls, read by those who hold a claim.
    const ck_call *call;
    char *const *bases;
    const _Atomic _Bool *stop;                  // asked before each tile; NULL: nobody ends this walk
    _Atomic int skipped;                        // whether a tile was left out

    _Atomic int threads;                        // wanted
    int started;                                // workers alive
    pthread_mutex_t run_lock, sleep_lock;
    pthread_cond_t wake;
    pthread_t workers[CK_MAX_THREADS];
    char *scratch[CK_MAX_THREADS];
    part parts[CK_MAX_THREADS];
    ck_pool *next;                              // list of all pools, for fork
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static ck_pool *all_pools;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int claim(part *p, int64_t *tile) {
    uint64_t word = atomic_load_explicit(&p->word, memory_order_acquire);
    for (;;) {
        uint64_t next = word >> 16 & 0xffff, end = word & 0xffff;
        if (next >= end) return 0;
        if (atomic_compare_exchange_weak_explicit(&p->word, &word, word + (1 << 16), memory_order_acq_rel,
                                                  memory_order_acquire)) {
            *tile = (int64_t)next;
            return 1;
        }
    }
}

/// Makes a tile, unless the walk is to end.
static void make_tile(ck_pool *pool, const ck_call *call, char *const *bases, int64_t tile, char *scratch) {
    if (pool->stop && atomic_load_explicit(pool->stop, memory_order_relaxed)) {
        atomic_store_explicit(&pool->skipped, 1, memory_order_relaxed);
        return;
    }
    call->kernel(call, bases, tile, scratch);
}

/// Takes tiles until none is left; returns how many.
static int64_t take_tiles(ck_pool *pool, int self, int threads) {
    int64_t taken = 0, tile;
    for (int i = 0; i < threads; i++) {
        part *p = &pool->parts[(self + i) % threads];
        while (claim(p, &tile)) {
            make_tile(pool, pool->call, pool->bases, tile, pool->scratch[self]);
            taken++;
        }
    }
    return taken;
}

typedef struct {
    ck_pool *pool;
    int self;
} worker_argument;

static void *worker(void *argument) {
    worker_argument a = *(worker_argument *)argument;
    free(argument);
    ck_pool *pool = a.pool;
    uint32_t seen = 0;
    int64_t idle_since = now();
    for (;;) {
        uint32_t sequence = atomic_load_explicit(&pool->sequence, memory_order_acquire);
        if (sequence != seen) {
            seen = sequence;
            int64_t taken = take_tiles(pool, a.self, pool->threads);
            if (taken) atomic_fetch_add_explicit(&pool->done, taken, memory_order_release);
            idle_since = 0;
            continue;
        }
        if (atomic_load_explicit(&pool->quit, memory_order_acquire)) return NULL;
        for (int i = 0; i < PAUSES_PER_LOOK; i++) {
            PAUSE();
            if (atomic_load_explicit(&pool->sequence, memory_order_relaxed) != seen) break;
        }
        int64_t time = now();
        if (!idle_since) idle_since = time;
        if (time - idle_since < SPIN_NANOSECONDS) continue;
        pthread_mutex_lock(&pool->sleep_lock);
        atomic_fetch_add(&pool->sleepers, 1);
        while (atomic_load(&pool->sequence) == seen && !atomic_load(&pool->quit)) {
            pthread_cond_wait(&pool->wake, &pool->sleep_lock);
        }
        atomic_fetch_sub(&pool->sleepers, 1);
        pthread_mutex_unlock(&pool->sleep_lock);
        idle_since = 0;
    }
}

static void wake_all(ck_pool *pool) {
    pthread_mutex_lock(&pool->sleep_lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->sleep_lock);
}

/// Starts the missing workers. Where the system refuses a thread the pool goes on with those it has.
static void start(ck_pool *pool) {
    while (pool->started < pool->threads - 1) {
        int self = pool->started + 1;
        worker_argument *argument = malloc(sizeof *argument);
        if (!pool->scratch[self]) pool->scratch[self] = aligned_alloc(128, CK_SCRATCH_BYTES);
        if (!argument || !pool->scratch[self]) {
            free(argument);
            break;
        }
        *argument = (worker_argument){pool, self};
        if (pthread_create(&pool->workers[self], NULL, worker, argument) != 0) {
            free(argument);
            break;
        }
        pool->started++;
    }
    pool->threads = pool->started + 1;
}

static void stop(ck_pool *pool) {
    atomic_store(&pool->quit, 1);
    wake_all(pool);
    for (int i = 1; i <= pool->started; i++) pthread_join(pool->workers[i], NULL);
    pool->started = 0;
    atomic_store(&pool->quit, 0);
}

static void initialize_locks(ck_pool *pool) {
    pthread_mutex_init(&pool->run_lock, NULL);
    pthread_mutex_init(&pool->sleep_lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
}

/// The child of a fork has no workers; its pools start new ones when they need them.
static void after_fork_in_child(void) {
    pthread_mutex_init(&list_lock, NULL);
    for (ck_pool *pool = all_pools; pool; pool = pool->next) {
        initialize_locks(pool);
        pool->started = 0;
        atomic_store(&pool->sleepers, 0);
        atomic_store(&pool->quit, 0);
    }
}

static void register_fork_handler(void) { pthread_atfork(NULL, NULL, after_fork_in_child); }

static int clamped(int threads) { return threads < 1 ? 1 : threads > CK_MAX_THREADS ? CK_MAX_THREADS : threads; }

ck_pool *ck_pool_create(int threads) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_fork_handler);
    ck_pool *pool = aligned_alloc(128, (sizeof *pool + 127) / 128 * 128);
    if (!pool) return NULL;
    memset(pool, 0, sizeof *pool);
    pool->scratch[0] = aligned_alloc(128, CK_SCRATCH_BYTES);
    if (!pool->scratch[0]) {
        free(pool);
        return NULL;
    }
    pool->threads = clamped(threads);
    initialize_locks(pool);
    pthread_mutex_lock(&list_lock);
    pool->next = all_pools;
    all_pools = pool;
    pthread_mutex_unlock(&list_lock);
    return pool;
}

void ck_pool_destroy(ck_pool *pool) {
    pthread_mutex_lock(&list_lock);
    for (ck_pool **link = &all_pools; *link; link = &(*link)->next) {
        if (*link == pool) {
            *link = pool->next;
            break;
        }
    }
    pthread_mutex_unlock(&list_lock);
    stop(pool);
    for (int i = 0; i < CK_MAX_THREADS; i++) free(pool->scratch[i]);
    pthread_mutex_destroy(&pool->run_lock);
    pthread_mutex_destroy(&pool->sleep_lock);
    pthread_cond_destroy(&pool->wake);
    free(pool);
}

void ck_pool_lock(ck_pool *pool) { pthread_mutex_lock(&pool->run_lock); }
int ck_pool_try_lock(ck_pool *pool) { return pthread_mutex_trylock(&pool->run_lock) == 0; }
void ck_pool_unlock(ck_pool *pool) { pthread_mutex_unlock(&pool->run_lock); }

void ck_pool_set_threads(ck_pool *pool, int threads) {
    ck_pool_lock(pool);
    if (pool->started > clamped(threads) - 1) stop(pool);
    pool->threads = clamped(threads);
    ck_pool_unlock(pool);
}

int ck_pool_threads(const ck_pool *pool) { return pool->threads; }

static void run_parallel(ck_pool *pool, const ck_call *call, char *const *bases) {
    int threads = pool->threads;
    uint32_t sequence = atomic_load_explicit(&pool->sequence, memory_order_relaxed) + 1;
    pool->call = call;
    pool->bases = bases;
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    for (int i = 0; i < threads; i++) {
        uint64_t from = (uint64_t)(call->tiles * i / threads), to = (uint64_t)(call->tiles * (i + 1) / threads);
        atomic_store_explicit(&pool->parts[i].word, part_word(sequence, from, to), memory_order_release);
    }
    atomic_store(&pool->sequence, sequence);
    if (atomic_load(&pool->sleepers) > 0) wake_all(pool);
    int64_t rest = call->tiles - take_tiles(pool, 0, threads);
    int64_t since = 0;
    for (int spins = 0; atomic_load_explicit(&pool->done, memory_order_acquire) < rest; spins++) {
        PAUSE();
        if (spins % 64 != 63) continue;
        int64_t time = now();
        if (!since) since = time;
        if (time - since > YIELD_NANOSECONDS) sched_yield();
    }
}

static void run_lane(const ck_call *call, char *const *bases, int64_t tile, char *scratch) {
    const ck_lanes *lanes = call->parameters;
    for (const ck_call *each = lanes->calls; each < lanes->calls + lanes->count; each++) each->kernel(each, bases, tile, scratch);
}

ck_kernel ck_lanes_kernel(void) { return run_lane; }

void ck_run(ck_pool *pool, const ck_call *calls, int64_t count, char *const *bases, int64_t *nanoseconds) {
    int64_t before = nanoseconds ? now() : 0;
    for (const ck_call *call = calls; call < calls + count; call++) {
        if (call->tiles > 1 && call->tiles <= MAX_TILES && pool->threads > 1) {
            if (pool->started < pool->threads - 1) start(pool);
            run_parallel(pool, call, bases);
        } else {
            for (int64_t tile = 0; tile < call->tiles; tile++) make_tile(pool, call, bases, tile, pool->scratch[0]);
        }
        if (pool->stop && atomic_load_explicit(&pool->skipped, memory_order_relaxed)) return;
        if (nanoseconds) {
            int64_t after = now();
            nanoseconds[call - calls] += after - before;
            before = after;
        }
    }
}

int ck_run_unless(ck_pool *pool, const ck_call *calls, int64_t count, char *const *bases, const void *stop) {
    pool->stop = stop;
    atomic_store_explicit(&pool->skipped, 0, memory_order_relaxed);
    ck_run(pool, calls, count, bases, NULL);
    pool->stop = NULL;
    // A worker's word came before its count of tiles.
    return atomic_load_explicit(&pool->skipped, memory_order_relaxed);
}

// ---- one plan for several bindings ----------------------------------------------------------------------------------

typedef struct {
    ck_pool *pool;
    const ck_call *calls;
    int64_t count;
    char **bases;
    int64_t slots;
    char *arenas;
    int64_t arena_bytes;
} bindings;

/// Walks all calls for the binding of this number on the calling thread, in the thread's own arena.
static void run_binding(const ck_call *call, char *const *bases, int64_t binding, char *scratch) {
    (void)bases;
    const bindings *b = call->parameters;
    int64_t self = 0;
    while (b->pool->scratch[self] != scratch) self++;
    char **own = b->bases + binding * b->slots;
    own[0] = b->arenas + self * b->arena_bytes;
    for (const ck_call *each = b->calls; each < b->calls + b->count; each++) {
        for (int64_t tile = 0; tile < each->tiles; tile++) each->kernel(each, own, tile, scratch);
    }
}

void ck_run_each(ck_pool *pool, const ck_call *calls, int64_t count, char **bases, int64_t slots, int64_t number, char *arenas,
                 int64_t arena_bytes) {
    bindings b = {pool, calls, count, bases, slots, arenas, arena_bytes};
    ck_call call = {run_binding, number, NULL, &b};
    ck_run(pool, &call, 1, NULL, NULL);
}
