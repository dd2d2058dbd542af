import Compute
import Graph
import Networks

/// A program of steps with all that its runs need: where each tensor lies, and memory for what goes in and comes out beside the
/// vectors. A run looks nothing up and allocates nothing.
final class BoundStep {
    let update: ElementwiseUpdate
    /// Samples in the batch; 0 for a program of the update alone, from a gradient.
    let count: Int
    let measuresCurvature: Bool
    let plan: Plan

    private let element: ElementType
    private let scalarElement: ElementType
    private let inputs: UnsafeMutableBufferPointer<UnsafeRawPointer>
    private let outputs: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
    /// Loss, the companion's two values, then scalars, numbers, and what numbers become: eight bytes each.
    private let cells: UnsafeMutableRawPointer
    private var firstNumber: Int { 3 + update.scalars.count }
    /// Offsets of a vector's tensors in it, in bytes.
    private let offsets: [Int]
    /// θ, then the states: where their tensors begin in the lists, and what these hold now.
    private var vectors: [(input: Int, output: Int, base: UnsafeMutableRawPointer?)] = []
    private var firstSample = 0
    private var gradient = 0

    /// - Parameters:
    ///   - signature: of the plan; a plan that measures curvature has two outputs more.
    ///   - offsets: of the tensors of a vector.
    init(
        _ update: ElementwiseUpdate, count: Int, measuresCurvature: Bool, plan: Plan, signature: ProgramSignature,
        offsets: [Int], element: ElementType, fixed: [UnsafeMutableRawPointer], running: [UnsafeMutableRawPointer]
    ) {
        self.update = update
        self.count = count
        self.measuresCurvature = measuresCurvature
        self.plan = plan
        self.offsets = offsets
        self.element = element
        scalarElement = update.scalarElement(element)
        let cellCount = 3 + update.scalars.count + 2 * update.numbers.count
        cells = .allocate(byteCount: 8 * cellCount, alignment: 16)
        cells.initializeMemory(as: UInt8.self, repeating: 0, count: 8 * cellCount)
        inputs = .allocate(capacity: plan.graph.inputs.count)
        inputs.initialize(repeating: UnsafeRawPointer(cells))
        outputs = .allocate(capacity: plan.graph.outputs.count)
        outputs.initialize(repeating: cells)
        bind(signature, fixed: fixed, running: running)
    }

    deinit {
        inputs.deallocate()
        outputs.deallocate()
        cells.deallocate()
    }

    /// Binds all that stays where it is, and notes where the rest goes.
    private func bind(
        _ signature: ProgramSignature, fixed: [UnsafeMutableRawPointer], running: [UnsafeMutableRawPointer]
    ) {
        var starts: [ProgramSlot: Int] = [:]
        var next = 0
        let (firstNumber, numbers) = (firstNumber, update.numbers)
        for slot in signature.inputs {
            starts[slot] = next
            switch slot {
            case .parameters, .state, .results: next += offsets.count
            case .fixed, .running:
                for pointer in slot == .fixed ? fixed : running {
                    inputs[next] = UnsafeRawPointer(pointer)
                    next += 1
                }
            default:
                if case .scalar(let name) = slot, let index = update.scalars.firstIndex(of: name) {
                    inputs[next] = UnsafeRawPointer(cells + 8 * (3 + index))
                } else if case .number(let name) = slot, let index = numbers.firstIndex(of: name) {
                    inputs[next] = UnsafeRawPointer(cells + 8 * (firstNumber + index))
                }
                next += 1
            }
        }
        firstSample = starts[.input] ?? 0
        gradient = starts[.results("gradient")] ?? 0
        next = 0
        for slot in signature.outputs {
            switch slot {
            case .next(.running):
                for pointer in running {
                    outputs[next] = pointer
                    next += 1
                }
            case .next(.number(let name)):
                outputs[next] = cells + 8 * (firstNumber + numbers.count + (numbers.firstIndex(of: name) ?? 0))
                next += 1
            case .next(let slot):
                vectors.append((starts[slot] ?? 0, next, nil))
                next += offsets.count
            default: next += 1  // The loss, in the first cell.
            }
        }
        for value in 1...2 where measuresCurvature {
            outputs[next] = cells + 8 * value
            next += 1
        }
        precondition(next == outputs.count, "a step has \(outputs.count) outputs, its signature \(next)")
    }

