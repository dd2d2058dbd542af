#include "internal.h"
void open_strings(lua_State *L) { (void)L; }
