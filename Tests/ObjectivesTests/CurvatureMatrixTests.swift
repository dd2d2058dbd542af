import Compute
import SmallNetworks
import Testing

@testable import Graph
@testable import Networks
@testable import Objectives

/// Products with curvature matrices against matrices written out, in f64.
@Suite struct CurvatureMatrices {
    private func unit(_ index: Int, _ count: Int) throws -> Vector {
        var values = [Double](repeating: 0, count: count)
        values[index] = 1
        return try Vector(values, element: .f64)
    }

    private func columns(_ product: LinearizedProduct, _ count: Int) throws -> [[Double]] {
        try (0..<count).map { try product.apply(unit($0, count)).values }
    }

    private func norm(_ columns: [[Double]]) -> Double {
        columns.reduce(0) { $0 + dot($1, $1) }.squareRoot()
    }

    private func difference(_ a: [[Double]], _ b: [[Double]]) -> Double {
        norm(zip(a, b).map { moved($0, -1, $1) })
    }

    /// The reference has an error of 1e-10 of the functions' size, with a factor of a hundred for the sums.
    @Test(arguments: DenseCurvature.all, CurvatureMatrix.allCases)
    func productsAreThoseOfTheMatrixWrittenOut(_ problem: DenseCurvature, _ matrix: CurvatureMatrix) throws {
        let (oracle, theta) = try problem.make()
        let expected = try problem.dense(matrix, oracle, theta)
        let linearized = try oracle.linearize(matrix, at: theta)
        let columns = try columns(linearized, theta.count)
        #expect(difference(columns, expected) < 1e-8 * norm(expected))
        let transposed = columns.indices.map { row in columns.map { $0[row] } }
        #expect(difference(columns, transposed) < 1e-12 * norm(columns))
    }

    /// vᵀAv by its own forward sweep, at once or over other chunks.
    @Test(
        arguments: [
            DenseCurvature.Kind.crossEntropy, .function, .convolutional, .ghostBatches, .runningStatistics,
            .maskedPlaces,
        ].map(DenseCurvature.init), CurvatureMatrix.allCases)
    func quadraticFormsAndChunksAgreeWithProducts(_ problem: DenseCurvature, _ matrix: CurvatureMatrix) throws {
        let (oracle, theta) = try problem.make()
        let cut = try problem.make(chunk: 5).oracle
        var stream = RandomStream(seed: 9, purpose: .test)
        let v = try Vector.randomNormal(count: theta.count, element: .f64, stream: &stream)
        let linearized = try oracle.linearize(matrix, at: theta)
        let product = try linearized.apply(v)
        #expect(try relativeDifference(cut.linearize(matrix, at: theta).apply(v), product) < 1e-12)
        let scale = v.norm() * product.norm()
        let form = try v.dot(product)
        #expect(abs(try oracle.quadratic(matrix, at: theta, along: v) - form) < 1e-12 * scale)
        #expect(abs(try cut.quadratic(matrix, at: theta, along: v) - form) < 1e-12 * scale)
        #expect(abs(try linearized.quadratic(block: [v])[0] - form) < 1e-12 * scale)
        #expect(linearized.matrix == matrix)
    }

    /// For `mse` the second derivative of the loss by the outputs is 2I.
    @Test func ofMSETheGaussNewtonMatrixIsTwiceTheTangentKernel() throws {
        let problem = try Problem(.silu, loss: .mse)
        let v = try problem.direction(1)
        let ggn = try problem.oracle.linearize(.ggn, at: problem.theta).apply(v)
        let ntk = try problem.oracle.linearize(.ntk, at: problem.theta).apply(v)
        #expect(try relativeDifference(ggn, 2 * ntk) < 1e-14)
    }

