// Inputs and outputs by name, as the transformations take and make them.

extension Graph {
    /// The numbers of the inputs named.
    func indices(ofInputs names: [String]) throws(GraphError) -> [Int] {
        var indices: [Int] = []
        for name in names {
            guard let index = inputIndex(name) else {
                throw GraphError(
                    "the graph has no input '\(name)'; it has \(inputs.map(\.name).joined(separator: ", "))")
            }
            indices.append(index)
        }
        if Set(indices).count != indices.count { throw GraphError("an input is named twice in \(names)") }
        return indices
    }

    /// The numbers of the inputs named, which have derivatives.
    func indices(ofRealInputs names: [String]) throws(GraphError) -> [Int] {
        let indices = try indices(ofInputs: names)
        for index in indices where !inputs[index].type.element.isFloating {
            throw GraphError("input '\(inputs[index].name)' is \(inputs[index].type): it has no derivative")
        }
        return indices
    }

    /// The output of this name.
    func output(named name: String) throws(GraphError) -> Output {
        guard let index = outputIndex(name) else {
            throw GraphError("the graph has no output '\(name)'; it has \(outputs.map(\.name).joined(separator: ", "))")
        }
        return outputs[index]
    }
}

/// Gives out names, each once: a name that is taken gets the first free one of `name.2`, `name.3`, …, as where a graph that
/// has an output `x.gradient` is differentiated again.
struct NameTable {
    private var taken: Set<String>

    init(_ taken: [String]) { self.taken = Set(taken) }

    mutating func claim(_ name: String) -> String {
        var candidate = name
        var count = 1
        while !taken.insert(candidate).inserted {
            count += 1
            candidate = "\(name).\(count)"
        }
        return candidate
    }
}
