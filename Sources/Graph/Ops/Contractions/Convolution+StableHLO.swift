// StableHLO's convolution has one axis for samples, one for channels in and one for channels out, and groups of channels.
// Batch axes become such groups; where a role has several axes, or none, reshapes and transpositions stand around it.

extension Convolution {
    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        if site.resultType.count == 0 {
            // Nothing to compute, and no group has a size of zero.
            writer.write("\(site.result) = stablehlo.constant dense<0.0> : \(writer.spell(site.resultType))")
            return
        }
        if lhs.batch.isEmpty && [lhs.free, lhs.contracted, rhs.free].allSatisfy({ $0.count == 1 }) {
            write(
                site.operands, site.operandTypes, lhs, rhs, groups: 1, as: (site.result, site.resultType), to: &writer)
            return
        }
        let (x, w) = (site.operandTypes[0], site.operandTypes[1])
        func extent(_ axes: [Int], _ type: TensorType) -> Int { axes.reduce(1) { $0 * type.shape[$1] } }
        let groups = extent(lhs.batch, x)
        let (xSpatial, wSpatial) = (lhs.spatial.map { x.shape[$0] }, rhs.spatial.map { w.shape[$0] })
        let (samples, channels, outputs) = (extent(lhs.free, x), extent(lhs.contracted, x), extent(rhs.free, w))

        // Data [samples, groups·channels, …], kernel [channels, groups·outputs, …].
        let data = writer.moved(
            (site.operands[0], x), by: lhs.free + lhs.batch + lhs.contracted + lhs.spatial,
            to: [samples, groups * channels] + xSpatial)
        let kernel = writer.moved(
            (site.operands[1], w), by: rhs.contracted + rhs.batch + rhs.free + rhs.spatial,
            to: [channels, groups * outputs] + wSpatial)
        let spatial = Array(2..<2 + windows.count)
        let ySpatial = Array(site.resultType.shape[resultAxes.spatial])
        let flat = TensorType(x.element, [samples] + ySpatial + [groups * outputs])
        let product = writer.auxiliaryName()
        write(
            [data.name, kernel.name], [data.type, kernel.type], Roles(free: [0], contracted: [1], spatial: spatial),
            Roles(free: [1], contracted: [0], spatial: spatial), groups: groups, as: (product, flat), to: &writer)

        // Samples, spatial, groups and outputs, split into the axes they were made of, groups first.
        let parts = [
            lhs.free.map { x.shape[$0] }, ySpatial, lhs.batch.map { x.shape[$0] }, rhs.free.map { w.shape[$0] },
        ]
        let split = TensorType(x.element, parts.flatMap { $0 })
        let splitName = writer.auxiliaryName()
        writer.writeMove("reshape", (product, flat), "", (splitName, split))
        let leading = lhs.free.count + windows.count
        let order =
            Array(leading..<leading + lhs.batch.count) + Array(0..<leading)
            + Array(leading + lhs.batch.count..<split.rank)
        writer.writeMove(
            "transpose", (splitName, split), ", dims = \(writer.spell(order))", (site.result, site.resultType))
    }

    private func write(
        _ operands: [String], _ types: [TensorType], _ lhs: Roles, _ rhs: Roles, groups: Int,
        as result: (name: String, type: TensorType), to writer: inout StableHLOWriter
    ) {
        func layout(_ named: [(Int, String)], _ spatial: [Int]) -> String {
            let all = named + spatial.enumerated().map { ($1, String($0)) }
            return "[" + all.sorted { $0.0 < $1.0 }.map(\.1).joined(separator: ", ") + "]"
        }
        let rank = windows.count
        let left = layout([(lhs.free[0], "b"), (lhs.contracted[0], "f")], lhs.spatial)
        let right = layout([(rhs.contracted[0], "i"), (rhs.free[0], "o")], rhs.spatial)
        let output = layout([(0, "b"), (rank + 1, "f")], Array(1..<rank + 1))
        let pad = windows.map { writer.spell([$0.low, $0.high]) }.joined(separator: ", ")
        let window =
            "stride = \(writer.spell(windows.map(\.stride))), pad = [\(pad)], "
            + "lhs_dilate = \(writer.spell(windows.map(\.lhsDilation))), "
            + "rhs_dilate = \(writer.spell(windows.map(\.rhsDilation))), "
            + "reverse = [\(windows.map { String($0.reversed) }.joined(separator: ", "))]"
        writer.write(
            "\(result.name) = stablehlo.convolution(\(operands.joined(separator: ", "))) "
                + "dim_numbers = \(left)x\(right)->\(output), window = {\(window)} "
                + "{batch_group_count = 1 : i64, feature_group_count = \(groups) : i64} : "
                + "(\(types.map(writer.spell).joined(separator: ", "))) -> \(writer.spell(result.type))")
    }
}

extension StableHLOWriter {
    /// `%result = stablehlo.<operation> %operand<attributes> : (…) -> …`.
    fileprivate mutating func writeMove(
        _ operation: String, _ operand: (name: String, type: TensorType), _ attributes: String,
        _ result: (name: String, type: TensorType)
    ) {
        write(
            "\(result.name) = stablehlo.\(operation) \(operand.name)\(attributes) : "
                + "(\(spell(operand.type))) -> \(spell(result.type))")
    }

    /// An operand with its axes in another order, and then reshaped.
    fileprivate mutating func moved(
        _ operand: (name: String, type: TensorType), by permutation: [Int], to shape: [Int]
    ) -> (name: String, type: TensorType) {
        var value = operand
        if permutation != Array(permutation.indices) {
            let turned = TensorType(operand.type.element, permutation.map { operand.type.shape[$0] })
            value = (auxiliaryName(), turned)
            writeMove("transpose", operand, ", dims = \(spell(permutation))", value)
        }
        if value.type.shape == shape { return value }
        let reshaped = (name: auxiliaryName(), type: TensorType(operand.type.element, shape))
        writeMove("reshape", value, "", reshaped)
        return reshaped
    }
}