    /// The Hessian of a model that is linear in its parameters, for every loss and one that is given as a function.
    @Test func ofALinearModelTheGaussNewtonMatrixIsTheHessian() throws {
        for loss in LossName.allCases + [nil] {
            let outputs = loss == .binaryCrossEntropy ? 1 : 3
            let model = try Model.multilayerPerceptron(
                inputShape: [5], hidden: [], outputs: outputs, activation: .tanh, initScale: 1, seed: 3, element: .f64)
            let objective =
                try loss.map { try Objective(model: model, loss: $0) }
                ?? Objective(model: model, lossName: "function") { try ($0 * $1).exp().sum() }
            let samples = try RandomSamples(count: 7, inputs: 5, outputs: outputs, oneHot: loss == .crossEntropy)
            let oracle = try Oracle(objective: objective, samples: samples)
            var stream = RandomStream(seed: 2, purpose: .test)
            let v = try Vector.randomNormal(count: model.layout.count, element: .f64, stream: &stream)
            let ggn = try oracle.linearize(.ggn, at: model.initial).apply(v)
            #expect(try relativeDifference(ggn, oracle.linearize(at: model.initial).apply(v)) < 1e-13)
        }
    }

    /// Power sums of eigenvalues, tr Aᵏ: those of the small matrix are those of the large one.
    @Test(arguments: [
        DenseCurvature.Kind.crossEntropy, .convolutional, .recurrent, .maskedSamples, .maskedPlaces, .runningStatistics,
    ])
    func gramMatricesHaveTheSpectraOfFisherAndTangentKernel(_ kind: DenseCurvature.Kind) throws {
        let (oracle, theta) = try DenseCurvature(kind: kind).make()
        for (matrix, gram) in [
            (CurvatureMatrix.fisher, try oracle.gradientGram(at: theta, weighted: true)),
            (.ntk, try oracle.jacobianGram(at: theta, weighted: true)),
        ] {
            let large = try columns(oracle.linearize(matrix, at: theta), theta.count)
            let n = Int(Double(gram.count).squareRoot())
            let small = (0..<n).map { row in Array(gram[row * n..<(row + 1) * n]) }
            for (a, b) in zip(powerSums(small), powerSums(large)) { #expect(abs(a - b) < 1e-12 * abs(b)) }
        }
    }

    private func powerSums(_ matrix: [[Double]]) -> [Double] {
        var power = matrix
        var sums: [Double] = []
        for _ in 0..<4 {
            sums.append(power.indices.reduce(0) { $0 + power[$1][$1] })
            power = power.map { row in matrix.map { dot(row, $0) } }
        }
        return sums
    }

    /// tr F = Σ ωᵢ‖gᵢ‖², and Σ ωᵢgᵢ is the gradient of the loss.
    @Test func theTraceOfTheFisherMatrixIsTheMeanSquaredGradient() throws {
        for kind in [DenseCurvature.Kind.crossEntropy, .maskedPlaces] {
            let (oracle, theta) = try DenseCurvature(kind: kind).make()
            let fisher = try columns(oracle.linearize(.fisher, at: theta), theta.count)
            let weights = try oracle.sampleWeights()
            #expect(abs(weights.reduce(0, +) - 1) < 1e-14)
            var (trace, mean) = (0.0, try Vector(zeros: theta.count, element: .f64))
            for (i, weight) in weights.enumerated() where weight > 0 {
                let gradient = try oracle.gradient(at: theta, over: .indices([i])).gradient
                trace += weight * gradient.squaredNorm
                mean = try mean + weight * gradient
            }
            #expect(abs(fisher.indices.reduce(0) { $0 + fisher[$1][$1] } - trace) < 1e-12 * trace)
            #expect(try relativeDifference(mean, oracle.gradient(at: theta).gradient) < 1e-12)
        }
    }

    /// With the point kept, in weights times samples: for the Hessian two contractions of the first layer and six of the
    /// others, for JᵀMJ two and four, for the Fisher matrix two of each; of quadratic forms half of that.
    @Test func aProductTakesNoMoreContractionsThanItsMatrixNeeds() throws {
        let (count, widths) = (64, [784, 512, 512, 10])
        let model = try Model.multilayerPerceptron(
            inputShape: [784], hidden: [512, 512], outputs: 10, activation: .relu, seed: 1)
        let objective = try Objective(model: model, loss: .crossEntropy)
        let first = count * widths[0] * widths[1]
        let others = count * (widths[1] * widths[2] + widths[2] * widths[3])
        for (matrix, expected) in [
            (CurvatureMatrix.hessian, 2 * first + 6 * others), (.ggn, 2 * first + 4 * others),
            (.ntk, 2 * first + 4 * others), (.fisher, 2 * first + 2 * others),
        ] {
            let work = try objective.linearized(matrix, count: count).linear.optimized().cost().multiplyAdds
            // Biases of the Fisher matrix are contractions too, of no more than a hundredth.
            #expect(work >= expected && Double(work) < 1.01 * Double(expected), "\(matrix)")
            let form = try objective.linearizedQuadratic(matrix, count: count).linear.optimized().cost().multiplyAdds
            #expect(Double(form) >= 0.49 * Double(expected) && Double(form) < 0.51 * Double(expected), "\(matrix)")
        }
    }

    /// Where a sample's gradient is no product, its filters' gradients are kept, as long as they are no larger than what a
    /// product with J and Jᵀ keeps.
    @Test func ofAConvolutionalNetworkAFisherProductIsCheap() throws {
        let objective = try Objective(model: .cnn(inputShape: [3, 32, 32], outputs: 10, seed: 1), loss: .mse)
        let (fisher, ggn) = (try objective.linearized(.fisher, count: 4), try objective.linearized(.ggn, count: 4))
        #expect(10 * fisher.linear.cost().multiplyAdds < ggn.linear.cost().multiplyAdds)
        #expect(fisher.keptElements <= 2 * ggn.keptElements)
    }

    /// Eigenvalues of many batches: after the first of a size, linearizing another makes no plan.
    @Test(arguments: CurvatureMatrix.allCases) func batchesOfOneSizeShareTheirPlans(_ matrix: CurvatureMatrix) throws {
        let problem = try Problem(samples: 12)
        let engine = try Engine(threads: 1)
        let oracle = try Oracle(
            objective: problem.oracle.objective, samples: problem.oracle.samples, engine: engine)
        _ = try oracle.linearize(matrix, at: problem.theta, over: .indices([0, 1, 2, 3])).apply(problem.theta)
        let plans = engine.cachedPlans
        for start in 1..<8 {
            let batch = BatchSelection.indices(Array(start..<start + 4))
            _ = try oracle.linearize(matrix, at: problem.theta, over: batch).apply(problem.theta)
        }
        #expect(engine.cachedPlans == plans)
    }

    /// The graphs as the interpreter evaluates them, each operation by its definition.
    @Test(arguments: CurvatureMatrix.allCases) func theEngineAgreesWithTheInterpreter(_ matrix: CurvatureMatrix) throws
    {
        let (oracle, theta) = try DenseCurvature(kind: .convolutional).make()
        let count = oracle.samples.count
        let split = try oracle.objective.linearized(matrix, count: count)
        func parts(_ vector: Vector) -> [Tensor] {
            let values = vector.values
            return oracle.model.layout.entries.map {
                Tensor(TensorType(.f64, $0.shape), Array(values[$0.offset..<$0.offset + $0.count]))
            }
        }
        func tensor(_ index: Int, _ values: [Double]) -> Tensor { Tensor(split.point.inputs[index].type, values) }
        let samples = try #require(oracle.samples as? RandomSamples)
        let first = oracle.model.layout.entries.count
        let inputs =
            parts(theta) + [
                tensor(first, samples.inputValues), tensor(first + 1, samples.targetValues),
                tensor(first + 2, [Double](repeating: 1 / Double(count), count: count)),
            ]
        let residuals = try Interpreter.run(split.point.selecting(outputs: split.residuals), inputs)
        var stream = RandomStream(seed: 9, purpose: .test)
        let v = try Vector.randomNormal(count: theta.count, element: .f64, stream: &stream)
        let zero = try Vector(zeros: theta.count, element: .f64)
        let product = try Interpreter.run(split.linear, residuals + parts(v) + parts(zero)).flatMap(\.values)
        #expect(
            try relativeDifference(
                oracle.linearize(matrix, at: theta).apply(v), Vector(product, element: .f64)) < 1e-13)
    }
}
