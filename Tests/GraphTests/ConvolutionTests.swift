import Graph
import Testing

@Suite struct Convolutions {
    typealias Roles = Convolution.Roles
    typealias Window = Convolution.Window
    /// Two orders of f64 sums of up to some hundred terms of order one.
    private static let rounding = 1e-12

    private func checkMeaning(_ subject: ConvolutionCase, seed: Int) throws {
        var random = SplitMix(seed)
        let inputs = random.tensors(for: subject.graph)
        let result = try Interpreter.run(subject.graph, inputs)[0]
        let expected = scattered(subject.operation, inputs[0], inputs[1], into: result.type)
        #expect(distance([result], [expected]) < Self.rounding, "\(subject)")
    }

    @Test(arguments: ConvolutionCase.all) func itIsWhatComesOfScatteringEveryElement(_ subject: ConvolutionCase) throws
    {
        try checkMeaning(subject, seed: 1)
    }

    @Test func soItIsForAnyWindowAndAnyOrderOfAxes() throws {
        var random = SplitMix(2)
        for seed in 0..<300 { try checkMeaning(.random(&random), seed: seed) }
    }

    @Test func aSmallCaseIsAsWorkedOutByHand() throws {
        let x = Tensor(TensorType(.f64, [5]), [1, 2, 3, 4, 5])
        let w = Tensor(TensorType(.f64, [3]), [1, 10, 100])
        func result(_ window: Window) throws -> [Double] {
            let operation = Convolution(lhs: Roles(spatial: [0]), rhs: Roles(spatial: [0]), windows: [window])
            let types = try operation.resultTypes(of: [x.type, w.type])
            return operation.evaluate([x, w], as: types)[0].values
        }
        #expect(try result(Window()) == [321, 432, 543])
        #expect(try result(Window(reversed: true)) == [123, 234, 345])
        #expect(try result(Window(stride: 2, low: 1, high: 1)) == [210, 432, 54])
        #expect(try result(Window(low: -1, high: -1)) == [432])
        #expect(try result(Window(rhsDilation: 2)) == [531])
        #expect(try result(Window(high: -2, lhsDilation: 2)) == [201, 20, 302, 30, 403])
    }

    @Test(arguments: ConvolutionCase.all)
    func derivativesOfEachOrderAgreeWithFiniteDifferences(_ subject: ConvolutionCase) throws {
        var alone = DerivativeLaws(subject.graph, seed: 3)
        try alone.check("alone")
        let b = GraphBuilder()
        let (x, w) = (b.input("x", TensorType(.f64, subject.x)), b.input("w", TensorType(.f64, subject.w)))
        let y = b.tanh(b.emit(subject.operation, b.tanh(x), b.tanh(w)))
        var composed = DerivativeLaws(b.build(outputs: [("y", y)]), seed: 4)
        try composed.check("composed")
    }

    @Test func soTheyDoForAnyWindowAndAnyOrderOfAxes() throws {
        var random = SplitMix(5)
        for seed in 0..<40 {
            var laws = DerivativeLaws(ConvolutionCase.random(&random).graph, seed: seed)
            try laws.check()
        }
    }

    @Test func aBatchIsALoopForEverySubsetOfOperands() throws {
        var random = SplitMix(6)
        let subjects = ConvolutionCase.all + (0..<30).map { _ in ConvolutionCase.random(&random) }
        for subject in subjects {
            for names in [["x"], ["w"], ["x", "w"]] {
                try checkBatching(subject.graph, over: names, size: 3)
                try checkBatching(try vmap(subject.graph, over: names, size: 2), over: ["w"], size: 3)
            }
        }
    }

    /// ⟨conv(x, w), y⟩ = ⟨x, convᵀ(y, w)⟩ = ⟨w, convᵀ(x, y)⟩.
    @Test func theCotangentsAreTheAdjointMaps() throws {
        var random = SplitMix(7)
        let subjects = ConvolutionCase.all + (0..<200).map { _ in ConvolutionCase.random(&random) }
        for subject in subjects {
            let gradient = try vjp(subject.graph, of: "y", withRespectTo: ["x", "w"])
            let inputs = random.tensors(for: subject.graph)
            let y = try Interpreter.run(subject.graph, inputs)[0]
            let cotangent = random.tensor(y.type)
            let isScalar = y.type.rank == 0
            let values = try Interpreter.run(gradient, inputs + (isScalar ? [] : [cotangent]))
            let expected = isScalar ? y.scalar : inner(y, cotangent)
            #expect(distance(inner(inputs[0], values[1]), expected) < Self.rounding, "\(subject)")
            #expect(distance(inner(inputs[1], values[2]), expected) < Self.rounding, "\(subject)")
        }
    }

    @Test func theMultiplyAddsThatCountAreThoseOfElementsWithTaps() throws {
        var random = SplitMix(8)
        for _ in 0..<200 {
            let subject = ConvolutionCase.random(&random)
            let graph = subject.graph
            let ones = graph.inputs.map { Tensor($0.type, repeating: 1) }
            let count = scattered(subject.operation, ones[0], ones[1], into: subject.resultType).values.reduce(0, +)
            #expect(graph.cost().multiplyAdds == Int(count), "\(subject)")
        }
    }

    @Test func operandsThatDoNotFitAreNamedWithBothShapes() {
        let image = Roles(free: [0], contracted: [1], spatial: [2])
        func message(_ x: TensorType, _ w: TensorType, _ lhs: Roles, _ rhs: Roles, _ window: Window = Window())
            -> String
        {
            do {
                _ = try Convolution(lhs: lhs, rhs: rhs, windows: [window]).resultTypes(of: [x, w])
                return ""
            } catch { return error.message }
        }
        let x = TensorType(.f32, [2, 3, 8])
        let channels = message(x, TensorType(.f32, [4, 5, 3]), image, image)
        #expect(channels.contains("f32[2,3,8]") && channels.contains("f32[4,5,3]") && channels.contains("[3] and [5]"))
        #expect(message(x, TensorType(.f64, [4, 3, 3]), image, image).contains("one real element"))
        #expect(message(x, TensorType(.f32, [4, 3]), image, image).contains("f32[4,3]"))
        #expect(message(x, x, Roles(free: [0], contracted: [1, 1], spatial: [2]), image).contains("roles of the data"))
        #expect(message(x, x, Roles(free: [0, 2], contracted: [1]), image).contains("0 spatial axes, for 1 window"))
        let w = TensorType(.f32, [4, 3, 3])
        #expect(message(x, w, image, image, Window(stride: 0)).contains("stride 0"))
        #expect(message(x, w, image, image, Window(low: .max, high: .max)).contains("too large"))
        #expect(message(x, w, image, image, Window(lhsDilation: .max / 2)).contains("too large"))
        #expect(message(x, w, image, image) == "")
    }
}
