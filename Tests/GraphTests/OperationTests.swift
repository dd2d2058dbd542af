import Graph
import Testing

/// What single operations compute and refuse, against values by hand.
@Suite struct Operations {
    @Test func unaryFunctionsAreTheOnesOfTheMathLibrary() throws {
        let x = f64([4], [0.3, 1.7, -0.4, 0])
        // To 17 digits: e^0.3 and so on.
        let expected: [(any Operation, [Double])] = [
            (Exponential(), [1.3498588075760032, 5.4739473917272, 0.6703200460356393, 1]),
            (Tanh(), [0.2913126124515909, 0.935409070603099, -0.3799489622552249, 0]),
            (LogPlusOne(), [0.26236426446749106, 0.9932517730102834, -0.5108256237659907, 0]),
            (Logistic(), [0.574442516811659, 0.8455347349164652, 0.401312339887548, 0.5]),
            (Negate(), [-0.3, -1.7, 0.4, 0]), (Abs(), [0.3, 1.7, 0.4, 0]),
        ]
        for (operation, values) in expected {
            // One unit in the last place of the largest.
            #expect(distance([try run(operation, x)], [f64([4], values)]) < 1e-15, "\(operation)")
        }
        #expect(try run(Sign(), x).values == [1, 1, -1, 0])
        #expect(try run(Sqrt(), f64([2], [4, 2])).values == [2, 2.squareRoot()])
        #expect(try run(Log(), f64([2], [1, 0])).values == [0, -.infinity])
        #expect(try run(Logistic(), f64([2], [800, -800])).values == [1, 0], "neither tail overflows")
    }

    @Test func aNaNPassesThroughMaximumAndFailsEveryComparisonButOne() throws {
        let (x, y) = (f64([3], [.nan, 1, 2]), f64([3], [1, .nan, 3]))
        for operation in [Maximum(), Minimum()] as [any Operation] {
            #expect(try run(operation, x, y).values.prefix(2).allSatisfy(\.isNaN))
        }
        #expect(try run(ReduceMax(dimensions: [0]), x).scalar.isNaN)
        for direction in Compare.Direction.allCases {
            #expect(try run(Compare(direction: direction), x, y).values[0] == (direction == .ne ? 1 : 0))
        }
        #expect(try run(Compare(direction: .lt), x, y).values == [0, 0, 1])
    }

    @Test func conversionsRoundAsTheirElementsDo() throws {
        let x = f64([4], [1.9, -1.9, 0.1, 3e9])
        #expect(try run(Convert(to: .i32), x).values == [1, -1, 0, 2_147_483_647])
        #expect(try run(Convert(to: .bool), f64([2], [0, -0.5])).values == [0, 1])
        #expect(try run(Convert(to: .f32), x).values[2] == Double(Float(0.1)))
        #expect(try run(Convert(to: .f64), Tensor(TensorType(.bool, [2]), [0, 7])).values == [0, 1])
    }

    @Test func singlePrecisionIsRoundedAfterEveryOperation() throws {
        let type = TensorType(.f32, [2])
        let third = Tensor(type, [1.0 / 3, 1e-8])
        #expect(try run(Add(), Tensor(type, [1, 1]), third).values == [Double(1 + Float(1) / 3), 1])
    }

