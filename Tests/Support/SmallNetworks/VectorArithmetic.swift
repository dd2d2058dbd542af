// Arithmetic on plain arrays, for what tests compare with.

package func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// a + s·b.
package func moved(_ a: [Double], _ s: Double, _ b: [Double]) -> [Double] { zip(a, b).map { $0 + s * $1 } }

/// ‖a − b‖ relative to ‖b‖, or absolute where b is short.
package func distance(_ a: [Double], _ b: [Double], floor: Double = 1e-3) -> Double {
    let difference = zip(a, b).map { $0 - $1 }
    return dot(difference, difference).squareRoot() / max(floor, dot(b, b).squareRoot())
}
