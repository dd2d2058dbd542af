import Foundation

extension RandomStream {
    /// A number from the standard normal distribution, by its inverse distribution function; two words are taken.
    ///
    /// The 2⁵² values are the exact quantiles at the midpoints (k + ½)/2⁵², up to a relative error of about 10⁻¹⁵: symmetric
    /// about 0, the largest is 8.2.
    @inline(__always)
    public mutating func normal() -> Double {
        Self.normal(nextUInt64())
    }

    /// Fills the buffer with normal numbers: the same as `Float(mean + std * normal())` one after the other.
    public mutating func fillNormal(_ buffer: UnsafeMutableBufferPointer<Float>, mean: Double = 0, std: Double = 1) {
        fill(buffer) { Float(mean + std * Self.normal($0)) }
    }

    /// Fills the buffer with normal numbers: the same as `mean + std * normal()` one after the other.
    public mutating func fillNormal(_ buffer: UnsafeMutableBufferPointer<Double>, mean: Double = 0, std: Double = 1) {
        fill(buffer) { mean + std * Self.normal($0) }
    }

    /// Fills the buffer with numbers uniform in [low, high): the same as `low + (high - low) * uniform()` one after the
    /// other, rounded to f32 (which may round up to `high`).
    public mutating func fillUniform(_ buffer: UnsafeMutableBufferPointer<Float>, low: Double = 0, high: Double = 1) {
        fill(buffer) { Float(low + (high - low) * Self.uniform($0)) }
    }

    /// Fills the buffer with numbers uniform in [low, high): the same as `low + (high - low) * uniform()` one after the other.
    public mutating func fillUniform(_ buffer: UnsafeMutableBufferPointer<Double>, low: Double = 0, high: Double = 1) {
        fill(buffer) { low + (high - low) * Self.uniform($0) }
    }

    /// Each element from the next two words, a whole block at a time where the stream stands at a block's border.
    @inline(__always)
    private mutating func fill<Element>(_ buffer: UnsafeMutableBufferPointer<Element>, _ value: (UInt64) -> Element) {
        var i = 0
        let count = buffer.count
        // From an odd position some elements' words would lie in two blocks.
        if position & 1 == 0 {
            if position & 2 != 0, count > 0 {
                buffer[0] = value(nextUInt64())
                i = 1
            }
            if i + 2 <= count {
                var number = position >> 2
                repeat {
                    let four = words(ofBlock: number)
                    buffer[i] = value(UInt64(four[0]) | UInt64(four[1]) << 32)
                    buffer[i + 1] = value(UInt64(four[2]) | UInt64(four[3]) << 32)
                    number &+= 1
                    i += 2
                } while i + 2 <= count
                position = number << 2
            }
        }
        while i < count {
            buffer[i] = value(nextUInt64())
            i += 1
        }
    }

    @inline(__always)
    static func normal(_ bits: UInt64) -> Double {
        // k + ½ is exact for k < 2⁵², and so is its distance from the middle.
        let q = (Double(bits >> 12) + 0.5) * 0x1p-52 - 0.5
        return normalQuantile(centred: q)
    }

    /// The x with Φ(x) = ½ + q, for |q| < ½: algorithm PPND16.
    ///
    /// Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37 (1988).
    @inline(__always)
    static func normalQuantile(centred q: Double) -> Double {
        if abs(q) <= 0.425 {
            let r = 0.180625 - q * q
            let numerator =
                ((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
                    + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r
                    + 1.9715909503065514427e3) * r + 1.3314166789178437745e2) * r + 3.3871328727963666080
            let denominator =
                ((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
                    + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r
                    + 6.8718700749205790830e2) * r + 4.2313330701600911252e1) * r + 1
            return q * numerator / denominator
        }
        let tail = normalTailQuantile(0.5 - abs(q))
        return q < 0 ? -tail : tail
    }

    /// The x with 1 − Φ(x) = p, for p < 0.075.
    private static func normalTailQuantile(_ p: Double) -> Double {
        var r = (-log(p)).squareRoot()
        if r <= 5 {
            r -= 1.6
            let numerator =
                ((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
                    + 1.27045825245236838258) * r + 3.64784832476320460504) * r
                    + 5.76949722146069140550) * r + 4.63033784615654529590) * r + 1.42343711074968357734
            let denominator =
                ((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r
                    + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r
                    + 1.67638483018380384940) * r + 2.05319162663775882187) * r + 1
            return numerator / denominator
        }
        r -= 5
        let numerator =
            ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
                + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r
                + 1.78482653991729133580) * r + 5.46378491116411436990) * r + 6.65790464350110377720
        let denominator =
            ((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r
                + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r
                + 1.36929880922735805310e-1) * r + 5.99832206555887937690e-1) * r + 1
        return numerator / denominator
    }
}
