import Compute
import Foundation
import Graph
import Objectives
import Testing

@testable import Networks

@Suite struct Models {
    @Test func parametersHavePyTorchsNamesShapesAndOrder() throws {
        let model = try Model.multilayerPerceptron(inputShape: [28, 28], hidden: [20, 15], outputs: 10, seed: 1)
        #expect(
            model.layout.entries.map(\.name) == [
                "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "layers.2.weight",
                "layers.2.bias",
            ])
        #expect(model.layout.entries.map(\.shape) == [[20, 784], [20], [15, 20], [15], [10, 15], [10]])
        #expect(model.layout.entries.map(\.offset) == [0, 15680, 15700, 16000, 16015, 16165])
        #expect(model.layout.count == 16175)
        #expect(model.outputShape == [10])
    }

    /// A name of a parameter may be any but those that graphs need; all work is done with it.
    @Test func parametersMayHaveAnyNameThatGraphsDoNotNeed() throws {
        func model(_ names: [String]) throws -> Model {
            let parameters = names.map { Model.Parameter(name: $0, shape: [3], initializer: .normal(std: 1)) }
            return try Model(name: "named", element: .f64, parameters: parameters, inputShape: [3], seed: 1) { x, p in
                try p.reduce(x) { try $0 * $1 }
            }
        }
        let odd = try model(["rate", "loss", "output", "losses", "a.gradient", "a", "b.sum", "x.next", "", "sum"])
        let objective = try Objective(model: odd, loss: .mse)
        #expect(try objective.descent(count: 2).inputs.count == 14)
        #expect(try objective.directional(order: 2, count: 2).inputs.count == 43)
        #expect(try objective.batchCurvature(count: 2, stack: 2).outputs.count == 3)
        for names in [
            [], ["input"], ["target"], ["step rate"], ["sample weight"], ["w", "w.sum"], ["w.tangent1", "w"],
            ["a", "a"],
        ] {
            #expect(throws: GraphError.self) { try model(names) }
        }
    }

    /// The standard deviation of k draws is known to 1/√(2k): four of those bound the deviation.
    @Test(arguments: [Activation.relu, .tanh])
    func weightsHaveTheVarianceOfTheirInitialisation(_ activation: Activation) throws {
        let std: Double =
            activation == .relu ? 0.3 * (2.0 / 784).squareRoot() : 0.3 * 5 / 3 * (2.0 / (784 + 200)).squareRoot()
        let model = try Model.multilayerPerceptron(
            inputShape: [784], hidden: [200], outputs: 10, activation: activation, initScale: 0.3, seed: 2)
        let values = Array(model.initial.values[0..<784 * 200])
        let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
        #expect(abs(variance.squareRoot() / std - 1) < 4 / (2 * Double(values.count)).squareRoot())
        #expect(model.initial.values[784 * 200..<784 * 200 + 200].allSatisfy { $0 == 0 })
    }

    @Test func anotherLayerDoesNotChangeTheDrawsOfThoseBefore() throws {
        let shallow = try Model.multilayerPerceptron(inputShape: [6], hidden: [5], outputs: 5, seed: 9)
        let deep = try Model.multilayerPerceptron(inputShape: [6], hidden: [5, 5], outputs: 2, seed: 9)
        #expect(shallow.initial.values[0..<35] == deep.initial.values[0..<35])
        let other = try Model.multilayerPerceptron(inputShape: [6], hidden: [5], outputs: 5, seed: 10)
        #expect(other.initial.values[0..<30] != shallow.initial.values[0..<30])
    }

    @Test func aTrillionParametersAreAClearError() throws {
        let error = #expect(throws: (any Error).self) {
            _ = try Model.multilayerPerceptron(inputShape: [1_000_000], hidden: [1_000_000], outputs: 1, seed: 1)
        }
        #expect("\(try #require(error))".contains("TiB"))
    }

    @Test func shapesThatDoNotFitAreNamed() throws {
        let error = #expect(throws: GraphError.self) {
            _ = try Model(
                name: "odd", element: .f32, parameters: [.init(name: "w", shape: [4, 3], initializer: .zeros)],
                inputShape: [5], seed: 1
            ) { x, p in try p[0].dot(x) }
        }
        #expect(try #require(error).message.contains("[4, 3]"))
        #expect(try #require(error).message.contains("[5]"))
    }
}

@Suite struct Losses {
    /// One sample without parameters that matter: f = w·1 with w set to the output wanted.
    private func loss(_ name: LossName, output: [Double], target: [Double]) throws -> Double {
        let builder = GraphBuilder()
        let f = Symbolic(builder.input("f", TensorType(.f64, [output.count])), in: builder)
        let y = Symbolic(builder.input("y", TensorType(.f64, [target.count])), in: builder)
        let graph = builder.build(outputs: [("loss", try name(f, y).value)])
        let type = TensorType(.f64, [output.count])
        return try Interpreter.run(graph, [Tensor(type, output), Tensor(type, target)])[0].values[0]
    }

    @Test func theyEqualTheirDefinitions() throws {
        let (f, y) = ([1.0, -2.0, 0.5], [0.0, 1.0, 0.0])
        #expect(abs(try loss(.mse, output: f, target: y) - 10.25) < 1e-14)
        #expect(abs(try loss(.halfMSE, output: f, target: y) - 5.125) < 1e-14)
        #expect(abs(try loss(.mseMean, output: f, target: y) - 10.25 / 3) < 1e-14)
        // The negative log-likelihood of the second class.
        let expected = log(exp(1) + exp(-2) + exp(0.5)) + 2
        #expect(abs(try loss(.crossEntropy, output: f, target: y) - expected) < 1e-14)
        #expect(abs(try loss(.binaryCrossEntropy, output: [0], target: [1]) - 0.693_147_180_559_945) < 1e-14)
    }

