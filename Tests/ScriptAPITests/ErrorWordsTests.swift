import Experiments
import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// What a user reads is in the terms of scripts and of the field: no message shows how Swift calls or spells a thing.
@Suite struct ErrorWordsTests {
    /// What gives Swift away: optionals, generics, modules before a dot, names of types, labels of errors of Foundation.
    private static let traces: [(pattern: String, what: String)] = [
        (#"Optional\(|\bnil\)|\bOptional<"#, "an optional"),
        (#"\b(Array|Dictionary|Set|Range|ClosedRange|ArraySlice|Result|Substring)(<|\()"#, "a collection"),
        (#"\b[A-Za-z_]\w*<\w+>"#, "a generic type"),
        (
            #"\b(Swift|Foundation|LuaBridge|Graph|Compute|Networks|Objectives|Datasets|Curvature|Dynamics|Experiments|Reports|ScriptAPI)\.[A-Za-z]"#,
            "a module"
        ),
        (#"NSError|Error Domain|NSCocoa|UserInfo|unknown context|rawValue|0x[0-9a-f]{9}"#, "a value of the runtime"),
        (
            #"\b(Int|Int32|Int64|UInt8|UInt64|Double|Float|Bool|String|Any|Error|Void|Self)\b"#,
            "a type of Swift's library"
        ),
        (#"\b[A-Z]+[a-z]*[A-Z][a-z]\w*\b"#, "a name in Swift's spelling"),
        (#"\b[a-z]+[A-Z]\w*\("#, "a function's or a case's name"),
        (#"\b\w+\([a-z]\w*: "#, "a value with labels"),
    ]
    /// Names of the field, and of programs, that are spelled so.
    private static let fine = ["PyTorch", "NumPy", "ResNet", "OpenBLAS", "SQLite", "LeCun", "EoSS"]

    static func traces(in message: String) -> [String] {
        var text = message
        for word in fine { text = text.replacingOccurrences(of: word, with: "…") }
        return traces.compactMap { pattern, what in
            text.range(of: pattern, options: .regularExpression).map { "\(what): '\(text[$0])'" }
        }
    }

    @Test(arguments: [
        "expected Optional(3)", "a Swift.Int", "badSetting(rule: \"sgd\")", "Array<Double>", "got an NDArray",
        "a LuaValue",
        "Error Domain=NSCocoaErrorDomain Code=260", "Experiments.RunError", "nonFinite(3)", "the operation (a String)",
    ])
    func tracesAreFound(_ message: String) { #expect(!Self.traces(in: message).isEmpty, "\(message)") }

    /// One object of each class, as a script makes it.
    private static let objects = [
        "run": "run", "series": "run:series('loss')", "costs": "run:costs()", "model": "net",
        "layer": "eoss.nn.linear(1, 2)", "initializer": "eoss.init.normal{ std = 1 }",
        "optimizer": "eoss.optim.sgd{ lr = 1 }", "dataset": "data", "vector": "run.params",
        "array": "eoss.arrays.from{ 1, 2 }", "measurement": "run:measure('loss')", "evaluation": "run:evaluate()",
        "operator": "run:hessian()", "eigenpairs": "run:hessian():top(1)",
        "density": "run:hessian():density{ vectors = 1, steps = 3 }",
        "diagonal": "run:hessian():diagonal{ samples = 2 }",
        "solution": "run:hessian():solve(run.params, { damping = 100 })",
        "schedule": "eoss.schedule.constant(1)", "field": "eoss.field.sam()",
        "runfile": "(function() run:train{ steps = 1 } run:checkpoint() return eoss.open('small.eoss') end)()",
        "runsummary": "(function() run:train{ steps = 1 } run:checkpoint() return eoss.runs()[1] end)()",
        "comparison":
            "(function() run:train{ steps = 1 } run:checkpoint() local f = eoss.open('small.eoss') return f:compare(f) end)()",
        "sweep": "eoss.sweep{ grid = { x = { 1, 2 } }, run = function(p) return { y = p.x } end }",
        "sweep_table": "eoss.sweep{ grid = { x = { 1, 2 } }, run = function(p) return { y = p.x } end }:table()",
        "average": "run:average{ decay = 0.9 }", "layers": "run:layers()",
        "slice": "run:slice{ along = 'gradient', points = 3 }",
        "forecast":
            "eoss.run{ model = eoss.nn.mlp{ inputs = data.inputs, hidden = {4}, outputs = data.outputs, dtype = 'f64', seed = 2 }, data = data, loss = 'mse', optimizer = eoss.optim.sgd{ lr = 0.3 }, batch_size = 'full' }:self_stabilization{ steps = 1 }",
        "lockstep": "eoss.lockstep({ a = run, b = run:fork() }, { steps = 0 })",
        "preconditioner":
            "eoss.run{ model = net, data = data, loss = 'mse', optimizer = eoss.optim.rmsprop{ lr = 1 } }:preconditioner{ gradient = run.params }",
    ]
    /// What is given to every function, and written to every property.
    private static let arguments = [
        "", "nil", "-1", "1e300", "0/0", "math.maxinteger", "math.mininteger", "'x'", "true", "{}", "{ 1, 2 }",
        "{ zzz = 1 }",
        "{ 'x' }", "print", "net", "run.params", "{ batch = { 0 } }", "'x', { zzz = 1 }", "1, 2, 3, 4, 5",
        "{ k = 1e9 }",
    ]

    /// Calls every function with arguments that it hardly wants, assigns to every property, asks for what is not there.
    @Test func noMessageShowsATypeOfSwift() throws {
        let laboratory = try Laboratory()
        var calls: [String] = []
        func provoke(_ namespace: Namespace) {
            calls.append("return \(namespace.name).zzz")
            calls.append("\(namespace.name).zzz = 1")
            for (name, member) in namespace.members {
                switch member {
                case .function: for given in Self.arguments { calls.append("\(namespace.name).\(name)(\(given))") }
                case .namespace(let inner): provoke(inner)
                case .constant: calls.append("\(namespace.name).\(name) = 1")
                }
            }
        }
        var messages: [String] = []
        try laboratory.host { host in
            provoke(host.eossNamespace())
            for declared in host.classes() {
                guard let object = Self.objects[declared.name] else {
                    // A tensor lives while a function is traced, the context of a step while it is taken.
                    #expect(["tensor", "step"].contains(declared.name))
                    continue
                }
                calls.append("return (\(object)).zzz")
                calls.append("(\(object)).zzz = 1")
                for operation in ["+ {}", "* print", "< {}", "^ net", ".. 'x'", "// run"] {
                    calls.append("return (\(object)) \(operation)")
                }
                for method in declared.methods {
                    let name = method.name.split { ":.".contains($0) }.last.map(String.init) ?? method.name
                    for given in Self.arguments { calls.append("local o = \(object); o:\(name)(\(given))") }
                    calls.append("(\(object)).\(name)({})")
                }
                for property in declared.properties {
                    for given in Self.arguments where !given.isEmpty && !given.contains(", {") {
                        calls.append("local o = \(object); o.\(property.name) = \(given)")
                    }
                }
            }
        }
        // What ends the script's parameters, and whole data sets, which are none of this test's business.
        let skipped = ["eoss.params(", "_mnist(", "cifar", "svhn(", "mnist("]
        calls.removeAll { call in skipped.contains(where: call.contains) }
        calls += Self.traced + Self.files
        let list = calls.map { "[==[\($0)]==]" }.joined(separator: ",\n")
        try laboratory.write("not a file of arrays", to: "bad.safetensors")
        try laboratory.write("PK\u{3}\u{4}", to: "bad.npz")
        try laboratory.write("\u{93}NUMPY", to: "bad.npy")
        var header = Data([20, 0, 0, 0, 0, 0, 0, 0])
        header.append(contentsOf: Array(#"{"x":{"dtype":[1,2]}"#.utf8))
        try header.write(to: laboratory.folder.appendingPathComponent("header.safetensors"))
        try laboratory.run(
            smallRun + """
                run:track("loss")
                run:train{ steps = 2 }
                for _, call in ipairs{
                \(list)
                } do
                  local chunk = assert(load("local eoss, data, net, run = ...; " .. call, "=call"))
                  local ok, message = pcall(chunk, eoss, data, net, run)
                  if not ok then print(call .. "\\0" .. tostring(message)) end
                end
                """)
        for line in laboratory.printed where line.contains("\0") {
            let parts = line.split(separator: "\0", maxSplits: 1).map(String.init)
            messages.append(parts[1])
            let found = Self.traces(in: parts[1])
            #expect(found.isEmpty, "\(parts[0])\n→ \(parts[1])\n→ \(found.joined(separator: "; "))")
        }
        print("error messages read: \(messages.count), different ones: \(Set(messages).count)")
        #expect(Set(messages).count > 1000)
    }

    /// However many there are, in lines that a terminal shows whole.
    @Test func anUnknownMemberOrOptionIsAnsweredByAllThereAre() throws {
        let laboratory = try Laboratory()
        var members: [(object: String, names: [String])] = []
        try laboratory.host { host in
            for declared in host.classes() {
                guard let object = Self.objects[declared.name] else { continue }
                let methods = declared.methods.map {
                    $0.name.split { ":.".contains($0) }.last.map(String.init) ?? $0.name
                }
                members.append((object, methods + declared.properties.map(\.name)))
            }
            members.append(("eoss", host.eossNamespace().members.map(\.name)))
        }
        #expect(members.contains { $0.names.count > 30 })
        for (object, names) in members where !names.isEmpty {
            let message = try #require(
                try laboratory.failure(of: smallRun + "run:track('loss') return (\(object)).zzz"))
            let words = Set(message.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
            #expect(words.isSuperset(of: names), "\(object): \(Set(names).subtracting(words).sorted()) in \(message)")
            // The first line has the place and what is wrong.
            for line in message.split(separator: "\n").dropFirst() { #expect(line.count <= 106, "\(line)") }
        }
        let options = try #require(try laboratory.failure(of: smallRun + "run:track('loss', { zzz = 1 })"))
        for name in ProbeCatalogue.all.flatMap(\.options).map(\.name) { #expect(options.contains(name), "\(name)") }
    }

    /// Losses and layers that are traced, with what they cannot be.
    private static let traced = [
        "return f + 1", "return eoss.sum(f) .. 'x'", "return eoss.reshape(f, { 7 })", "return eoss.matmul(f, f)",
        "return eoss.concat{ f, 3 }", "return f[99]", "return f:zeros{ -1 }", "return eoss.where(f, f)", "return f.zzz",
        "return eoss.conv2d(f, f)", "return eoss.scan(f)", "return eoss.softmax(f, 9)",
        "return eoss.transpose(f, { 5 })",
        "return eoss.at(f, 0)", "return eoss.relu(run)", "return eoss.mean(f, { 4 })", "return 'x'", "return",
        "return {}",
        "return f < net", "return eoss.detach(3)", "return eoss.gather(f, f)", "return eoss.embedding(f, f)",
    ].map {
        "eoss.run{ model = net, data = data, loss = function(f, y) \($0) end, optimizer = eoss.optim.sgd{ lr = 1 } }:train{ steps = 1 }"
    }

    /// Files that are none.
    private static let files = [
        "net:load('bad.safetensors')", "net:load('header.safetensors')", "eoss.arrays.load('bad.npz')",
        "eoss.arrays.load('bad.npy')", "eoss.arrays.load('bad.safetensors')", "eoss.arrays.load('header.safetensors')",
        "eoss.arrays.load('test.lua')", "eoss.arrays.load('.')", "eoss.arrays.load('')", "net:load('..')",
        "run:save('x')", "run:save('/x.npz')", "run:plot('loss.svg', 'zzz')", "run:plot('/x.svg', 'loss')",
        "require('zzz')", "require('../x')",
    ]
}
