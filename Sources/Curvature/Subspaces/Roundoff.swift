import Graph

/// What of a number that should be 0 rounding leaves, relative to what it was computed from: one unit, and the multiples of it by
/// which the methods judge.
enum Roundoff {
    /// One unit in the last place of f32, whose sums are taken in f64; two of f64, whose sums round as well.
    static func unit(_ element: ElementType) -> Double {
        element == .f32 ? Double(Float.ulpOfOne) : 2 * Double.ulpOfOne
    }

    /// What orthogonalisation leaves of a vector is no direction below this part of it. Sums of squares of p rounding errors, each
    /// half a unit of an element of size 1/√p, from some passes.
    static func direction(_ element: ElementType) -> Double { 8 * unit(element) }

    /// A curvature is 0 below this part of the largest one met: products sum many terms in the element itself.
    static func curvature(_ element: ElementType) -> Double { 32 * unit(element) }

    /// How near to what rounding may have gathered, in multiples of that, a residual is computed anew before it is believed.
    static let doubt = 64.0

    /// From where on residuals that no longer fall are taken for rounding, in multiples of ``unit(_:)``·‖A‖.
    static let stall = 1000.0

    /// An entry off the diagonal below this part of the larger diagonal element changes neither, nor the angle between the vectors:
    /// a quarter of a unit in the last place.
    static let rotation = Double.ulpOfOne / 4
}
