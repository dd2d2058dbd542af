#include "CStdlib.h"

// One pair of lines and one row for each file of stdlib/ (docs/decisions/stdlib.md); a test compares them.

static const unsigned char claims[] = {
#embed "../../stdlib/claims.lua"
};

static const unsigned char classes[] = {
#embed "../../stdlib/classes.lua"
};

static const unsigned char levels[] = {
#embed "../../stdlib/levels.lua"
};

static const unsigned char numerics[] = {
#embed "../../stdlib/numerics.lua"
};

static const unsigned char papers[] = {
#embed "../../stdlib/papers.lua"
};

static const unsigned char sharpness[] = {
#embed "../../stdlib/sharpness.lua"
};

// Likewise for each file of docs/examples/.

static const unsigned char examples_setting[] = {
#embed "../../docs/examples/setting.lua"
};

static const unsigned char examples_data[] = {
#embed "../../docs/examples/data.lua"
};

static const unsigned char examples_eoss[] = {
#embed "../../docs/examples/eoss.lua"
};

static const unsigned char examples_init[] = {
#embed "../../docs/examples/init.lua"
};

static const unsigned char examples_nn[] = {
#embed "../../docs/examples/nn.lua"
};

static const unsigned char examples_operators[] = {
#embed "../../docs/examples/operators.lua"
};

static const unsigned char examples_optimizers[] = {
#embed "../../docs/examples/optimizers.lua"
};

static const unsigned char examples_run[] = {
#embed "../../docs/examples/run.lua"
};

static const unsigned char examples_schedules[] = {
#embed "../../docs/examples/schedules.lua"
};

static const unsigned char examples_tensors[] = {
#embed "../../docs/examples/tensors.lua"
};

static const unsigned char examples_values[] = {
#embed "../../docs/examples/values.lua"
};

static const eoss_stdlib_module examples[] = {
    {"setting", examples_setting, sizeof examples_setting},
    {"data", examples_data, sizeof examples_data},
    {"eoss", examples_eoss, sizeof examples_eoss},
    {"init", examples_init, sizeof examples_init},
    {"nn", examples_nn, sizeof examples_nn},
    {"operators", examples_operators, sizeof examples_operators},
    {"optimizers", examples_optimizers, sizeof examples_optimizers},
    {"run", examples_run, sizeof examples_run},
    {"schedules", examples_schedules, sizeof examples_schedules},
    {"tensors", examples_tensors, sizeof examples_tensors},
    {"values", examples_values, sizeof examples_values},
    {NULL, NULL, 0},
};

static const eoss_stdlib_module modules[] = {
    {"claims", claims, sizeof claims},
    {"classes", classes, sizeof classes},
    {"levels", levels, sizeof levels},
    {"numerics", numerics, sizeof numerics},
    {"papers", papers, sizeof papers},
    {"sharpness", sharpness, sizeof sharpness},
    {NULL, NULL, 0},
};

const eoss_stdlib_module *eoss_stdlib_modules(void) { return modules; }

const eoss_stdlib_module *eoss_examples(void) { return examples; }
