extension RandomStream {
    /// An integer in 0 ..< n, each equally likely. `n` must be positive. Two words are taken, and two more in each of the rare
    /// cases (probability < n/2⁶⁴) that would favour some values.
    ///
    /// Lemire, "Fast random integer generation in an interval", 2019.
    @inline(__always)
    public mutating func below(_ n: Int) -> Int {
        precondition(n > 0, "below(n) needs a positive n")
        let bound = UInt64(n)
        var product = nextUInt64().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound  // 2⁶⁴ mod n: so many low halves would come once too often
            while product.low < threshold { product = nextUInt64().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// The numbers 0 ..< n in a random order (Fisher–Yates). A negative `n` counts as 0.
    public mutating func permutation(_ n: Int) -> [Int] {
        sample(n, from: n)
    }

    /// As ``permutation(_:)``, in an array that may have held another of this length: then nothing is allocated.
    public mutating func permutation(_ n: Int, into order: inout [Int]) {
        if order.count != n { order = Array(0..<max(0, n)) }
        for i in order.indices { order[i] = i }
        for i in 0..<max(0, n - 1) { order.swapAt(i, i + below(n - i)) }
    }

    /// `k` different numbers out of 0 ..< n in a random order: the first `k` of a permutation. At most `n` are given. The numbers
    /// depend on the stream alone, so `sample(k, from: n)` is the beginning of `sample(k + 1, from: n)`.
    public mutating func sample(_ k: Int, from n: Int) -> [Int] {
        let count = max(0, min(k, n))
        // Fisher–Yates from the front: step i swaps place i with a place in i ..< n. Of the last place no draw is needed.
        if count < n / 8 {
            // The same, keeping only the places that differ from the identity.
            var moved: [Int: Int] = [:]
            moved.reserveCapacity(count)
            var chosen: [Int] = []
            chosen.reserveCapacity(count)
            for i in 0..<count {
                let j = i + below(n - i)
                chosen.append(moved[j] ?? j)
                moved[j] = moved[i] ?? i
            }
            return chosen
        }
        var numbers = Array(0..<max(0, n))
        for i in 0..<min(count, max(0, n - 1)) { numbers.swapAt(i, i + below(n - i)) }
        if count < n { numbers.removeSubrange(count...) }
        return numbers
    }
}
