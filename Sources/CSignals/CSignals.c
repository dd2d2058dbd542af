#include "CSignals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int ends[2] = {-1, -1};
static volatile sig_atomic_t task_at_hand = 0;

static void tell(int signal) {
    int saved = errno;
    unsigned char message[2] = {(unsigned char)signal, (unsigned char)task_at_hand};
    // Writing does not block, and two bytes come together; when it is full, thousands of signals wait to be read already.
    (void)!write(ends[1], message, sizeof message);
    errno = saved;
}

static void nothing(int signal) { (void)signal; }

int eoss_signals_catch(void) {
    if (pipe(ends) != 0) return errno;
    for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    action.sa_handler = tell;
    const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t unblocked;
    sigemptyset(&unblocked);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        struct sigaction before;
        // A shell starts background jobs, and nohup its command, with some signals ignored: that stays.
        if (sigaction(caught[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
        if (sigaction(caught[i], &action, NULL) != 0) return errno;
        sigaddset(&unblocked, caught[i]);
    }
    // A program started from a thread that blocks signals (libdispatch's do) inherits that.
    int failed = pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
    if (failed != 0) return failed;
    action.sa_handler = nothing;
    return sigaction(SIGPIPE, &action, NULL) == 0 ? 0 : errno;
}

void eoss_signals_belong_to(unsigned char task) { task_at_hand = task; }

int eoss_signals_wait(unsigned char *task) {
    unsigned char message[2] = {0, 0};
    while (read(ends[0], message, sizeof message) != sizeof message) {
    }
    *task = message[1];
    return message[0];
}

void eoss_flush_output(void) { fflush(stdout); }
