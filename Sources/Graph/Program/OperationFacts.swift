/// What passes ask of an operation beside its rules. Each operation answers all of it in its own file; there are no defaults, so
/// that a new one does not compile until it has, and no pass keeps a table of operations that another could contradict.
public struct OperationFacts: Sendable, Hashable {
    /// What it takes to make a result again from its operands instead of keeping it, element by element.
    public enum Remaking: Int, Sendable, Comparable, CaseIterable {
        /// No arithmetic: it repeats, reshapes, or is made of nothing.
        case nothing
        /// An instruction: sums, products, comparisons, choices, signs, conversions.
        case light
        /// A division or a root: several times that.
        case division
        /// A function of the mathematics library: tens of instructions.
        case function
        /// It is kept: contractions, reductions, whatever moves elements from place to place.
        case never

        public static func < (a: Remaking, b: Remaking) -> Bool { a.rawValue < b.rawValue }
    }

    /// What it does with operands and results whose axes are stored in another order than they are numbered.
    public enum Layouts: Sendable, Hashable {
        /// All operands and the result in the same one, whichever it is.
        case same
        /// As its case in ``LayoutRule`` says.
        case ruled
        /// The result is written in any at no cost: it has no operands.
        case made
        /// It takes and gives plain values only.
        case plain
    }

    /// Whether it works on each place alone: all operands and the result have one shape.
    public let isElementwise: Bool
    /// Whether its two operands may be exchanged, to the bit and with the derivative at a tie.
    public let isCommutative: Bool
    public let remaking: Remaking
    public let layouts: Layouts
    /// Whether each element of the result is one of the operand's, at a place that is affine in the result's: who computes with
    /// it can read it where the operand lies.
    public let isView: Bool

    /// Of an operation that is not elementwise.
    public init(remaking: Remaking, layouts: Layouts, isView: Bool = false) {
        self.init(
            isElementwise: false, isCommutative: false, remaking: remaking, layouts: layouts, isView: isView)
    }

    private init(isElementwise: Bool, isCommutative: Bool, remaking: Remaking, layouts: Layouts, isView: Bool) {
        self.isElementwise = isElementwise
        self.isCommutative = isCommutative
        self.remaking = remaking
        self.layouts = layouts
        self.isView = isView
    }

    public static func elementwise(_ remaking: Remaking, isCommutative: Bool = false) -> OperationFacts {
        OperationFacts(
            isElementwise: true, isCommutative: isCommutative, remaking: remaking, layouts: .same, isView: false)
    }
}
