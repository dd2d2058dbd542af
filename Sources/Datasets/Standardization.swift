import Compute
import Foundation

/// How pixels, first brought to [0, 1], are shifted and scaled: x ↦ (x − mean)/std.
public enum Standardization: String, Sendable, Hashable, CaseIterable {
    /// The mean and standard deviation of each channel over the training samples that were taken.
    case subset
    /// The constants of the EoSS code: Fashion-MNIST .2860 and .3530.
    case eoss
    /// The mean and standard deviation of each pixel over the full training set, as Cohen's code.
    case cohen
    /// Pixels stay in [0, 1].
    case none
}

/// Sums of pixel values (0 to 255), exact.
struct PixelSums {
    var count = 0
    var sum = 0
    var squares = 0

    mutating func add(_ pixel: UInt8) {
        count += 1
        sum += Int(pixel)
        squares += Int(pixel) * Int(pixel)
    }

    /// The mean and the standard deviation (of the population) of the pixels over 255. A constant pixel has the
    /// deviation 1, so that it becomes 0.
    var moments: (mean: Double, std: Double) {
        let mean = Double(sum) / Double(count)
        let variance = Double(squares) / Double(count) - mean * mean
        // Rounding leaves at most some 10⁻¹¹ of a variance of 0; one sample in 10⁶ with value 1 makes 10⁻⁶.
        return (mean / 255, variance > 1e-9 ? variance.squareRoot() / 255 : 1)
    }
}

/// Images as bytes with the shift and scale that make inputs of them: one pair for all pixels or one for each.
struct PixelTable: Sendable {
    let pixels: NDArray  // u8, [count, pixels of an image]
    let mean: [Double]
    let std: [Double]

    func views(for what: String) -> ElementViews {
        ElementViews(count: pixels.count, for: what, floats: { fill($0) }, doubles: { fill($0) })
    }

    private func fill<Value: BinaryFloatingPoint>(_ target: UnsafeMutableBufferPointer<Value>) {
        pixels.withUnsafeBytes { bytes in
            if mean.count == 1 {
                let values = (0...255).map { Value((Double($0) / 255 - mean[0]) / std[0]) }
                for i in bytes.indices { target.initializeElement(at: i, to: values[Int(bytes[i])]) }
                return
            }
            var i = 0
            while i < bytes.count {
                for j in mean.indices {
                    target.initializeElement(at: i + j, to: Value((Double(bytes[i + j]) / 255 - mean[j]) / std[j]))
                }
                i += mean.count
            }
        }
    }
}
