import Compute
import Curvature
import Experiments
import Graph
import LuaBridge
import Networks

/// The space an operator acts on: the parameters of a model, a block of them, or directions in such a space.
///
/// It knows what its coordinates are called, and how vectors of the spaces around it come into it and back.
final class OperatorSpace {
    /// How a space lies in the one around: what restricts to it.
    enum Part {
        case block(BlockOperator)
        case directions(SubspaceOperator)
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

    private init(_ name: String, layout: ParameterLayout?, dimension: Int, in space: OperatorSpace, _ part: Part) {
        (self.name, self.dimension, element) = (name, dimension, space.element)
        (self.layout, around) = (layout, (space, part))
    }

    // MARK: - Parts of it

    /// A matrix on the parameters of these names, or whose names begin with one of them and a point.
    /// - Throws: for a name that no parameter has, with the nearest one and all there are.
    func restriction(of matrix: any LinearOperator, to names: [String]) throws -> (BlockOperator, OperatorSpace) {
        guard let layout else {
            throw ArgumentError(
                "the coordinates of \(name) have no names: restrict to a block first, then to directions")
        }
        let chosen = try ParameterBlock(names, of: layout, called: name)
        let block = try BlockOperator(matrix, ranges: chosen.coordinates.ranges)
        let words = names.map { "'\($0)'" }.joined(separator: ", ") + " of \(name)"
        let names = try ParameterLayout(chosen.entries.map { ($0.name, $0.shape) })
        return (block, OperatorSpace(words, layout: names, dimension: block.dimension, in: self, .block(block)))
    }

    /// A matrix on the span of these vectors.
    func restriction(
        of matrix: any LinearOperator, toSpanOf vectors: [Vector]
    ) throws -> (SubspaceOperator, OperatorSpace) {
        let subspace = try SubspaceOperator(matrix, span: vectors)
        let words = "\(vectors.count) direction\(vectors.count == 1 ? "" : "s") in \(name)"
        return (
            subspace,
            OperatorSpace(words, layout: nil, dimension: subspace.dimension, in: self, .directions(subspace))
        )
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
    private func restricted(_ vector: Vector) throws -> Vector {
        switch around?.part {
        case nil: return vector
        case .block(let block): return try block.restrict(vector)
        case .directions(let subspace):
            return try Vector(VectorBlock.dots(subspace.basis, [vector]).column(0), element: element)
        }
    }

    /// The vector of all parameters that has these coordinates here and nothing beside them.
    func lifted(_ vector: Vector) throws -> Vector {
        guard let (space, part) = around else { return vector }
        switch part {
        case .block(let block): return try space.lifted(block.embed(vector))
        case .directions(let subspace):
            return try subspace.embed([vector]).first.map { try space.lifted($0) } ?? vector
        }
    }

    // MARK: - Spaces compared

    /// The space of all parameters that this one is a part of.
    var whole: OperatorSpace { around?.space.whole ?? self }

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
            case (.block(let a), .block(let b)): return a.ranges == b.ranges
            case (.directions(let a), .directions(let b)): return a.basis == b.basis
            default: return false
            }
        default: return false
        }
    }
}
