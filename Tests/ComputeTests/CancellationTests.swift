import Foundation
import Graph
import Testing

@testable import Compute

@Suite struct CancellationTests {
    /// A chain of products, each of 2²⁷ multiply-adds: about a second of work, in two hundred calls.
    private static let chain: Graph = {
        let b = GraphBuilder()
        let w = b.input("w", TensorType(.f32, [512, 512]))
        var x = b.input("x", TensorType(.f32, [512, 512]))
        for _ in 0..<200 { x = b.tanh(b.dot(w, x, contracting: ([1], [0]))) }
        return b.build(outputs: [("y", x)])
    }()

    private func run(_ plan: Plan, unless cancellation: Cancellation?, into output: inout [Float]) throws {
        let input = (0..<512 * 512).map { Float($0 % 13 - 6) / 60 }
        try input.withUnsafeBytes { input in
            try output.withUnsafeMutableBytes { output in
                let (from, to) = (try #require(input.baseAddress), try #require(output.baseAddress))
                try plan.run(inputs: [from, from], outputs: [to], unless: cancellation)
            }
        }
    }

    /// The last call writes the output: what was cancelled on the way there has not written it.
    @Test func aPlanThatIsCancelledEndsBetweenItsCalls() throws {
        let plan = try Engine(threads: 2).plan(for: Self.chain)
        #expect(plan.steps.count >= 200)
        let cancellation = Cancellation()
        var output = [Float](repeating: -7, count: 512 * 512)
        let thread = Thread {
            usleep(30_000)
            cancellation.request()
        }
        thread.start()
        #expect(throws: Cancelled.self) { try run(plan, unless: cancellation, into: &output) }
        #expect(output.allSatisfy { $0 == -7 })
    }

    /// A sum of products of half a second in one call: its tiles are asked, too.
    @Test(arguments: [1, 2]) func aPlanOfOneCallEndsBetweenItsTiles(_ threads: Int) throws {
        let b = GraphBuilder()
        let n = 2048
        let (x, w) = (b.input("x", TensorType(.f32, [n, n])), b.input("w", TensorType(.f32, [n, n])))
        let plan = try Engine(threads: threads).plan(
            for: b.build(outputs: [("y", b.dot(x, w, contracting: ([1], [0])))]))
        let input = [Float](repeating: 1, count: n * n)
        let cancellation = Cancellation()
        var output = [Float](repeating: -7, count: n * n)
        let thread = Thread {
            usleep(10_000)
            cancellation.request()
        }
        thread.start()
        try input.withUnsafeBytes { input in
            try output.withUnsafeMutableBytes { output in
                let (from, to) = (try #require(input.baseAddress), try #require(output.baseAddress))
                #expect(throws: Cancelled.self) {
                    try plan.run(inputs: [from, from], outputs: [to], unless: cancellation)
                }
            }
        }
        #expect(output.contains(-7) && plan.steps.count <= 3)
    }

    /// Asked between calls or not, the calls are the same.
    @Test func aPlanThatIsNotCancelledGivesTheSameBits() throws {
        let plan = try Engine(threads: 2).plan(for: Self.chain)
        var (plain, asked) = ([Float](repeating: -7, count: 512 * 512), [Float](repeating: -8, count: 512 * 512))
        try run(plan, unless: nil, into: &plain)
        try run(plan, unless: Cancellation(), into: &asked)
        #expect(plain == asked && plain[0] != -7)
    }

    @Test func aBlockOfBindingsEndsBetweenThem() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [8]))
        let plan = try Engine(threads: 2).plan(for: b.build(outputs: [("y", b.scale(x, by: 2))]))
        let cancellation = Cancellation()
        let (from, to) = ([Double](repeating: 3, count: 8), UnsafeMutablePointer<Double>.allocate(capacity: 80))
        defer { to.deallocate() }
        try from.withUnsafeBytes { from in
            let input = try #require(from.baseAddress)
            let bindings = (0..<10).map {
                PlanBinding(inputs: [input], outputs: [UnsafeMutableRawPointer(to + 8 * $0)])
            }
            try plan.run(each: bindings, unless: cancellation)
            #expect((0..<80).allSatisfy { to[$0] == 6 })
            cancellation.request()
            to.update(repeating: 0, count: 80)
            #expect(throws: Cancelled.self) { try plan.run(each: bindings, unless: cancellation) }
            #expect((0..<80).allSatisfy { to[$0] == 0 })
        }
    }

    @Test func whoIsNotToldOfARequestDoesNotEnd() throws {
        let cancellation = Cancellation()
        cancellation.request()
        try Cancellation.check()
        Cancellation.$current.withValue(cancellation) {
            #expect(throws: Cancelled.self) { try Cancellation.check() }
            cancellation.clear()
            #expect(throws: Never.self) { try Cancellation.check() }
        }
    }
}
