import Compute
import Curvature
import Datasets
import LuaBridge

extension ScriptHost {
    /// `operator`: a symmetric matrix that is known by its products.
    func operatorClass() -> ObjectClass<OperatorObject> {
        let operators = ObjectClass<OperatorObject>(
            "operator",
            "A symmetric matrix, known by its products: a curvature matrix at the parameters of one moment, or what is composed of such; a value."
        )
        addMembers(to: operators)
        addSpectrum(to: operators)
        addEstimates(to: operators)
        addAlgebra(to: operators)
        operators.length("The number of its rows: p, as long as it is not restricted.") { $0.matrix.dimension }
        operators.view { [unowned self] in view(of: $0) }
        operators.description { object in
            var text = object.line
            if let samples = object.samples { text += ", \(samples) sample\(samples == 1 ? "" : "s")" }
            let products = object.counted.products
            return text + ", \(products) product\(products == 1 ? "" : "s")"
        }
        operators.external { $0.externalBytes }
        return operators
    }
}

/// `H:dense()` gives at most so many rows: 128 MiB in f64.
private let largestDense = 4096

extension ScriptHost {
    private func addMembers(to operators: ObjectClass<OperatorObject>) {
        operators.property("kind", .string, "What it is: 'hessian', 'sum', 'restriction', ….") { $0.kind }
        operators.property("dimension", .integer, "Its number of rows.") { $0.matrix.dimension }
        operators.property("dtype", .string, "The element type of its vectors.") { $0.matrix.element.rawValue }
        operators.property(
            "samples", .integer.orNil, unit: "samples", "Over how many samples it is; nil for what is composed."
        ) {
            $0.samples
        }
        operators.property("products", .integer, "Products made with it so far, also within what is composed of it.") {
            $0.counted.products
        }
        operators.property(
            "parameters", .list(of: .string).orNil,
            "The names of the parameters it acts on; nil for multiples of directions."
        ) { $0.space.layout?.entries.map(\.name) }
        operators.method(
            "quadratic", "vᵀAv, of curvature matrices by one forward sweep with the kept deltas.",
            parameters: [Parameter("v", .vector.or(.list(of: .vector)), "The direction, or a list of them.")],
            results: [Parameter("value", .number.or(.object("array")), "The number; for a list the array of them.")]
        ) { object, call -> LuaValue in
            if let vector = VectorObject.read(try call.value("v")) {
                return .number(try object.matrix.quadratic(object.space.fitting(vector)))
            }
            return .object(try ArrayObject(object.matrix.quadratic(block: object.fitting(call.get("v")))))
        }
        operators.method(
            "dense", "All its elements, by a product for each column: for at most 4,096 rows.",
            results: [Parameter("matrix", .object("array"), "The array of shape {p, p}.")]
        ) { object, _ in
            let count = object.matrix.dimension
            guard count <= largestDense else {
                throw ArgumentError(
                    "operator:dense: \(object.expression) has \(count) rows, the limit is \(largestDense): \(count) products and "
                        + "\(megabytes(count)) MiB; restrict it to a block, or ask for its diagonal, its density or its eigenvalues"
                )
            }
            let matrix = try dense(of: object.matrix)
            // Columns follow one another in a DenseMatrix, rows in an array.
            let rows = (0..<count).flatMap { i in (0..<count).map { j in matrix[i, j] } }
            return ArrayObject(try NDArray(rows, shape: [count, count]))
        }
        operators.infix(.multiply, "operator * vector", .vector) { (object: OperatorObject, v: VectorObject) in
            VectorObject(try object.matrix.apply(object.space.fitting(v)), object.space.layout)
        }
        operators.infix(.multiply, "operator * {vector, …}", .list(of: .vector)) {
            (object: OperatorObject, vectors: [VectorObject]) in
            try object.matrix.apply(block: object.fitting(vectors)).map { VectorObject($0, object.space.layout) }
        }
    }
}

private func megabytes(_ rows: Int) -> String { short((Double(rows) * Double(rows) * 8 / 1_048_576).rounded()) }

extension OperatorObject {
    /// What it is, and how large.
    var line: String {
        "\(expression) of dimension \(matrix.dimension) (\(matrix.element.rawValue))"
            + (space.around != nil ? " on \(space.name)" : "")
    }

    /// Vectors of a script in the operator's space; at least one.
    func fitting(_ vectors: [VectorObject]) throws -> [Vector] {
        guard !vectors.isEmpty else { throw ArgumentError("an empty list: give at least one vector") }
        return try vectors.map { try space.fitting($0) }
    }
}
