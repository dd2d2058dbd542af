import Compute
import Foundation
import Graph

/// How pixels, first brought to [0, 1], are shifted and scaled: x ↦ (x − mean)/std.
public enum Standardization: String, Sendable, Hashable, CaseIterable {
    /// The mean and standard deviation of each channel over the training samples that were taken.
    case subset
    /// The constants of the EoSS code, for CIFAR-10, Fashion-MNIST and SVHN.
    case eoss
    /// The mean and standard deviation of each pixel over the full training set, as Cohen's code.
    case cohen
    /// The constants of the central-flows code, for CIFAR-10.
    case centralFlows = "central_flows"
    /// Pixels stay in [0, 1].
    case none

    var isByConstants: Bool { self == .eoss || self == .centralFlows }
}

/// Sums over pixels (0 to 255), exact: for each place of an image over all images.
struct PixelSums {
    private var count = 0
    private var sums: [Int]
    private var squares: [Int]

    init(imageSize: Int) {
        sums = [Int](repeating: 0, count: imageSize)
        squares = sums
    }

    mutating func add(_ image: UnsafeRawBufferPointer) {
        count += 1
        sums.withUnsafeMutableBufferPointer { sums in
            squares.withUnsafeMutableBufferPointer { squares in
                for i in sums.indices {
                    let pixel = Int(image[i])
                    sums[i] &+= pixel
                    squares[i] &+= pixel &* pixel
                }
            }
        }
    }

    /// The moments of each group of `size` neighbouring places, all images and places of the group together.
    func moments(groupsOf size: Int) -> (mean: [Double], std: [Double]) {
        var result: (mean: [Double], std: [Double]) = ([], [])
        for start in stride(from: 0, to: sums.count, by: size) {
            let n = Double(count * size)
            let mean = Double(sums[start..<(start + size)].reduce(0, +)) / n
            let variance = Double(squares[start..<(start + size)].reduce(0, +)) / n - mean * mean
            result.mean.append(mean / 255)
            // A constant pixel has the deviation 1, so that it becomes 0. Rounding leaves at most some 10⁻¹¹ of a variance of 0; one
            // sample in 10⁶ with value 1 makes 10⁻⁶.
            result.std.append(variance > 1e-9 ? variance.squareRoot() / 255 : 1)
        }
        return result
    }
}

/// Images as bytes with the shift and scale that make inputs of them, one pair for each of the equal parts that an image is divided
/// into: the image, its channels, or its pixels.
struct PixelTable: NumberTable {
    let pixels: NDArray  // u8, [count, pixels of an image]
    let mean: [Double]
    let std: [Double]

    var rows: Int { pixels.shape[0] }

    func width(as element: ElementType) -> Int? { element == .f32 || element == .f64 ? pixels.shape[1] : nil }

    func fill(_ base: UnsafeMutableRawPointer, as element: ElementType, what: String) throws {
        let count = pixels.count
        if element == .f32 {
            try fill(UnsafeMutableBufferPointer(start: base.bindMemory(to: Float.self, capacity: count), count: count))
        } else {
            try fill(UnsafeMutableBufferPointer(start: base.bindMemory(to: Double.self, capacity: count), count: count))
        }
    }

    func taking(_ chosen: [Int], for what: String) throws -> any NumberTable {
        PixelTable(pixels: try pixels.taking(rows: chosen, for: what), mean: mean, std: std)
    }

    func range() -> (least: Double, greatest: Double) {
        var bounds = [(least: UInt8, greatest: UInt8)](repeating: (.max, .min), count: mean.count)
        pixels.withUnsafeBytes { bytes in
            forEachRun(of: bytes.count, asking: {}) { group, places in
                var (least, greatest) = bounds[group]
                for i in places {
                    least = min(least, bytes[i])
                    greatest = max(greatest, bytes[i])
                }
                bounds[group] = (least, greatest)
            }
        }
        let ends = bounds.indices.map { (value(bounds[$0].least, $0), value(bounds[$0].greatest, $0)) }
        return (ends.map(\.0).min() ?? 0, ends.map(\.1).max() ?? 0)
    }

    private func value(_ pixel: UInt8, _ group: Int) -> Double { (Double(pixel) / 255 - mean[group]) / std[group] }

    /// Walks over all pixels in runs that share a shift and a scale. `ask` is called at each image.
    private func forEachRun(
        of count: Int, asking ask: () throws -> Void, _ body: (_ group: Int, _ places: Range<Int>) -> Void
    ) rethrows {
        let size = pixels.shape[1] / mean.count
        var at = 0
        while at < count {
            try ask()
            for group in mean.indices {
                body(group, at..<(at + size))
                at += size
            }
        }
    }

    private func fill<Value: BinaryFloatingPoint>(_ target: UnsafeMutableBufferPointer<Value>) throws {
        var meter = CancellationMeter()
        func ask() throws { try meter.add(pixels.shape[1]) }
        try pixels.withUnsafeBytes { bytes in
            // A byte has 256 values: with long runs a table of them is faster than the arithmetic.
            guard pixels.shape[1] / mean.count >= 16 else {
                return try forEachRun(of: bytes.count, asking: ask) { group, places in
                    for i in places { target.initializeElement(at: i, to: Value(value(bytes[i], group))) }
                }
            }
            let tables = mean.indices.map { group in (0...255).map { Value(value(UInt8($0), group)) } }
            try forEachRun(of: bytes.count, asking: ask) { group, places in
                tables[group].withUnsafeBufferPointer { table in
                    for i in places { target.initializeElement(at: i, to: table[Int(bytes[i])]) }
                }
            }
        }
    }
}
