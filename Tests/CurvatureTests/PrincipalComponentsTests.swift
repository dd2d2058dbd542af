import Compute
import Testing

@testable import Curvature

@Suite struct PrincipalComponentsTests {
    private func normal(_ seed: UInt64, _ count: Int = 40) throws -> Vector {
        var stream = RandomStream(seed: seed, purpose: .test)
        return try Vector.randomNormal(count: count, element: .f64, stream: &stream)
    }

    @Test func aStraightWayHasOneComponent() throws {
        let (start, way) = (try normal(1), try normal(2))
        let points = try [0, 0.1, 0.5, 0.6, 2].map { try start + $0 * way }
        let components = try PrincipalComponents(of: points, count: 2)
        #expect(components.directions.count == 1)
        #expect(abs(components.explained[0] - 1) < 1e-12)
        // From the first point towards the last.
        #expect(abs(try components.directions[0].dot(way) / way.norm() - 1) < 1e-12)
    }

    /// Points with coordinates of known covariance along two orthonormal directions: an ellipse's principal axes.
    @Test func thoseOfPointsOnAnEllipseAreItsAxes() throws {
        let u = try normal(3) / normal(3).norm()
        var w = try normal(4)
        try w.add(-w.dot(u), u)
        w = try w / w.norm()
        let centre = try normal(5)
        // Their variances are 9/2 and 1/2.
        let points = try (0..<8).map { i -> Vector in
            let (x, y) = [
                (1.0, 0.0), (0.5.squareRoot(), 0.5.squareRoot()), (0, 1), (-0.5.squareRoot(), 0.5.squareRoot()),
            ][i % 4]
            let sign = i < 4 ? 1.0 : -1
            return try centre + (3 * sign * x) * u + (sign * y) * w
        }
        let components = try PrincipalComponents(of: points, count: 5)
        #expect(components.directions.count == 2)
        #expect(abs(components.explained[0] - 0.9) < 1e-12 && abs(components.explained[1] - 0.1) < 1e-12)
        #expect(abs(abs(try components.directions[0].dot(u)) - 1) < 1e-12)
        #expect(abs(abs(try components.directions[1].dot(w)) - 1) < 1e-12)
        #expect(abs(try components.directions[0].dot(components.directions[1])) < 1e-14)
    }

    @Test func pointsWithoutADirectionAreRefused() throws {
        let point = try normal(1)
        for points in [[point], [point, point]] {
            #expect(throws: CurvatureError.self) { try PrincipalComponents(of: points, count: 2) }
        }
        #expect(throws: CurvatureError.self) { try PrincipalComponents(of: [point, point / 0], count: 2) }
    }
}
