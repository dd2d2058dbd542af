import Compute
import Graph
import Networks

/// An update of parameters and state element by element, in place: a graph that the engine runs as one pass over all of them, by
/// its kernels and threads.
struct ElementwiseUpdate: Sendable {
    /// θ, the state vectors, the gradient and the scalars, as the graph has them.
    struct Terms {
        let theta: Symbolic
        let states: [Symbolic]
        let gradient: Symbolic
        let scalars: [Symbolic]
    }

    private let plan: Plan
    private let count: Int
    private let element: ElementType

    /// - Parameter body: the next parameters, then the next states.
    init(
        like theta: Vector, states: Int, scalars: Int, _ body: (Terms) throws -> [Symbolic]
    ) throws {
        (count, element) = (theta.count, theta.element)
        let builder = GraphBuilder()
        func input(_ name: String, _ shape: [Int]) -> Symbolic {
            Symbolic(builder.input(name, TensorType(theta.element, shape)), in: builder)
        }
        let names = ["theta"] + (0..<states).map { "state\($0)" }
        let vectors = names.map { input($0, [theta.count]) }
        let terms = Terms(
            theta: vectors[0], states: Array(vectors.dropFirst()), gradient: input("gradient", [theta.count]),
            scalars: (0..<scalars).map { input("scalar\($0)", []) })
        let next = try body(terms)
        precondition(next.count == names.count, "an update gives the parameters and each of its states")
        let graph = builder.build(outputs: zip(names, next).map { ("\($0).next", $1.value) })
        plan = try Engine.shared.plan(
            for: graph, donating: Dictionary(uniqueKeysWithValues: names.map { ("\($0).next", $0) }))
    }

    /// Whether it was made for vectors like this one.
    func fits(_ theta: Vector) -> Bool { count == theta.count && element == theta.element }

    /// - Parameters:
    ///   - states: in the element of θ, as many as it was made for.
    ///   - scalars: likewise; rounded to the element of θ.
    /// - Throws: `MemoryError` where a shared vector must be copied and does not fit.
    func callAsFunction(
        _ theta: inout Vector, _ states: inout [Vector], gradient: Vector, _ scalars: [Double]
    ) throws {
        // From here on each vector's memory is its own, and alive to the end of the call.
        try theta.makeUnique()
        for i in states.indices { try states[i].makeUnique() }
        let written = ([theta] + states).map {
            $0.withUnsafeBytes { $0.baseAddress.map(UnsafeMutableRawPointer.init(mutating:)) }
        }
        let read = gradient.withUnsafeBytes { $0.baseAddress }
        guard count > 0, let read else { return }
        let outputs = written.compactMap { $0 }
        var cells = scalars.map { element == .f64 ? $0.bitPattern : UInt64(Float($0).bitPattern) }
        cells.withUnsafeMutableBytes { cells in
            guard let first = cells.baseAddress else { return }
            plan.run(
                inputs: outputs.map { UnsafeRawPointer($0) } + [read]
                    + scalars.indices.map { UnsafeRawPointer(first + 8 * $0) }, outputs: outputs)
        }
        withExtendedLifetime((theta, states, gradient)) {}
    }
}

extension Symbolic {
    /// The quotient, 0 where the divisor is 0: of a gradient that always was 0 by the root of its squares.
    func quotient(by divisor: Symbolic) throws(GraphError) -> Symbolic {
        let isZero = try divisor.compared(.eq, to: divisor.constant(0))
        let zeros = try constant(0).broadcast(to: shape)
        return try zeros.selected(where: isZero, otherwise: self / divisor)
    }
}