    /// Outputs of any shape: squared errors are summed over all of it, or over what belongs to a position; `ce` and `bce` give
    /// one number for each position.
    @Test func theyTakeOutputsOfAnyShape() throws {
        let f = [1.0, -2, 0.5, 3, 0, -1]
        let y = [0.0, 1, 0, 0, 0, 1]
        func losses(_ name: LossName, _ shape: [Int], positions: [Int], target: [Double]? = nil) throws -> [Double] {
            let builder = GraphBuilder()
            let type = TensorType(.f64, shape)
            let output = Symbolic(builder.input("f", type), in: builder)
            let answer = Symbolic(builder.input("y", type), in: builder)
            let value = try name(output, answer, positions: positions)
            #expect(value.shape == (name == .mse || name == .mseMean ? positions : Array(shape.dropLast())))
            let graph = builder.build(outputs: [("loss", value.value)])
            return try Interpreter.run(graph, [Tensor(type, f), Tensor(type, target ?? y)])[0].values
        }
        #expect(try losses(.mse, [2, 3], positions: []) == [10.25 + 13])
        #expect(try losses(.mse, [2, 3], positions: [2]) == [10.25, 13])
        #expect(abs(try losses(.mseMean, [3, 2], positions: [])[0] - 23.25 / 6) < 1e-14)
        let entropies = try losses(.crossEntropy, [2, 3], positions: [])
        for (row, answer) in [(0, 1), (1, 2)] {
            let z = f[row * 3..<row * 3 + 3]
            let expected = log(z.reduce(0) { $0 + exp($1) }) - z[row * 3 + answer]
            #expect(abs(entropies[row] - expected) < 1e-14)
        }
        for (value, (f, y)) in zip(try losses(.binaryCrossEntropy, [6, 1], positions: []), zip(f, y)) {
            #expect(abs(value - (log(1 + exp(f)) - f * y)) < 1e-14)
        }
        #expect(throws: GraphError.self) { _ = try losses(.mse, [2, 3], positions: [3]) }
        #expect(throws: GraphError.self) { _ = try losses(.binaryCrossEntropy, [2, 3], positions: []) }
        #expect(throws: GraphError.self) { _ = try losses(.crossEntropy, [6, 1], positions: []) }
    }

    @Test func crossEntropySurvivesLargeLogits() throws {
        #expect(try loss(.crossEntropy, output: [1000, 0], target: [1, 0]) == 0)
        #expect(try loss(.crossEntropy, output: [1000, 0], target: [0, 1]) == 1000)
        #expect(try loss(.binaryCrossEntropy, output: [1000], target: [0]) == 1000)
    }

    /// In f32, by the engine: of large logits that are near each other, and of samples that are fitted well, against f64.
    @Test func crossEntropyKeepsItsDigits() throws {
        func values(_ make: (Symbolic, Symbolic) throws -> Symbolic, _ output: [Double], _ target: [Double]) throws
            -> [Double]
        {
            let b = GraphBuilder()
            let type = TensorType(.f32, [output.count])
            let (f, y) = (Symbolic(b.input("f", type), in: b), Symbolic(b.input("y", type), in: b))
            let graph = b.build(outputs: [("v", try make(f, y).value)])
            return try Engine.shared.plan(for: graph).evaluate([Tensor(type, output), Tensor(type, target)])[0].values
        }
        for base in [0.0, 1000, 1e5, 1e6] {
            let loss = try values({ try LossName.crossEntropy($0, $1) }, [base + 0.5, base], [1, 0])[0]
            #expect(abs(loss - log1p(exp(-0.5))) < 1e-6, "\(base)")
            let shares = try values({ f, _ in try f.softmax() }, [base + 0.5, base], [0, 0])
            #expect(abs(shares[0] + shares[1] - 1) < 1e-6, "\(base)")
        }
        for logit in [4.0, 10, 14, 16, 30] {
            let expected = log1p(exp(-logit))
            for (sign, target) in [(1.0, 1.0), (-1, 0)] {
                let loss = try values({ try LossName.binaryCrossEntropy($0, $1) }, [sign * logit], [target])[0]
                #expect(abs(loss - expected) < 1e-6 * expected, "\(logit)")
            }
        }
        // The logarithm of a sum near 1 has no more digits than that sum.
        let masked = try values({ try LossName.crossEntropy($0, $1) }, [-.infinity, 1, 1], [0, 1, 0])[0]
        #expect(abs(masked - log(2)) < 1e-6)
    }

    @Test func softplusHasNoKinkAtItsThreshold() throws {
        let builder = GraphBuilder()
        let x = Symbolic(builder.input("x", TensorType(.f64, [3])), in: builder)
        let graph = builder.build(outputs: [("y", try x.softplus().value)])
        let values = try Interpreter.run(graph, [Tensor(TensorType(.f64, [3]), [39.999999, 40.000001, -700])])[0].values
        #expect(values[0] == 39.999999 && values[1] == 40.000001)
        #expect(values[2] > 0 && values[2] < 1e-300)
    }
}
