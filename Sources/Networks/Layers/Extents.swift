import Graph

/// The largest width, depth or length of a network, so that sums and products of a few of them cannot overflow.
private let largestExtent = 1 << 24

/// Checks numbers that extents of tensors are made of, where they enter.
/// - Throws: `GraphError` that names the first one outside 1 … 2²⁴.
func checkExtents(_ owner: String, _ values: KeyValuePairs<String, Int>) throws(GraphError) {
    for (name, value) in values where !(1...largestExtent).contains(value) {
        throw GraphError("\(owner): \(name) is \(value); it is at least 1 and at most \(largestExtent)")
    }
}
