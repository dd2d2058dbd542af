import CKernels
import Graph

/// A graph compiled for this CPU: a list of kernel calls over a fixed arena.
///
/// Made by ``Engine/plan(for:donating:)``. Running it allocates nothing and touches no reference count; a plan may be run from
/// any thread, and runs of one engine follow each other.
///
/// `@unchecked Sendable`: everything is constant after `init` but `bases`, which is written under the executor's lock.
public final class Plan: @unchecked Sendable {
    /// The graph as it is executed, passes applied.
    public let graph: Graph
    /// Bytes of intermediate values. The arena is shared by all plans of an engine.
    public var arenaBytes: Int { arena.size }
    /// Bytes of constants.
    public let constantBytes: Int
    /// What one run costs by the cost model, of the graph as it is executed; the same on every machine.
    public let cost: Cost
    /// The same as one number, in multiply-adds (`CostWeights.cpu`).
    public var work: Double { cost.total(.cpu) }
    /// Of that, what the companion of a graph adds to it (``Engine/plan(for:with:donating:arenaLimit:)``).
    public let companionCost: Cost

    let steps: [Step]
    let arena: ArenaPlan
    /// The kernel set: a `ck_level`.
    let level: Int

    let executor: Executor
    let constants: Buffer
    private let memory = CallMemory()
    /// A kernel call for each step.
    let calls: UnsafeMutablePointer<ck_call>
    /// What is run: calls, and groups of calls that threads make without waiting for each other (``Lanes``).
    private let program: UnsafeMutablePointer<ck_call>
    /// The steps of each entry of the program.
    let groups: [Range<Int>]
    /// What each slot is bound to: arena, constants, inputs, outputs.
    private let bases: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    init(
        _ graph: Graph, donations: [Int: Int], executor: Executor, account: MemoryAccount, level: Int,
        arenaLimit: Int = .max, companionCost: Cost = Cost()
    ) throws {
        self.companionCost = companionCost
        let graph = try graph.splittingLargeRegions(asking: Cancellation.check)
        self.graph = graph
        try Cancellation.check()
        cost = graph.cost()
        try Cancellation.check()
        self.executor = executor
        self.level = level
        let lowering = try Lowering(graph, donations: donations)
        arena = try ArenaPlan(steps: lowering.steps, sizes: lowering.bufferSizes, asking: Cancellation.check)
        if arena.size > arenaLimit { throw ArenaLimitError(needed: arena.size) }
        let pool = lowering.constants.bytes
        constants = try account.allocate(bytes: pool.count, for: "the constants of a plan")
        constants.base.copyMemory(from: pool, byteCount: pool.count)
        constantBytes = pool.count
        let encoder = CallEncoder(memory: memory, level: level, inputs: graph.inputs.count, offsets: arena.offsets)
        try Cancellation.check()
        let lanes = Lanes(lowering.steps) { storage in
            let ref = encoder.ref(storage)
            if case .output(let output) = storage.whole, let input = donations[output] {
                // It may be the input's memory.
                return (Int(encoder.ref(.input(input)).slot), Int(ref.offset))
            }
            return (Int(ref.slot), Int(ref.offset))
        }
        (steps, groups) = (lanes.steps, lanes.groups)
        if steps.contains(where: { if case .product(let call) = $0.kernel { call.kind == .blas } else { false } }) {
            try Engine.loadBLAS()
        }
        try executor.reserve(bytes: arena.size)
        bases = memory.allocate(2 + graph.inputs.count + graph.outputs.count, of: UnsafeMutablePointer<CChar>?.none)
        calls = memory.allocate(max(1, steps.count), of: ck_call())
        for (index, step) in steps.enumerated() {
            if index % 1024 == 0 { try Cancellation.check() }
            calls[index] = try encoder.encode(step)
        }
        program = memory.allocate(max(1, groups.count), of: ck_call())
        for (index, group) in groups.enumerated() {
            program[index] = group.count == 1 ? calls[group.lowerBound] : encoder.lanes(calls, group)
        }
    }

