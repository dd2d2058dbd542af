/// A primitive: one file under `Ops/` holds all that is known of it.
///
/// Rules write into a builder; they see the operands' and results' values there, so every rule is a few lines of the same
/// operations it differentiates, and derivatives of any order come from applying the transformations again.
public protocol Operation: Hashable, Sendable {
    /// The name it is printed by; StableHLO's where StableHLO has the operation.
    static var mnemonic: String { get }

    /// Attributes as they are printed, empty if there are none.
    var attributes: String { get }

    /// Body graphs; `scan` alone has any.
    var bodies: [Graph] { get }

    /// The types of the results, or what is wrong with the operands.
    func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType]

    /// Forward derivative: the tangents of the results, `nil` standing for zero.
    /// - Parameter tangents: one for each operand, `nil` where it is zero.
    func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?]

    /// Cotangents of the operands marked linear, given those of the results; `nil` stands for zero.
    /// Called only where the operation is linear in the marked operands jointly.
    func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?]

    /// The second-order term f''[ẋ, ẋ] of the results along the tangents ẋ of the operands; `nil` stands for zero.
    func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?]

    /// The operation over a batch: operands marked have a leading axis of this size, and so have all results returned.
    func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value]
}

/// Where a rule is applied: the operation's operands and results as values of the builder that the rule writes into.
/// In `transpose` operands marked linear have no value of their own; their types are in `operandTypes`.
public struct Site: Sendable {
    public let operands: [Value?]
    public let operandTypes: [TensorType]
    public let results: [Value]
    public init(operands: [Value?], operandTypes: [TensorType], results: [Value]) {
        self.operands = operands
        self.operandTypes = operandTypes
        self.results = results
    }
}

extension Operation {
    public var attributes: String { "" }
    public var bodies: [Graph] { [] }

    public func isEqual(to other: any Operation) -> Bool { (other as? Self) == self }
}
