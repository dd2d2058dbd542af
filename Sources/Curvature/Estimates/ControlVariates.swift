/// A drawn value, with numbers drawn along with it whose expectation is known to be 0.
public struct ControlledDraw: Sendable {
    public var value: Double
    /// One number for each control; the same controls in each draw.
    public var controls: [Double]

    public init(value: Double, controls: [Double]) {
        self.value = value
        self.controls = controls
    }

    /// Draws that all have the same number of controls, that of those before if there were any.
    static func checked(_ draws: [ControlledDraw], _ count: inout Int?) throws -> [ControlledDraw] {
        for draw in draws {
            let expected = count ?? draw.controls.count
            guard draw.controls.count == expected else {
                throw CurvatureError.badSetting("a draw has \(draw.controls.count) controls in place of \(expected)")
            }
            count = expected
        }
        return draws
    }
}

/// How much of each control is taken off the values.
public enum ControlCoefficients: Sendable, Equatable {
    /// These multiples, known beforehand: the mean stays unbiased. Where a value is a function of the batch gradient g_B the
    /// multiples of its linear part are known: g_BᵀHg_B has 2 for the control (Hg)ᵀ(g_B − g).
    case given([Double])
    /// The multiples that leave the least variance, by least squares on the draws: a bias of order 1/n.
    case fitted

    /// What controlled draws say of their mean.
    func summary(_ draws: [ControlledDraw]) -> MonteCarlo.Summary {
        switch self {
        case .given(let c):
            MonteCarlo.Summary(mean: draws.map { d in zip(c, d.controls).reduce(d.value) { $0 - $1.0 * $1.1 } })
        case .fitted: MonteCarlo.fit(draws)
        }
    }
}

extension MonteCarlo {
    /// The mean of drawn values by way of control variates: that of value − Σ cⱼ·controlⱼ, which has the same expectation and
    /// the variance that the controls do not explain.
    ///
    /// - Parameter draw: gives so many further draws, independent of those before.
    /// - Throws: as ``mean(_:)``; ``CurvatureError`` where a draw has another number of controls.
    public func mean(
        controls coefficients: ControlCoefficients, _ draw: (Int) throws -> [ControlledDraw]
    ) throws -> Estimate {
        var count: Int?
        if case .given(let given) = coefficients { count = given.count }
        return try estimate {
            try ControlledDraw.checked(draw($0), &count)
        } _: {
            coefficients.summary($0)
        }
    }

    /// The intercept of the regression of the values on the controls, at controls 0, with its textbook error.
    static func fit(_ draws: [ControlledDraw]) -> Summary {
        let n = draws.count
        let values = draws.map(\.value)
        let plain = Summary(mean: values)
        guard let count = draws.first?.controls.count, count > 0, n > count + 2 else { return plain }
        let means = (0..<count).map { j in draws.reduce(0) { $0 + $1.controls[j] } / Double(n) }
        // A control that is constant to rounding explains nothing, and its rounding would pass for leverage.
        let sizes = (0..<count).map { j in draws.reduce(0) { max($0, abs($1.controls[j])) } }
        let spreads = (0..<count).map { j in draws.reduce(0) { max($0, abs($1.controls[j] - means[j])) } }
        let centred = draws.map { d in
            (0..<count).map { spreads[$0] <= 1e-13 * sizes[$0] ? 0 : d.controls[$0] - means[$0] }
        }
        // The normal equations, as count is small, with one more right-hand side: the means, for the error of the intercept.
        var matrix = [[Double]](repeating: Array(repeating: 0, count: count + 2), count: count)
        for (x, y) in zip(centred, values) {
            for i in 0..<count {
                for j in 0..<count { matrix[i][j] += x[i] * x[j] }
                matrix[i][count] += x[i] * (y - plain.value)
            }
        }
        for i in 0..<count { matrix[i][count + 1] = means[i] }
        let solutions = eliminate(matrix)
        let (coefficients, leverage) = (solutions.map(\.first), solutions.map(\.second))
        let rest = zip(centred, values).map { x, y in
            zip(x, coefficients).reduce(y - plain.value) { $0 - $1.0 * $1.1 }
        }
        let summary = Summary(mean: rest)
        let degrees = n - 1 - count
        let squares = rest.reduce(0) { $0 + $1 * $1 }
        let inflation = 1 / Double(n) + zip(means, leverage).reduce(0) { $0 + $1.0 * $1.1 }
        return Summary(
            value: zip(means, coefficients).reduce(plain.value) { $0 - $1.0 * $1.1 },
            error: (squares / Double(degrees) * inflation).squareRoot(), skewness: summary.skewness, degrees: degrees)
    }

    /// Solves a symmetric positive semi-definite system with two right-hand sides in the last columns by elimination along the
    /// diagonal; a control that the others determine gets 0.
    private static func eliminate(_ system: [[Double]]) -> [(first: Double, second: Double)] {
        let count = system.count
        var a = system
        var isFree = [Bool](repeating: false, count: count)
        for k in 0..<count {
            guard a[k][k] > 1e-12 * system[k][k] else {
                isFree[k] = true
                continue
            }
            for i in 0..<count where i != k && !isFree[i] {
                let factor = a[i][k] / a[k][k]
                if factor != 0 { for j in 0..<count + 2 { a[i][j] -= factor * a[k][j] } }
            }
        }
        return (0..<count).map { k in
            let pivot = a[k][k]
            return isFree[k] ? (first: 0.0, second: 0.0) : (first: a[k][count] / pivot, second: a[k][count + 1] / pivot)
        }
    }
}
