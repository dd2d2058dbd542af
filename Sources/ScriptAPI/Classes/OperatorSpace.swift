import Compute
import Curvature
import Graph
import LuaBridge
import Networks

/// The space an operator acts on: the parameters of a model, a block of them, or directions in such a space.
///
/// It knows what its coordinates are called, and how vectors of the spaces around it come into it and back.
final class OperatorSpace {
    /// How the coordinates lie in the space around.
    enum Part {
        /// These coordinates, in order.
        case coordinates([Range<Int>])
        /// The multiples of orthonormal directions.
        case span([Vector])
    }

    /// In words: "mlp", "'layers.1' of mlp", "2 directions in mlp".
    let name: String
    let dimension: Int
    let element: ElementType
    /// What the coordinates are called; nil for multiples of directions.
    let layout: ParameterLayout?
    let around: (space: OperatorSpace, part: Part)?

    init(_ model: Model) {
        (name, dimension, element) = (model.name, model.layout.count, model.element)
        (layout, around) = (model.layout, nil)
    }

    private init(
        _ name: String, _ dimension: Int, _ layout: ParameterLayout?, in space: OperatorSpace, _ part: Part
    ) {
        (self.name, self.dimension, self.element) = (name, dimension, space.element)
        (self.layout, around) = (layout, (space, part))
    }

    // MARK: - Parts of it

    /// The parameters of these names, or whose names begin with one of them and a point.
    /// - Throws: for a name that no parameter has, with the nearest one and all there are.
    func block(_ names: [String]) throws -> OperatorSpace {
        guard let layout else {
            throw ArgumentError("\(name) have no parameter names: restrict to a block first, then to directions")
        }
        guard !names.isEmpty else {
            throw ArgumentError("restrict: name at least one parameter or prefix, or a vector")
        }
        for name in names { try check(name, in: layout) }
        let chosen = layout.entries.filter { entry in names.contains { Self.covers($0, entry.name) } }
        let sub = try ParameterLayout(chosen.map { ($0.name, $0.shape) })
        let words = names.map { "'\($0)'" }.joined(separator: ", ") + " of \(name)"
        return OperatorSpace(
            words, sub.count, sub, in: self, .coordinates(chosen.map { $0.offset..<($0.offset + $0.count) }))
    }

    private static func covers(_ block: String, _ parameter: String) -> Bool {
        parameter == block || parameter.hasPrefix(block + ".")
    }

    private func check(_ block: String, in layout: ParameterLayout) throws {
        if layout.entries.contains(where: { Self.covers(block, $0.name) }) { return }
        var known: [String] = []
        for entry in layout.entries {
            let words = entry.name.split(separator: ".", omittingEmptySubsequences: false)
            for count in 1...words.count {
                let name = words.prefix(count).joined(separator: ".")
                if !known.contains(name) { known.append(name) }
            }
        }
        let near = nearestName(to: block, among: known).map { ": did you mean '\($0)'?" } ?? ""
        let all = layout.entries.map(\.name)
        let shown = all.prefix(24).joined(separator: ", ") + (all.count > 24 ? ", … (\(all.count) in all)" : "")
        throw ArgumentError(
            "unknown block '\(block)' of \(name)\(near) (its parameters: \(shown); or their beginnings)")
    }

    /// The span of these vectors, which are made orthonormal in their order.
    func span(_ vectors: [VectorObject]) throws -> OperatorSpace {
        let directions = try orthonormal(vectors)
        let words = "\(directions.count) direction\(directions.count == 1 ? "" : "s") in \(name)"
        return OperatorSpace(words, directions.count, nil, in: self, .span(directions))
    }

    /// An orthonormal basis of the span, by Gram and Schmidt's method, twice.
    /// - Throws: for no vectors, a zero vector, and one that the others before it span.
    func orthonormal(_ vectors: [VectorObject]) throws -> [Vector] {
        guard !vectors.isEmpty else { throw ArgumentError("an empty list: give at least one vector") }
        // What is left below this share of a vector is rounding.
        let least = element == .f32 ? 1e-5 : 1e-12
        var basis: [Vector] = []
        for (number, given) in vectors.enumerated() {
            var vector = try fitting(given)
            let length = vector.norm()
            guard length > 0 else { throw ArgumentError("vector \(number + 1) of \(vectors.count) is zero") }
            try vector.scale(1 / length)
            for _ in 0..<2 { for u in basis { try vector.add(-u.dot(vector), u) } }
            let rest = vector.norm()
            guard rest > least else {
                throw ArgumentError(
                    "vector \(number + 1) of \(vectors.count) is a combination of those before it: leave it out")
            }
            try vector.scale(1 / rest)
            for u in basis { try vector.add(-u.dot(vector), u) }
            try vector.scale(1 / vector.norm())
            basis.append(vector)
        }
        return basis
    }

