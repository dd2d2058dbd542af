import CKernels
import Graph

/// Where the inputs and outputs of one run of a plan lie, as for ``Plan/run(inputs:outputs:)``.
public struct PlanBinding {
    public let inputs: [UnsafeRawPointer]
    public let outputs: [UnsafeMutableRawPointer]

    public init(inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer]) {
        self.inputs = inputs
        self.outputs = outputs
    }
}

extension Plan {
    /// Runs the plan once for each binding, with the bits of single runs. No output lies in memory that another binding uses.
    ///
    /// Where intermediate values are few, each thread runs the plan for bindings of its own, in an arena of its own: threads wait
    /// for each other at the end alone, not after each kernel. Otherwise, and for bindings left over, all threads share each run.
    public func run(each bindings: [PlanBinding]) {
        for binding in bindings { checkCounts(binding.inputs.count, binding.outputs.count) }
        let apart = bindings.count > 1 ? runApart(bindings) : 0
        for binding in bindings.dropFirst(apart) { run(inputs: binding.inputs, outputs: binding.outputs) }
    }

    /// Multiply-adds of the cost model after which bindings that threads run apart ask whether they are cancelled: about 10 ms of a core.
    private static let workBetweenQuestions = 5e7

    /// As above, unless it is cancelled: asked between the bindings, and within each that takes long.
    public func run(each bindings: [PlanBinding], unless cancellation: Cancellation?) throws(Cancelled) {
        guard let cancellation else { return run(each: bindings) }
        let together = max(1, Int(min(Self.workBetweenQuestions / max(work, 1), 1e6)))
        let threads = executor.threads
        // As many as keep all threads busy with bindings of their own, which none of them leaves half way.
        let group = work < 10 * Self.workBetweenQuestions ? (together + threads - 1) / threads * threads : 1
        for first in stride(from: 0, to: bindings.count, by: group) {
            let part = bindings[first..<min(first + group, bindings.count)]
            if part.count > 1 {
                try cancellation.check()
                run(each: Array(part))
            } else {
                for binding in part {
                    try run(inputs: binding.inputs, outputs: binding.outputs, unless: cancellation)
                }
            }
        }
    }

    /// The most bytes of intermediate values with which threads work apart: beside each other they have to fit into caches.
    static var mostArenaApart: Int { 8 << 20 }

    /// Runs the plan for the first bindings, each on one thread; returns for how many.
    private func runApart(_ bindings: [PlanBinding]) -> Int {
        let stride = roundUp(arena.size, to: 4096)
        guard stride <= Self.mostArenaApart else { return 0 }
        executor.reserveIfSpare(bytes: stride * executor.threads)
        return executor.withWholeArena { arena, threads in
            guard threads > 1, arena.count >= stride * threads else { return 0 }
            // A last round that leaves half of the threads without work is faster shared.
            let rest = bindings.count % threads
            let count = 2 * rest > threads ? bindings.count : bindings.count - rest
            guard count > 1 else { return 0 }
            let slots = 2 + graph.inputs.count + graph.outputs.count
            let bases = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: count * slots)
            defer { bases.deallocate() }
            for (index, binding) in bindings.prefix(count).enumerated() {
                let own = bases + index * slots
                (own + 0).initialize(to: nil)
                (own + 1).initialize(to: constants.base.assumingMemoryBound(to: CChar.self))
                let places = binding.inputs.map(UnsafeMutableRawPointer.init(mutating:)) + binding.outputs
                for (slot, place) in places.enumerated() {
                    (own + 2 + slot).initialize(to: place.assumingMemoryBound(to: CChar.self))
                }
            }
            ck_run_each(
                executor.pool, calls, Int64(steps.count), bases, Int64(slots), Int64(count),
                arena.baseAddress?.assumingMemoryBound(to: CChar.self), Int64(stride))
            return count
        }
    }
}
