import Compute
import Curvature
import Datasets
import Experiments
import Foundation
import Networks
import Objectives

/// Blocks of eight Hessian-vector products against eight single ones, and quadratic forms against products, at a fixed point: the
/// perceptron of the other rows and the CNN. Times are those of one product or form.
struct BlockBench {
    static let block = 8

    private struct Row {
        let name: String
        let model: Model
        let samples: DatasetSamples
        let peer: PeerTask
        let repetitions: Int
        /// Of one product.
        let operations: Double
    }

    let peers: Peers?
    let ceiling: () throws -> Double

    func run() throws {
        let perceptron = try PerceptronBench()
        let images = try ConvolutionalBench("CNN", "cnn", .cnn(initScale: 1, seed: 1))
        var columns = [
            "work".padded(20), "single".leftPadded(10), "block".leftPadded(10), "ratio".leftPadded(6),
            "share".leftPadded(6), "form".leftPadded(10), "ratio".leftPadded(6),
        ]
        if peers != nil { columns += ["JAX, vmap".leftPadded(10), "ratio".leftPadded(6)] }
        print("8 Hessian-vector products one after the other, as a block, and 8 quadratic forms against the block")
        print(columns.joined(separator: "  "))
        for (n, repetitions) in [(8, 40), (64, 20), (256, 8), (1024, 3)] {
            try measure(
                Row(
                    name: "MLP, n = \(n)", model: perceptron.model,
                    samples: DatasetSamples(perceptron.data, first: n, as: .f32),
                    peer: PeerTask(network: "mlp", name: "block", size: n), repetitions: repetitions,
                    operations: 2 * Double(n) * (2 * PerceptronBench.all + 4 * PerceptronBench.later)))
        }
        let multiplyAdds = images.model.layers.map { Double($0.multiplyAdds) }
        try measure(
            Row(
                name: "CNN, n = 256", model: images.model,
                samples: DatasetSamples(images.data, first: 256, as: .f32),
                peer: PeerTask(network: "cnn", name: "block", size: 256), repetitions: 1,
                operations: 2 * 256 * (6 * multiplyAdds.reduce(0, +) - 4 * (multiplyAdds.first ?? 0))))
    }

    private func measure(_ row: Row) throws {
        let oracle = try Oracle(objective: Objective(model: row.model, loss: .mse), samples: row.samples)
        let hessian = CurvatureOperator(of: oracle, at: row.model.initial)
        var stream = RandomStream(seed: 3, purpose: .vector)
        let vectors = try (0..<Self.block).map { _ in
            try Vector.randomNormal(count: row.model.layout.count, element: .f32, stream: &stream)
        }
        var (single, block, form, shares, theirs) = ([Double](), [Double](), [Double](), [Double](), [Double]())
        // What is compared alternates call by call: a shared machine's speed changes from one to the next.
        for round in 0..<Table.rounds * row.repetitions {
            single.append(try Clock.seconds { _ = try vectors.map { try hessian.apply($0) } } / Double(Self.block))
            block.append(try Clock.seconds { _ = try hessian.apply(block: vectors) } / Double(Self.block))
            form.append(try Clock.seconds { _ = try hessian.quadratic(block: vectors) } / Double(Self.block))
            guard round % row.repetitions == 0 else { continue }
            shares.append(row.operations / (try ceiling()) / block[block.count - 1])
            if let seconds = peers?.seconds("jax", row.peer, repetitions: row.repetitions) {
                theirs.append(seconds / Double(Self.block))
            }
        }
        // The first of each makes plans and computes what is kept.
        (single, block, form) = (Array(single.dropFirst()), Array(block.dropFirst()), Array(form.dropFirst()))
        func ratio(_ a: [Double], _ b: [Double]) -> String {
            "\(zip(a, b).map { $0 / $1 }.median.rounded(toPlaces: 2))×".leftPadded(6)
        }
        var columns = [
            row.name.padded(20), spelled(single.median).leftPadded(10), spelled(block.median).leftPadded(10),
            ratio(single, block), "\((100 * shares.dropFirst().median).rounded(toPlaces: 0).asInteger) %".leftPadded(6),
            spelled(form.median).leftPadded(10), ratio(block, form),
        ]
        if peers != nil {
            let ratio = "\((theirs.median / block.median).rounded(toPlaces: 1))×"
            columns += [
                (theirs.isEmpty ? "-" : spelled(theirs.median)).leftPadded(10),
                (theirs.isEmpty ? "-" : ratio).leftPadded(6),
            ]
        }
        print(columns.joined(separator: "  "))
        fflush(nil)
    }
}

extension ArraySlice<Double> {
    var median: Double { Array(self).median }
}
