import Compute
import Testing

@testable import Graph

@Suite struct ContractionLedgerTests {
    /// The ledger's count is kept up to date by differences: in whatever order intermediates are inlined and taken back, it is
    /// the count of what is inlined. Counts are integers, so equal to the last bit.
    @Test(arguments: [[20, 30, 10], [7, 40, 40, 5], [64, 8, 64, 8, 3]])
    func theCostOfAnOrderIsIndependentOfTheWayToIt(_ widths: [Int]) throws {
        let network = Network(widths: widths, activation: .tanh)
        for form in [network.curvature, network.curvatureByProducts] {
            let g = try form(network.batchByRows(4)).simplified()
            var ledger = ContractionLedger(g, .cpu)
            let candidates = ledger.reader.candidates()
            let plain = ledger.cost
            for candidate in candidates { ledger.toggle(candidate) }
            let all = ledger.cost
            #expect(all != plain)
            for candidate in candidates.reversed() {
                ledger.toggle(candidate)
                ledger.toggle(candidate)
            }
            #expect(ledger.cost == all)
            for candidate in candidates { ledger.toggle(candidate) }
            #expect(ledger.cost == plain)
            var other = ContractionLedger(g, .cpu)
            for candidate in candidates.reversed() { other.toggle(candidate) }
            #expect(other.cost == all)
        }
    }
}
