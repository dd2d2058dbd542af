import Compute
import Graph
import Testing

struct Pass: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let run: @Sendable (Graph) -> Graph
}

private let passes: [Pass] = [
    Pass(testDescription: "eliminateDeadCode", run: { eliminateDeadCode($0) }),
    Pass(testDescription: "eliminateCommonSubexpressions", run: { eliminateCommonSubexpressions($0) }),
    Pass(testDescription: "foldConstants", run: { foldConstants($0) }),
    Pass(testDescription: "simplifyAlgebra", run: { simplifyAlgebra($0) }),
    Pass(testDescription: "foldTransposes", run: { foldTransposes($0) }),
    Pass(testDescription: "reassociateContractions", run: { reassociateContractions($0, .cpu) }),
    Pass(testDescription: "widenSums", run: { widenSums($0) }),
    Pass(testDescription: "fuseAccumulation", run: { fuseAccumulation($0) }),
    Pass(testDescription: "fuseElementwise", run: { fuseElementwise($0) }),
    Pass(testDescription: "optimized", run: { $0.optimized() }),
]

/// Programs as they come from tracing, and the larger ones that derivatives make of them.
private func programs(_ count: Int, elements: [ElementType]) throws -> [Graph] {
    try (1...count).map { seed in
        let graph = RandomGraph.make(seed: 5000 + seed, size: 6 + seed % 12, elements: elements)
        let names = graph.inputs.filter { $0.type.element.isFloating }.map(\.name)
        let b = GraphBuilder()
        let values = b.inline(graph, inputs: graph.inputs.map { b.input($0.name, $0.type) })
        let terms = values.map { b.convert(b.sum($0), to: .f64) }
        let scalar = b.build(outputs: [("f", terms.dropFirst().reduce(terms[0], b.add))])
        switch seed % 4 {
        case 0: return try vjp(scalar, of: "f", withRespectTo: names)
        case 1:
            return try vmap(quadraticForm(scalar, of: "f", along: names, gradients: true), over: [names[0]], size: 2)
        case 2: return try jvp(vjp(scalar, of: "f", withRespectTo: names), along: names)
        default: return graph
        }
    }
}

@Suite struct Passes {
    @Test(arguments: passes) func aPassChangesNoValueInDoublePrecision(_ pass: Pass) throws {
        for (seed, graph) in try programs(200, elements: [.f64]).enumerated() {
            var random = SplitMix(seed)
            let inputs = random.tensors(for: graph)
            let result = pass.run(graph)
            #expect(result.inputs == graph.inputs)
            let difference = distance(try Interpreter.run(graph, inputs), try Interpreter.run(result, inputs))
            // Sums in another order; values up to a few hundred cancel in derivatives.
            #expect(difference < 1e-10, "seed \(seed)\n\(graph)\n\(result)")
        }
    }

    @Test(arguments: passes) func aPassChangesValuesOfMixedPrecisionByRoundingOnly(_ pass: Pass) throws {
        for (seed, graph) in try programs(100, elements: [.f64, .f32]).enumerated() {
            var random = SplitMix(seed)
            let inputs = random.tensors(for: graph)
            let result = pass.run(graph)
            let difference = distance(try Interpreter.run(graph, inputs), try Interpreter.run(result, inputs))
            // ε of f32 is 6e-8; dozens of operations, some of which cancel.
            #expect(difference < 1e-4, "seed \(seed)\n\(graph)\n\(result)")
        }
    }

    @Test(arguments: passes.dropLast()) func aSecondRunChangesNothing(_ pass: Pass) throws {
        for graph in try programs(100, elements: [.f64, .f32]) {
            let once = pass.run(graph)
            let twice = pass.run(once)
            #expect(once == twice, "\(graph)\n\(once)\n\(twice)")
        }
    }

    /// What a pass leaves without a use counts for nothing. `simplifyAlgebra` alone may lose a little, since it looks at one
    /// operation at a time: a sum of a sum reads the larger tensor, where the smaller sum may be wanted for itself.
    @Test(arguments: passes.filter { $0.testDescription != "simplifyAlgebra" }) func noPassMakesAProgramDearer(
        _ pass: Pass
    ) throws {
        for graph in try programs(100, elements: [.f64]) {
            let before = eliminateDeadCode(graph).cost()
            let after = eliminateDeadCode(pass.run(graph)).cost()
            #expect(after.total(.cpu) <= before.total(.cpu), "\(graph)\n\(pass.run(graph))")
        }
    }
}
