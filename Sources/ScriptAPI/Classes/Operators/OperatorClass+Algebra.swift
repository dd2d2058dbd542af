import Compute
import Curvature
import LuaBridge

extension ScriptHost {
    /// Operators made of operators: sums, multiples, products, restrictions. Nothing is computed until a product is asked for.
    func addAlgebra(to operators: ObjectClass<OperatorObject>) {
        operators.infix(.add, "operator + operator", .object("operator")) { (a: OperatorObject, b: OperatorObject) in
            try sum(of: [(1, a), (1, b)], "operator + operator", "\(a.expression) + \(b.expression)")
        }
        operators.infix(.subtract, "operator - operator", .object("operator")) {
            (a: OperatorObject, b: OperatorObject) in
            try sum(of: [(1, a), (-1, b)], "operator - operator", "\(a.expression) - \(b.factor)")
        }
        operators.infix(.multiply, "number * operator", .object("operator")) { (x: Double, a: OperatorObject) in
            try multiple(x, a)
        }
        operators.infix(.multiply, "operator * number", .object("operator")) { (a: OperatorObject, x: Double) in
            try multiple(x, a)
        }
        operators.infix(.divide, "operator / number", .object("operator")) { (a: OperatorObject, x: Double) in
            guard x != 0 else { throw ArgumentError("operator / 0") }
            return try multiple(1 / x, a, "\(a.factor) / \(short(x))")
        }
        operators.negation { try multiple(-1, $0, "-\($0.factor)") }
        let result = [Parameter("operator", .object("operator"), "The operator.")]
        operators.method(
            "shift", "A + s·I, whose eigenvalues are all larger by s.",
            parameters: [Parameter("s", .number(.finite), "What is added.")], results: result
        ) { a, call in
            let shift: Double = try call.get("s")
            return OperatorObject(
                try a.matrix.shifted(by: shift), kind: "shift", "\(a.expression) + \(short(shift)) * I", on: a.space,
                of: [a])
        }
        operators.method(
            "product", "(AB + BA)/2, which is AB where the two commute; also A * B.",
            parameters: [Parameter("other", .object("operator"), "B.")], results: result
        ) { a, call in try product(of: a, call.get("other"), "operator:product") }
        operators.infix(.multiply, "operator * operator", .object("operator")) {
            (a: OperatorObject, b: OperatorObject) in
            try product(of: a, b, "operator * operator")
        }
        operators.method("square", "A²: A * A, exactly symmetric, with half the products.", results: result) { a, _ in
            OperatorObject(
                a.matrix.squared(), kind: "square", "\(a.factor)^2", on: a.space, of: [a], samples: a.samples)
        }
        operators.method(
            "project_out", "(I − UUᵀ)A(I − UUᵀ): the operator on the complement of directions, zero on them.",
            parameters: [
                Parameter("vectors", .list(of: .vector), "Any basis of the directions, such as eigenvectors.")
            ],
            results: result
        ) { a, call in
            let basis = try a.fitting(call.get("vectors", as: [VectorObject].self))
            return OperatorObject(
                try a.matrix.projected(outOf: basis), kind: "complement",
                "\(a.factor) without \(basis.count) direction\(basis.count == 1 ? "" : "s")", on: a.space, of: [a],
                keeping: bytes(of: basis))
        }
        operators.method(
            "restrict",
            "The block of some parameters, or UᵀAU for directions: an operator of as many rows. It takes vectors of its own size, and of the space around, which it projects.",
            parameters: [
                Parameter(
                    "to", .names.or(.list(of: .vector)),
                    "Parameters by their names or the beginnings of names, as 'layers.1'; or vectors, which are made orthonormal in their order."
                )
            ], results: result
        ) { a, call in
            let to = try call.value("to")
            if let name = String.read(to) { return try a.restricted(to: [name]) }
            if let names = [String].read(to), !names.isEmpty { return try a.restricted(to: names) }
            return try a.restricted(toSpanOf: call.get("to"))
        }
        operators.method(
            "project",
            "The coordinates, in the space of the operator, of a vector of the space around: of all parameters, say.",
            parameters: [Parameter("v", .vector, "The vector.")],
            results: [Parameter("w", .vector, "Its part in the operator's space.")]
        ) { a, call in VectorObject(try a.space.fitting(call.get("v")), a.space.layout) }
        operators.method(
            "lift",
            "The vector of all parameters with these coordinates in the space of the operator, and nothing beside them.",
            parameters: [Parameter("w", .vector, "A vector of the operator's dimension.")],
            results: [Parameter("v", .vector, "The vector of all parameters.")]
        ) { a, call in
            let vector: VectorObject = try call.get("w")
            guard vector.vector.count == a.matrix.dimension else {
                throw ArgumentError(
                    "operator:lift: a vector of \(vector.vector.count) numbers, the operator has \(a.matrix.dimension) rows"
                )
            }
            return VectorObject(try a.space.lifted(a.space.fitting(vector)), a.space.whole.layout)
        }
    }
}

private func bytes(of vectors: [Vector]) -> Int { vectors.reduce(0) { $0 + $1.count * $1.element.byteCount } }

private func sum(
    of terms: [(weight: Double, object: OperatorObject)], _ what: String, _ expression: String, kind: String = "sum"
) throws -> OperatorObject {
    let objects = terms.map(\.object)
    guard let first = objects.first else { throw ArgumentError("\(what): give at least one operator") }
    for object in objects { try first.space.requireSame(as: object.space, for: what) }
    return OperatorObject(
        try OperatorSum(terms.map { ($0.weight, $0.object.matrix) }), kind: kind, expression, on: first.space,
        of: objects)
}

private func product(of a: OperatorObject, _ b: OperatorObject, _ what: String) throws -> OperatorObject {
    try a.space.requireSame(as: b.space, for: what)
    return OperatorObject(
        try a.matrix.times(b.matrix), kind: "product", "\(a.factor) * \(b.factor)", on: a.space, of: [a, b])
}

private func multiple(_ x: Double, _ a: OperatorObject, _ expression: String? = nil) throws -> OperatorObject {
    guard x.isFinite else { throw ArgumentError("an operator times \(short(x)): the factor must be finite") }
    return try sum(of: [(x, a)], "a multiple", expression ?? "\(short(x)) * \(a.factor)", kind: "multiple")
}

/// The mean of operators, as of the Hessians of batches.
func mean(of objects: [OperatorObject], _ what: String, samples: Int? = nil) throws -> OperatorObject {
    let share = 1 / Double(max(1, objects.count))
    let kinds = Set(objects.map(\.kind))
    let name = kinds.count == 1 ? "\(objects.count) \(objects[0].kind)s" : "\(objects.count) operators"
    return try sum(of: objects.map { (share, $0) }, what, "average(\(name))", kind: "average")
}

extension OperatorObject {
    /// The block of these parameters.
    func restricted(to names: [String]) throws -> OperatorObject {
        let (block, part) = try space.restriction(of: matrix, to: names)
        return OperatorObject(
            block, kind: "restriction", "\(factor)[\(names.joined(separator: ", "))]", on: part, of: [self],
            samples: samples)
    }

    /// UᵀAU for an orthonormal basis U of the span.
    func restricted(toSpanOf vectors: [VectorObject]) throws -> OperatorObject {
        let (subspace, part) = try space.restriction(of: matrix, toSpanOf: fitting(vectors))
        let words = "\(part.dimension) direction\(part.dimension == 1 ? "" : "s")"
        return OperatorObject(
            subspace, kind: "restriction", "\(factor)[\(words)]", on: part, of: [self], samples: samples,
            keeping: bytes(of: subspace.basis))
    }
}
