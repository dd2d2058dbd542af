import Graph

extension Plan: CustomStringConvertible {
    /// The plan as a person reads it: one line a kernel call, with its tiles, operation and shapes, and where the result goes.
    public var description: String {
        var text = "plan: \(steps.count) calls, arena \(byteText(arenaBytes)), constants \(byteText(constantBytes)), "
        text += "kernels \(KernelSet(rawValue: Int32(level)).map(\.description) ?? "?")\n"
        for (index, step) in steps.enumerated() { text += "  \(index): \(describe(step))\n" }
        return text
    }

    func describe(_ step: Step) -> String {
        let places = step.writes.map(describe).joined(separator: ", ")
        return "\(step.kernel.description) x\(step.tiles): \(step.label) at \(places)"
    }

    private func describe(_ storage: Storage) -> String {
        switch storage {
        case .buffer(let buffer): "arena+\(arena.offsets[buffer])"
        case .constant(let offset): "constants+\(offset)"
        case .input(let index): "input \(graph.inputs[index].name)"
        case .output(let index): "output \(graph.outputs[index].name)"
        case .part(let whole, let bytes): "\(describe(whole))+\(bytes)"
        }
    }
}

extension Step.Kernel: CustomStringConvertible {
    var description: String {
        switch self {
        case .product(let call):
            let batches = call.batches == 1 ? "" : "\(call.batches) x "
            let tile = call.kind == .blas ? " by \(call.tileM)x\(call.tileN)" : ""
            return "\(call.kind.rawValue)[\(batches)\(call.m) x \(call.n) x \(call.k)\(tile)]"
        case .region(let call):
            let reductions = call.reductions.isEmpty ? "" : ", \(call.reductions.count) reduced"
            let product = call.product.map { ", \(Step.Kernel.product($0.call))" } ?? ""
            let loop = RegionChain(call)?.isKnown == true ? " in one loop" : ""
            return "region[\(call.count), \(call.instructions.count) operations\(loop)\(reductions)\(product)]"
        case .reduce(let call):
            return "\(call.isSum ? "sum" : "max")[\(call.kept.count) of \(call.reduced.count)]"
        case .columnDots(let call):
            return "columns[\(call.kept.count) x \(call.columns) of \(call.reduced.count)]"
        case .convolution(let call):
            let places = "\(call.axes.map(\.out)) by \(call.axes.map(\.window))"
            let groups = call.groups.count == 1 ? "" : "\(call.groups.count) x "
            return "\(call.kind.rawValue)[\(groups)\(call.frees.count) x \(places) x \(call.channels.count)"
                + " x \(call.columns)]"
        case .convolutionPack(let call): return "pack[\(call.groups.count) x \(call.packedGroup)]"
        case .convolutionSum(let call): return "parts[\(call.rows.count) x \(call.columns) of \(call.parts)]"
        case .copy(let call): return "\(call.squareAxis == nil ? "copy" : "transpose")[\(call.axes.count)]"
        case .rows(let call):
            let rows = "\(call.batches * call.indices) x \(call.length)"
            return "\(call.isGather ? "gather" : "scatter")[\(rows) of \(call.rows)]"
        case .pad(let call): return "pad[\(call.extents.reduce(1, *))]"
        }
    }
}
