import Compute
import Networks

/// Where the tensors of a program lie for one run, by what they stand for.
struct ProgramOperands {
    private var places: [ProgramSlot: [UnsafeMutableRawPointer]] = [:]

    /// Tensors to read, or to write where an output is made over them.
    mutating func set(_ slot: ProgramSlot, _ pointers: [UnsafeRawPointer]) {
        places[slot] = pointers.map { UnsafeMutableRawPointer(mutating: $0) }
    }

    mutating func set(_ slot: ProgramSlot, _ pointers: [UnsafeMutableRawPointer]) { places[slot] = pointers }

    mutating func set(_ slot: ProgramSlot, _ pointer: UnsafeMutableRawPointer) { places[slot] = [pointer] }

    func inputs(_ signature: ProgramSignature) -> [UnsafeRawPointer] {
        signature.inputs.flatMap { place($0).map { UnsafeRawPointer($0) } }
    }

    func outputs(_ signature: ProgramSignature) -> [UnsafeMutableRawPointer] {
        signature.outputs.flatMap { output in places[output] ?? place(signature.overwritten(by: output) ?? output) }
    }

    private func place(_ slot: ProgramSlot) -> [UnsafeMutableRawPointer] {
        guard let found = places[slot] else { preconditionFailure("no memory for \(slot)") }
        return found
    }
}

extension Oracle {
    /// Parameters at these places, what is fixed, and the running values.
    func operands(at parameters: [UnsafeRawPointer]) -> ProgramOperands {
        var operands = ProgramOperands()
        operands.set(.parameters, parameters)
        operands.set(.fixed, fixed.views)
        operands.set(.running, running.views)
        return operands
    }

    /// Runs the program of some work over rows that start at these places.
    func run(
        _ work: OracleWork, count: Int, _ operands: ProgramOperands, inputs: UnsafeRawPointer,
        targets: UnsafeRawPointer, weights: UnsafeRawPointer
    ) throws {
        var operands = operands
        operands.set(.input, [inputs])
        operands.set(.target, [targets])
        operands.set(.weights, [weights])
        let signature = objective.signature(of: work, use)
        try run(
            plan(work, count: count), inputs: operands.inputs(signature), outputs: operands.outputs(signature))
    }

    /// As above, over a piece of the data.
    func run(_ work: OracleWork, over piece: Piece, _ operands: ProgramOperands) throws {
        try run(
            work, count: piece.count, operands, inputs: piece.inputs, targets: piece.targets, weights: piece.weights)
    }
}
