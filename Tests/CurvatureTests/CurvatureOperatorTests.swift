import Compute
import Graph
import Networks
import Objectives
import Testing

@testable import Curvature

@Suite struct CurvatureOperators {
    private struct Samples: SampleSource {
        let count = 9
        let inputShape = [3]
        let targetShape = [2]
        private let inputs: Vector
        private let targets: Vector

        init() throws {
            var stream = RandomStream(seed: 1, purpose: .test)
            inputs = try Vector.randomNormal(count: 27, element: .f64, stream: &stream)
            targets = try Vector.randomNormal(count: 18, element: .f64, stream: &stream)
        }

        func rows(as elements: SampleElements) throws -> (inputs: UnsafeRawPointer, targets: UnsafeRawPointer) {
            // Constants held by this value: their memory stays where it is.
            (inputs.withUnsafeBytes { $0.baseAddress! }, targets.withUnsafeBytes { $0.baseAddress! })
        }
    }

    private func problem() throws -> (oracle: Oracle, theta: Vector) {
        let model = try Model.multilayerPerceptron(
            inputShape: [3], hidden: [4], outputs: 2, activation: .tanh, initScale: 1, seed: 2, element: .f64)
        return (try Oracle(objective: Objective(model: model, loss: .mse), samples: Samples()), model.initial)
    }

    /// Of a convex loss no matrix but the Hessian has negative eigenvalues, up to
    /// rounding.
    @Test(arguments: CurvatureMatrix.allCases) func productsFormsAndWorkAgree(_ kind: CurvatureMatrix) throws {
        let (oracle, theta) = try problem()
        let matrix = CurvatureOperator(kind, of: oracle, at: theta, over: .indices([0, 3, 4, 8]))
        #expect(matrix.matrix == kind && matrix.dimension == theta.count && matrix.element == .f64)
        var stream = RandomStream(seed: 3, purpose: .test)
        let vectors = try (0..<3).map { _ in
            try Vector.randomNormal(count: theta.count, element: .f64, stream: &stream)
        }
        let work = try #require(matrix.productWork)
        #expect(work > 0 && oracle.work == 0)
        // Before there is a product and after: by its own sweep.
        let before = try matrix.quadratic(block: vectors)
        let products = try matrix.apply(block: vectors)
        let after = try matrix.quadratic(block: vectors)
        #expect(matrix.products == 9 && matrix.productWork == work)
        for index in vectors.indices {
            let (form, scale) = (
                try vectors[index].dot(products[index]), vectors[index].norm() * products[index].norm()
            )
            #expect(abs(before[index] - form) < 1e-13 * scale && abs(after[index] - form) < 1e-13 * scale)
            if kind != .hessian { #expect(form > -1e-13 * scale) }
        }
    }

    /// In evaluation mode a matrix is a function of the running statistics too, which training goes on to change.
    @Test func theRunningStatisticsOfItsMomentAreKept() throws {
        let model = try Model(
            name: "normalised", element: .f64,
            parameters: [
                .init(name: "a", shape: [4, 3], initializer: .normal(std: 0.6)),
                .init(name: "b", shape: [2, 4], initializer: .normal(std: 0.6)),
            ], statistics: [.init(name: "bn", shape: [4])], inputShape: [3], seed: 1
        ) { x, p, statistics in
            let z = try p[0].dot(x)
            let (mean, variance) = try statistics.moments("bn", of: z, over: [])
            return try p[1].dot(((z - mean) / (variance + 1e-5).sqrt()).tanh())
        }
        let oracle = try Oracle(objective: Objective(model: model, loss: .mse), samples: Samples(), use: .running)
        let theta = model.initial
        let (late, early) = (
            CurvatureOperator(.ggn, of: oracle, at: theta), CurvatureOperator(.ggn, of: oracle, at: theta)
        )
        let (product, form) = (try early.apply(theta), try early.quadratic(theta))
        try oracle.running.assign(try Vector([1, 2, 3, 4, 5, 6, 7, 8], element: .f64))
        #expect(try late.quadratic(theta) == form)
        #expect(try late.apply(theta).hasSameBits(as: product))
        #expect(try CurvatureOperator(.ggn, of: oracle, at: theta).quadratic(theta) != form)
    }

    @Test func vectorsOfOtherModelsAreRefused() throws {
        let (oracle, theta) = try problem()
        let short = try Vector([1, 2, 3], element: .f64)
        let matrix = CurvatureOperator(.ggn, of: oracle, at: theta)
        for work in [
            { _ = try matrix.apply(short) }, { _ = try matrix.apply(block: [theta, short]) },
            { _ = try matrix.quadratic(short) }, { _ = try matrix.apply(theta.converted(to: .f32)) },
            { _ = try CurvatureOperator(of: oracle, at: short).apply(theta) },
        ] as [() throws -> Void] {
            let error = #expect(throws: GraphError.self) { try work() }
            #expect("\(try #require(error))".contains("\(theta.count) parameters"))
        }
    }
}
