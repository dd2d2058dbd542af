/// Turns a network into steps of a plan: sums over labels that one factor alone has, then pairwise contractions in the
/// cheapest order, then scaling and the output's order of axes.
///
/// **Precision.** In a network of f32 sums that are much smaller than what they are made of (inner products, Gram matrices)
/// are accumulated in f64, since the parts cancel; what is made of them and is large again is f32.
struct ContractionSchedule {
    private let network: ContractionNetwork
    private let types: (Value) -> TensorType
    private let weights: CostWeights

    /// A tensor in the making.
    private struct Part {
        var step: Int
        var labels: [Int]
        var mask: ContractionOrder.Mask { labels.reduce(0) { $0 | 1 << UInt64($1) } }
    }

    init(_ network: ContractionNetwork, weights: CostWeights, types: @escaping (Value) -> TensorType) {
        self.network = network
        self.weights = weights
        self.types = types
    }

    /// The number of the step that computes the network, which has at least one factor.
    func add(to plan: inout ContractionPlan) -> Int {
        var coefficient = network.coefficient
        var parts: [Part] = []
        var scalars: [Part] = []
        for factor in network.factors {
            let value = plan.value(factor.value, types(factor.value))
            let part = summedAlone(Part(step: value, labels: factor.labels), in: &plan)
            if part.labels.isEmpty { scalars.append(part) } else { parts.append(part) }
        }
        for label in network.extents.indices where !network.output.contains(label) {
            if !network.factors.contains(where: { $0.labels.contains(label) }) {
                coefficient *= Double(network.extents[label])
            }
        }

        // Scaling is done where it touches the fewest numbers: on the result, or on the smallest factor.
        let resultSize = network.output.reduce(1) { $0 * network.extents[$1] }
        let smallest = parts.indices.min { count(parts[$0], plan) < count(parts[$1], plan) }
        if let smallest, count(parts[smallest], plan) < resultSize {
            parts[smallest] = scaled(parts[smallest], by: coefficient, scalars, in: &plan)
            coefficient = 1
            scalars = []
        }
        if parts.isEmpty { parts = [scalars.removeFirst()] }
        let order = ContractionOrder(
            labels: parts.map(\.mask), output: mask(network.output), extents: network.extents, weights: weights)
        let product = contracted(order.best(), parts, isLast: true, in: &plan)
        return finished(scaled(product, by: coefficient, scalars, in: &plan), in: &plan)
    }

    private func mask(_ labels: [Int]) -> ContractionOrder.Mask { labels.reduce(0) { $0 | 1 << UInt64($1) } }
    private func count(_ part: Part, _ plan: ContractionPlan) -> Int { plan.types[part.step].count }

    /// Without the labels that no other factor and not the output has.
    private func summedAlone(_ part: Part, in plan: inout ContractionPlan) -> Part {
        let alone = part.labels.indices.filter { axis in
            let label = part.labels[axis]
            return !network.output.contains(label) && network.factors.filter { $0.labels.contains(label) }.count == 1
        }
        return Part(
            step: plan.sum(part.step, axes: alone),
            labels: part.labels.indices.filter { !alone.contains($0) }.map { part.labels[$0] })
    }

    private func scaled(_ part: Part, by factor: Double, _ scalars: [Part], in plan: inout ContractionPlan) -> Part {
        var step = plan.scale(part.step, by: factor)
        for scalar in scalars {
            step = plan.product(step, plan.convert(scalar.step, to: plan.types[step].element), axes: [])
        }
        return Part(step: step, labels: part.labels)
    }

    /// In the output's order of axes, repeated along those that no factor has, in the result's element.
    private func finished(_ part: Part, in plan: inout ContractionPlan) -> Int {
        let wanted = network.output.filter(part.labels.contains)
        let ordered = plan.transpose(part.step, wanted.compactMap(part.labels.firstIndex))
        return plan.broadcast(
            plan.convert(ordered, to: network.result), to: network.output.map { network.extents[$0] },
            dimensions: network.output.indices.filter { part.labels.contains(network.output[$0]) })
    }

    // MARK: One contraction

