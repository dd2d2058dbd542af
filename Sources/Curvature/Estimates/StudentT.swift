import Foundation

/// Student's t distribution with ν degrees of freedom: that of a mean of ν + 1 normal values over its standard error.
enum StudentT {
    /// P(T ≤ t).
    ///
    /// By the incomplete beta function, I_x(ν/2, ½)/2 for the tail with x = ν/(ν + t²).
    static func cumulative(_ t: Double, degrees: Double) -> Double {
        let tail = incompleteBeta(degrees / (degrees + t * t), a: degrees / 2, b: 0.5) / 2
        return t > 0 ? 1 - tail : tail
    }

    /// The t with P(|T| ≤ t) = confidence, for a confidence in (0, 1): 12.71 for 95 % and ν = 1, 2.26 for ν = 9, 1.96 for
    /// many. Infinite below one degree of freedom.
    static func quantile(confidence: Double, degrees: Double) -> Double {
        guard degrees >= 1, confidence < 1 else { return .infinity }
        guard confidence > 0 else { return 0 }
        // Newton's iteration for the tail, whose steps can only fall short: for t > 0 the tail is convex in t.
        let tail = (1 - confidence) / 2
        let height = exp(lgamma((degrees + 1) / 2) - lgamma(degrees / 2)) / (degrees * .pi).squareRoot()
        var t = 0.0
        for _ in 0..<200 {
            let density = height * exp(-(degrees + 1) / 2 * log1p(t * t / degrees))
            let step = (cumulative(-t, degrees: degrees) - tail) / density
            t += step
            if step <= 1e-13 * t { break }
        }
        return t
    }

    /// I_x(a, b), by its continued fraction (DLMF 8.17.22), in Lentz's way.
    private static func incompleteBeta(_ x: Double, a: Double, b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The fraction converges fast below the mean; above it the complement is taken.
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, a: b, b: a) }
        let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
        var (c, d) = (1.0, 1 / (1 - (a + b) * x / (a + 1)))
        var fraction = d
        for m in 1...10_000 {
            let m = Double(m)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / (1 + even * d)
            c = 1 + even / c
            fraction *= c * d
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / (1 + odd * d)
            c = 1 + odd / c
            fraction *= c * d
            if abs(c * d - 1) < 1e-15 { break }
        }
        return front * fraction
    }
}
