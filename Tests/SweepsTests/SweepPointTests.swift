import Sweeps
import Testing

@Suite struct SweepPointTests {
    @Test func theLastParameterChangesFastest() {
        let points = SweepPoint.grid([("lr", ["0.1", "0.2"]), ("batch", ["8", "16", "32"])])
        #expect(points.count == 6)
        #expect(points[1].settings == [.init("lr", "0.1"), .init("batch", "16")])
        #expect(points[5].settings == [.init("lr", "0.2"), .init("batch", "32")])
        #expect(SweepPoint.grid([]) == [SweepPoint([])])
    }
}
