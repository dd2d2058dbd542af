import Compute
import Graph
import Networks
import Synchronization

/// What is done with a gradient, element by element or tensor by tensor: the next parameters and the next state of each, from the present
/// ones and its part of the gradient. One for each kind of rule: its settings are scalars of a step.
///
/// Traced over symbolic tensors, it becomes one program with the gradient of an objective (`Objective.step`).
public final class ElementwiseUpdate: Sendable {
    /// Vectors as long as θ and in its elements, beside it.
    public let states: [String]
    /// Settings of a step, in the elements of θ, or in f64 where there are numbers.
    public let scalars: [String]
    /// State that is one number for all elements, in f64.
    public let numbers: [String]
    /// Whether what becomes of an element depends on the others of its parameter, and on the parameter's shape.
    public let isByTensor: Bool

    /// Tensors of one shape, and scalars.
    public struct Terms {
        public let theta: Symbolic
        public let gradient: Symbolic
        public let states: [Symbolic]
        public let scalars: [Symbolic]
    }
    /// What concerns all elements together, in f64.
    public struct Whole {
        /// ‖g‖².
        public let squaredNorm: Symbolic
        public let numbers: [Symbolic]
        public let scalars: [Symbolic]
    }

    private let whole: (@Sendable (Whole) throws -> (scalars: [Symbolic], numbers: [Symbolic]))?
    private let body: @Sendable (Terms) throws -> [Symbolic]

    /// - Parameters:
    ///   - isByTensor: whether `body` is to see each parameter whole, in its shape.
    ///   - body: the next parameters, then the next states.
    public init(
        states: [String] = [], scalars: [String], isByTensor: Bool = false,
        _ body: @escaping @Sendable (Terms) throws -> [Symbolic]
    ) {
        self.states = states
        self.scalars = scalars
        self.isByTensor = isByTensor
        self.body = body
        (numbers, whole) = ([], nil)
    }

    /// An update that needs the length of the gradient before it moves anything.
    /// - Parameters:
    ///   - whole: scalars for the body, in place of those of the step, and the next numbers.
    ///   - body: as above.
    public init(
        states: [String] = [], scalars: [String], numbers: [String],
        whole: @escaping @Sendable (Whole) throws -> (scalars: [Symbolic], numbers: [Symbolic]),
        _ body: @escaping @Sendable (Terms) throws -> [Symbolic]
    ) {
        self.states = states
        self.scalars = scalars
        self.numbers = numbers
        isByTensor = false
        self.whole = whole
        self.body = body
    }

    /// θ ← θ − ηg; the scalar is η.
    public static let descent = ElementwiseUpdate(scalars: ["rate"]) { x in
        [try x.theta - x.scalars[0] * x.gradient]
    }
}

extension ElementwiseUpdate {
    /// The same update of a point that is kept beside θ, by the gradient at θ: its last state, which stays as it is. What SAM, and all that
    /// look ahead, do at the end of a step.
    public var fromOrigin: ElementwiseUpdate {
        Self.fromOrigins.withLock { known in
            if let made = known[ObjectIdentifier(self)] { return made.update }
            let made: ElementwiseUpdate
            let body = body
            let kept: @Sendable (Terms) throws -> [Symbolic] = { x in
                guard let origin = x.states.last else { preconditionFailure("a state that is kept beside the others") }
                return try body(
                    Terms(
                        theta: origin, gradient: x.gradient, states: Array(x.states.dropLast()), scalars: x.scalars))
                    + [origin]
            }
            if let whole {
                made = ElementwiseUpdate(
                    states: states + ["origin"], scalars: scalars, numbers: numbers, whole: whole, kept)
            } else {
                made = ElementwiseUpdate(
                    states: states + ["origin"], scalars: scalars, isByTensor: isByTensor, kept)
            }
            // With what it was made of, whose address is its name.
            known[ObjectIdentifier(self)] = (self, made)
            return made
        }
    }

    private static let fromOrigins = Mutex<[ObjectIdentifier: (of: ElementwiseUpdate, update: ElementwiseUpdate)]>([:])
}

/// Each is one of its own: the body is code.
extension ElementwiseUpdate: Hashable {
    public static func == (a: ElementwiseUpdate, b: ElementwiseUpdate) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension ElementwiseUpdate {
    /// The element of the scalars' inputs, for parameters of this element.
    func scalarElement(_ element: ElementType) -> ElementType { whole == nil ? element : .f64 }

    /// What parameters, states and numbers become.
    /// - Parameters:
    ///   - theta: parts of θ.
    ///   - gradient: of the same parts, in the same order.
    ///   - states: for each state, of the same parts.
    func next(
        theta: [Value], gradient: [Value], states: [[Value]], scalars: [Value], numbers: [Value],
        in builder: GraphBuilder
    ) throws -> (theta: [Value], states: [[Value]], numbers: [Value]) {
        func symbolic(_ value: Value) -> Symbolic { Symbolic(value, in: builder) }
        var (given, nextNumbers) = (scalars.map(symbolic), [Value]())
        if let whole, let first = theta.first {
            let made = try whole(
                Whole(
                    squaredNorm: innerProduct(gradient, gradient, in: builder), numbers: numbers.map(symbolic),
                    scalars: given))
            given = try made.scalars.map { try $0.converted(to: builder.type(of: first).element) }
            nextNumbers = made.numbers.map(\.value)
        }
        var (next, nextStates) = ([Value](), states.map { _ in [Value]() })
        for part in theta.indices {
            let results = try body(
                Terms(
                    theta: symbolic(theta[part]), gradient: symbolic(gradient[part]),
                    states: states.map { symbolic($0[part]) }, scalars: given))
            precondition(results.count == 1 + states.count, "an update gives the parameters and each of its states")
            next.append(results[0].value)
            for (state, result) in results.dropFirst().enumerated() { nextStates[state].append(result.value) }
        }
        return (next, nextStates, nextNumbers)
    }
}

/// The state of an update beside the parameters: empty before its first step.
public struct UpdateState: Sendable {
    /// For each of the update's states.
    public var vectors: [Vector] = []
    public var numbers: [Double] = []
    /// Steps taken.
    public var steps = 0
    /// Of a rule that is made of several: the states of the others.
    public var inner: [UpdateState] = []
    /// What the vectors and numbers are called, where the rule does not know them by their places.
    public var vectorNames: [String] = []
    public var numberNames: [String] = []

    public init() {}
}
