import Graph

/// How a value lies that is a part of each row of a concatenation; in elements.
struct RowsOfPart: Hashable {
    var length: Int
    var stride: Int

    /// Elements per step of each axis; `nil` where that is not the same for all steps of an axis.
    func strides(_ shape: [Int]) -> [Int]? {
        let placed = zip(shape, Axes.rowMajorStrides(shape)).map { stride(of: $1, extent: $0) }
        return placed.contains(nil) ? nil : placed.compactMap { $0 }
    }

    /// Elements per step of an axis, given those in a value that lies together.
    func stride(of together: Int, extent: Int) -> Int? {
        if extent <= 1 { return together }
        if together % length == 0 { return together / length * stride }
        return extent * together <= length ? together : nil
    }
}

/// Index arithmetic of plans: axes with their strides, in elements.
struct Axes: Hashable, Sendable {
    var extents: [Int]
    var strides: [Int]

    var count: Int { extents.reduce(1, *) }

    /// Row-major strides of a contiguous tensor.
    static func rowMajorStrides(_ shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * max(1, shape[axis + 1]) }
        return strides
    }

    /// The same index space with axes of extent 1 left out and neighbours that are walked as one merged.
    func collapsed() -> Axes { Axes.collapsed(extents, [strides]).axes(0) }

    /// As above for several operands that are walked together: axes merge where they do for every operand.
    static func collapsed(_ extents: [Int], _ strides: [[Int]]) -> CollapsedAxes {
        var result = CollapsedAxes(extents: [], strides: strides.map { _ in [] })
        for axis in extents.indices where extents[axis] != 1 {
            let last = result.extents.count - 1
            let merges =
                last >= 0
                && strides.indices.allSatisfy {
                    result.strides[$0][last] == strides[$0][axis] * extents[axis]
                }
            if merges {
                result.extents[last] *= extents[axis]
                for operand in strides.indices { result.strides[operand][last] = strides[operand][axis] }
            } else {
                result.extents.append(extents[axis])
                for operand in strides.indices { result.strides[operand].append(strides[operand][axis]) }
            }
        }
        return result
    }
}

/// One index space with the strides of several operands.
struct CollapsedAxes {
    var extents: [Int]
    var strides: [[Int]]
    func axes(_ operand: Int) -> Axes { Axes(extents: extents, strides: strides[operand]) }
}

func ceilDivide(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
func roundUp(_ a: Int, to multiple: Int) -> Int { ceilDivide(a, multiple) * multiple }

extension TensorType {
    /// Elements; the product was checked when the graph was built.
    var elements: Int { shape.reduce(1, *) }

    /// Bytes in memory.
    /// - Throws: `MemoryError.impossibleSize` where the size overflows.
    func bytes(for what: String) throws(MemoryError) -> Int {
        let (bytes, overflow) = elements.multipliedReportingOverflow(by: element.byteCount)
        if overflow { throw .impossibleSize(what: what) }
        return bytes
    }
}
