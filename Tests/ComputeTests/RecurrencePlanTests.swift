import Graph
import Testing

@testable import Compute

/// Recurrences with an elementwise step: one kernel call, whatever their length, and what the interpreter's loop computes.
@Suite struct RecurrencePlanTests {
    private typealias Step = (GraphBuilder, [Value], [Value], [Value]) -> [Value]

    /// Results after all steps, from inputs named `h0` …, `x0` …, `c0` ….
    private func graph(
        length: Int, reverse: Bool, carries: [TensorType], slices: [TensorType], constants: [TensorType] = [],
        _ step: Step
    ) throws -> Graph {
        let b = GraphBuilder()
        let h = carries.enumerated().map { b.input("h\($0.offset)", $0.element) }
        let x = slices.enumerated().map {
            b.input("x\($0.offset)", TensorType($0.element.element, [length] + $0.element.shape))
        }
        let c = constants.enumerated().map { b.input("c\($0.offset)", $0.element) }
        let results = try b.scan(
            carries: h, stacked: x, constants: c, length: length, reverse: reverse, step: step)
        return b.build(outputs: results.enumerated().map { ("y\($0.offset)", $0.element) })
    }

    private func expectOneCall(_ graph: Graph, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let plan = try Engine(threads: 1).plan(for: graph)
        #expect(
            plan.steps.count { if case .region(let call) = $0.kernel { call.steps.count > 1 } else { false } } == 1,
            "\(plan)", sourceLocation: sourceLocation)
        // What does not depend on the carries is computed at all steps at once, before.
        #expect(plan.steps.count <= 3, "\(plan)", sourceLocation: sourceLocation)
        try expectAsInterpreted(graph, tolerance: 1e-5, wideTolerance: 1e-13)
    }

    @Test(arguments: [ElementType.f32, .f64], [false, true])
    func aCarryForgetsAndIsFed(_ element: ElementType, _ reverse: Bool) throws {
        // Blocks within a row, whole rows, and one element.
        for shape in [[3, 5], [40, 70], [5000], [1], []] {
            let type = TensorType(element, shape)
            try expectOneCall(
                graph(length: 6, reverse: reverse, carries: [type], slices: [type, type]) { b, h, x, _ in
                    [b.add(b.tanh(b.multiply(x[0], h[0])), x[1])]
                })
        }
    }

    @Test(arguments: [false, true]) func carriesChangePlacesAndReadWhatIsRepeated(_ reverse: Bool) throws {
        let (type, row) = (TensorType(.f32, [30, 17]), TensorType(.f32, [17]))
        // A slice that is one number, a constant that is a row, a constant that is read backwards.
        try expectOneCall(
            graph(
                length: 5, reverse: reverse, carries: [type, type], slices: [TensorType(.f32, []), row],
                constants: [row, type]
            ) { b, h, x, c in
                let fed = b.add(b.multiply(h[1], b.broadcast(x[0], to: [30, 17])), b.broadcast(c[0], to: [30, 17]))
                let turned = b.emit(Reverse(dimensions: [0]), c[1])
                return [fed, b.add(b.subtract(h[0], turned), b.broadcast(x[1], to: [30, 17]))]
            })
    }

    /// Elements that depend on other elements of the step before cannot go through all steps block by block.
    @Test func aStepThatMovesItsCarryIsWrittenOut() throws {
        let type = TensorType(.f32, [900])
        let turning = try graph(length: 4, reverse: false, carries: [type], slices: [type]) { b, h, x, _ in
            [b.add(b.emit(Reverse(dimensions: [0]), h[0]), x[0])]
        }
        let plan = try Engine(threads: 1).plan(for: turning)
        #expect(plan.steps.count >= 4, "\(plan)")
        try expectAsInterpreted(turning, tolerance: 1e-5, wideTolerance: 1e-13)
        let mixing = try graph(length: 4, reverse: false, carries: [type], slices: [type]) { b, h, x, _ in
            [b.add(b.broadcast(b.sum(h[0]), to: [900]), x[0])]
        }
        #expect(try Engine(threads: 1).plan(for: mixing).steps.count >= 4)
        try expectAsInterpreted(mixing, tolerance: 1e-4, wideTolerance: 1e-12)
    }

    @Test func resultsLieWhereWhatFeedsThemLay() throws {
        let b = GraphBuilder()
        let type = TensorType(.f32, [200, 1000])
        let fed = b.dot(
            b.input("x", TensorType(.f32, [200, 3])), b.input("w", TensorType(.f32, [3, 1000])),
            contracting: ([1], [0]))
        let states = try b.scan(carries: [b.input("h", TensorType(.f32, [1000]))], stacked: [fed]) { b, h, x, _ in
            [b.add(b.multiply(h[0], x[0]), x[0])]
        }
        let graph = b.build(outputs: [("y", b.dot(states[0], states[0], contracting: ([0], [0])))])
        let plan = try Engine(threads: 1).plan(for: graph)
        #expect(plan.arenaBytes <= type.elements * 4 + 4096, "\(plan)")
        try expectAsInterpreted(graph, tolerance: 1e-4, wideTolerance: 1e-11, scale: 10)
    }

    @Test func tenThousandStepsAreOneCall() throws {
        let type = TensorType(.f64, [3])
        try expectOneCall(
            graph(length: 10_000, reverse: false, carries: [type], slices: [type]) { b, h, x, _ in
                [b.add(b.scale(h[0], by: 0.5), x[0])]
            })
    }
}
