#include "CStdlib.h"

// One pair of lines and one row for each file of stdlib/ (docs/decisions/stdlib.md); a test compares them.

static const unsigned char levels[] = {
#embed "../../stdlib/levels.lua"
};

static const unsigned char setting[] = {
#embed "../../docs/examples/setting.lua"
};

static const eoss_stdlib_module examples[] = {
    {"setting", setting, sizeof setting},
    {NULL, NULL, 0},
};

static const eoss_stdlib_module modules[] = {
    {"levels", levels, sizeof levels},
    {NULL, NULL, 0},
};

const eoss_stdlib_module *eoss_stdlib_modules(void) { return modules; }

const eoss_stdlib_module *eoss_examples(void) { return examples; }
