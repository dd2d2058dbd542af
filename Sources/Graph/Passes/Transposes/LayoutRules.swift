// How each operation carries layouts: which layout of the result belongs to one of an operand, and what the operation is called
// between them.

extension Operation {
    /// Whether the operation takes and gives values in other layouts than plain ones.
    var carriesLayouts: Bool { facts.layouts == .same || facts.layouts == .ruled }

    /// Whether the operation is written in any layout of its result at no cost: it has no operands.
    var isMadeInAnyLayout: Bool { facts.layouts == .made }
}

/// An operation with the shapes between which it carries layouts.
struct LayoutRule {
    let operation: any Operation
    let operands: [[Int]]
    let result: [Int]

    /// The result's layout where an operand has this one; `nil` where the operation needs another. Of several the one that
    /// keeps neighbours together.
    func offered(_ layout: Layout, at operand: Int) -> Layout? {
        switch operation {
        case let transpose as Transpose:
            let places = transpose.inverse
            return Layout(layout.axes.map { places[$0] })
        case let reduction as any Reduction: return layout.restricted(to: reduction.kept(rank: operands[0].count))
        case let broadcast as BroadcastInDim: return layout.extended(from: broadcast.dimensions, rank: result.count)
        case is Reshape: return reshaped(layout, from: operands[0], to: result)
        case let dot as DotGeneral:
            let blocks = Blocks(dot, operands)
            var axes = Array(0..<result.count)
            let block = blocks.result(operand)
            axes.replaceSubrange(
                block, with: layout.restricted(to: blocks.free(operand)).axes.map { block.lowerBound + $0 })
            return Layout(axes)
        default: return layout
        }
    }

    /// A layout of an operand that gives this one of the result; `nil` where there is none.
    func required(_ layout: Layout, at operand: Int) -> Layout? {
        switch operation {
        case let transpose as Transpose: return Layout(layout.axes.map { transpose.permutation[$0] })
        case let reduction as any Reduction:
            let rank = operands[0].count
            return layout.extended(from: reduction.kept(rank: rank), rank: rank)
        case let broadcast as BroadcastInDim: return layout.restricted(to: broadcast.dimensions)
        case is Reshape: return reshaped(layout, from: result, to: operands[0])
        case let dot as DotGeneral:
            let blocks = Blocks(dot, operands)
            guard blocks.areKept(by: layout) else { return nil }
            let free = blocks.free(operand)
            var axes = Array(0..<operands[operand].count)
            for (place, axis) in zip(free, blocks.order(operand, in: layout).axes) { axes[place] = free[axis] }
            return Layout(axes)
        default: return layout
        }
    }

    /// Whether an operand in one layout gives the result in the other, axes of extent 1 apart: these are where they must be
    /// after a reshape, which moves nothing.
    func accepts(_ layout: Layout, at operand: Int, for resultLayout: Layout) -> Bool {
        if let broadcast = operation as? BroadcastInDim {
            return resultLayout.restricted(to: broadcast.dimensions).equals(layout, for: operands[0])
        }
        if let dot = operation as? DotGeneral {
            let blocks = Blocks(dot, operands)
            return blocks.areKept(by: resultLayout)
                && layout.restricted(to: blocks.free(operand)).equals(
                    blocks.order(operand, in: resultLayout), for: Array(result[blocks.result(operand)]))
        }
        return offered(layout, at: operand)?.equals(resultLayout, for: result) ?? false
    }

    /// Whether the operation takes an operand as it is stored in this layout, to give the result in the other, or (reductions,
    /// reshapes, contractions) in one that differs from it in the places of axes of extent 1.
    func takes(_ layout: Layout, at operand: Int, for resultLayout: Layout) -> Bool {
        switch operation {
        case is any Reduction, is Reshape, is DotGeneral: accepts(layout, at: operand, for: resultLayout)
        case let broadcast as BroadcastInDim: resultLayout.restricted(to: broadcast.dimensions) == layout
        default: layout == resultLayout
        }
    }

    /// The layout in which the result comes from operands stored in these, where another was wanted.
    func produced(_ layouts: [Layout], wanted: Layout) -> Layout {
        switch operation {
        case is any Reduction, is Reshape: return offered(layouts[0], at: 0) ?? wanted
        case let dot as DotGeneral:
            let blocks = Blocks(dot, operands)
            var axes = wanted.axes
            for (operand, layout) in layouts.enumerated() {
                let block = blocks.result(operand)
                axes.replaceSubrange(
                    block, with: layout.restricted(to: blocks.free(operand)).axes.map { block.lowerBound + $0 })
            }
            return Layout(axes)
        default: return wanted
        }
    }

