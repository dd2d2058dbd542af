import Foundation

extension Dataset {
    /// The Chebyshev polynomial T_degree at `n` points equispaced in [−1, 1]; inputs have the shape [1]. No test samples.
    /// - Throws: `DatasetError` for a negative degree or fewer than two points.
    public static func chebyshev(degree: Int, n: Int) throws -> Dataset {
        guard degree >= 0 else { throw DatasetError("degree = \(degree): a polynomial has a degree of 0 or more") }
        guard n >= 2 else { throw DatasetError("n = \(n): at least two points are needed") }
        func point(_ i: Int) -> Double { 2 * Double(i) / Double(n - 1) - 1 }
        func column(_ value: (Double) -> Double, for what: String) throws -> NDArray {
            try NDArray(shape: [n, 1], element: .f64, for: what) { bytes in
                let values = bytes.bindMemory(to: Double.self)
                for i in 0..<n { values[i] = value(point(i)) }
            }
        }
        let inputs = try column({ $0 }, for: "the points of chebyshev")
        // On [−1, 1] T_d(x) = cos(d arccos x), stable for every degree; the recurrence costs n·d.
        let targets = try column({ cos(Double(degree) * acos($0)) }, for: "the values of chebyshev")
        let train = Split(
            count: n, inputs: ElementViews(inputs, for: "the inputs of chebyshev"), outputs: 1,
            targets: ElementViews(targets, for: "the targets of chebyshev"))
        return Dataset(
            name: "chebyshev", inputShape: [1], outputs: 1, train: train, test: nil,
            notes: ["T of degree \(degree) on [−1, 1]"])
    }
}
