import CKernels

/// Kernel calls that threads make one after the other without waiting for each other: tile by tile, each tile of all of them.
///
/// A step of a recurrence is a few calls of some microseconds, and threads that meet after each of them wait for as long as a third of
/// that. But where all calls are cut by samples, a sample's carries are read by the thread that has written them alone: no tile of a
/// later call needs another tile of an earlier one. Whether that is so is read off the memory that each tile touches, places in the arena
/// included. Bits are those of the calls made one by one, and so is the order of the calls for each tile.
struct Lanes {
    /// Calls in one group: a thread that is held up holds up no more than these.
    private static let mostCalls = 32
    /// Tiles of a call; and the work of one for which threads may as well meet after it, in multiply-adds.
    private static let mostTiles = 16
    private static let mostWork = 4_000_000

    /// The steps of the plan. Some that are not worth a meeting of threads are cut here, for among others they cost none.
    private(set) var steps: [Step]
    /// Steps that are walked together, in order; each step is in one of them.
    private(set) var groups: [Range<Int>] = []

    /// - Parameter place: slot and offset in bytes of what a step reads or writes. What may be one memory is in one slot.
    init(_ steps: [Step], place: (Storage) -> (slot: Int, offset: Int)) {
        self.steps = steps
        var group: [Footprint] = []
        var first = 0
        for index in steps.indices {
            var step = steps[index]
            if step.tiles == 1, !group.isEmpty { step.cut(into: steps[first].tiles) }
            let footprint = (2...Self.mostTiles).contains(step.tiles) ? Footprint(step, place: place) : nil
            if let footprint, footprint.work <= Self.mostWork {
                let joins =
                    !group.isEmpty && group.count < Self.mostCalls && step.tiles == self.steps[first].tiles
                    && !group.contains { $0.meets(footprint) }
                if joins {
                    self.steps[index] = step
                    group.append(footprint)
                    continue
                }
                if steps[index].tiles > 1 {
                    if index > first { groups.append(first..<index) }
                    (first, group) = (index, [footprint])
                    continue
                }
            }
            if index > first { groups.append(first..<index) }
            groups.append(index..<index + 1)
            (first, group) = (index + 1, [])
        }
        if steps.count > first { groups.append(first..<steps.count) }
    }
}

extension Footprint {
    /// Whether a tile of one writes what another tile of the other reads or writes.
    fileprivate func meets(_ other: Footprint) -> Bool {
        accesses.contains { mine in
            other.accesses.contains { ($0.isWrite || mine.isWrite) && mine.meetsOtherTiles(of: $0) }
        }
    }
}

extension Step {
    /// Cuts a call of a single tile into so many, where that is possible and changes no bit; else into none.
    fileprivate mutating func cut(into count: Int) {
        switch kernel {
        case .region(var call) where call.reductions.isEmpty && call.product == nil && call.steps.count == 1:
            RegionTiling.choose(&call, tiles: count)
            (kernel, tiles) = (.region(call), call.tiles)
        case .copy(var call) where call.squareAxis == nil && call.axes.count > 0:
            call.tile = ceilDivide(call.axes.count, count)
            call.tiles = ceilDivide(call.axes.count, call.tile)
            (kernel, tiles) = (.copy(call), call.tiles)
        default: break
        }
    }
}
