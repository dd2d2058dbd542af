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

@Suite struct ConvolutionForms {
    typealias Roles = Convolution.Roles
    typealias Window = Convolution.Window

    @Test func transpositionsOfOperandsAndWithinTheRolesOfTheResultAreAbsorbed() throws {
        var random = SplitMix(9)
        for _ in 0..<100 {
            let subject = ConvolutionCase.random(&random)
            let b = GraphBuilder()
            func turned(_ name: String, _ shape: [Int]) -> Value {
                let order = Array(shape.indices).shuffled(using: &random)
                let source = b.input(name, TensorType(.f64, order.map { shape[$0] }))
                return b.transpose(source, Transpose(permutation: order).inverse)
            }
            let y = b.emit(subject.operation, turned("x", subject.x), turned("w", subject.w))
            let axes = subject.operation.resultAxes
            let roles = [axes.batch, axes.lhsFree, axes.spatial, axes.rhsFree]
            var order: [Int] = []
            for role in roles { order += role.shuffled(using: &random) }
            let graph = b.build(outputs: [("y", b.transpose(y, order))])
            let folded = graph.simplified()
            #expect(folded.nodes.count == 1 && folded.nodes[0].operation is Convolution, "\(folded)")
            let inputs = random.tensors(for: graph)
            #expect(distance(try Interpreter.run(graph, inputs), try Interpreter.run(folded, inputs)) < 1e-12)
        }
    }

    @Test func aTranspositionAcrossRolesStays() {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [2, 3, 5]))
        let w = b.input("w", TensorType(.f64, [4, 3, 3]))
        let roles = Roles(free: [0], contracted: [1], spatial: [2])
        let y = b.transpose(b.convolution(x, w, lhs: roles, rhs: roles, windows: [Window()]), [0, 2, 1])
        let graph = b.build(outputs: [("y", y)])
        #expect(graph.simplified() == graph)
    }

    @Test func itIsPrintedWithItsRolesAndWhatIsUnusualOfItsWindows() {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [8, 3, 32, 32]))
        let w = b.input("w", TensorType(.f32, [16, 3, 3, 3]))
        let roles = Roles(free: [0], contracted: [1], spatial: [2, 3])
        let same = Window(low: 1, high: 1)
        let y = b.convolution(x, w, lhs: roles, rhs: roles, windows: [same, Window(stride: 2, low: 1, high: 1)])
        let text = b.build(outputs: [("y", y)]).description
        #expect(
            text.contains(
                "convolution %x, %w {free = [0] x [0], contracting = [1] x [1], spatial = [2, 3] x [2, 3], "
                    + "stride = [1, 2], pad = [[1, 1], [1, 1]]} : f32[8,32,16,16]"), "\(text)")
    }

    @Test func stableHLOHasItAsItIsWhereEachRoleHasOneAxis() {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [8, 3, 32, 32]))
        let w = b.input("w", TensorType(.f32, [16, 3, 3, 3]))
        let roles = Roles(free: [0], contracted: [1], spatial: [2, 3])
        let window = Window(stride: 2, low: 1, high: -1, lhsDilation: 1, rhsDilation: 2, reversed: true)
        let y = b.convolution(x, w, lhs: roles, rhs: roles, windows: [window, Window()])
        let text = b.build(outputs: [("y", y)]).stableHLO()
        #expect(
            text.contains(
                "%0 = stablehlo.convolution(%arg0, %arg1) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, 0, 1, f], "
                    + "window = {stride = [2, 1], pad = [[1, -1], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [2, 1], "
                    + "reverse = [true, false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : "
                    + "(tensor<8x3x32x32xf32>, tensor<16x3x3x3xf32>) -> tensor<8x14x30x16xf32>"), "\(text)")
    }

    @Test func inStableHLOBatchAxesAreGroupsOfChannels() {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [5, 4, 2, 9]))
        let w = b.input("w", TensorType(.f32, [4, 3, 2, 3]))
        let y = b.convolution(
            x, w, lhs: Roles(batch: [1], free: [0], contracted: [2], spatial: [3]),
            rhs: Roles(batch: [0], free: [1], contracted: [2], spatial: [3]), windows: [Window()])
        let lines = b.build(outputs: [("y", y)]).stableHLO().split(separator: "\n").filter { $0.contains("stablehlo") }
        let expected = [
            "%c0 = stablehlo.reshape %arg0 : (tensor<5x4x2x9xf32>) -> tensor<5x8x9xf32>",
            "%c1 = stablehlo.transpose %arg1, dims = [2, 0, 1, 3] : (tensor<4x3x2x3xf32>) -> tensor<2x4x3x3xf32>",
            "%c2 = stablehlo.reshape %c1 : (tensor<2x4x3x3xf32>) -> tensor<2x12x3xf32>",
            "%c3 = stablehlo.convolution(%c0, %c2) dim_numbers = [b, f, 0]x[i, o, 0]->[b, 0, f], window = {stride = [1], "
                + "pad = [[0, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, "
                + "feature_group_count = 4 : i64} : (tensor<5x8x9xf32>, tensor<2x12x3xf32>) -> tensor<5x7x12xf32>",
            "%c4 = stablehlo.reshape %c3 : (tensor<5x7x12xf32>) -> tensor<5x7x4x3xf32>",
            "%0 = stablehlo.transpose %c4, dims = [2, 0, 1, 3] : (tensor<5x7x4x3xf32>) -> tensor<4x5x7x3xf32>",
        ]
        #expect(lines.map { String($0.drop { $0 == " " }) } == expected)
    }
}