    private func contracted(
        _ tree: ContractionOrder.Tree, _ parts: [Part], isLast: Bool, in plan: inout ContractionPlan
    ) -> Part {
        switch tree {
        case .factor(let index): return parts[index]
        case .pair(let left, let right):
            let inside = factors(left) + factors(right)
            let outside = parts.indices.filter { !inside.contains($0) }.reduce(mask(network.output)) {
                $0 | parts[$1].mask
            }
            let x = contracted(left, parts, isLast: false, in: &plan)
            let y = contracted(right, parts, isLast: false, in: &plan)
            return contracted(x, y, keeping: outside, isLast: isLast, in: &plan)
        }
    }

    private func factors(_ tree: ContractionOrder.Tree) -> [Int] {
        switch tree {
        case .factor(let index): [index]
        case .pair(let left, let right): factors(left) + factors(right)
        }
    }

    private func contracted(
        _ x: Part, _ y: Part, keeping: ContractionOrder.Mask, isLast: Bool, in plan: inout ContractionPlan
    ) -> Part {
        let (x, y) = isInOrder(x, y) ? (x, y) : (y, x)
        func isKept(_ label: Int) -> Bool { keeping >> UInt64(label) & 1 == 1 }
        let shared = x.labels.filter(y.labels.contains)
        let contracting = shared.filter { !isKept($0) }
        if contracting.isEmpty {
            if y.labels.allSatisfy(x.labels.contains) { return product(x, y, in: &plan) }
            if x.labels.allSatisfy(y.labels.contains) { return product(y, x, in: &plan) }
        }
        let batch = shared.filter(isKept).sorted { rank($0) < rank($1) }
        let free = x.labels.filter { !shared.contains($0) } + y.labels.filter { !shared.contains($0) }
        let labels = batch + free
        let size = labels.reduce(1) { $0 * network.extents[$1] }
        let element = elementOfSum(x, y, size: size, isInner: free.isEmpty, isLast: isLast, plan)
        let operand = operandElement(x, y, sum: element, plan)
        let dot = DotGeneral(
            lhsBatch: batch.compactMap(x.labels.firstIndex), rhsBatch: batch.compactMap(y.labels.firstIndex),
            lhsContracting: contracting.compactMap(x.labels.firstIndex),
            rhsContracting: contracting.compactMap(y.labels.firstIndex), result: element)
        return Part(
            step: plan.dot(plan.convert(x.step, to: operand), plan.convert(y.step, to: operand), dot), labels: labels)
    }

    /// x · y, where y's labels are among x's.
    private func product(_ x: Part, _ y: Part, in plan: inout ContractionPlan) -> Part {
        let places = y.labels.compactMap(x.labels.firstIndex)
        let order = places.indices.sorted { places[$0] < places[$1] }
        let ordered = plan.transpose(y.step, order)
        let element = network.element
        return Part(
            step: plan.product(
                plan.convert(x.step, to: element), plan.convert(ordered, to: element), axes: places.sorted()),
            labels: x.labels)
    }

    /// Labels of the output come in its order, before all others; these come in the order in which the first factor that has
    /// them does, so that networks that share an intermediate make it with the same order of axes.
    private func rank(_ label: Int) -> Int {
        if let place = network.output.firstIndex(of: label) { return place }
        let axis = network.factors.lazy.compactMap { $0.labels.firstIndex(of: label) }.first
        return network.output.count + (axis ?? 0)
    }

    /// The operand whose own axes come first goes left; of two Gram operands the one computed first.
    private func isInOrder(_ x: Part, _ y: Part) -> Bool {
        let first = x.labels.filter { !y.labels.contains($0) }.map(rank).min() ?? .max
        let second = y.labels.filter { !x.labels.contains($0) }.map(rank).min() ?? .max
        return first != second ? first < second : x.step <= y.step
    }

    // MARK: Precision

    private func elementOfSum(
        _ x: Part, _ y: Part, size: Int, isInner: Bool, isLast: Bool, _ plan: ContractionPlan
    ) -> ElementType {
        if network.element == .f64 || (isLast && network.result == .f64) || isInner { return .f64 }
        // Of two factors the user's own product; within a longer network a Gram matrix.
        let isGram = network.factors.count > 2 && 2 * size <= min(count(x, plan), count(y, plan))
        return isGram ? .f64 : .f32
    }

    private func operandElement(_ x: Part, _ y: Part, sum: ElementType, _ plan: ContractionPlan) -> ElementType {
        let elements = [plan.types[x.step].element, plan.types[y.step].element]
        if elements == [.f32, .f32] { return .f32 }
        return sum
    }
}