    // MARK: - Vectors

    /// A vector of a script in this space: one of its own size, or one of a space around it, which is projected.
    /// - Throws: for any other size, and numbers that are not finite.
    func fitting(_ object: VectorObject) throws -> Vector {
        let vector = object.vector
        guard vector.isFinite else {
            throw ArgumentError("a vector of \(vector.count) numbers holds nan or infinite ones: has the run diverged?")
        }
        var sizes: [Int] = []
        var chain: [OperatorSpace] = []
        var next: OperatorSpace? = self
        while let space = next {
            if vector.count == space.dimension {
                var result = try vector.converted(to: element)
                for inner in chain.reversed() { result = try inner.restricted(result) }
                return result
            }
            sizes.append(space.dimension)
            chain.append(space)
            next = space.around?.space
        }
        let wanted = sizes.map(String.init).joined(separator: " or ")
        throw ArgumentError("a vector of \(vector.count) numbers for an operator on \(name), which takes \(wanted)")
    }

    /// The coordinates here of a vector of the space around.
    func restricted(_ vector: Vector) throws -> Vector {
        guard let (_, part) = around else { return vector }
        switch part {
        case .coordinates(let ranges):
            var result = try Vector(zeros: dimension, element: element)
            let size = element.byteCount
            try vector.withUnsafeBytes { source in
                try result.withUnsafeMutableBytes { target in
                    var place = 0
                    for range in ranges {
                        let bytes = source[range.lowerBound * size..<range.upperBound * size]
                        UnsafeMutableRawBufferPointer(rebasing: target[place..<place + bytes.count])
                            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes))
                        place += bytes.count
                    }
                }
            }
            return result
        case .span(let directions): return try Vector(directions.map { try $0.dot(vector) }, element: element)
        }
    }

    /// The vector of all parameters that has these coordinates here and nothing beside them.
    func lifted(_ vector: Vector) throws -> Vector {
        guard let around else { return vector }
        return try around.space.lifted(liftedOnce(vector))
    }

    /// The same in the space around.
    func liftedOnce(_ vector: Vector) throws -> Vector {
        guard let (space, part) = around else { return vector }
        var result = try Vector(zeros: space.dimension, element: element)
        switch part {
        case .coordinates(let ranges):
            let size = element.byteCount
            try vector.withUnsafeBytes { source in
                try result.withUnsafeMutableBytes { target in
                    var place = 0
                    for range in ranges {
                        let count = range.count * size
                        UnsafeMutableRawBufferPointer(
                            rebasing: target[range.lowerBound * size..<range.upperBound * size]
                        ).copyMemory(from: UnsafeRawBufferPointer(rebasing: source[place..<place + count]))
                        place += count
                    }
                }
            }
        case .span(let directions):
            for (i, direction) in directions.enumerated() { try result.add(vector[i], direction) }
        }
        return result
    }

    // MARK: - Spaces compared

    /// - Throws: where operators on the two spaces do not combine, naming both.
    func requireSame(as other: OperatorSpace, for what: String) throws {
        if isSame(as: other) { return }
        func words(_ space: OperatorSpace) -> String {
            "\(space.name) (dimension \(space.dimension), \(space.element.rawValue))"
        }
        throw ArgumentError("\(what): the operators act on different spaces: \(words(self)) and \(words(other))")
    }

    private func isSame(as other: OperatorSpace) -> Bool {
        if self === other { return true }
        guard dimension == other.dimension, element == other.element, layout == other.layout else { return false }
        switch (around, other.around) {
        case (nil, nil): return true
        case (let mine?, let others?):
            guard mine.space.isSame(as: others.space) else { return false }
            switch (mine.part, others.part) {
            case (.coordinates(let a), .coordinates(let b)): return a == b
            case (.span(let a), .span(let b)): return a == b
            default: return false
            }
        default: return false
        }
    }
}
