import Compute
import Graph

/// Parameters that are none: frozen at their values, they are inputs of the model's graphs as before, but no derivative is taken by
/// them and no step changes them. θ, gradients and curvature are those of the others alone.
extension Model {
    /// The network with these parameters frozen at their initial values, beside those that were before.
    /// - Throws: `GraphError` for a name that no parameter has, and where none would be left to train.
    public func freezing(_ names: Set<String>) throws -> Model {
        if let unknown = names.sorted().first(where: { layout.entry($0) == nil }) {
            throw GraphError("\(name) has no parameter '\(unknown)'")
        }
        let (kept, taken) = (
            layout.entries.filter { !names.contains($0.name) }, layout.entries.filter { names.contains($0.name) }
        )
        guard !kept.isEmpty else {
            throw GraphError("all parameters of \(name) would be frozen: there would be nothing to train")
        }
        var model = self
        model.layout = try ParameterLayout(kept.map { ($0.name, $0.shape) })
        model.fixed = try ParameterLayout((fixed.entries + taken).map { ($0.name, $0.shape) })
        model.initial = try Vector(copying: kept.map { ($0, initial) }, element: element)
        model.fixedValues = try Vector(
            copying: fixed.entries.map { ($0, fixedValues) } + taken.map { ($0, initial) }, element: element)
        model.frozenCount += taken.count
        model.forward = try forward.ordered(as: model, running: false)
        model.evaluation = statistics.isEmpty ? model.forward : try evaluation.ordered(as: model, running: true)
        return model
    }

    /// Those of the fixed tensors that are frozen parameters: they stand in the model's `state_dict`. Others may follow them.
    public var frozen: [ParameterLayout.Entry] { Array(fixed.entries.prefix(frozenCount)) }

    /// The network with further fixed tensors, which its graphs do not ask for: graphs that are made of these may.
    /// - Parameter values: of all fixed tensors.
    package func fixing(_ tensors: [(name: String, shape: [Int])], values: Vector) throws -> Model {
        var model = self
        model.fixed = try ParameterLayout(fixed.entries.map { ($0.name, $0.shape) } + tensors)
        precondition(values.count == model.fixed.count && values.element == element, "the values of the fixed tensors")
        model.fixedValues = values
        return model
    }
}

extension Graph {
    /// The same function with its inputs in the order of a model's parts: parameters, the sample, what is fixed, running values.
    fileprivate func ordered(as model: Model, running: Bool) throws -> Graph {
        let names =
            model.layout.entries.map(\.name) + [Model.inputName] + model.fixed.entries.map(\.name)
            + (running ? model.buffers.entries.map(\.name) : [])
        let b = GraphBuilder()
        var values: [String: Value] = [:]
        for name in names {
            guard let index = inputIndex(name) else { preconditionFailure("'\(name)' is an input of every model") }
            values[name] = b.input(name, inputs[index].type)
        }
        let results = b.call(self, values)
        return b.build(outputs: outputs.compactMap { output in results[output.name].map { (output.name, $0) } })
    }
}

extension Vector {
    /// Parts of vectors of one element, one after the other.
    fileprivate init(copying parts: [(ParameterLayout.Entry, Vector)], element: ElementType) throws {
        let size = element.byteCount
        try self.init(zeros: parts.reduce(0) { $0 + $1.0.count }, element: element, for: "the parameters of a model")
        try withUnsafeMutableBytes { target in
            var offset = 0
            for (entry, source) in parts {
                try Cancellation.check()
                let place = entry.offset * size..<(entry.offset + entry.count) * size
                source.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + entry.count * size]).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: $0[place]))
                }
                offset += entry.count * size
            }
        }
    }
}
