/// Programs whose results must be the same over our library and over Lua's own: many thousand calls of each function that we replaced, with
/// right and wrong arguments, drawn by a generator of the program's own. Each returns a line for a call.
enum LibraryPrograms {
    static func program(_ body: String, seed: Int, count: Int) -> String {
        "local SEED, COUNT = \(seed), \(count)\n\(prelude)\n\(body)"
    }

    private static let prelude = #"""
        local lines = {}
        local seed = SEED or 1
        local function below(n)  -- 0 … n - 1, from a generator of our own
            seed = (seed * 6364136223846793005 + 1442695040888963407)
            return (seed >> 33) % n
        end
        local function any(list) return list[below(#list) + 1] end
        local function shown(value, depth)
            local kind = type(value)
            if kind == "string" then return string.format("%q", #value > 200 and value:sub(1, 200) .. #value or value) end
            if kind == "number" then return string.format(math.type(value) == "integer" and "%d" or "%a", value) end
            if kind == "table" and (depth or 0) < 2 then
                local parts = {}
                for i = -3, 12 do
                    local v = rawget(value, i)
                    if v ~= nil then parts[#parts + 1] = i .. "=" .. shown(v, (depth or 0) + 1) end
                end
                local s = "{"
                for i = 1, #parts do s = s .. parts[i] .. " " end
                return s .. "}"
            end
            return kind == "nil" and "nil" or kind == "boolean" and tostring(value) or kind
        end
        local function note(name, arguments, ...)
            local s = name .. "("
            for i = 1, arguments.n do s = s .. shown(arguments[i]) .. "," end
            s = s .. ") ="
            for i = 1, select("#", ...) do s = s .. " " .. shown((select(i, ...))) end
            lines[#lines + 1] = s
        end
        local function try(name, f, ...)
            local arguments = { n = select("#", ...), ... }
            note(name, arguments, pcall(f, ...))
        end
        """#

    /// string.find, match, gmatch, gsub and rep.
    static let strings = #"""
        local atoms = { "a", "b", ".", "%a", "%d", "%s", "%w", "%x", "%p", "%A", "%z", "%Z", "%g", "%u", "%L", "%.", "%%", "[ab]", "[^a]", "[a-c]", "[%a_]",
            "[]]", "[^]]", "[a-]", "[%]]", "[^%s%d]", "[b-a]", "\0", "[\0-\31]", "é", "%\0", "%é", "-", "]", "[a%-z]", "[%a-z]", "[-a]" }
        local repeats = { "", "", "", "*", "+", "-", "?" }
        local extras = { "(", ")", "()", "^", "$", "%b()", "%bxy", "%f[%w]", "%f[^a]", "%1", "%2", "%0", "%9", "%f", "%b", "%bx", "[", "[a", "[^", "%", "[%", "[a-", "%fa", "(a", "((", "%b\0a", "%f[%z]", "%f[\0]" }
        local letters = { "a", "b", "c", "A", "1", " ", "_", "(", ")", ".", "%", "x", "y", "\0", "]", "-", "^", "\xc3\xa9", "\n", "[" }
        local function pattern()
            local s = below(6) == 0 and "^" or ""
            for _ = 1, below(5) do
                if below(4) == 0 then s = s .. any(extras) else s = s .. any(atoms) .. any(repeats) end
                if below(12) == 0 then s = "(" .. s .. ")" end
            end
            if below(8) == 0 then s = s .. "$" end
            return s
        end
        local function subject()
            local s = ""
            for _ = 1, below(12) do s = s .. any(letters) end
            return s
        end
        local inits = { 1, 1, 1, 2, 0, -1, -3, 5, 100, -100, math.mininteger, math.maxinteger, 3.0, "2", 2.5, "x" }
        local replacements = { "", "x", "%0", "%1", "%2", "%%", "%", "<%0%1>", "%a", "\0", "%9", 5, 1.5, true, false,
            { a = "A", b = 1, [1] = "one", c = false }, function(...) return ... end, function() return nil end, function() return {} end,
            function(a, b) return b end, function() return false end, setmetatable({}, { __index = function(_, k) return k .. k end }), function() error("oops", 0) end }
        local counts = { 1, 2, 0, -1, 100, "3", 1.5, "x", 2.0 }
        for _ = 1, COUNT do
            local s, p = subject(), pattern()
            local which = below(5)
            if which == 0 then
                if below(3) == 0 then try("find", string.find, s, p, any(inits), below(2) == 0) else try("find", string.find, s, p) end
            elseif which == 1 then
                if below(3) == 0 then try("match", string.match, s, p, any(inits)) else try("match", string.match, s, p) end
            elseif which == 2 then
                try("gmatch", function(...)
                    local got = {}
                    for a, b, c in string.gmatch(...) do got[#got + 1] = shown(a) .. shown(b) .. shown(c) end
                    return got
                end, s, p, below(3) == 0 and any(inits) or nil)
            else
                if below(3) == 0 then try("gsub", string.gsub, s, p, any(replacements), any(counts)) else try("gsub", string.gsub, s, p, any(replacements)) end
            end
        end
        local odd = { nil, true, {}, print, 1, 1.5, "a", "", "(", "%" }
        for i = 1, 2000 do
            local f = any{ "find", "match", "gmatch", "gsub", "rep" }
            local n = below(5)
            local a = { odd[below(10) + 1], odd[below(10) + 1], odd[below(10) + 1], odd[below(10) + 1] }
            try(f, string[f], table.unpack(a, 1, n))
        end
        for _, n in ipairs{ 0, 1, 2, 3, -1, 2^31 // 1 | 0, 2^30 // 1 | 0, math.maxinteger, math.mininteger, 1 << 40, 2.0, 2.5, "3" } do
            for _, s in ipairs{ "", "a", "ab\0", ("x"):rep(100), 7 } do
                for _, sep in ipairs{ false, "", ",", ("y"):rep(100), 5 } do
                    local size = #tostring(s) + #tostring(sep or "") if not (tonumber(n) > 2^20 and (size == 0 or size * n < 2^31)) then
                    if sep then try("rep", string.rep, s, n, sep) else try("rep", string.rep, s, n) end end
                end
            end
        end
        -- nested and long
        for _, p in ipairs{ ("a?"):rep(250), ("a*"):rep(250), ("a-"):rep(250), ("(a"):rep(40), ("()"):rep(33), ("()"):rep(32), ("(a)"):rep(33), ("b*"):rep(199), ("b*"):rep(200), ("b*"):rep(201), ("(b"):rep(20) .. (")"):rep(20), ("b?"):rep(198), ("b?"):rep(199), ("b?"):rep(200),("b?"):rep(201) } do
            for _, s in ipairs{ "", "a", ("a"):rep(12), "b", ("c"):rep(300) } do
                do try("match", string.match, s, p) try("find", string.find, s, p) end
            end
        end
        return table.concat(lines, "\n") .. "\n"
        """#

    /// table.insert, remove, move, concat and sort, over tables and over values with metamethods, which note what is asked of them.
    static let tables = #"""
        local log
        local function logged(t, with)  -- a value whose metamethods note what is asked of them
            local mt = {}
            if with:find("i") then mt.__index = function(_, k) log[#log + 1] = "get " .. tostring(k) return t[k] end end
            if with:find("n") then mt.__newindex = function(_, k, v) log[#log + 1] = "set " .. tostring(k) .. " " .. shown(v) t[k] = v end end
            if with:find("l") then mt.__len = function() log[#log + 1] = "len" return #t end end
            if with:find("L") then mt.__len = function() log[#log + 1] = "len" return any{ 3, 2.0, 5, -1, 0, "2", "x", 2.5 } end end
            if with:find("e") then mt.__eq = function() log[#log + 1] = "eq" return true end end
            if with:find("M") then mt.__metatable = false end
            return setmetatable({}, mt)
        end
        local function list(n, kind)
            local t = {}
            for i = 1, n do t[i] = kind == 0 and below(10) or kind == 1 and any{ "a", "b", "c", "aa", "B" } or kind == 2 and any{ 1, 2.5, "x", 3 } or kind == 3 and any{1.5, 2, -0.0, 0/0, 1/0, 3} or {} end
            return t
        end
        local ends = { 0, 1, 2, 3, 4, 5, -1, math.maxinteger, math.mininteger, 2.0, 1.5, "2", "x", nil, true, {}, math.maxinteger - 1 }
        local function one() return ends[below(17) + 1] end
        local function operand()
            local t = list(below(6), any{ 0, 1, 2, 3, 4 })
            local k = below(10)
            if k < 4 then return t end
            if k < 8 then return logged(t, any{ "inl", "in", "l", "il", "nl", "inL", "inle", "inlM", "ie", "" }) end
            if k == 8 then return logged(t, "inl") end
            return any{ 1, "abc", true, print, 2.5 }
        end
        local function bounded(a)  -- no loop of 2^62
            return type(a) ~= "number" or (a < 100 and a > -100)
        end
        for _ = 1, COUNT do
            log = {}
            local f = any{ "insert", "remove", "move", "concat", "sort", "unpack" }
            local a = { operand() }
            local n = 1 + below(4)
            for i = 2, 4 do a[i] = one() end
            if f == "insert" then a[n] = any{ 1, "v", a[n] or 0 } end
            if f == "move" then n = 4 + below(2) if n == 5 then a[5] = any{ a[1], operand(), nil } end
                local e, s = math.tointeger(a[3]), math.tointeger(a[2])
                if s and e and (e + 0.0) - s > 1000 and not (s <= 0 and e >= math.maxinteger + s) then a[2] = 1 a[3] = 3 end
            elseif f == "remove" and (math.tointeger(a[2]) or 0) < -1 then a[2] = 1  -- with a length of -1 that would take 2^63 steps
            elseif f == "concat" then
                a[2] = any{ ",", "", 1, {}, nil }
                local s, e = math.tointeger(a[3] or 1), math.tointeger(a[4] or 5) if s and e and (e + 0.0) - s > 1000 then a[3] = 1 a[4] = 4 end
            elseif f == "sort" then
                a[2] = any{ nil, function(x, y) return shown(x) < shown(y) end, function(x, y) return true end, function(x, y) return x > y end, function() return false end, 5, function() return below(2) == 0 end, function() error("in order", 0) end }
                n = any{ 1, 2, 2, 3 }
            end
            local before = seed
            try(f, table[f], table.unpack(a, 1, n))
            seed = before + 1
            note("  then", { n = 0 }, a[1], table.unpack(log))
        end
        for i = 1, COUNT // 20 do
            local n = below(400)
            local t = {} for i = 1, n do t[i] = below(any{ 2, 10, 1000000 }) end
            local orders = { nil, function(x, y) return x > y end, function(x, y) return x <= y end, function(x, y) return true end, function(x, y) return x % 7 < y % 7 end,
                function() return below(2) == 0 end, function(x, y) return x ~= y end }
            local calls, o = 0, orders[below(7) + 1]
            local s = seed
            local ok, e = pcall(table.sort, t, o and function(x, y) calls = calls + 1 return o(x, y) end)
            seed = s + 1
            local sum = 0 for i, v in ipairs(t) do sum = (sum * 31 + v) end
            note("sort", { n = 1, n }, ok, e, calls, sum)
        end
        return table.concat(lines, "\n") .. "\n"
        """#

    /// What we replaced of the base and coroutine libraries, and os.date.
    static let base = #"""
        for _, o in ipairs{ "count", "isrunning", "step", "collect", "stop", "isrunning", "restart", "isrunning", "incremental", "generational", "incremental", "setpause", "setstepmul", "bogus", "generational", "incremental" } do
            if o == "count" then try("cg", function() return math.type(collectgarbage(o)) end)
            elseif o ~= "step" then try("cg", collectgarbage, o)  end
        end
        try("cg", collectgarbage) try("cg", collectgarbage, nil) try("cg", collectgarbage, "setpause", 100) try("cg", collectgarbage, "setpause", 200) try("cg", collectgarbage, "setstepmul", 100)
        try("cg", collectgarbage, "step", "x") try("cg", collectgarbage, 5) try("cg", collectgarbage, {}) try("cg", collectgarbage, "incremental", 100, 200, 10) try("cg", collectgarbage, "setpause", 0) try("cg", collectgarbage, "generational", 20, 100) try("cg", collectgarbage, "incremental", 200, 100) try("cg", collectgarbage, "step", 100000)
        -- load
        x = nil
        local function L(name, ...) try("load " .. name, function(...) local f, e = load(...) if f then return true, pcall(f, 1, 2) end return f, e end, ...) end
        L("a", "return 1") L("a", "return 1", "=n") L("a", "x = = 1", "@file") L("a", "x = = 1", "text\nmore") L("a", "x = = 1") L("a", "return x", "n", "t", { x = 5 }) L("a", "return x", "n", "bt", nil)
        L("a", "return x", "n", "b") L("a", "return x", "n", "") L("a", "return x", "n", 5) L("a", "return x", 5) L("a", 5) L("a", nil) L("a", {}) L("a", true) L("a")
        L("a", "return _ENV", "n", "t", nil)
        L("a", "", "n") L("a", "#!x\nreturn 1")
        for _, pieces in ipairs{ { "return ", "1" }, { "" }, { "return 1", "", " + 1" }, { "return ", 5 }, { true }, { {} }, { "ret", "urn 'abc", "def'" }, {}, { "x = ", "= 1" } } do
            for _, mode in ipairs{ "t", "b", "bt", "x" } do
                local i = 0
                L("reader", function() i = i + 1 return pieces[i] end, any{ nil, "=chunk" }, mode)
            end
        end
        L("reader", function() error("in reader") end) L("reader", function() error({}) end) L("reader", function() return load end)
        L("reader", coroutine.wrap(function() coroutine.yield("return ") coroutine.yield("7") end))
        try("yield in reader", coroutine.resume, coroutine.create(function() local f, e = load(function() coroutine.yield() end) return e:match("^attempt to yield across a C%-call boundary") end))
        -- pcall, xpcall, error
        try("pcall", pcall) try("pcall", pcall, nil) try("pcall", pcall, error) try("pcall", pcall, error, {}) try("pcall", pcall, error, nil) try("pcall", pcall, function(...) return ... end, 1, nil, 3, nil)
        try("xpcall", xpcall) try("xpcall", xpcall, print) try("xpcall", xpcall, error, function(m) return m, 2 end) try("xpcall", xpcall, error, error) try("xpcall", xpcall, 5, type) try("xpcall", xpcall, error, type, "m") try("xpcall", xpcall, function(...) return select("#", ...), ... end, type, 1, nil)
        try("xpcall", xpcall, function() return xpcall(error, function(m) error(m .. "x", 0) end, "e", 0) end, type)
        try("xpcall", xpcall, function() local x <close> = setmetatable({}, { __close = function(_, e) error("closing " .. tostring(e), 0) end }) error("first", 0) end, function(m) return "h:" .. m end)
        local function deep(n) return 1 + deep(n + 1) end
        try("overflow", function() local ok, e = pcall(deep, 1) return ok, (e:gsub("%(message.*", "")) end)
        try("overflow handler", function() return xpcall(deep, function(m) return m:match("stack overflow") end, 1) end)
        try("string overflow", function() local function f() return ("x"):gsub("x", f) end local ok, e = pcall(f) return ok, e end)
        try("sort overflow", function() local function f() table.sort({ 1, 2, 3 }, f) end local ok, e = pcall(f) return ok, e end)
        -- setmetatable
        try("setmetatable", setmetatable) try("setmetatable", setmetatable, {}) try("setmetatable", setmetatable, {}, 1) try("setmetatable", setmetatable, 1, {}) try("setmetatable", setmetatable, {}, nil)
        try("setmetatable", setmetatable, setmetatable({}, { __metatable = false }), {})
        try("setmetatable", setmetatable, {}, {}, 3)
        -- coroutines
        local create, resume, yield, status, wrap, close, running = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status, coroutine.wrap, coroutine.close, coroutine.running
        try("co", resume) try("co", resume, 1) try("co", wrap) try("co", wrap, 1) try("co", close) try("co", close, 1) try("co", close, running()) try("co", status, 1) try("co", create, 1) try("co", yield, 1)
        try("co", function() local c = create(print) return close(c), status(c), close(c), resume(c) end)
        try("co", function() local c c = create(function() return close(c) end) return resume(c) end)
        try("co", function() local c c = create(function() local d = create(function() return close(c) end) return resume(d) end) return resume(c) end)
        try("co", function() local c c = wrap(function() return c() end) return c() end)
        try("co", function() local c = wrap(error) return c("x") end) try("co", function() local c = wrap(error) return c({}) end) try("co", function() local c = wrap(error) return c("x", 2) end) try("co", function() local c = wrap(function() local x = nil + 1 end) return c() end)
        try("co", function() local c = wrap(function() return 1 end) c() return c() end)
        try("co", function() local c = create(function(...) local a = yield(...) error(a) end) local r = { resume(c, 1, 2) } r[4] = select(2, resume(c, "e")) r[5] = status(c) r[6], r[7] = close(c) r[8], r[9] = resume(c) return r end)
        try("co", function() local c = create(function() local x <close> = setmetatable({}, { __close = function() error("c", 0) end }) yield() end) resume(c) return close(c) end)
        try("co", function() local c = create(function() local x <close> = setmetatable({}, { __close = function(_, e) yield(e) end }) error("e", 0) end) local r = { resume(c) } r[3], r[4] = resume(c) r[5] = status(c) return r end)
        try("co", function() local c = wrap(function() return pcall(pcall, pcall, function() yield(1) error("z", 0) end) end) local r = { c() } r[2], r[3], r[4], r[5] = c() return r end)
        try("co", function() local c = wrap(function() return xpcall(function() yield(1) error("z", 0) end, function(m) return m .. "!" end) end) local r = { c() } r[2], r[3] = c() return r end)
        for _, f in ipairs{
            function() return table.sort({ 1, 2, 3 }, yield) end, function() return ("x"):gsub("x", yield) end, function() return tostring(setmetatable({}, { __tostring = yield })) end, function() return load(yield) end, function() for w in ("a"):gmatch(".") do yield(w) end end, function() return setmetatable({}, { __index = yield }).x end, function() return table.concat(setmetatable({}, { __index = yield, __len = function() return 2 end })) end } do
            try("yield", function() local c = create(f) local ok, e = resume(c) return ok, type(e) == "string" and (e:gsub("^[^:]*:%d+: ", ""):gsub("(boundary).*", "%1")) or e, status(c) end)
        end
        try("co", function() local function f(n) if n == 0 then return "end" end return wrap(f)(n - 1) end return f(50) end)
        try("co", function() local function f() return wrap(f)() end local ok, e = pcall(f) return ok, e:match("C stack overflow") end)
        try("co", resume, create(function() return table.unpack({}, 1, 200) end))
        try("co", function() return select("#", resume(create(function(...) return select("#", ...) end), table.unpack({}, 1, 250))) end)
        try("date", os.date, "!%Y-%m-%d %H:%M:%S", 0) try("date", os.date, "%Q") try("date", os.date, "%") try("date", os.date, "%E") try("date", os.date, "%Ez") try("date", os.date, "!%Ey", 0) try("date", os.date, "!%Od", 0) try("date", os.date, "!*t", 0) try("date", os.date, "!c", 0) try("date", os.date, 5, 0) try("date", os.date, {}) try("date", os.date, "%c", math.maxinteger) try("date", os.date, "!%c", "5") try("date", os.date, "%5d") try("date", os.date, "") try("date", os.date, "!") try("date", os.date, "%\0")
        try("require", function() return require("string") == string and require"table" == table and require"math" == math and require"utf8" == utf8 and require"coroutine" == coroutine and require "_G" == _G and require "os" == os end)
        try("tostring", tostring) try("select", select, 0) try("mt", function() return (("x").y) end)
        return table.concat(lines, "\n") .. "\n"
        """#

    /// How deep protected calls, coroutines and functions of C may be nested, and errors in handlers and while closing.
    static let nesting = #"""
        local function checkerror(msg, f, ...) local st, err = pcall(f, ...) return st, type(err) == "string" and err:find(msg) and msg or err end
        do local function loop(x, y, z) return 1 + loop(x, y, z) end try("cs", xpcall, loop, loop) end
        do local function loop() assert(pcall(loop)) end local ok, m = xpcall(loop, loop) try("cs2", function() return ok, m:find("error") ~= nil end) end
        do local foo = function() end foo = function() string.gsub("a", ".", foo) end try("cs3", checkerror, "stack overflow", foo) local t = setmetatable({}, { __index = foo }) foo = function() string.gsub("a", ".", t) end try("cs4", checkerror, "stack overflow", foo) end
        do local count = 0 local function foo() count = count + 1 pcall(1) coroutine.wrap(foo)() end try("cs5", checkerror, "C stack overflow", foo) try("n", function() return count end) end
        do local count = 0 local function body() coroutine.yield() local f = coroutine.wrap(body) f() count = count + 1 f() end local f = coroutine.wrap(body) f() try("cs6", function() return (pcall(f)) end) try("n", function() return count end) end
        do local lim = 150 local function stack(n) if n > lim then return "ok" end return coroutine.wrap(function() return stack(n + 1) end)() end try("cs7", stack, 0) end
        do local lim = 190 local function stack(n) if n > lim then return "ok" end local ok, e = pcall(function() return stack(n + 1) end) return e end try("cs8", stack, 0) end
        do local function f(n) if n == 0 then return 0 end return (select(2, pcall(f, n - 1))) end for _, n in ipairs{ 10, 100, 180, 190, 195, 197, 198, 199, 200, 250 } do try("cs9", f, n) end end
        do local function f(n) if n == 0 then return 0 end return (string.gsub("a", "a", function() return f(n - 1) end)) end for _, n in ipairs{ 10, 60, 62, 63, 64, 65, 66, 67, 90, 95, 98, 99, 100, 190 } do try("cs10", function(...) local ok, e = pcall(f, ...) return ok, e end, n) end end
        do local function f(n) if n == 0 then return 0 end local ok, e = coroutine.resume(coroutine.create(f), n - 1) return ok and e or "fail" end for _, n in ipairs{ 10, 60, 90, 95, 98, 99, 100, 180, 190, 195, 196, 197, 198,  199, 200 } do try("cs11", f, n) end end
        do local function f(n) if n == 0 then return 0 end return select(2, xpcall(f, function(m) return m end, n - 1)) end for _, n in ipairs{ 10, 100, 180, 190, 195, 197, 198, 199, 200, 250 } do try("cs12", f, n) end end
        do local function f(n) local t = { 2, 1 } table.sort(t, function(a, b) if n > 0 then f(n - 1) end return a < b end) return n end for _, n in ipairs{ 10, 60, 90, 95, 98, 99, 100, 180 } do try("cs13", f, n) end end
        try("errval", function() local ok, e = pcall(error) return ok, e end)
        try("h1", xpcall, function() error() end, function(m) return m end)
        try("h2", xpcall, function() local x <close> = setmetatable({}, { __close = function(_, e) error({}) end }) error("x") end, function(m) return type(m) end)
        try("h3", xpcall, function() error("lvl", 2) end, function(m) return m end)
        try("h4", xpcall, function() error("lvl") end, function(m) error("again", 0) end)
        try("h5", xpcall, function() error("lvl") end, function(m) error("again", 2) end)
        try("cb", function() local co = coroutine.create(function() local y <close> = setmetatable({}, { __close = function(_, e) coroutine.yield("in close", e) end }) error("boom", 0) end) local r = { coroutine.resume(co) } r[#r + 1] = coroutine.status(co) local a, b = coroutine.close(co) r[#r + 1] = a r[#r + 1] = b return r end)
        try("cc", function() local co = coroutine.wrap(function() local y <close> = setmetatable({}, { __close = function(_, e) error("second", 0) end }) error("first", 0) end) return pcall(co) end)
        try("cd", function() local co co = coroutine.wrap(function() local y <close> = setmetatable({}, { __close = function() coroutine.yield(2) end }) coroutine.yield(1) return 3 end) return { co(), co(), co() } end)
        return table.concat(lines, "\n") .. "\n"
        """#
}
