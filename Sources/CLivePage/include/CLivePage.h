#ifndef CLIVEPAGE_H
#define CLIVEPAGE_H

#include <stddef.h>

/// A file of web/, as it was when this program was built.
typedef struct {
    const char *name; ///< by which the page asks for it; NULL after the last
    const unsigned char *bytes;
    size_t length;
} eoss_page_file;

/// All of them, ended by one without a name.
const eoss_page_file *eoss_page_files(void);

#endif