    @Test func structureMovesNumbersRowMajor() throws {
        let m = f64([2, 3], [1, 2, 3, 4, 5, 6])
        #expect(try run(Transpose(permutation: [1, 0]), m) == f64([3, 2], [1, 4, 2, 5, 3, 6]))
        #expect(try run(Reshape(shape: [3, 2]), m) == f64([3, 2], [1, 2, 3, 4, 5, 6]))
        #expect(
            try run(BroadcastInDim(shape: [2, 3, 2], dimensions: [0, 1]), m).values == [
                1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6,
            ])
        #expect(try run(ReduceSum(dimensions: [0]), m) == f64([3], [5, 7, 9]))
        #expect(try run(ReduceMax(dimensions: [1, 0]), m) == f64([], [6]))
        #expect(try run(Iota(type: TensorType(.i32, [2, 3]), dimension: 1)).values == [0, 1, 2, 0, 1, 2])
        let predicate = Tensor(TensorType(.bool, [2, 3]), [1, 0, 1, 0, 1, 0])
        #expect(try run(Select(), predicate, m, f64([2, 3], [0, 0, 0, 0, 0, 0])).values == [1, 0, 3, 0, 5, 0])
    }

    @Test func aContractionIsTheSumOverItsAxes() throws {
        // y[b,i,j] = Σ_k x[i,b,k] w[k,j,b], spelled out.
        var random = SplitMix(1)
        let (x, w) = (random.tensor(TensorType(.f64, [2, 3, 4])), random.tensor(TensorType(.f64, [4, 5, 3])))
        let dot = DotGeneral(lhsBatch: [1], rhsBatch: [2], lhsContracting: [2], rhsContracting: [0], result: .f64)
        var expected: [Double] = []
        for b in 0..<3 {
            for i in 0..<2 {
                for j in 0..<5 {
                    expected.append(
                        (0..<4).reduce(0) { $0 + x.values[(i * 3 + b) * 4 + $1] * w.values[($1 * 5 + j) * 3 + b] })
                }
            }
        }
        #expect(distance([try run(dot, x, w)], [f64([3, 2, 5], expected)]) < 1e-15)
    }

    @Test func aWideContractionAddsWhatSinglePrecisionLoses() throws {
        let x = Tensor(TensorType(.f32, [3]), [1, 1e-9, -1])
        let ones = Tensor(TensorType(.f32, [3]), [1, 1, 1])
        let wide = try run(DotGeneral(lhsContracting: [0], rhsContracting: [0], result: .f64), x, ones)
        #expect(wide.type == TensorType(.f64) && abs(wide.scalar / Double(Float(1e-9)) - 1) < 1e-6)
    }

    @Test func whatDoesNotFitIsRefusedInWords() {
        let (m, v) = (TensorType(.f32, [2, 3]), TensorType(.f32, [3]))
        #expect(refusal(Add(), m, v) == "add takes operands of one type, not f32[2,3] and f32[3]")
        #expect(refusal(Tanh(), TensorType(.i32, [3])) == "tanh is not defined for i32")
        #expect(refusal(Tanh(), m, m) == "tanh takes 1 operand, not 2")
        #expect(refusal(Reshape(shape: [7]), m) == "cannot reshape f32[2,3] to [7]")
        #expect(refusal(Transpose(permutation: [0, 0]), m) == "[0, 0] does not permute the axes of f32[2,3]")
        #expect(refusal(BroadcastInDim(shape: [2, 2], dimensions: [1]), v) != nil)
        #expect(refusal(ReduceSum(dimensions: [2]), m) == "reduce_sum: f32[2,3] has no axes [2]")
        #expect(
            refusal(DotGeneral(lhsContracting: [0], rhsContracting: [0], result: .f32), m, v)
                == "dot_general {contracting = [0] x [0]}: extents of f32[2,3] and f32[3] differ")
        #expect(refusal(DotGeneral(lhsContracting: [1], rhsContracting: [0], result: .i32), m, v) != nil)
        #expect(refusal(ConstantTensor(type: v, values: [1])) == "a constant f32[3] has 3 values, not 1")
        #expect(refusal(Select(), m, m, m) != nil)
    }

    @Test func sizesThatOverflowAreRefused() {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, []))
        #expect(throws: GraphError.self) {
            try b.apply(BroadcastInDim(shape: [1 << 40, 1 << 40], dimensions: []), x)
        }
    }

    @Test func theInterpreterRefusesInputsOfOtherTypes() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [2]))
        let graph = b.build(outputs: [("y", b.tanh(x))])
        #expect(throws: GraphError("input 'x' is f64[2], not f64[3]")) {
            try Interpreter.run(graph, [f64([3], [1, 2, 3])])
        }
        #expect(throws: GraphError("no value for input 'x'")) { try Interpreter.run(graph, [:]) }
    }
}
