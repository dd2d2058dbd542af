import Graph
import Testing

/// What takes tensors apart and puts them together: values by hand, and refusals.
@Suite struct Structure {
    private func run(_ operation: any Operation, _ operands: Tensor...) throws -> Tensor {
        let b = GraphBuilder()
        let values = operands.enumerated().map { b.input("x\($0)", $1.type) }
        let result = try b.applyAll(operation, values)[0]
        return try Interpreter.run(b.build(outputs: [("y", result)]), operands)[0]
    }
    private func refusal(_ operation: any Operation, _ operands: TensorType...) -> String? {
        do throws(GraphError) {
            _ = try operation.resultTypes(of: operands)
            return nil
        } catch { return error.message }
    }
    private func f64(_ shape: [Int], _ values: [Double]) -> Tensor { Tensor(TensorType(.f64, shape), values) }
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
        #expect(refusal(Pad(low: [0, .max], high: [0, 5], interior: [0, 0]), m) != nil, "an overflow")
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
}
