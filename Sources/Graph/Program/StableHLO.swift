/// Writes graphs as StableHLO modules, so that a second backend can hand them to a PJRT plug-in.
/// Each operation has its spelling in its own file.
public struct StableHLOWriter {
    /// The names and types an operation's spelling is made of.
    public struct Site {
        public let operands: [String]
        public let operandTypes: [TensorType]
        public let result: String
        public let resultType: TensorType
    }

    private var lines: [String] = []
    private var auxiliary = 0
    private var indent = "    "

    /// Appends one line to the function's body.
    public mutating func write(_ line: String) { lines.append(indent + line) }

    /// Appends what `region` writes, two places further in.
    mutating func write(region: (inout StableHLOWriter) -> Void) {
        indent += "  "
        region(&self)
        indent.removeLast(2)
    }

    /// A name for a value that stands for no value of the graph.
    public mutating func auxiliaryName() -> String {
        auxiliary += 1
        return "%c\(auxiliary - 1)"
    }

    /// A new scalar constant, as reductions need for their initial value.
    public mutating func scalarConstant(_ value: String, _ element: ElementType) -> String {
        let name = auxiliaryName()
        write("\(name) = stablehlo.constant dense<\(value)> : \(spell(TensorType(element)))")
        return name
    }

    /// `tensor<8x784xf32>`; a scalar is `tensor<f32>`.
    public func spell(_ type: TensorType) -> String {
        let element = type.element == .bool ? "i1" : type.element.rawValue
        return "tensor<" + type.shape.map { "\($0)x" }.joined() + element + ">"
    }

    /// A number as MLIR reads it: decimal where that is exact and finite, else the bits in hexadecimal.
    public func spell(_ value: Double, _ element: ElementType) -> String {
        switch element {
        case .bool: return value == 0 ? "false" : "true"
        case .i32: return String(Int(value))
        case .f32, .f64:
            if value.isFinite {
                let text = element == .f32 ? Float(value).description : value.description
                return text.contains(".") ? text : text.replacing("e", with: ".0e")
            }
            let bits = element == .f32 ? UInt64(Float(value).bitPattern) : value.bitPattern
            return "0x" + String(bits, radix: 16, uppercase: true)
        }
    }

    /// `[0, 2]`.
    public func spell(_ axes: [Int]) -> String { "[" + axes.map(String.init).joined(separator: ", ") + "]" }

    /// `(tensor<…>, tensor<…>) -> tensor<…>`.
    public func signature(_ site: Site) -> String {
        "(" + site.operandTypes.map(spell).joined(separator: ", ") + ") -> " + spell(site.resultType)
    }

    /// Appends the operations of a graph, for inputs of these names, and returns the names of all its values. Names of results
    /// start with `prefix`.
    mutating func write(_ graph: Graph, inputs: [String], prefix: String) -> [String] {
        var names = inputs
        for node in graph.nodes {
            let operands = node.operands.map { names[$0.id] }
            let name = prefix + String(node.results.lowerBound - graph.inputs.count)
            if let scan = node.operation as? Scan {
                names += scan.writeStableHLO(named: name, of: operands, to: &self)
                continue
            }
            precondition(node.results.count == 1, "\(node.operation.mnemonic) has no StableHLO spelling")
            names.append(name)
            node.operation.writeStableHLO(
                Site(
                    operands: operands, operandTypes: node.operands.map(graph.type), result: name,
                    resultType: graph.type(of: node.result)), to: &self)
        }
        return names
    }

    static func module(_ graph: Graph) -> String {
        var writer = StableHLOWriter()
        let names = writer.write(graph, inputs: graph.inputs.indices.map { "%arg\($0)" }, prefix: "%")
        let arguments = zip(names, graph.inputs).map { "\($0): \(writer.spell($1.type))" }.joined(separator: ", ")
        let resultTypes = graph.outputs.map { writer.spell(graph.type(of: $0.value)) }.joined(separator: ", ")
        let results = graph.outputs.map { names[$0.value.id] }.joined(separator: ", ")
        let head = "module {\n  func.func public @main(\(arguments)) -> (\(resultTypes)) {\n"
        let returned = results.isEmpty ? "    return" : "    return \(results) : \(resultTypes)"
        return head + writer.lines.map { $0 + "\n" }.joined() + returned + "\n  }\n}\n"
    }
}

extension Graph {
    /// The graph as the text of a StableHLO module with one function, `main`; inputs and outputs in the graph's order.
    /// Operations that late passes introduced are written as what they stand for.
    public func stableHLO() -> String { StableHLOWriter.module(expanded()) }
}
