import Compute
import Foundation

/// Prints the table: our figure, the machine's ceiling for that work, and the peers' figures of the same run.
struct Table {
    let peers: Peers?
    /// Measures operations a second of a large square product on all threads: asked in every turn, for a shared machine's
    /// speed changes from one minute to the next.
    let ceiling: () throws -> Double
    /// How often the two sides take turns.
    static let rounds = 5

    func header() {
        var columns = ["work".padded(36), "eoss".leftPadded(10), "at ceiling".leftPadded(11), "share".leftPadded(6)]
        if peers != nil {
            columns += ["PyTorch".leftPadded(10), "ratio".leftPadded(7), "JAX".leftPadded(10), "ratio".leftPadded(7)]
        }
        print(columns.joined(separator: "  "))
    }

    /// Measures one row, turn by turn, and prints it. A ratio is the median of the ratios of the turns.
    func row(_ work: Work) throws {
        var ours: [Double] = []
        var floors: [Double] = []
        var theirs: [String: [Double]] = [:]
        for _ in 0..<Table.rounds {
            let each = max(1, work.repetitions / Table.rounds)
            ours.append(try Clock.median(each, work.call) / Double(work.pieces))
            floors.append(work.operations / (try ceiling()))
            guard let peers, let peer = work.peer else { continue }
            for library in ["torch", "jax"] {
                if let seconds = peers.seconds(library, peer, repetitions: each) {
                    theirs[library, default: []].append(seconds)
                }
            }
        }
        let seconds = ours.median
        let share = zip(floors, ours).map { $0 / $1 }.median
        var columns = [
            work.name.padded(36), spelled(seconds).leftPadded(10), spelled(floors.median).leftPadded(11),
            "\((100 * share).rounded(toPlaces: 0).asInteger) %".leftPadded(6),
        ]
        if peers != nil {
            for library in ["torch", "jax"] {
                let times = theirs[library] ?? []
                let ratio = zip(times, ours).map { $0 / $1 }.median
                columns += [
                    (times.isEmpty ? "-" : spelled(times.median)).leftPadded(10),
                    (times.isEmpty ? "-" : "\(ratio.rounded(toPlaces: 1))×").leftPadded(7),
                ]
            }
        }
        print(columns.joined(separator: "  "))
        fflush(nil)
    }
}

extension Double {
    var asInteger: Int { isFinite ? Int(self) : 0 }
}
