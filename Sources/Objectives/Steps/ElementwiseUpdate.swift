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

    /// What leads to the point at which the gradient is taken, where that is not θ, and what is done with the gradient.
    let ahead: (ascent: ElementwiseUpdate, update: ElementwiseUpdate)?

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
        (numbers, whole, ahead) = ([], nil, nil)
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
        ahead = nil
    }

    private init(_ update: ElementwiseUpdate, ahead ascent: ElementwiseUpdate) {
        (states, numbers, isByTensor) = (update.states, update.numbers, update.isByTensor)
        scalars = ascent.scalars.map { "ahead \($0)" } + update.scalars
        (whole, body) = (update.whole, update.body)
        ahead = (ascent, update)
    }

    /// θ ← θ − ηg; the scalar is η.
    public static let descent = ElementwiseUpdate(scalars: ["rate"]) { x in
        [try x.theta - x.scalars[0] * x.gradient]
    }
}

extension ElementwiseUpdate {
    /// The same update of θ, by the gradient of the batch at another point: where `ascent` leads from θ by the gradient there. What SAM
    /// does. The ascent's scalars come first; it has neither state nor numbers.
    public func byGradient(at ascent: ElementwiseUpdate) -> ElementwiseUpdate {
        precondition(ascent.states.isEmpty && ascent.numbers.isEmpty && ahead == nil, "one step ahead, without a state")
        return Self.lookingAhead.withLock { known in
            let key = [ObjectIdentifier(self), ObjectIdentifier(ascent)]
            if let made = known[key] { return made }
            let made = ElementwiseUpdate(self, ahead: ascent)
            known[key] = made
            return made
        }
    }

    /// With what each was made of, whose addresses are its name.
    private static let lookingAhead = Mutex<[[ObjectIdentifier]: ElementwiseUpdate]>([:])
}

/// Each is one of its own: the body is code.
extension ElementwiseUpdate: Hashable {
    public static func == (a: ElementwiseUpdate, b: ElementwiseUpdate) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension ElementwiseUpdate {
    /// The element of the scalars' inputs, for parameters of this element.
    func scalarElement(_ element: ElementType) -> ElementType {
        whole == nil && ahead?.ascent.whole == nil ? element : .f64
    }

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
        guard let element = theta.first.map({ builder.type(of: $0).element }) else { return ([], states, numbers) }
        let own = scalarElement(element)
        var (given, nextNumbers) = (scalars.map { symbolic(builder.convert($0, to: own)) }, [Value]())
        if let whole {
            let made = try whole(
                Whole(
                    squaredNorm: innerProduct(gradient, gradient, in: builder), numbers: numbers.map(symbolic),
                    scalars: given))
            given = try made.scalars.map { try $0.converted(to: element) }
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
