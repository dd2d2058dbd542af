// The ticker: one thread for the process, which sees that a stop is asked for, or that a script has run away, and makes the
// script look at the flag.
//
// Lua runs without a hook. When something is to be asked, the ticker sends a signal to the thread that runs Lua; the handler,
// which alone may touch the interpreter between any two machine instructions of that thread, sets a hook on the coroutine that
// runs. The request may get lost where Lua is just changing its hook, or the coroutine: the ticker repeats it until the
// script has ended. It sleeps while no script runs.

#define _GNU_SOURCE  // sem_clockwait
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

#include "../internal.h"

/// Ignored by default, so that a late one does no harm; nothing else here uses it.
#define KNOCK SIGURG
#define KNOCK_INTERVAL 0.01   // seconds between two requests
#define LOOKS_PER_PATIENCE 8  // so late, at most, a script that has run away is seen: an eighth of the patience
#define SHORTEST_WAIT 0.005

static sem_t bell;
static _Atomic bool started;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // for what follows
static clua_context *entered;  // states that run scripts
static double wait_time = HUGE_VAL;  // the ticker's, in seconds

/// The state whose script this thread runs, the innermost where a script's host runs another.
static _Thread_local clua_context *volatile running_here;
static _Thread_local bool hears;  // this thread lets the signal through

static void answer_knock(int signal) {
    (void)signal;
    clua_context *context = running_here;
    if (context != NULL && clua_control_stop(context->control) != CLUA_RUNNING) arm_hook(context->running);
}

// MARK: the thread

/// Seconds that the thread has worked, so that neither a script that waits nor a process that was suspended runs away.
static double worked_by(pthread_t thread) {
    clockid_t clock;
    struct timespec time;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double wait_for(const clua_context *context) {
    return context->patience > 0 ? fmax(context->patience / LOOKS_PER_PATIENCE, SHORTEST_WAIT) : HUGE_VAL;
}

/// Returns after how many seconds to look again.
static double look(clua_context *context) {
    uint64_t crossings = atomic_load_explicit(&context->crossings, memory_order_relaxed);
    bool runs_lua = crossings % 2 == 0;
    bool stops = clua_control_stop(context->control) != CLUA_RUNNING;
    if (!stops && context->patience > 0) {
        double worked = worked_by(context->thread);
        if (!runs_lua || crossings != context->seen_crossings) {
            context->seen_crossings = crossings;
            context->seen_at = worked;
        } else if (worked - context->seen_at > context->patience) {
            control_run_away(context->control);
            stops = true;
        }
    }
    if (!stops && clua_control_pausing(context->control)) {
        if (!runs_lua || !control_has_waited(context->control)) return fmin(KNOCK_INTERVAL, wait_for(context));
        clua_control_request_stop(context->control);
        stops = true;
    }
    if (!stops) return wait_for(context);
    // The host answers by itself, and Lua looks at the flag when it comes back.
    if (runs_lua) pthread_kill(context->thread, KNOCK);
    return KNOCK_INTERVAL;
}

static void wait_for_bell(double seconds) {
    if (seconds == HUGE_VAL) {
        while (sem_wait(&bell) != 0 && errno == EINTR) {}
    } else {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        double whole = floor(seconds);
        until.tv_sec += (time_t)whole;
        until.tv_nsec += (long)(1e9 * (seconds - whole));
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        while (sem_clockwait(&bell, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {}
    }
    while (sem_trywait(&bell) == 0) {}
}

static void *tick(void *unused) {
    double wait = HUGE_VAL;
    for (;;) {
        wait_for_bell(wait);
        pthread_mutex_lock(&mutex);
        wait = HUGE_VAL;
        for (clua_context *context = entered; context != NULL; context = context->next_entered)
            wait = fmin(wait, look(context));
        wait_time = wait;
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

/// Starts the thread, which takes no signals.
static bool start(void) {
    struct sigaction action = {.sa_handler = answer_knock, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (sem_init(&bell, 0, 0) != 0 || sigaction(KNOCK, &action, NULL) != 0) return false;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, tick, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0) pthread_detach(thread);
    return failed == 0;
}

// MARK: what a state does

bool clua_start_ticker(void) {
    pthread_mutex_lock(&mutex);
    if (!started) started = start();
    bool runs = started;
    pthread_mutex_unlock(&mutex);
    return runs;
}

void ticker_ring(void) {
    if (started) sem_post(&bell);
}

/// A thread inherits what its maker blocks, and those of libdispatch block every signal.
static void hear(void) {
    sigset_t knock;
    sigemptyset(&knock);
    sigaddset(&knock, KNOCK);
    hears = pthread_sigmask(SIG_UNBLOCK, &knock, NULL) == 0;
}

void ticker_enter(clua_context *context) {
    if (!hears) hear();
    context->outer = running_here;
    running_here = context;
    context->thread = pthread_self();
    context->seen_crossings = UINT64_MAX;
    pthread_mutex_lock(&mutex);
    context->previous_entered = NULL;
    context->next_entered = entered;
    if (entered != NULL) entered->previous_entered = context;
    entered = context;
    double wait = wait_for(context);
    bool sleeps_too_long = wait < wait_time;
    if (sleeps_too_long) wait_time = wait;
    pthread_mutex_unlock(&mutex);
    if (sleeps_too_long) ticker_ring();
}

void ticker_leave(clua_context *context) {
    pthread_mutex_lock(&mutex);
    if (context->previous_entered != NULL) context->previous_entered->next_entered = context->next_entered;
    else entered = context->next_entered;
    if (context->next_entered != NULL) context->next_entered->previous_entered = context->previous_entered;
    pthread_mutex_unlock(&mutex);
    running_here = context->outer;
}

bool entered_here(const clua_context *context) {
    const clua_context *here = running_here;
    while (here != NULL && here != context) here = here->outer;
    return here != NULL;
}
