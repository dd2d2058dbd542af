// Derivatives of a convolution. Bilinear: forwards each rule is one of the operands replaced. Backwards the cotangents of both
// operands are convolutions again, with roles exchanged and stride and dilation changing places.

extension Convolution {
    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [b.add(tangents[0].map { b.emit(self, $0, site[1]) }, tangents[1].map { b.emit(self, site[0], $0) })]
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let dx = tangents[0], let dw = tangents[1] else { return [nil] }
        return [b.scale(b.emit(self, dx, dw), by: 2)]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        precondition(linear[0] != linear[1], "convolution is linear in one operand at a time")
        guard let cotangent = cotangents[0] else { return [nil, nil] }
        let types = (x: site.operandTypes[0], w: site.operandTypes[1])
        return linear[0]
            ? [cotangentOfData(cotangent, types, kernel: site[1], in: b), nil]
            : [nil, cotangentOfKernel(cotangent, types, data: site[0], in: b)]
    }

    /// x̄[i] = Σ over o, k with i·lhsDilation = o·stride + k·rhsDilation − low of ȳ[o] w[k]: the cotangent, dilated by the
    /// stride, under the reversed kernel; the kernel's free axes are summed over.
    private func cotangentOfData(
        _ cotangent: Value, _ types: (x: TensorType, w: TensorType), kernel: Value, in b: GraphBuilder
    ) -> Value {
        let y = b.shape(of: cotangent)
        if types.x.count == 0 || y.contains(0) { return b.zeros(types.x) }
        let axes = resultAxes
        let operation = Convolution(
            lhs: Roles(
                batch: Array(axes.batch), free: Array(axes.lhsFree), contracted: Array(axes.rhsFree),
                spatial: Array(axes.spatial)),
            rhs: Roles(batch: rhs.batch, free: rhs.contracted, contracted: rhs.free, spatial: rhs.spatial),
            windows: windows.indices.map { axis in
                windows[axis].ofData(
                    data: types.x.shape[lhs.spatial[axis]], kernel: types.w.shape[rhs.spatial[axis]],
                    result: y[axes.spatial.lowerBound + axis])
            })
        let order = Transpose(permutation: lhs.batch + lhs.free + lhs.spatial + lhs.contracted)
        return b.transpose(b.emit(operation, cotangent, kernel), order.inverse)
    }

    /// w̄[k] = Σₒ x̃[o·stride + k·rhsDilation − low] ȳ[o]: the data under the cotangent as a kernel, dilated by the stride; the
    /// data's free axes are summed over. Where this kernel is reversed, so is w̄.
    private func cotangentOfKernel(
        _ cotangent: Value, _ types: (x: TensorType, w: TensorType), data: Value, in b: GraphBuilder
    ) -> Value {
        let y = b.shape(of: cotangent)
        if types.w.count == 0 || y.contains(0) || types.x.count == 0 { return b.zeros(types.w) }
        let axes = resultAxes
        let ofData = Roles(batch: lhs.batch, free: lhs.contracted, contracted: lhs.free, spatial: lhs.spatial)
        let ofCotangent = Roles(
            batch: Array(axes.batch), free: Array(axes.rhsFree), contracted: Array(axes.lhsFree),
            spatial: Array(axes.spatial))
        func windows(_ make: (Window, _ data: Int, _ kernel: Int, _ result: Int) -> Window) -> [Window] {
            self.windows.indices.map { axis in
                make(
                    self.windows[axis], types.x.shape[lhs.spatial[axis]], types.w.shape[rhs.spatial[axis]],
                    y[axes.spatial.lowerBound + axis])
            }
        }
        if !self.windows.isEmpty && self.windows.allSatisfy(\.reversed) {
            // The cotangent under the data gives w̄ from its other end.
            let operation = Convolution(
                lhs: ofCotangent, rhs: ofData,
                windows: windows { $0.ofReversedKernel(data: $1, kernel: $2, result: $3) })
            let order = Transpose(permutation: rhs.batch + rhs.free + rhs.spatial + rhs.contracted)
            return b.transpose(b.emit(operation, cotangent, data), order.inverse)
        }
        let operation = Convolution(
            lhs: ofData, rhs: ofCotangent, windows: windows { $0.ofKernel(data: $1, kernel: $2, result: $3) })
        let order = Transpose(permutation: rhs.batch + rhs.contracted + rhs.spatial + rhs.free)
        let result = b.transpose(b.emit(operation, data, cotangent), order.inverse)
        return b.reverse(
            result, dimensions: self.windows.indices.filter { self.windows[$0].reversed }.map { rhs.spatial[$0] })
    }
}

extension Convolution.Window {
    /// `high` such that a convolution over `data` elements under `kernel` taps has exactly `result` places.
    private func closed(data: Int, kernel: Int, result: Int) -> Self {
        var window = self
        let seen = (result - 1) * stride + (kernel - 1) * rhsDilation + 1
        window.high = seen - ((data - 1) * lhsDilation + 1) - low
        return window
    }

    /// The window of the cotangent of the data: the cotangent (`result` places) under the kernel gives `data` places.
    fileprivate func ofData(data: Int, kernel: Int, result: Int) -> Self {
        Self(
            stride: lhsDilation, low: (kernel - 1) * rhsDilation - low, lhsDilation: stride, rhsDilation: rhsDilation,
            reversed: !reversed
        ).closed(data: result, kernel: kernel, result: data)
    }

    /// The window of the cotangent of the kernel: the data under the cotangent gives `kernel` places.
    fileprivate func ofKernel(data: Int, kernel: Int, result: Int) -> Self {
        Self(stride: rhsDilation, low: low, lhsDilation: lhsDilation, rhsDilation: stride)
            .closed(data: data, kernel: result, result: kernel)
    }

    /// The same for a reversed kernel: the cotangent under the data gives `kernel` places.
    fileprivate func ofReversedKernel(data: Int, kernel: Int, result: Int) -> Self {
        Self(
            stride: rhsDilation, low: (kernel - 1) * rhsDilation - low, lhsDilation: stride, rhsDilation: lhsDilation
        ).closed(data: result, kernel: data, result: kernel)
    }
}
