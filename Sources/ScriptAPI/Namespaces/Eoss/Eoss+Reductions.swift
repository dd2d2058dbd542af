import Graph
import LuaBridge
import Networks

/// Functions that sum up: over some axes, over all, over the last; of tensors and of numbers. Where one of the numbers is nan the
/// result is nan.
extension ScriptHost {
    func addReductions(to eoss: Namespace) {
        for reduction in AxisFunction.all {
            eoss.function(
                reduction.name, reduction.summary,
                parameters: [
                    Self.operand, .optional("axes", .integer(.positive).or(.samples), "An axis, or a list; from 1."),
                ],
                results: [Parameter("result", Operand.type, "Over all axes of numbers a number.")]
            ) { call in
                let axes = try call.shape("axes")?.map { $0 - 1 }
                let rules = Operand.Rules(
                    isElementwise: false, empty: reduction.empty, ofNumbers: axes == nil ? reduction.ofNumbers : nil)
                return try Operand.computed([call.get("x")], "eoss.\(reduction.name)", rules) {
                    try reduction.body($0[0], axes)
                }
            }
        }
        let last: [(String, String, empty: Double?, (Symbolic) throws -> Symbolic)] = [
            ("logsumexp", "log Σ exp over the last axis, without overflow.", -.infinity, { try $0.logSumExp() }),
            ("softmax", "exp(x)/Σ exp(x) over the last axis.", nil, { try $0.softmax() }),
            ("log_softmax", "The logarithm of softmax over the last axis.", nil, { try $0.logSoftmax() }),
        ]
        for (name, summary, empty, body) in last {
            let rules = Operand.Rules(isElementwise: false, empty: empty)
            eoss.function(name, summary, parameters: [Self.operand], results: Self.computed) { call in
                try Operand.computed([call.get("x")], "eoss.\(name)", rules) { try body($0[0]) }
            }
        }
        eoss.function(
            "dot", "The product of vectors and matrices: [out, in]·[in], [n]·[n], [i, k]·[k, j].",
            parameters: [
                Parameter("a", Operand.type, "The left factor."), Parameter("b", Operand.type, "The right factor."),
            ], results: Self.computed
        ) { call in
            try Operand.computed(
                [call.get("a"), call.get("b")], "eoss.dot", .init(isElementwise: false, empty: 0)
            ) { try $0[0].dot($0[1]) }
        }
    }
}

/// A function over axes.
private struct AxisFunction {
    let name: String
    let summary: String
    /// Of no numbers.
    let empty: Double
    let body: (Symbolic, [Int]?) throws -> Symbolic
    /// Of all numbers of a list; nil where `body` does it.
    var ofNumbers: (([Numbers]) -> LuaValue?)?

    static var all: [AxisFunction] {
        [
            AxisFunction(
                name: "sum", summary: "The sum over some axes, or over all.", empty: 0, body: { try $0.sum($1) },
                ofNumbers: ofIntegers { numbers in
                    let sum = numbers.reduce((0 as Int64?)) { sum, number in
                        sum.flatMap { $0.addingReportingOverflow(number).overflow ? nil : $0 &+ number }
                    }
                    return sum
                }),
            AxisFunction(name: "prod", summary: "The product over some axes, or over all.", empty: 1) {
                try $0.product($1)
            },
            AxisFunction(name: "mean", summary: "The mean over some axes, or over all; of no numbers nan.", empty: .nan)
            {
                try $0.mean($1)
            },
            AxisFunction(
                name: "max", summary: "The largest element over some axes, or over all; nan where one is, and of none.",
                empty: .nan, body: { try $0.max($1) }, ofNumbers: ofIntegers { $0.max() }),
            AxisFunction(
                name: "min",
                summary: "The smallest element over some axes, or over all; nan where one is, and of none.",
                empty: .nan, body: { try $0.negated().max($1).negated() }, ofNumbers: ofIntegers { $0.min() }),
            AxisFunction(
                name: "median",
                summary:
                    "The median over some axes, or over all: the element in the middle, or the mean of the two; nan where one is, and of none. Of tensors, and over some axes, at most \(Symbolic.mostOfMedian) elements.",
                empty: .nan, body: { try $0.median($1) }, ofNumbers: median),
            AxisFunction(
                name: "var", summary: "The variance over some axes, or over all: the mean of (x − mean)².", empty: .nan
            ) { try $0.variance($1) },
            AxisFunction(
                name: "std",
                summary:
                    "The standard deviation over some axes, or over all: the root of the mean of (x − mean)². Where all elements are equal its derivatives are taken as 0.",
                empty: .nan
            ) { try $0.standardDeviation($1) },
            AxisFunction(
                name: "norm",
                summary:
                    "The Euclidean norm over some axes, or over all: √Σx², without overflow. Where all elements are 0 its derivatives of every order are taken as 0.",
                empty: 0
            ) { try $0.norm($1) },
        ]
    }

    /// Of an array of i64, whose elements f64 may not hold; nil of others, and where the result is no such number.
    private static func ofIntegers(_ body: @escaping ([Int64]) -> Int64?) -> ([Numbers]) -> LuaValue? {
        { operands in
            guard case .array(let array) = operands[0], array.element == .i64 else { return nil }
            return operands[0].integers.flatMap(body).map { .integer(Int($0)) }
        }
    }

    /// By sorting: a list may have any length.
    private static func median(_ operands: [Numbers]) -> LuaValue? {
        let middle = ofIntegers { $0.count % 2 == 1 ? $0.sorted()[$0.count / 2] : nil }
        if let middle = middle(operands) { return middle }
        let sorted = operands[0].values.sorted()
        let count = sorted.count
        if operands[0].values.contains(where: \.isNaN) { return .number(.nan) }
        return .number(count % 2 == 1 ? sorted[count / 2] : 0.5 * sorted[count / 2 - 1] + 0.5 * sorted[count / 2])
    }
}
