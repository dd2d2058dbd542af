import Testing

@testable import ScriptAPI

/// `eoss.nn.layer`: a layer written in Lua, alone and inside of compositions.
@Suite struct LuaLayerTests {
    /// The same network of built-in layers and of Lua's: same parameters under other names, so the same numbers.
    @Test func aLayerInLuaIsTheBuiltInOne() throws {
        let failure = try Laboratory().failure(
            of: """
                local nn, normal = eoss.nn, eoss.init.normal{ std = 0.5 }
                local function dense(outputs)
                  return nn.layer{ name = "dense " .. outputs,
                    params = function(shape) return { weight = { shape = { outputs, shape[1] }, init = normal }, xbias = { shape = outputs } } end,
                    forward = function(x, p) return eoss.dot(p.weight, x) + p.xbias end }
                end
                local double = nn.layer{ forward = function(x) return 2 * x end }
                local function linear(i, o) return nn.linear(i, o, { init = normal, bias_init = 0 }) end
                local function make(model)
                  return eoss.run{ name = "l", model = model, data = eoss.data.teacher_student{ n = 6, inputs = 4, outputs = 2 },
                                   loss = "half_mse", optimizer = eoss.optim.sgd{ lr = 0.05 } }
                end
                local inside, shortcut = nn.block{ dense(4), nn.activation("tanh") }, dense(4)
                local own = nn.sequential{ inputs = 4, dtype = "f64", dense(4), double, nn.residual{ inside, shortcut = shortcut }, dense(2) }
                inside, shortcut = nil, nil
                collectgarbage(); collectgarbage()
                local built = nn.sequential{ inputs = 4, dtype = "f64", linear(4, 4), double,
                    nn.residual{ nn.block{ linear(4, 4), nn.activation("tanh") }, shortcut = linear(4, 4) }, linear(4, 2) }
                assert(own.shapes["0.weight"][2] == 4 and own.shapes["2.body.0.0.xbias"][1] == 4)
                local a, b = make(own), make(built)
                local v = a.params:randn(1)
                assert(a.params == b.params)
                assert((a:D(v, v) - b:D(v, v)):norm() <= 1e-12 * b:D(v, v):norm())
                local rows = own.layers
                assert(#rows == 6 and rows[1].kind == "dense 4" and rows[1].parameters == 20 and rows[1].multiply_adds == 16)
                assert(rows[2].kind == "layer" and rows[2].shape[1] == 4)
                assert(tostring(own):find("dense 2"))
                """)
        #expect(failure == nil)
    }

    /// A composition keeps the functions of its parts, though nothing else in the script does.
    @Test func compositionsKeepTheFunctionsOfTheirParts() throws {
        let failure = try Laboratory().failure(
            of: """
                local function part()
                  local scale = {}
                  for i = 1, 1000 do scale[i] = i end
                  return eoss.nn.layer{ forward = function(x) return x * scale[3] end }
                end
                local kept = eoss.nn.block{ eoss.nn.residual{ eoss.nn.block{ part() }, shortcut = part() } }
                for _ = 1, 5 do collectgarbage() end
                local net = eoss.nn.sequential{ inputs = 2, kept, eoss.nn.linear(2, 1) }
                assert(net.count == 3)
                """)
        #expect(failure == nil)
    }

    @Test(arguments: [
        ("forward = function(x) end", "forward of the layer 'mine' must return a tensor, it returned nothing"),
        ("forward = function(x, p) return x * p.w end", "unknown name 'w' in the parameters"),
        ("params = { w = { shape = {2} } }, forward = function(x, p) return x * p.W end", "did you mean 'w'?"),
        ("params = { w = { shape = {3} } }, forward = function(x, p) return x * p.w end", "shapes [2] and [3]"),
        ("params = function() return 3 end, forward = function(x) return x end", "must be a table of names"),
        (
            "params = function() return { w = 3 } end, forward = function(x) return x end",
            "must be a table { shape, init }; it is a number"
        ),
        (
            "params = function() return { w = { shape = {0} } } end, forward = function(x) return x end",
            "parameter 'w' of the layer 'mine': its shape must be a list of integers > 0"
        ),
        (
            "params = function() return { w = { shape = {1}, int = 3 } } end, forward = function(x) return x end",
            "has the unknown entry 'int': it takes shape and init"
        ),
        (
            "params = function() return { w = { shape = {1}, init = 'normal' } } end, forward = function(x) return x end",
            "init must be an initializer, such as eoss.init.normal(), or a number"
        ),
        ("params = 3, forward = function(x) return x end", "option 'params' of eoss.nn.layer"),
        ("forwards = print", "unknown option 'forwards' for eoss.nn.layer: did you mean 'forward'?"),
        ("params = {}", "option 'forward' of eoss.nn.layer is missing"),
        ("forward = function(x) return other end", "used after the function it belongs to"),
    ])
    func aLayerThatIsWrongSaysHow(_ options: String, _ message: String) throws {
        let failure = try Laboratory().failure(
            of: """
                local other
                local first = eoss.nn.layer{ forward = function(x) other = x; return x end }
                eoss.nn.sequential{ inputs = 2, first, eoss.nn.layer{ name = "mine", \(options) }, eoss.nn.linear(2, 1) }
                """)
        #expect(failure?.contains(message) == true, "\(failure ?? "no error")")
    }
}
