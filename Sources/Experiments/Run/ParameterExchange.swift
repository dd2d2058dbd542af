import Compute
import Datasets
import Graph
import Networks

/// Parameters and running statistics as PyTorch's `state_dict` has them, and back.
extension Model {
    /// Parameters, frozen ones among them, running statistics and constants by name. PyTorch's `num_batches_tracked` is not among them: it loads a
    /// `state_dict` without them, also where it is strict.
    /// - Throws: as `ParameterLayout.arrays(of:)`.
    public func arrays(of parameters: Vector, statistics: Vector) throws -> [String: NDArray] {
        var arrays = try layout.arrays(of: parameters).merging(buffers.arrays(of: statistics)) { $1 }
        for entry in frozen { arrays[entry.name] = try fixed.array(entry, of: fixedValues) }
        for constant in constants {
            arrays[constant.name] =
                element == .f64
                ? try NDArray(constant.values, shape: constant.shape)
                : try NDArray(constant.values.map(Float.init), shape: constant.shape)
        }
        return arrays
    }

    /// Constants may be left out, but not be others.
    private func checkConstants(_ arrays: [String: NDArray], _ source: String) throws {
        for constant in constants {
            guard let array = arrays[constant.name] else { continue }
            // They were rounded to f32, perhaps from angles that were.
            let agree =
                array.shape == constant.shape && zip(array.values, constant.values).allSatisfy { abs($0 - $1) < 1e-4 }
            guard agree else {
                throw ExperimentError.invalid(
                    "'\(source)': '\(constant.name)' \(array.shape) is not the constant \(constant.shape) of this model"
                )
            }
        }
    }

    /// The parameters and running statistics that named arrays make up, and what is fixed with the frozen ones among these. Counts of batches (`bn1.num_batches_tracked`) may
    /// stand beside them, and so may the model's constants.
    /// - Throws: `ExperimentError` for constants of another model; as `ParameterLayout.vector(of:element:from:)`.
    public func state(
        from arrays: [String: NDArray], source: String
    ) throws -> (parameters: Vector, statistics: Vector, fixed: Vector) {
        try checkConstants(arrays, source)
        let others = Set(statistics.map { "\($0.name).num_batches_tracked" } + constants.map(\.name))
        let named = arrays.filter { !others.contains($0.key) }
        let all = try ParameterLayout((layout.entries + frozen + buffers.entries).map { ($0.name, $0.shape) })
        let state = try all.vector(of: named, element: element, from: source)
        return try state.withUnsafeBytes { bytes in
            let size = element.byteCount
            let (end, last) = (layout.count * size, bytes.count - buffers.count * size)
            func vector(_ part: Range<Int>) throws -> Vector {
                try Vector(copying: UnsafeRawBufferPointer(rebasing: bytes[part]), element: element)
            }
            var fixed = fixedValues
            try fixed.withUnsafeMutableBytes { target in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[end..<last]))
            }
            return (try vector(0..<end), try vector(last..<bytes.count), fixed)
        }
    }
}

/// Parameters as named arrays, and back.
extension ParameterLayout {
    /// Every parameter by its name, in its shape, in the vector's element.
    /// - Throws: `MemoryError` when the copies do not fit, `ExperimentError` for a vector of another length.
    public func arrays(of vector: Vector) throws -> [String: NDArray] {
        guard vector.count == count else {
            throw ExperimentError.invalid("a vector of \(vector.count) numbers for \(count) parameters")
        }
        var arrays: [String: NDArray] = [:]
        for entry in entries { arrays[entry.name] = try array(entry, of: vector) }
        return arrays
    }

    /// One parameter in its shape, in the vector's element; the vector is one of this layout.
    /// - Throws: `MemoryError` when the copy does not fit.
    public func array(_ entry: Entry, of vector: Vector) throws -> NDArray {
        let size = vector.element.byteCount
        return try NDArray(shape: entry.shape, element: vector.element == .f64 ? .f64 : .f32) { target in
            vector.withUnsafeBytes { bytes in
                let start = entry.offset * size
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + entry.count * size]))
            }
        }
    }

    /// The vector that named arrays of any real element make up. Exactly the layout's names and shapes must be there.
    /// - Parameter source: where the arrays come from, for messages.
    /// - Throws: `ExperimentError` that lists what is missing, what is there in excess or the first wrong shape.
    public func vector(of arrays: [String: NDArray], element: ElementType, from source: String) throws -> Vector {
        let missing = entries.map(\.name).filter { arrays[$0] == nil }
        let extra = arrays.keys.filter { entry($0) == nil }.sorted()
        if !missing.isEmpty || !extra.isEmpty {
            var parts: [String] = []
            if !missing.isEmpty { parts.append("lacks \(Self.listed(missing))") }
            if !extra.isEmpty { parts.append("has \(Self.listed(extra)), which the model does not have") }
            throw ExperimentError.invalid("'\(source)' is not of this model: it \(parts.joined(separator: " and "))")
        }
        var vector = try Vector(zeros: count, element: element)
        for entry in entries {
            guard let array = arrays[entry.name] else { continue }
            guard array.shape == entry.shape else {
                throw ExperimentError.invalid(
                    "'\(source)': '\(entry.name)' has shape \(array.shape), the model's has \(entry.shape)")
            }
            try vector.withUnsafeMutableBytes { bytes in
                let start = entry.offset * element.byteCount
                let region = UnsafeMutableRawBufferPointer(
                    rebasing: bytes[start..<start + entry.count * element.byteCount])
                if element == .f64 {
                    array.copy(to: region.bindMemory(to: Double.self))
                } else {
                    array.copy(to: region.bindMemory(to: Float.self))
                }
            }
        }
        return vector
    }

    private static func listed(_ names: [String]) -> String {
        let shown = names.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
