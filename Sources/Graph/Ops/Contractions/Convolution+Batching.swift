// A convolution over a batch, and what it costs.

extension Convolution {
    /// With one operand batched the new axis is one more free axis of that operand: samples of the data, channels out of the
    /// kernel. With both it is one more batch axis.
    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        precondition(marked[0] || marked[1], "convolution: no operand is batched")
        var (left, right) = (lhs, rhs)
        var place = 0
        if marked[0] { left = lhs.mapped { $0 + 1 } }
        if marked[1] { right = rhs.mapped { $0 + 1 } }
        switch (marked[0], marked[1]) {
        case (true, true):
            left.batch.insert(0, at: 0)
            right.batch.insert(0, at: 0)
        case (true, false):
            left.free.insert(0, at: 0)
            place = resultAxes.lhsFree.lowerBound
        default:
            right.free.insert(0, at: 0)
            place = resultAxes.rhsFree.lowerBound
        }
        let operation = Convolution(lhs: left, rhs: right, windows: windows)
        return [b.axisToFront(place, of: b.emit(operation, operands[0], operands[1]))]
    }

    /// Multiply-adds of elements of the data with taps of the kernel: those with the zeros between and beyond the elements are
    /// not counted.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        let (x, w) = (operands[0].shape, operands[1].shape)
        var count = 1
        for extent in lhs.batch.map({ x[$0] }) + lhs.free.map({ x[$0] }) + lhs.contracted.map({ x[$0] })
            + rhs.free.map({ w[$0] })
        {
            count = count.multipliedSaturated(by: extent)
        }
        for (axis, window) in windows.enumerated() {
            count = count.multipliedSaturated(
                by: window.meetings(
                    data: x[lhs.spatial[axis]], kernel: w[rhs.spatial[axis]],
                    result: results[0].shape[resultAxes.spatial.lowerBound + axis]))
        }
        return Cost(multiplyAdds: count, elements: (operands + results).reduce(0) { $0.addingSaturated($1.count) })
    }
}

extension Convolution.Window {
    /// How many pairs of a place of the result and a tap meet an element of the data.
    func meetings(data: Int, kernel: Int, result: Int) -> Int {
        if data == 0 || kernel == 0 || result == 0 { return 0 }
        // position = place·stride + tap·rhsDilation − low, looked at along the shorter of the two.
        let (outer, inner) = kernel <= result ? (kernel, result) : (result, kernel)
        let (outerStep, innerStep) = kernel <= result ? (rhsDilation, stride) : (stride, rhsDilation)
        let end = (data - 1) * lhsDilation
        var count = 0
        for index in 0..<outer {
            let start = index * outerStep - low
            // The inner indices at which the position lies in 0...end …
            let first = start >= 0 ? 0 : (-start + innerStep - 1) / innerStep
            let last = end < start ? -1 : min(inner - 1, (end - start) / innerStep)
            if first > last { continue }
            if lhsDilation == 1 {
                count = count.addingSaturated(last - first + 1)
                continue
            }
            // … and is a multiple of the dilation: every period-th, from the first that is.
            let period = lhsDilation / lhsDilation.greatestCommonDivisor(with: innerStep)
            let met = (first..<first + period).first { (start + $0 * innerStep) % lhsDilation == 0 }
            if let met, met <= last { count = count.addingSaturated((last - met) / period + 1) }
        }
        return count
    }
}

extension Int {
    /// Of two positive numbers.
    fileprivate func greatestCommonDivisor(with other: Int) -> Int {
        var (a, b) = (self, other)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}
