#ifndef CSTDLIB_H
#define CSTDLIB_H

#include <stddef.h>

/// A module of stdlib/, as it was when this program was built.
typedef struct {
    const char *name; ///< by which scripts require it: `stdlib/plot.lua` is "plot"; NULL after the last
    const unsigned char *source;
    size_t length;
} eoss_stdlib_module;

/// All modules, in the order of their names, ended by one without a name.
const eoss_stdlib_module *eoss_stdlib_modules(void);

/// The examples of docs/examples/, likewise; the name is that of the file.
const eoss_stdlib_module *eoss_examples(void);

#endif
