import CKernels
import Graph

/// A region's program as `ck_chain_for` knows programs: by operations and slots, whatever its places are.
struct RegionChain {
    /// Five numbers for each operation.
    let program: [Int32]
    /// Where the value of a slot lies.
    let places: [RegionCall.Place]
    /// A bit for each slot that is a result.
    let written: UInt64
    let element: ElementType

    /// Nil where a program is none that one loop could do: of several element types, with reductions, of several steps.
    init?(_ call: RegionCall) {
        guard let element = call.instructions.first?.element, call.reductions.isEmpty, call.steps.count == 1,
            call.instructions.count > 1
        else { return nil }
        var (program, places, written) = ([Int32](), [RegionCall.Place](), UInt64(0))
        // The slot whose value a place has now: a register has several, one after the other.
        var slots: [RegionCall.Place: Int32] = [:]
        func newSlot(_ place: RegionCall.Place) -> Int32 {
            places.append(place)
            slots[place] = Int32(places.count - 1)
            return Int32(places.count - 1)
        }
        for instruction in call.instructions {
            guard instruction.element == element, places.count < 60 else { return nil }
            var operands: [Int32] = []
            for source in instruction.sources { operands.append(slots[source] ?? newSlot(source)) }
            while operands.count < 3, let last = operands.last { operands.append(last) }
            let result = newSlot(instruction.result)
            if case .result = instruction.result { written |= 1 << UInt64(result) }
            program += [Int32(instruction.opcode), result] + operands
        }
        (self.program, self.places, self.written, self.element) = (program, places, written, element)
    }

    /// Whether there is a loop for it: all kernel sets know the same.
    var isKnown: Bool { loop(level: Int(ck_best_level())) != nil }

    /// The loop that does it with this kernel set.
    func loop(level: Int) -> ck_chain? {
        ck_chain_for(program, Int64(program.count / 5), written, Int32(element.kernelElement), Int32(level))
    }
}
