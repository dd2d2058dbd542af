import Compute
import Curvature
import Networks
import Objectives

// What a first measurement is expected to cost, so that a budget is kept from the first step on: a rough figure, in products with
// the Hessian over all training samples. Whatever it really took is what the second is expected to take.

extension Run {
    /// Multiply-adds of so many products over a share of the training samples; nil where they cannot be told.
    fileprivate func work(ofProducts count: Double, over samples: Int? = nil) throws -> Double? {
        try work(ofProducts: count, over: Double(samples ?? data.train.count))
    }

    fileprivate func work(ofProducts count: Double, over samples: Double) throws -> Double? {
        do { return try count * samples / Double(data.train.count) * oracle.productWork(.hessian) } catch is Cancelled {
            throw Cancelled()
        } catch {
            return nil
        }
    }

    /// A cold solve for k eigenpairs: ten products for one, about seven for each of several.
    fileprivate func work(ofEigenpairs settings: EigenSettings, and further: Double = 0) throws -> Double? {
        try work(
            ofProducts: (settings.tolerance < 0.005 ? 12 : 4) + 7 * Double(settings.k) + further,
            over: settings.scope.samples)
    }

    /// So many batches as the estimate may take, a batch's part of the price being that of a product over its samples.
    fileprivate func work(ofBatches sampling: BatchSampling, each products: Double = 1.5, and further: Double = 0)
        throws -> Double?
    {
        let named = sampling.batches.map { $0.reduce(0) { $0 + Double($1.count) } }
        let samples = named ?? Double(sampling.batchSize ?? batchCount) * Double(sampling.maxSamples)
        let batches = try work(ofProducts: products, over: samples)
        let whole = try work(ofProducts: further, over: sampling.scope.samples)
        return batches.flatMap { batches in whole.map { batches + $0 } }
    }
}

extension Metric {
    func expectedOperations(in run: Run) throws -> Double? {
        switch seriesNames[0] {
        case "gradient_norm": try run.work(ofProducts: 0.5)
        case "loss", "accuracy": try run.work(ofProducts: 0.25)
        case "test_loss", "test_accuracy": try run.work(ofProducts: 0.25, over: run.data.test?.count ?? 0)
        default: 0
        }
    }
}

extension GradientCosine {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofProducts: 1) }
}

extension DirectionCoordinate {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofProducts: 15) }
}

// MARK: - Eigenvalues

extension LambdaMax {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofEigenpairs: options) }
}

extension CurvatureEigenvalues {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofEigenpairs: settings) }
}

extension PreconditionedEigenvalues {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofEigenpairs: settings, and: 0.5) }
}

extension GradientProjection {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofEigenpairs: settings, and: 0.5) }
}

extension Alignment {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofEigenpairs: settings, and: 0.5) }
}

extension EigenvectorAngle {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofEigenpairs: settings) }
}

extension StabilizationProbe {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofEigenpairs: settings, and: 3) }
}

extension ProjectedNoise {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofEigenpairs: settings, and: 3) }
}

extension SpectralDensityProbe {
    public func expectedOperations(in run: Run) throws -> Double? {
        try run.work(ofProducts: Double(vectors) * Double(steps), over: scope.samples)
    }
}

// MARK: - Expectations

extension HessianTrace {
    public func expectedOperations(in run: Run) throws -> Double? {
        try run.work(ofProducts: Double(samples.maxSamples) * (method == .hutchinson ? 0.5 : 1), over: scope.samples)
    }
}

extension BatchSharpness {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofBatches: sampling) }
}

extension MomentumBatchSharpness {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofBatches: sampling, each: 2) }
}

extension GradientNormMC {
    func expectedOperations(in run: Run) throws -> Double? { try run.work(ofProducts: 1, over: sampling.scope.samples) }
}

extension GradientNoiseInteraction {
    /// A quadratic form over all samples a batch, and the sketch of the Hessian.
    func expectedOperations(in run: Run) throws -> Double? {
        try run.work(ofBatches: sampling, each: 0.5, and: 0.6 * Double(sampling.maxSamples) + 16)
    }
}

extension OneStepLossChange {
    /// A loss over all samples a batch.
    func expectedOperations(in run: Run) throws -> Double? {
        try run.work(ofBatches: sampling, each: 0.5, and: 0.3 * Double(sampling.maxSamples))
    }
}

extension BatchLambdaMax {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofBatches: sampling, each: 11) }
}

extension StepBatchLambdaMax {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofProducts: 11, over: run.batchCount) }
}

extension StepSharpness {
    public func expectedOperations(in run: Run) throws -> Double? { try run.work(ofProducts: 1, over: run.batchCount) }
}

extension SecondMomentContraction {
    /// Two products with each batch's Hessian, and one with the whole, an iteration.
    public func expectedOperations(in run: Run) throws -> Double? {
        let named = options.batches.map { $0.reduce(0) { $0 + Double($1.count) } }
        let samples = named ?? Double(options.batchSize ?? run.batchCount) * Double(options.batchCount)
        let batches = try run.work(ofProducts: 40, over: samples)
        let whole = try run.work(ofProducts: 20, over: options.eigen.scope.samples)
        return batches.flatMap { batches in whole.map { batches + $0 } }
    }
}
