import Compute
import Datasets
import Experiments
import LuaBridge
import Networks

final class VectorObject: LuaObject {
    let vector: Vector
    /// What its parts are called; nil for one that belongs to no model.
    let layout: ParameterLayout?

    init(_ vector: Vector, _ layout: ParameterLayout? = nil) {
        self.vector = vector
        self.layout = layout?.count == vector.count ? layout : nil
    }
}

extension ScriptHost {
    /// `vector`: a point or a direction in parameter space, which nothing changes.
    func vectorClass() -> ObjectClass<VectorObject> {
        let vectors = ObjectClass<VectorObject>(
            "vector", "A point or a direction in parameter space, with arithmetic element by element; a value.")
        vectors.property("dtype", .string, "Its element type.") { $0.vector.element.rawValue }
        vectors.method(
            "dot", "The inner product, summed in f64.",
            parameters: [Parameter("other", .vector, "A vector of the same length.")],
            results: [Parameter("product", .number, "The inner product.")]
        ) { vector, call in
            let other: VectorObject = try call.get(at: 0)
            return try combined(vector, other) { try $0.dot($1) }
        }
        vectors.method(
            "norm", "The Euclidean norm.", results: [Parameter("norm", .number, "The norm.")]
        ) { vector, _ in vector.vector.norm() }
        vectors.method("copy", "The same vector.", results: [Parameter("vector", .vector, "The copy.")]) { vector, _ in
            vector.mapped { $0 }
        }
        vectors.method(
            "randn", "A vector of the same length and element type with independent standard normal numbers.",
            parameters: [Parameter("seed", .integer(.nonNegative), default: 1, "Of the random numbers.")],
            results: [Parameter("vector", .vector, "The random vector.")]
        ) { vector, call in
            var stream = RandomStream(seed: try call.seed(), purpose: .vector)
            return try vector.mapped { try .randomNormal(count: $0.count, element: $0.element, stream: &stream) }
        }
        vectors.method(
            "part", "The numbers of one parameter in its shape, a copy; also v[\"layers.0.weight\"].",
            parameters: [Parameter("name", .string, "Which, as in PyTorch.")],
            results: [Parameter("array", .object("array"), "The numbers.")]
        ) { vector, call in
            let name: String = try call.get("name")
            if let part = try vector.part(name) { return part }
            throw ArgumentError("vector:part: \(vector.withoutPart(name))")
        }
        vectors.entries(
            .object("array"), "The part that belongs to the parameter of this name, in its shape.",
            names: { $0.layout?.entries.map(\.name) ?? [] }, body: { try $0.part($1) })
        vectors.method(
            "totable", "Its numbers as a Lua table.",
            results: [Parameter("numbers", .list(of: .number), "The numbers.")]
        ) {
            vector, _ in LuaValue.numbers(vector.vector.values)
        }
        vectors.method(
            "toarray", "Its numbers as an array.", results: [Parameter("array", .object("array"), "The array.")]
        ) { vector, _ in ArrayObject(try NDArray(vector: vector.vector)) }
        // What belongs to a vector space is the engine's; the rest goes element by element as with all numbers.
        vectors.infix(.add, "vector + vector", .vector) { (a: VectorObject, b: VectorObject) in
            VectorObject(try combined(a, b) { try $0 + $1 }, a.layout ?? b.layout)
        }
        vectors.infix(.subtract, "vector - vector", .vector) { (a: VectorObject, b: VectorObject) in
            VectorObject(try combined(a, b) { try $0 - $1 }, a.layout ?? b.layout)
        }
        vectors.infix(.multiply, "number * vector", .vector) { (a: Double, v: VectorObject) in
            try v.mapped { try a * $0 }
        }
        vectors.infix(.multiply, "vector * number", .vector) { (v: VectorObject, a: Double) in
            try v.mapped { try a * $0 }
        }
        vectors.infix(.divide, "vector / number", .vector) { (v: VectorObject, a: Double) in try v.mapped { try $0 / a }
        }
        addArithmetic(to: vectors)
        addPowers(to: vectors)
        vectors.infix(.equal, "vector == vector", .boolean) { (a: VectorObject, b: VectorObject) in a.vector == b.vector
        }
        vectors.negation { try $0.mapped { try -$0 } }
        vectors.length("How many numbers it has.") { $0.vector.count }
        vectors.elements(.number.orNil, "The i-th number.") { vector, i in
            (1...max(1, vector.vector.count)).contains(i) ? vector.vector.at(i - 1) : nil
        }
        vectors.description { vector in
            let v = vector.vector
            return "vector of \(v.count) (\(v.element.rawValue), norm \(short(v.norm()))): "
                + listed((0..<min(v.count, 4)).map { v[$0] }) + (v.count > 4 ? ", …" : "")
        }
        vectors.external { $0.vector.count * $0.vector.element.byteCount }
        return vectors
    }
}

extension VectorObject {
    /// What is made of the vector, of a vector of the same space.
    fileprivate func mapped(_ body: (Vector) throws -> Vector) rethrows -> VectorObject {
        VectorObject(try body(vector), layout)
    }

    fileprivate func part(_ name: String) throws -> ArrayObject? {
        guard let layout, let entry = layout.entry(name) else { return nil }
        return ArrayObject(try layout.array(entry, of: vector))
    }

    /// Why it has no such part.
    fileprivate func withoutPart(_ name: String) -> String {
        guard let layout else {
            return "this vector belongs to no model: net:vector(v) makes it one of net's parameters"
        }
        let names = layout.entries.map(\.name)
        let near = nearestName(to: name, among: names).map { ": did you mean '\($0)'?" }
        return "there is no parameter '\(name)'" + (near ?? "; there are \(names.joined(separator: ", "))")
    }
}

extension Vector {
    /// The element at a place from 0, or nil.
    fileprivate func at(_ i: Int) -> Double? { (0..<count).contains(i) ? self[i] : nil }
}

/// An operation on two vectors; of f32 and f64 the f32 one is widened.
private func combined<Result>(
    _ a: VectorObject, _ b: VectorObject, _ body: (Vector, Vector) throws -> Result
) throws -> Result {
    let (x, y) = (a.vector, b.vector)
    guard x.count == y.count else {
        throw ArgumentError("vectors of \(x.count) and \(y.count) numbers do not combine")
    }
    if x.element == y.element { return try body(x, y) }
    return try body(x.converted(to: .f64), y.converted(to: .f64))
}

extension NDArray {
    /// The vector's elements, a list.
    init(vector: Vector) throws {
        try self.init(shape: [vector.count], element: vector.element.arrayElement) { bytes in
            vector.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }
}
