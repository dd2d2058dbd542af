import Compute
import Foundation
import Graph
import Testing

@testable import Curvature

/// A matrix during whose n-th product, and at no other time, somebody asks for the end.
private final class Interrupting: LinearOperator {
    private let matrix: KnownSpectrum
    private let cancellation: Cancellation
    private let last: Int
    private var products = 0

    init(_ matrix: KnownSpectrum, _ cancellation: Cancellation, after last: Int) {
        self.matrix = matrix
        self.cancellation = cancellation
        self.last = last
    }

    var dimension: Int { matrix.dimension }
    var element: ElementType { matrix.element }

    func apply(_ v: Vector) throws -> Vector {
        products += 1
        if products == last { cancellation.request() }
        return try matrix.apply(v)
    }
}

@Suite struct CancellationTests {
    private static let eigenvalues = (0..<300).map { 100 * exp(-0.02 * Double($0)) }

    /// What `body` makes of a matrix that is interrupted in its n-th product.
    private func interrupted<Result>(
        after products: Int, keeps: Bool = true, _ body: (any LinearOperator, inout RandomStream) throws -> Result
    ) throws -> Result {
        let cancellation = Cancellation()
        let matrix = Interrupting(try KnownSpectrum(Self.eigenvalues), cancellation, after: products)
        var stream = RandomStream(seed: 3, purpose: .vector)
        return try Cancellation.$current.withValue(cancellation) {
            try Cancellation.$keepsUnfinished.withValue(keeps) { try body(matrix, &stream) }
        }
    }

    /// Rayleigh quotients never exceed the largest eigenvalue, and an eigenvalue lies within the residual of each.
    @Test(arguments: [EigenSolver.lanczos, .lobpcg])
    func aSolveThatIsCancelledGivesWhatItHasFound(solver: EigenSolver) throws {
        let pairs = try interrupted(after: 12) {
            try topEigenpairs(of: $0, k: 2, tolerance: 1e-9, solver: solver, stream: &$1)
        }
        #expect(!pairs.isFinished && !pairs.converged && pairs.values.count == 2)
        let matrix = try KnownSpectrum(Self.eigenvalues)
        for i in 0..<2 {
            #expect(pairs.values[i] <= Self.eigenvalues[i] * (1 + 1e-12))
            let away = try (matrix.apply(pairs.vectors[i]) - pairs.values[i] * pairs.vectors[i]).norm()
            #expect(abs(away - pairs.residuals[i]) <= 1e-8 * 100, "rounding of f64 at norm 100")
            #expect(Self.eigenvalues.contains { abs($0 - pairs.values[i]) <= pairs.residuals[i] + 1e-9 })
        }
        #expect(throws: Cancelled.self) {
            try interrupted(after: 12, keeps: false) {
                try topEigenpairs(of: $0, k: 2, tolerance: 1e-9, solver: solver, stream: &$1)
            }
        }
        #expect(throws: Cancelled.self, "no values for the last ones yet") {
            try interrupted(after: 1) { try topEigenpairs(of: $0, k: 10, solver: .lanczos, stream: &$1) }
        }
    }

    /// Samples come in chunks of 4: what is known when the tenth product is interrupted are the first 12, and of them the
    /// estimate says what one over 12 samples says.
    @Test func anEstimateThatIsCancelledIsThatOfItsSamples() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 100, maxSamples: 100, chunk: 4)
        let cut = try interrupted(after: 10) { try trace(of: $0, samples: rule, stream: &$1) }
        #expect(!cut.isFinished && cut.samples == 12 && cut.products == 12)
        let short = try MonteCarlo(relativeError: 0, minSamples: 12, maxSamples: 12, chunk: 4)
        let whole = try interrupted(after: 1000) { try trace(of: $0, samples: short, stream: &$1) }
        #expect(whole.isFinished && cut.value == whole.value && cut.standardError == whole.standardError)
        #expect(throws: Cancelled.self) {
            try interrupted(after: 10, keeps: false) { try trace(of: $0, samples: rule, stream: &$1) }
        }
    }

    /// Conjugate gradients that are cancelled stand where so many products have brought them: where a solve ends that may take one more,
    /// for the true residual.
    @Test(arguments: [2, 3, 9]) func aSystemThatIsCancelledIsSolvedSoFar(products: Int) throws {
        func solved(after last: Int, keeps: Bool = true, most: Int) throws -> LinearSolution {
            try interrupted(after: last, keeps: keeps) { matrix, stream in
                try solve(
                    matrix, Vector.randomNormal(count: 300, element: .f64, stream: &stream), damping: 1,
                    tolerance: 1e-9, maxProducts: most)
            }
        }
        let cut = try solved(after: products, most: 1000)
        let short = try solved(after: 10_000, most: cut.products + 1)
        #expect(!cut.isFinished && !cut.converged && short.isFinished && cut.products <= products)
        #expect(cut.x.hasSameBits(as: short.x) && abs(cut.residual / short.residual - 1) < 1e-9)
        #expect(throws: Cancelled.self) { try solved(after: products, keeps: false, most: 1000) }
    }

    @Test func otherEstimatesSayThatTheyAreUnfinished() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 100, maxSamples: 100, chunk: 4)
        let diagonal = try interrupted(after: 10) { try Curvature.diagonal(of: $0, samples: rule, stream: &$1) }
        #expect(!diagonal.isFinished && diagonal.samples == 12)
        let density = try interrupted(after: 30) { try spectralDensity(of: $0, vectors: 3, steps: 40, stream: &$1) }
        #expect(!density.isFinished && density.nodes.allSatisfy { $0.count == 10 })
        for sum in density.weights.map({ $0.reduce(0, +) }) { #expect(abs(sum - 1) < 1e-12) }
        let precise = try MonteCarlo(relativeError: 1e-9, minSamples: 24, maxSamples: 200, chunk: 4)
        let xtrace = try interrupted(after: 40) { try trace(of: $0, method: .xtrace, samples: precise, stream: &$1) }
        #expect(!xtrace.isFinished && xtrace.samples >= 12 && xtrace.value.isFinite)
    }
}
