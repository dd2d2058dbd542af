extension Scan {
    /// A `while` over a counter, the carries and the stacks of results, into which each step writes its own. Returns the names
    /// of the stacks.
    func writeStableHLO(named name: String, of operands: [String], to writer: inout StableHLOWriter) -> [String] {
        let index = TensorType(.i32)
        let carried = body.inputs.prefix(carries).map(\.type)
        let stacks = carried.map(stack)
        let state = [index] + carried + stacks
        let zero = writer.scalarConstant("0", .i32)
        let one = writer.scalarConstant("1", .i32)
        let steps = writer.scalarConstant(String(length), .i32)
        let empty = stacks.map { type in
            let name = writer.auxiliaryName()
            writer.write("\(name) = stablehlo.constant dense<\(writer.spell(0, type.element))> : \(writer.spell(type))")
            return name
        }
        let arguments = state.map { _ in writer.auxiliaryName() }
        let initial = [zero] + operands.prefix(carries) + empty
        let types = state.map(writer.spell).joined(separator: ", ")
        writer.write(
            "\(name):\(state.count) = stablehlo.while("
                + zip(arguments, initial).map { "\($0) = \($1)" }.joined(separator: ", ") + ") : \(types)")
        writer.write("cond {")
        writer.write { writer in
            let goesOn = writer.auxiliaryName()
            writer.write(
                "\(goesOn) = stablehlo.compare LT, \(arguments[0]), \(steps) : "
                    + "(tensor<i32>, tensor<i32>) -> tensor<i1>")
            writer.write("stablehlo.return \(goesOn) : tensor<i1>")
        }
        writer.write("} do {")
        writer.write { writer in
            var place = arguments[0]
            if reverse {
                let last = writer.scalarConstant(String(length - 1), .i32)
                place = writer.auxiliaryName()
                writer.write("\(place) = stablehlo.subtract \(last), \(arguments[0]) : tensor<i32>")
            }
            let inputs = body.inputs.indices.map { input -> String in
                if input < carries { return arguments[1 + input] }
                if !isStacked(input) { return operands[input] }
                return writer.slice(operands[input], stack(body.inputs[input].type), at: place, zero)
            }
            // A name of letters and digits, for one that starts with a digit has no others.
            let values = writer.write(body, inputs: inputs, prefix: "%s" + name.dropFirst() + "_")
            let after = body.outputs.map { values[$0.value.id] }
            let results = after.indices.map { carry in
                writer.update(arguments[1 + carries + carry], stacks[carry], with: after[carry], at: place, zero)
            }
            let next = writer.auxiliaryName()
            writer.write("\(next) = stablehlo.add \(arguments[0]), \(one) : tensor<i32>")
            writer.write("stablehlo.return \(([next] + after + results).joined(separator: ", ")) : \(types)")
        }
        writer.write("}")
        return stacks.indices.map { "\(name)#\(1 + carries + $0)" }
    }
}

extension StableHLOWriter {
    /// `%i, %zero, %zero` and its types: where a slice of a stack starts.
    private func start(_ stack: TensorType, at place: String, _ zero: String) -> (names: String, types: String) {
        let names = [place] + stack.shape.dropFirst().map { _ in zero }
        return (names.joined(separator: ", "), names.map { _ in "tensor<i32>" }.joined(separator: ", "))
    }

    fileprivate mutating func slice(_ x: String, _ stack: TensorType, at place: String, _ zero: String) -> String {
        let row = TensorType(stack.element, [1] + stack.shape.dropFirst())
        let (names, types) = start(stack, at: place, zero)
        let wide = auxiliaryName()
        write(
            "\(wide) = stablehlo.dynamic_slice \(x), \(names), sizes = \(spell(row.shape)) : "
                + "(\(spell(stack)), \(types)) -> \(spell(row))")
        let name = auxiliaryName()
        let slice = TensorType(stack.element, Array(stack.shape.dropFirst()))
        write("\(name) = stablehlo.reshape \(wide) : (\(spell(row))) -> \(spell(slice))")
        return name
    }

    fileprivate mutating func update(
        _ x: String, _ stack: TensorType, with value: String, at place: String, _ zero: String
    ) -> String {
        let row = TensorType(stack.element, [1] + stack.shape.dropFirst())
        let slice = TensorType(stack.element, Array(stack.shape.dropFirst()))
        let (names, types) = start(stack, at: place, zero)
        let wide = auxiliaryName()
        write("\(wide) = stablehlo.reshape \(value) : (\(spell(slice))) -> \(spell(row))")
        let name = auxiliaryName()
        write(
            "\(name) = stablehlo.dynamic_update_slice \(x), \(wide), \(names) : "
                + "(\(spell(stack)), \(spell(row)), \(types)) -> \(spell(stack))")
        return name
    }
}
