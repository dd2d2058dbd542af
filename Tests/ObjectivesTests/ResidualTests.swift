import Compute
import Testing

@testable import Graph
@testable import Networks
@testable import Objectives

/// What a linearized product keeps of the point and makes again, on networks of CIFAR's size.
@Suite struct KeptValues {
    private func split(_ model: Model, count: Int = 2) throws -> (split: Linearized, bytes: Int) {
        let split = try Objective(model: model, loss: .mse).linearized(count: count)
        let kept = split.point.outputs.filter {
            split.residuals.contains($0.name) && $0.value.id >= split.point.inputs.count
        }
        let bytes = try kept.reduce(0) { sum, output in
            let type = split.point.type(of: output.value)
            return try sum + type.elementCount() * type.element.byteCount
        }
        return (split, bytes / count)
    }

    /// Bytes of a ResNet-20's convolutions' results: seven of 16×32×32, six of 32×16×16 and six of 64×8×8.
    private let layers = 4 * (7 * 16_384 + 6 * 8_192 + 6 * 4_096)

    /// Without batch norm: activations, deltas and masks (a byte each). With it the convolutions' results and what comes back
    /// to the norm are kept too, but neither normalised values nor masks.
    @Test func aResidualNetworkKeepsTwoTensorsALayerAndFourWithBatchNorm() throws {
        #expect(try Double(split(.resnet(seed: 1)).bytes) < 2.3 * Double(layers))
        #expect(try Double(split(.resnet(batchNorm: true, seed: 1)).bytes) < 4.1 * Double(layers))
    }

    /// An arena of one tensor a layer, the tangent that a norm's second derivative needs.
    @Test func aGhostBatchOfAThousandFitsIntoFourGibibytes() throws {
        let (count, model) = (8, try Model.resnet(batchNorm: true, seed: 1))
        let oracle = try Oracle(
            objective: Objective(model: model, loss: .mse),
            samples: RandomSamples(count: count, inputs: 3072, outputs: 10, element: .f32))
        let program = try oracle.linearizedProgram(count: count)
        let linear = try program.linear(adding: false)
        let arena = max(linear.arenaBytes, program.point?.arenaBytes ?? 0)
        #expect((program.residualBytes + arena) / count * 1000 < 4_000_000_000)
    }

    @Test func whatOtherNetworksKeepIsBounded() throws {
        let connected = try Model.multilayerPerceptron(inputShape: [784], hidden: [512, 512], outputs: 10, seed: 1)
        // x₁, x₂, Δ₁, Δ₂ and two masks; the last Δ and the loss.
        #expect(try split(connected).bytes <= 512 * (4 * 4 + 2) + 200)
        // Measured with the cut: 841,512 and 8,468,520.
        #expect(try split(.cnn(inputShape: [3, 32, 32], outputs: 10, seed: 1)).bytes <= 850_000)
        #expect(try split(.visionTransformer(inputShape: [3, 32, 32], outputs: 10, seed: 1)).bytes <= 9_000_000)
    }

    /// Every contraction, convolution and reduction of the linear part is one of tangents.
    @Test(arguments: [true, false]) func onlyElementwiseOperationsAreMadeAgain(batchNorm: Bool) throws {
        let linear = try split(.resnet(blocks: 1, batchNorm: batchNorm, seed: 1)).split.linear
        let tangents = linear.inputs.indices.filter { linear.inputs[$0].name.hasSuffix(".tangent") }
        let isTangent = linear.dependents(on: tangents)
        let again = linear.nodes.filter { !isTangent[$0.results.lowerBound] }
        #expect(
            !again.contains {
                $0.operation is DotGeneral || $0.operation is Convolution || $0.operation is any Reduction
            })
        #expect(batchNorm == again.contains { $0.operation is Compare })
    }

    @Test func theChoiceIsTheSameEachTime() throws {
        let model = try Model.resnet(blocks: 1, batchNorm: true, seed: 1)
        let (a, b) = (try split(model).split, try split(model).split)
        #expect(a.point == b.point && a.linear == b.linear && a.residuals == b.residuals)
    }
}
