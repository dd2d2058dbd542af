import Foundation
import Graph
import Testing

/// With `PEERS_PYTHON=/path/to/python` (with jax) XLA compiles and runs the StableHLO text that graphs are written in, and
/// gets the interpreter's values.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["PEERS_PYTHON"] != nil)) struct StableHLORunByXLA {
    /// A graph with values of its inputs, as the script reads them.
    private struct Program: Encodable {
        struct Array: Encodable {
            let element: String
            let shape: [Int]
            let values: [Double]
            init(_ tensor: Tensor) {
                element = tensor.type.element.rawValue
                shape = tensor.type.shape
                values = tensor.values
            }
        }
        let text: String
        let inputs: [Array]
        let outputs: [Array]

        init(_ graph: Graph, seed: Int) throws {
            var random = SplitMix(seed)
            let inputs = random.tensors(for: graph)
            text = graph.stableHLO()
            self.inputs = inputs.map(Array.init)
            outputs = try Interpreter.run(graph, inputs).map(Array.init)
        }
    }

    /// Prints what differs. Functions of f64 err by a few units in the last place; derivatives of random programs cancel.
    private static let script = """
        import json, sys
        import numpy as np
        import jax
        import jax.extend.backend
        from jaxlib import xla_client
        jax.config.update("jax_enable_x64", True)
        types = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "bool": np.bool_}
        array = lambda a: np.array(a["values"]).astype(types[a["element"]]).reshape(a["shape"])
        backend = jax.extend.backend.get_backend("cpu")
        devices = xla_client.DeviceList(tuple(backend.local_devices()[:1]))
        for program in json.load(open(sys.argv[1])):
            try:
                run = backend.compile_and_load(program["text"], devices, xla_client.CompileOptions())
                inputs = [jax.device_put(array(a)) for a in program["inputs"]]
                results = run.execute_sharded(inputs).disassemble_into_single_device_arrays()
                for result, expected in zip(results, map(array, program["outputs"])):
                    found = np.asarray(result[0])
                    assert found.shape == expected.shape and found.dtype == expected.dtype, "type"
                    tolerance = 1e-9 * max(1, np.abs(expected).max(initial=0))
                    assert np.allclose(found, expected, rtol=0, atol=tolerance), (found, expected)
            except Exception as error:
                print(error, program["text"], sep="\\n")
        """

    private func check(_ programs: [Program]) throws {
        let folder = NSTemporaryDirectory() + "eoss-xla-\(getpid())-\(programs.count)/"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try JSONEncoder().encode(programs).write(to: URL(fileURLWithPath: folder + "programs.json"))
        let process = Process()
        let output = Pipe()
        let python = try #require(ProcessInfo.processInfo.environment["PEERS_PYTHON"])
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", Self.script, folder + "programs.json"]
        process.standardOutput = output
        try process.run()
        let differences = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(differences.isEmpty, "\(String(decoding: differences, as: UTF8.self))")
    }

    private func scalar(_ graph: Graph) -> Graph {
        let b = GraphBuilder()
        let values = b.inline(graph, inputs: graph.inputs.map { b.input($0.name, $0.type) })
        return b.build(outputs: [("f", values.map { b.sum(b.tanh($0)) }.reduce(b.constant(0, TensorType(.f64)), b.add))]
        )
    }

    /// Every operation with the operations of its second derivative, over a batch.
    @Test func itsValuesAreTheInterpretersForEveryOperation() throws {
        var programs: [Program] = []
        for (seed, rule) in ruleCases.enumerated() {
            let names = rule.graph.inputs.map(\.name)
            let gradient = try vjp(scalar(rule.graph), of: "f", withRespectTo: names)
            programs.append(try Program(jvp(gradient, along: names), seed: seed))
            programs.append(try Program(vmap(gradient, over: names, size: 2), seed: seed))
        }
        try check(programs)
    }

    @Test func itsValuesAreTheInterpretersForConvolutions() throws {
        try check(
            ConvolutionCase.all.enumerated().map { seed, subject in
                let names = subject.graph.inputs.map(\.name)
                let gradient = try vjp(scalar(subject.graph), of: "f", withRespectTo: names)
                return try Program(seed % 2 == 0 ? gradient : vmap(gradient, over: names, size: 2), seed: seed)
            })
    }

    @Test func itsValuesAreTheInterpretersForScans() throws {
        try check(
            Recurrence.all.enumerated().map { seed, recurrence in
                let graph = try recurrence.graph(length: 4, reverse: seed % 2 == 0)
                let names = graph.inputs.map(\.name)
                let gradient = try vjp(scalar(graph), of: "f", withRespectTo: names)
                return try Program(seed % 3 == 0 ? vmap(gradient, over: names, size: 2) : gradient, seed: seed)
            })
    }

    @Test func itsValuesAreTheInterpretersForRandomPrograms() throws {
        try check(
            (1...60).map { seed in
                let graph = RandomGraph.make(seed: 7000 + seed, size: 10)
                let names = graph.inputs.map(\.name)
                let gradient = try vjp(scalar(graph), of: "f", withRespectTo: names)
                return try Program(seed % 2 == 0 ? gradient : vmap(gradient, over: [names[0]], size: 3), seed: seed)
            })
    }
}
