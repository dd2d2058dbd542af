extension Graph: CustomStringConvertible {
    /// The program, one operation a line; inputs by their names, other values by their numbers:
    /// ```
    /// graph(%x: f32[8,784], %w: f32[512,784]) {
    ///     %2 = dot_general %x, %w {contracting = [1] x [1]} : f32[8,512]
    ///     return h = %2
    /// }
    /// ```
    public var description: String { text(indent: "") }

    /// The name a value is printed by.
    public func name(of value: Value) -> String {
        value.id < inputs.count ? "%" + inputs[value.id].name : "%\(value.id)"
    }

    private func text(indent: String) -> String {
        let parameters = inputs.map { "%\($0.name): \($0.type)" }.joined(separator: ", ")
        var text = "graph(\(parameters)) {\n"
        for node in nodes { text += indent + "    " + line(node, indent: indent + "    ") + "\n" }
        let results = outputs.map { "\($0.name) = \(name(of: $0.value))" }.joined(separator: ", ")
        return text + indent + "    return \(results)\n" + indent + "}"
    }

    private func line(_ node: Node, indent: String) -> String {
        let results = node.results.map { "%\($0)" }.joined(separator: ", ")
        let operands = node.operands.map(name).joined(separator: ", ")
        let attributes = node.operation.attributes
        let bodies = node.operation.bodies.map { " " + $0.text(indent: indent) }.joined()
        let resultTypes = node.results.map { types[$0].description }.joined(separator: ", ")
        return "\(results) = \(node.operation.mnemonic)" + (operands.isEmpty ? "" : " " + operands)
            + (attributes.isEmpty ? "" : " {\(attributes)}") + bodies + " : \(resultTypes)"
    }
}
