import Foundation

/// A number in a format of C's.
func formatted(_ x: Double, _ format: String) -> String { String(format: format, x) }

/// The first few of a list of numbers, and how many there are.
func listed(_ numbers: [Double], most: Int = 6) -> String {
    let shown = numbers.prefix(most).map { short($0) }.joined(separator: ", ")
    return numbers.count > most ? "\(shown), … (\(numbers.count) numbers)" : shown
}
