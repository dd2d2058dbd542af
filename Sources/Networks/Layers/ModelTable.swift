extension Model {
    /// The network as a table for the eye: layer, what it is, output shape of one sample, parameters, multiply-adds; then the totals,
    /// which include what layers share or do between them.
    public var table: String {
        var rows = [["layer", "kind", "output", "parameters", "multiply-adds"]]
        for layer in layers {
            rows.append([
                layer.name, layer.kind, Self.spell(layer.outputShape), Self.grouped(layer.parameters),
                Self.grouped(layer.multiplyAdds),
            ])
        }
        rows.append([
            name, "", Self.spell(outputShape), Self.grouped(layout.count),
            Self.grouped(forward.cost().multiplyAdds),
        ])
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "──")
        var lines = rows.map { row in
            // Numbers stand to the right.
            zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column < 3 ? cell.0 + space : space + cell.0
            }.joined(separator: "  ")
        }
        lines.insert(rule, at: 1)
        lines.insert(rule, at: lines.count - 1)
        return lines.joined(separator: "\n")
    }

    private static func spell(_ shape: [Int]) -> String {
        shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
    }

    /// 1234567 as `1,234,567`.
    private static func grouped(_ number: Int) -> String {
        var digits = Array(String(number))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }
}
