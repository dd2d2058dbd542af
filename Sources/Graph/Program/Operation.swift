/// A primitive: one file under `Ops/` holds all that is known of it.
///
/// Rules write into a builder; they see the operands' and results' values there, so every rule is a few lines of the same
/// operations it differentiates, and derivatives of any order come from applying the transformations again.
public protocol Operation: Hashable, Sendable {
    /// The name it is printed by; StableHLO's where StableHLO has the operation.
    static var mnemonic: String { get }

    /// What passes ask of it beside its rules.
    static var facts: OperationFacts { get }

    /// Attributes as they are printed, empty if there are none.
    var attributes: String { get }

    /// Body graphs; `scan` and `Fusion` alone have any.
    var bodies: [Graph] { get }

    /// The types of the results, or what is wrong with the operands.
    func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType]

    /// What it means: the results' values, by the most obvious code. The interpreter and constant folding use it.
    /// Computed in f64 and rounded once to the results' elements.
    func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor]

    /// Forward derivative: the tangents of the results, `nil` standing for zero.
    /// - Parameter tangents: one for each operand, `nil` where it is zero.
    func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?]

    /// Cotangents of the operands marked linear, given those of the results; `nil` stands for zero.
    /// Called only where the operation is linear in the marked operands jointly.
    func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?]

    /// The second-order term f''[ẋ, ẋ] of the results along the tangents ẋ of the operands; `nil` stands for zero.
    func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?]

    /// The sum over the results of ⟨cotangent, second-order term⟩, a scalar; `nil` stands for zero. Only an operation with a
    /// cheaper way to it than its second-order term has a rule of its own.
    func quadraticTerm(
        at site: Site, along tangents: [Value?], cotangents: [Value?], in b: GraphBuilder
    ) -> Value?

    /// The operation over a batch: operands marked have a leading axis of this size, and so have all results returned.
    func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value]

    /// Writes the operation in StableHLO's textual form.
    func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter)

    /// What one execution costs, for operands and results of these types.
    func cost(operands: [TensorType], results: [TensorType]) -> Cost

    /// The same computation in simpler operations, for those that late passes introduce; `nil` for primitives.
    /// Transformations work on the expansion, so an operation with one needs no rules of its own.
    func expansion(of operands: [TensorType]) -> Graph?
}

/// Where a rule is applied: the operation's operands and results as values of the builder that the rule writes into.
/// In `transpose` operands marked linear have no value of their own; their types are in `operandTypes`, and results have none.
public struct Site: Sendable {
    public let operands: [Value?]
    public let operandTypes: [TensorType]
    public let results: [Value]
    public init(operands: [Value?], operandTypes: [TensorType], results: [Value]) {
        self.operands = operands
        self.operandTypes = operandTypes
        self.results = results
    }

    /// An operand that has a value: any outside `transpose`, and the point's there.
    public subscript(operand: Int) -> Value {
        guard let value = operands[operand] else {
            preconditionFailure("operand \(operand) is linear: it has no value")
        }
        return value
    }

    /// The only result.
    public var result: Value { results[0] }
}

extension Operation {
    /// Whether it works on each place alone: all operands and the result have one shape.
    public static var isElementwise: Bool { facts.isElementwise }
    public var facts: OperationFacts { Self.facts }
    public var attributes: String { "" }
    public var bodies: [Graph] { [] }
    public var mnemonic: String { Self.mnemonic }

    public func isEqual(to other: any Operation) -> Bool { (other as? Self) == self }

    /// Zero: operations that are constant almost everywhere, or have no operands.
    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] { [nil] }

    /// No rule: `linearize` writes linear operations alone into its linear part, and these have one.
    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        preconditionFailure("\(Self.mnemonic) is not linear in operands \(linear)")
    }

    /// Zero: operations that are linear, or piecewise so.
    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] { [nil] }

    public func quadraticTerm(
        at site: Site, along tangents: [Value?], cotangents: [Value?], in b: GraphBuilder
    ) -> Value? {
        b.inner(cotangents, secondOrder(at: site, along: tangents, in: b))
    }

    /// `stablehlo.<mnemonic> %a, %b : type`, the form of operations whose operands and result have one type.
    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.\(Self.mnemonic) \(site.operands.joined(separator: ", "))"
                + " : \(writer.spell(site.resultType))")
    }

    /// Reads the operands and writes the results.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        Cost(elements: (operands + results).reduce(0) { $0.addingSaturated($1.count) })
    }

    public func expansion(of operands: [TensorType]) -> Graph? { nil }

    /// Throws unless there are so many operands.
    package func expect(_ count: Int, of operands: [TensorType]) throws(GraphError) {
        if operands.count != count {
            throw GraphError("\(Self.mnemonic) takes \(count) operand\(count == 1 ? "" : "s"), not \(operands.count)")
        }
    }
}
