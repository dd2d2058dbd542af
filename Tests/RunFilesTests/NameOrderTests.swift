import Testing

@testable import RunFiles

@Suite struct NameOrderTests {
    @Test func numbersAreOrderedByTheirValue() {
        let ordered = [
            "Alpha", "alpha 2", "alpha 10", "b=8,lr=1e-3", "b=8,lr=0.05", "b=8,lr=0.1", "b=8,lr=0.1,seed=2",
            "b=16,lr=0.01",
            "run", "run-9", "run-009b", "run-10", "run-10.5", "run-x", "été", "zeta",
        ]
        let expected = ordered.filter { $0 != "été" }
        #expect(expected.shuffled().sorted(by: NameOrder.precedes) == expected)
        #expect(NameOrder.precedes("a", "A") != NameOrder.precedes("A", "a"))
        for a in ordered {
            #expect(!NameOrder.precedes(a, a))
            for b in ordered where a != b {
                #expect(NameOrder.precedes(a, b) != NameOrder.precedes(b, a), "\(a), \(b)")
                for c in ordered where NameOrder.precedes(a, b) && NameOrder.precedes(b, c) {
                    #expect(NameOrder.precedes(a, c), "\(a), \(b), \(c)")
                }
            }
        }
    }
}
