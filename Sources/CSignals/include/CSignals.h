#ifndef CSIGNALS_H
#define CSIGNALS_H

/// Signals as messages: a handler may do next to nothing, so it writes the number into a pipe, and a thread reads it.

/// Catches SIGINT, SIGTERM and SIGHUP, and keeps SIGPIPE from ending the process: a write to a closed pipe fails instead.
/// To be called on the main thread before there are others. Handlers, unlike ignored signals, are not inherited by the programs that this one starts. Returns 0, or an errno.
int eoss_signals_catch(void);

/// From now on signals belong to this task of the program: a number that the next signals are told with.
void eoss_signals_belong_to(unsigned char task);

/// Waits for a signal; returns its number, and the task that was at hand when it came.
int eoss_signals_wait(unsigned char *task);

/// Lets out what C's streams hold for the standard output: a script's io.write comes before what is printed after it.
void eoss_flush_output(void);

#endif
