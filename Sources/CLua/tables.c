#include "internal.h"
void open_tables(lua_State *L) { (void)L; }
