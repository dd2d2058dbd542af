import Compute
import Curvature
import Foundation
import Networks
import Objectives

/// What is known of some parameters: of one tensor, or of all of one layer.
public struct LayerMeasures: Sendable {
    /// `layers.0.weight`, or `layers.0`.
    public let name: String
    /// Of one tensor; nil for several.
    public let shape: [Int]?
    public let count: Int
    /// ‖θ_l‖ and ‖∇_l L‖.
    public let weightNorm: Double
    public let gradientNorm: Double
    /// The trace of the diagonal block of the Hessian.
    public let trace: Estimate
    /// Its largest eigenvalue, and ‖Hv − λv‖ of the unit vector that belongs to it.
    public let lambdaMax: Double
    public let residual: Double
    /// Products with the Hessian and quadratic forms that the two took.
    public let products: Int
    public let converged: Bool
}

/// A line for each tensor or layer of a model. Shown, it is a table.
public struct LayerTable: Sendable {
    public let rows: [LayerMeasures]
    /// At which step, and what the table is of.
    public let step: Int

    /// The sum of the traces: that of the Hessian where the rows are all parameters. The random vectors of each are its own, so
    /// the errors are independent.
    public var trace: Estimate {
        let error = rows.reduce(0) { $0 + $1.trace.standardError * $1.trace.standardError }.squareRoot()
        return Estimate(
            value: rows.reduce(0) { $0 + $1.trace.value }, standardError: error,
            samples: rows.reduce(0) { $0 + $1.trace.samples })
    }
}

extension LayerTable: CustomStringConvertible {
    public var description: String {
        func figure(_ x: Double) -> String { String(format: "%.4g", x) }
        func error(_ estimate: Estimate) -> String {
            estimate.standardError == 0 ? "exact" : String(format: "± %.1g", estimate.standardError)
        }
        func norm(_ value: (LayerMeasures) -> Double) -> Double {
            rows.reduce(0) { $0 + value($1) * value($1) }.squareRoot()
        }
        var lines = [["step \(step)", "shape", "count", "|w|", "|g|", "trace", "", "lambda_max", "residual"]]
        for row in rows {
            lines.append([
                row.name, row.shape.map { $0.map(String.init).joined(separator: "×") } ?? "", "\(row.count)",
                figure(row.weightNorm), figure(row.gradientNorm), figure(row.trace.value), error(row.trace),
                figure(row.lambdaMax) + (row.converged ? "" : " (not converged)"), String(format: "%.1g", row.residual),
            ])
        }
        if rows.count > 1 {
            lines.append([
                "all", "", "\(rows.reduce(0) { $0 + $1.count })", figure(norm(\.weightNorm)),
                figure(norm(\.gradientNorm)), figure(trace.value), error(trace), "", "",
            ])
        }
        return aligned(lines)
    }
}

extension Run {
    /// What a line of a ``LayerTable`` is of.
    public enum LayerGrouping: String, Sendable, CaseIterable {
        /// One tensor: `layers.0.weight`.
        case parameter
        /// The tensors whose names agree up to the last point: `layers.0`.
        case layer
    }

    /// For each tensor, or layer: norms of parameters and gradient, and trace and largest eigenvalue of the diagonal block of the
    /// Hessian. Nothing of the run changes by it.
    /// - Parameters:
    ///   - grouping: what a line is of.
    ///   - block: of these parameters only; nil for all.
    ///   - oracle: with the statistics that are asked for.
    ///   - point: θ.
    ///   - tolerance: the relative accuracy of eigenvalues.
    ///   - samples: when the estimate of a trace has enough random vectors.
    ///   - stream: random vectors, of traces and starts.
    /// - Throws: `CurvatureError.notFinite` where the Hessian is not, and `Cancelled`: half a table is none.
    public func layers(
        by grouping: LayerGrouping = .parameter, block: ParameterBlock? = nil, of oracle: Oracle, at point: Vector,
        over selection: BatchSelection = .all, tolerance: Double = 0.01, samples: MonteCarlo, stream: RandomStream
    ) throws -> LayerTable {
        let layout = objective.model.layout
        var groups: [(name: String, entries: [ParameterLayout.Entry])] = []
        for entry in block?.entries ?? layout.entries {
            let words = entry.name.split(separator: ".", omittingEmptySubsequences: false)
            let layer = words.count > 1 ? words.dropLast().joined(separator: ".") : entry.name
            let name = grouping == .parameter ? entry.name : layer
            if let index = groups.firstIndex(where: { $0.name == name }) {
                groups[index].entries.append(entry)
            } else {
                groups.append((name, [entry]))
            }
        }
        let gradient = try oracle.gradient(at: point, over: selection).gradient
        let hessian = CurvatureOperator(of: oracle, at: point, over: selection)
        var stream = stream
        let rows = try groups.map { name, entries in
            let matrix = try hessian.restricted(to: entries.map { $0.offset..<$0.offset + $0.count })
            let before = hessian.products
            let (trace, pairs) = try naming("run:layers", self) {
                let trace = try Curvature.trace(of: matrix, samples: samples, stream: &stream)
                guard trace.value.isFinite else { throw CurvatureError.notFinite(what: "the trace of '\(name)'") }
                // Few dimensions are solved to rounding by no more products than there are.
                let isSmall = matrix.dimension <= EigenCache.fewDimensions
                let tolerance = isSmall ? min(tolerance, matrix.element == .f32 ? 1e-6 : 1e-12) : tolerance
                return (trace, try topEigenpairs(of: matrix, k: 1, tolerance: tolerance, stream: &stream))
            }
            guard trace.isFinished, pairs.isFinished else { throw Cancelled() }
            return LayerMeasures(
                name: name, shape: entries.count == 1 ? entries[0].shape : nil, count: matrix.dimension,
                weightNorm: try matrix.restrict(point).norm(), gradientNorm: try matrix.restrict(gradient).norm(),
                trace: trace, lambdaMax: pairs.values[0], residual: pairs.residuals[0],
                products: hessian.products - before, converged: pairs.converged)
        }
        return LayerTable(rows: rows, step: step)
    }
}
