import Graph

/// What an operation makes of operands, by the interpreter.
func run(_ operation: any Operation, _ operands: Tensor...) throws -> Tensor {
    let b = GraphBuilder()
    let values = operands.enumerated().map { b.input("x\($0)", $1.type) }
    let result = try b.applyAll(operation, values)[0]
    return try Interpreter.run(b.build(outputs: [("y", result)]), operands)[0]
}

/// Why an operation refuses operands of these types; nil where it takes them.
func refusal(_ operation: any Operation, _ operands: TensorType...) -> String? {
    do throws(GraphError) {
        _ = try operation.resultTypes(of: operands)
        return nil
    } catch { return error.message }
}

func f64(_ shape: [Int], _ values: [Double]) -> Tensor { Tensor(TensorType(.f64, shape), values) }
