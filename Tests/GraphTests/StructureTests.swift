import Graph
import Testing

/// What takes tensors apart and puts them together: values by hand, and refusals.
@Suite struct Structure {
    private let matrix = Tensor(TensorType(.f64, [2, 3]), [1, 2, 3, 4, 5, 6])

    @Test func aSliceReadsEveryStridethPlace() throws {
        #expect(
            try run(Slice(starts: [0, 1], limits: [2, 3], strides: [1, 1]), matrix) == f64([2, 2], [2, 3, 5, 6]))
        #expect(try run(Slice(starts: [1, 0], limits: [2, 3], strides: [1, 2]), matrix) == f64([1, 2], [4, 6]))
        #expect(try run(Slice(starts: [1, 1], limits: [1, 3], strides: [1, 1]), matrix) == f64([0, 2], []))
        let flags = Tensor(TensorType(.bool, [3]), [1, 0, 1])
        #expect(try run(Slice(starts: [1], limits: [3], strides: [1]), flags).values == [0, 1])
    }

    @Test func aPadPutsValuesAroundAndBetweenAndTakesAway() throws {
        let x = f64([3], [1, 2, 3])
        #expect(
            try run(Pad(low: [1], high: [2], interior: [1], value: 9), x)
                == f64([8], [9, 1, 9, 2, 9, 3, 9, 9]))
        #expect(try run(Pad(low: [-1], high: [1], interior: [0]), x) == f64([3], [2, 3, 0]))
        #expect(try run(Pad(low: [-2], high: [-1], interior: [2], value: 9), x) == f64([4], [9, 2, 9, 9]))
        #expect(try run(Pad(low: [-5], high: [6], interior: [0]), x) == f64([4], [0, 0, 0, 0]), "all taken away")
        #expect(
            try run(Pad(low: [0, 1], high: [1, 0], interior: [0, 0]), matrix).values == [
                0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0,
            ])
        #expect(try run(Pad(low: [2], high: [1], interior: [4]), f64([0], [])) == f64([3], [0, 0, 0]))
    }

    @Test func integersAndBoolsAreMovedAsTheyAre() throws {
        let (numbers, flags) = (Tensor(TensorType(.i32, [2]), [-7, 3]), Tensor(TensorType(.bool, [2]), [1, 0]))
        let last = Tensor(TensorType(.i32, [1]), [1])
        for (x, value) in [(numbers, 5.0), (flags, 1.0)] {
            let (first, second) = (x.values[0], x.values[1])
            func type(_ count: Int) -> TensorType { TensorType(x.type.element, [count]) }
            let pad = Pad(low: [1], high: [0], interior: [1], value: value)
            #expect(try run(pad, x) == Tensor(type(4), [value, first, value, second]))
            #expect(try run(Concatenate(axis: 0), x, x) == Tensor(type(4), [first, second, first, second]))
            #expect(try run(Reverse(dimensions: [0]), x) == Tensor(type(2), [second, first]))
            #expect(try run(Gather(), x, last) == Tensor(type(1), [second]))
        }
        let sums = try run(ScatterAdd(rows: 2), Tensor(TensorType(.i32, [2]), [1, 1]), numbers)
        #expect(sums == Tensor(TensorType(.i32, [2]), [0, -4]))
    }

    @Test func aConcatenationPutsTensorsSideBySide() throws {
        let column = f64([2, 1], [7, 8])
        #expect(try run(Concatenate(axis: 1), matrix, column, column).values == [1, 2, 3, 7, 7, 4, 5, 6, 8, 8])
        #expect(try run(Concatenate(axis: 0), matrix, matrix).values == matrix.values + matrix.values)
        #expect(try run(Concatenate(axis: 1), matrix, f64([2, 0], [])) == matrix)
    }

    @Test func partsThatDoNotFitAreRefusedInWords() {
        let m = TensorType(.f32, [2, 3])
        #expect(
            refusal(Slice(starts: [0, 1], limits: [2, 4], strides: [1, 1]), m)
                == "slice: 1:4 does not lie within axis 1 of f32[2,3], 0:3")
        #expect(refusal(Slice(starts: [0, 0], limits: [2, 3], strides: [1, 0]), m) != nil)
        #expect(refusal(Slice(starts: [0], limits: [2], strides: [1]), m) != nil)
        #expect(refusal(Slice(starts: [0, 2], limits: [2, 1], strides: [1, 1]), m) != nil)
        #expect(
            refusal(Pad(low: [0, -2], high: [0, -2], interior: [0, 0]), m)
                == "pad: low -2 and high -2 take more from axis 1 of f32[2,3] than it has")
        #expect(refusal(Pad(low: [0], high: [0], interior: [0]), m) != nil)
        #expect(refusal(Pad(low: [0, 0], high: [0, 0], interior: [0, -1]), m) != nil)
        for amount in [Int.max, .min, 1 << 61] {
            #expect(
                refusal(Pad(low: [0, amount], high: [0, 0], interior: [0, 0]), m) != nil, "an overflow")
            #expect(refusal(Pad(low: [0, 0], high: [0, 0], interior: [0, amount]), m) != nil)
            #expect(refusal(Slice(starts: [0, 0], limits: [2, 3], strides: [1, amount]), m) != nil)
        }
        #expect(
            refusal(Pad(low: [1], high: [0], interior: [0], value: .infinity), TensorType(.i32, [3]))
                == "pad of i32[3]: inf is no i32")
        #expect(
            refusal(Concatenate(axis: 1), m, TensorType(.f32, [3, 3]))
                == "concatenate along axis 1: f32[2,3] and f32[3,3] differ in more than that axis")
        #expect(refusal(Concatenate(axis: 2), m) == "concatenate: f32[2,3] has no axis 2")
        #expect(refusal(Concatenate(axis: 0)) == "concatenate takes at least one operand")
        #expect(refusal(Concatenate(axis: 0), m, TensorType(.f64, [2, 3])) != nil)
    }

    @Test func aReversalTurnsTheAxesNamed() throws {
        #expect(try run(Reverse(dimensions: [1]), matrix).values == [3, 2, 1, 6, 5, 4])
        #expect(try run(Reverse(dimensions: [1, 0]), matrix).values == [6, 5, 4, 3, 2, 1])
        #expect(try run(Reverse(dimensions: [0]), f64([0, 2], [])) == f64([0, 2], []))
    }

    @Test func rowsAreReadByNumberTheNearestForOneOutside() throws {
        let table = f64([3, 2], [1, 2, 3, 4, 5, 6])
        let indices = Tensor(TensorType(.i32, [4]), [2, 0, 9, -5])
        #expect(try run(Gather(), table, indices) == f64([4, 2], [5, 6, 1, 2, 5, 6, 1, 2]))
        #expect(try run(Gather(), table, Tensor(TensorType(.i32), [1])) == f64([2], [3, 4]))
        #expect(try run(Gather(batch: 1), table, Tensor(TensorType(.i32, [3]), [1, 0, 1])) == f64([3], [2, 3, 6]))
        let flags = Tensor(TensorType(.bool, [2]), [1, 0])
        #expect(try run(Gather(), flags, indices).values == [0, 1, 0, 1])
    }

    @Test func updatesOfOneRowAreAddedInTheirOrder() throws {
        let indices = Tensor(TensorType(.i32, [4]), [2, 0, 2, 9])
        let updates = f64([4, 2], [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(
            try run(ScatterAdd(rows: 4), indices, updates) == f64([4, 2], [3, 4, 0, 0, 6, 8, 7, 8]))
        // 1 is lost beside 2⁵³ + 2⁵³ unless it comes first and is doubled: the order shows.
        let (big, one) = (9_007_199_254_740_992.0, 1.0)
        let all = Tensor(TensorType(.i32, [3]), [0, 0, 0])
        #expect(try run(ScatterAdd(rows: 1), all, f64([3], [one, one, big])).values == [big + 2])
        #expect(try run(ScatterAdd(rows: 1), all, f64([3], [big, one, one])).values == [big])
        let each = Tensor(TensorType(.i32, [2, 1]), [1, 0])
        #expect(
            try run(ScatterAdd(rows: 2, batch: 1), each, f64([2, 1], [5, 7])) == f64([2, 2], [0, 5, 7, 0]))
    }

    @Test func rowsThatDoNotFitAreRefusedInWords() {
        let (table, indices) = (TensorType(.f32, [3, 2]), TensorType(.i32, [4]))
        #expect(refusal(Gather(), table, table) == "gather takes indices of i32, not f32[3,2]")
        #expect(
            refusal(Gather(batch: 1), table, indices)
                == "gather: f32[3,2] and indices i32[4] have no 1 leading axes and rows in common")
        #expect(refusal(Gather(), TensorType(.f32), indices) != nil)
        #expect(refusal(Gather(), TensorType(.f32, [0, 2]), indices) == "gather: f32[0,2] has no rows along axis 0")
        #expect(
            refusal(ScatterAdd(rows: 3), indices, table)
                == "scatter_add: the axes of updates f32[3,2] do not begin with those of indices i32[4]")
        #expect(refusal(ScatterAdd(rows: 0), indices, TensorType(.f32, [4])) == "scatter_add into 0 rows")
        #expect(refusal(ScatterAdd(rows: 3), indices, TensorType(.bool, [4])) != nil)
        #expect(refusal(ScatterAdd(rows: 3, batch: 2), indices, TensorType(.f32, [4])) != nil)
        #expect(refusal(Reverse(dimensions: [1, 1]), table) == "reverse: f32[3,2] has no distinct axes [1, 1]")
        #expect(refusal(BatchMean(), indices) == "batch_mean is not defined for i32")
        #expect(refusal(Erf(), indices) == "erf is not defined for i32")
    }

    @Test func theErrorFunctionIsTheOneOfTheTables() throws {
        // Abramowitz and Stegun, table 7.1, to ten digits.
        let y = try run(Erf(), f64([4], [0, 0.5, 1, -2])).values
        for (value, expected) in zip(y, [0, 0.5204998778, 0.8427007929, -0.9953222650]) {
            #expect(abs(value - expected) < 1e-10)
        }
    }

    /// Tables and indices, batched in every way: one table, one for each, tables of tables.
    @Test(arguments: [0, 1, 2]) func aBatchOfRowsByNumberIsALoop(_ batch: Int) throws {
        let common = Array([2, 3].prefix(batch))
        let b = GraphBuilder()
        let table = b.input("table", TensorType(.f64, common + [4, 2]))
        let updates = b.input("updates", TensorType(.f64, common + [3, 2]))
        let indices = b.input("indices", TensorType(.i32, common + [3]))
        let graph = b.build(outputs: [
            ("rows", b.gather(table, indices, batch: batch)),
            ("sums", b.scatterAdd(indices, updates, rows: 4, batch: batch)),
        ])
        for subset in 1..<8 {
            let marked = ["table", "updates", "indices"].enumerated().filter { subset >> $0.offset & 1 == 1 }.map(
                \.element)
            try checkBatching(graph, over: marked, size: 3)
            try checkBatching(try vmap(graph, over: marked, size: 3), over: ["indices"], size: 2)
        }
        var laws = DerivativeLaws(graph)
        try laws.check("batch = \(batch)")
    }

    @Test func oneTableServesAllSamplesAndItsGradientIsOneSum() throws {
        let b = GraphBuilder()
        let table = b.input("table", TensorType(.f64, [9, 4]))
        let words = b.input("words", TensorType(.i32, [3]))
        let embedding = b.build(outputs: [("y", b.gather(table, words))])
        let batched = try vmap(embedding, over: ["words"], size: 5)
        #expect(batched.nodes.map(\.operation.mnemonic) == ["gather"])
        let gradient = try vjp(batched, of: "y", withRespectTo: ["table"]).selecting(outputs: ["table.gradient"])
        #expect(
            eliminateDeadCode(gradient).description == """
                graph(%table: f64[9,4], %words: i32[5,3], %y.cotangent: f64[5,3,4]) {
                    %3 = scatter_add %words, %y.cotangent {rows = 9} : f64[9,4]
                    return table.gradient = %3
                }
                """)
    }
}