    /// The operation between what is stored, for layouts that it takes and that it then produces. `nil` for a transposition, which is then none.
    func moved(_ layouts: [Layout], to resultLayout: Layout) -> (any Operation)? {
        func here<T>(_ values: [T]) -> [T] { resultLayout.axes.map { values[$0] } }
        switch operation {
        case is Transpose: return nil
        case let reduction as any Reduction: return moved(reduction, layouts[0].places)
        case let broadcast as BroadcastInDim:
            let places = resultLayout.places
            return BroadcastInDim(
                shape: resultLayout.stored(result), dimensions: broadcast.dimensions.map { places[$0] }.sorted())
        case is Reshape: return Reshape(shape: resultLayout.stored(result))
        case let slice as Slice:
            return Slice(starts: here(slice.starts), limits: here(slice.limits), strides: here(slice.strides))
        case let pad as Pad:
            return Pad(low: here(pad.low), high: here(pad.high), interior: here(pad.interior), value: pad.value)
        case let concatenate as Concatenate: return Concatenate(axis: resultLayout.places[concatenate.axis])
        case let reverse as Reverse:
            let places = resultLayout.places
            return Reverse(dimensions: reverse.dimensions.map { places[$0] })
        case let dot as DotGeneral:
            let (left, right) = (layouts[0].places, layouts[1].places)
            let batch = resultLayout.axes.prefix(dot.lhsBatch.count)
            return DotGeneral(
                lhsBatch: batch.map { left[dot.lhsBatch[$0]] }, rhsBatch: batch.map { right[dot.rhsBatch[$0]] },
                lhsContracting: dot.lhsContracting.map { left[$0] },
                rhsContracting: dot.rhsContracting.map { right[$0] },
                result: dot.result)
        default: return operation
        }
    }

    private func moved(_ reduction: some Reduction, _ places: [Int]) -> any Operation {
        type(of: reduction).init(dimensions: reduction.dimensions.map { places[$0] }.sorted())
    }

    /// The axes of a contraction by role: batch, then the operands' free ones.
    private struct Blocks {
        let batch: Int
        let left: [Int]
        let right: [Int]

        init(_ dot: DotGeneral, _ operands: [[Int]]) {
            batch = dot.lhsBatch.count
            left = dot.lhsFree(rank: operands[0].count)
            right = dot.rhsFree(rank: operands[1].count)
        }

        func free(_ operand: Int) -> [Int] { operand == 0 ? left : right }
        func result(_ operand: Int) -> Range<Int> {
            let start = batch + (operand == 0 ? 0 : left.count)
            return start..<start + free(operand).count
        }
        /// The order in which a layout of the result has an operand's free axes.
        func order(_ operand: Int, in layout: Layout) -> Layout {
            let block = result(operand)
            return Layout(layout.axes[block].map { $0 - block.lowerBound })
        }
        /// Whether batch axes come first in a layout of the result, then the left operand's, then the right's.
        func areKept(by layout: Layout) -> Bool {
            layout.axes.prefix(batch).allSatisfy { $0 < batch }
                && layout.axes[result(0)].allSatisfy(result(0).contains)
                && layout.axes[result(1)].allSatisfy(result(1).contains)
        }
    }

    /// The layout after a reshape, where what it splits or merges lies together and in order.
    private func reshaped(_ layout: Layout, from: [Int], to: [Int]) -> Layout? {
        if from.contains(0) { return nil }
        // Groups of axes with one product, as small as possible; those of extent 1 apart.
        let (source, target) = (from.indices.filter { from[$0] != 1 }, to.indices.filter { to[$0] != 1 })
        var groups: [(source: [Int], target: [Int])] = []
        var (i, j) = (0, 0)
        while i < source.count {
            var group = (source: [source[i]], target: [target[j]])
            var (left, right) = (from[source[i]], to[target[j]])
            (i, j) = (i + 1, j + 1)
            while left != right {
                if left < right {
                    left *= from[source[i]]
                    group.source.append(source[i])
                    i += 1
                } else {
                    right *= to[target[j]]
                    group.target.append(target[j])
                    j += 1
                }
            }
            groups.append(group)
        }
        var groupOf: [Int: Int] = [:]
        for (index, group) in groups.enumerated() { groupOf[group.source[0]] = index }
        var stored = layout.axes.filter { from[$0] != 1 }[...]
        var order: [Int] = []
        while let axis = stored.first {
            guard let index = groupOf[axis], stored.prefix(groups[index].source.count) == groups[index].source[...]
            else {
                return nil
            }
            stored = stored.dropFirst(groups[index].source.count)
            order += groups[index].target
        }
        return Layout(order).restricted(to: target).extended(from: target, rank: to.count)
    }
}