    /// Runs the plan.
    ///
    /// - Parameters:
    ///   - inputs: where each input lies, in the graph's order, row-major without gaps.
    ///   - outputs: where each output goes, in the graph's order. Memory of an output may be that of the input donated to it;
    ///     otherwise outputs lie apart from inputs and from each other.
    public func run(inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer]) {
        inputs.withUnsafeBufferPointer { inputs in
            outputs.withUnsafeBufferPointer { outputs in run(inputs: inputs, outputs: outputs) }
        }
    }

    /// As above, from lists that the caller keeps.
    public func run(
        inputs: UnsafeBufferPointer<UnsafeRawPointer>, outputs: UnsafeBufferPointer<UnsafeMutableRawPointer>
    ) {
        execute(inputs: inputs, outputs: outputs, nanoseconds: nil)
    }

    /// As above, unless it is cancelled: asked between the tiles of kernels. What outputs hold then is undefined.
    public func run(
        inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer], unless cancellation: Cancellation?
    ) throws(Cancelled) {
        try inputs.withUnsafeBufferPointer { inputs throws(Cancelled) in
            try outputs.withUnsafeBufferPointer { outputs throws(Cancelled) in
                try run(inputs: inputs, outputs: outputs, unless: cancellation)
            }
        }
    }

    /// As above, from lists that the caller keeps.
    public func run(
        inputs: UnsafeBufferPointer<UnsafeRawPointer>, outputs: UnsafeBufferPointer<UnsafeMutableRawPointer>,
        unless cancellation: Cancellation?
    ) throws(Cancelled) {
        guard let cancellation else { return run(inputs: inputs, outputs: outputs) }
        try cancellation.check()
        var isEnded = false
        execute(inputs: inputs, outputs: outputs) { bases in
            isEnded = ck_run_unless(executor.pool, program, Int64(groups.count), bases, cancellation.flag) != 0
        }
        // Workers look at the flag until the run is over.
        withExtendedLifetime(cancellation) {}
        if isEnded { throw Cancelled() }
    }

    func checkCounts(_ inputs: Int, _ outputs: Int) {
        precondition(inputs == graph.inputs.count, "\(inputs) inputs for a graph with \(graph.inputs.count)")
        precondition(outputs == graph.outputs.count, "\(outputs) outputs for a graph with \(graph.outputs.count)")
    }

    /// - Parameter nanoseconds: where the time of each step is added; threads then meet after each.
    func execute(
        inputs: UnsafeBufferPointer<UnsafeRawPointer>, outputs: UnsafeBufferPointer<UnsafeMutableRawPointer>,
        nanoseconds: UnsafeMutablePointer<Int64>?
    ) {
        execute(inputs: inputs, outputs: outputs) { bases in
            if let nanoseconds {
                ck_run(executor.pool, calls, Int64(steps.count), bases, nanoseconds)
            } else {
                ck_run(executor.pool, program, Int64(groups.count), bases, nil)
            }
        }
    }

    /// Binds the slots, and lets `walk` make the calls.
    @inline(__always)
    private func execute(
        inputs: UnsafeBufferPointer<UnsafeRawPointer>, outputs: UnsafeBufferPointer<UnsafeMutableRawPointer>,
        _ walk: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Void
    ) {
        checkCounts(inputs.count, outputs.count)
        executor.withArena(of: arena.size) { arena in
            bases[0] = arena?.assumingMemoryBound(to: CChar.self)
            bases[1] = constants.base.assumingMemoryBound(to: CChar.self)
            for index in 0..<inputs.count {
                bases[2 + index] = UnsafeMutableRawPointer(mutating: inputs[index]).assumingMemoryBound(to: CChar.self)
            }
            for index in 0..<outputs.count {
                bases[2 + inputs.count + index] = outputs[index].assumingMemoryBound(to: CChar.self)
            }
            walk(bases)
        }
    }
}

/// Memory of the structures that the C executor walks; freed with the plan.
final class CallMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    func allocate<T: BitwiseCopyable>(_ count: Int, of value: T) -> UnsafeMutablePointer<T> {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(1, count) * MemoryLayout<T>.stride, alignment: 16)
        blocks.append(block)
        let typed = block.bindMemory(to: T.self, capacity: max(1, count))
        typed.initialize(repeating: value, count: count)
        return typed
    }

    func store<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, values.count) * MemoryLayout<T>.stride, alignment: 16)
        blocks.append(block)
        let typed = block.bindMemory(to: T.self, capacity: max(1, values.count))
        typed.initialize(from: values, count: values.count)
        return typed
    }
}