    /// Takes a step of θ and the state, over samples at these places.
    /// - Returns: the loss of the batch before the step.
    /// - Throws: `Cancelled` where that is wished; θ and the state then hold neither what was nor what would have been.
    func run(
        _ theta: inout Vector, _ state: inout UpdateState, inputs samples: UnsafeRawPointer, targets: UnsafeRawPointer,
        weights: UnsafeRawPointer, scalars: UnsafeBufferPointer<Double>, unless cancellation: Cancellation?
    ) throws -> Double {
        inputs[firstSample] = samples
        inputs[firstSample + 1] = targets
        inputs[firstSample + 2] = weights
        try run(&theta, &state, scalars, unless: cancellation)
        return loss
    }

    /// The update alone.
    func run(
        _ theta: inout Vector, _ state: inout UpdateState, gradient vector: Vector,
        scalars: UnsafeBufferPointer<Double>
    ) throws {
        let base = vector.withUnsafeBytes { $0.baseAddress ?? UnsafeRawPointer(cells) }
        for index in offsets.indices { inputs[gradient + index] = base + offsets[index] }
        try run(&theta, &state, scalars, unless: nil)
        withExtendedLifetime(vector) {}
    }

    private func run(
        _ theta: inout Vector, _ state: inout UpdateState, _ scalars: UnsafeBufferPointer<Double>,
        unless cancellation: Cancellation?
    ) throws {
        // From here on each vector's memory is its own, and alive to the end of the call.
        try theta.makeUnique()
        for index in state.vectors.indices { try state.vectors[index].makeUnique() }
        place(0, at: theta.withUnsafeBytes { $0.baseAddress })
        for index in state.vectors.indices {
            place(1 + index, at: state.vectors[index].withUnsafeBytes { $0.baseAddress })
        }
        precondition(scalars.count == update.scalars.count, "scalars of another update")
        for index in 0..<scalars.count {
            let cell = cells + 8 * (3 + index)
            if scalarElement == .f64 {
                cell.storeBytes(of: scalars[index], as: Double.self)
            } else {
                cell.storeBytes(of: Float(scalars[index]), as: Float.self)
            }
        }
        let (first, count) = (firstNumber, update.numbers.count)
        for index in 0..<count {
            cells.storeBytes(of: state.numbers[index], toByteOffset: 8 * (first + index), as: Double.self)
        }
        try plan.run(
            inputs: UnsafeBufferPointer(inputs), outputs: UnsafeBufferPointer(outputs), unless: cancellation)
        for index in 0..<count {
            state.numbers[index] = cells.load(fromByteOffset: 8 * (first + count + index), as: Double.self)
        }
        withExtendedLifetime(theta) {}
    }

    private func place(_ vector: Int, at base: UnsafeRawPointer?) {
        guard let base = base.map({ UnsafeMutableRawPointer(mutating: $0) }), vectors[vector].base != base else {
            return
        }
        vectors[vector].base = base
        for index in 0..<offsets.count {
            inputs[vectors[vector].input + index] = UnsafeRawPointer(base + offsets[index])
            outputs[vectors[vector].output + index] = base + offsets[index]
        }
    }

    private var loss: Double {
        element == .f64 ? cells.load(as: Double.self) : Double(cells.load(as: Float.self))
    }

    /// What the last run measured on the way.
    var curvature: BatchCurvature {
        BatchCurvature(
            loss: loss, quadratic: cells.load(fromByteOffset: 8, as: Double.self),
            squaredGradientNorm: cells.load(fromByteOffset: 16, as: Double.self))
    }
}
