import Compute
import Curvature
import Datasets
import Experiments
import LuaBridge
import Reports

/// The density of an operator's eigenvalues.
final class DensityObject: LuaObject {
    let density: SpectralDensity
    /// Of what, as an expression.
    let expression: String
    private(set) lazy var nodes = Result { try ArrayObject(density.nodes.flatMap { $0 }) }
    private(set) lazy var weights = Result {
        let share = 1 / Double(density.weights.count)
        return try ArrayObject(density.weights.flatMap { $0.map { $0 * share } })
    }

    init(_ density: SpectralDensity, of expression: String) {
        self.density = density
        self.expression = expression
    }
}

extension ScriptHost {
    /// `density`: what `H:density` gives.
    func densityClass() -> ObjectClass<DensityObject> {
        let densities = ObjectClass<DensityObject>(
            "density", "The density of an operator's eigenvalues, as quadrature rules of random vectors; a value.")
        densities.property("nodes", .object("array"), "The nodes of all vectors, one vector after the other.") {
            try $0.nodes.get()
        }
        densities.property("weights", .object("array"), "Their weights, of sum 1: shares of the eigenvalues.") {
            try $0.weights.get()
        }
        densities.property("vectors", .integer, "How many random vectors.") { $0.density.nodes.count }
        densities.property("dimension", .integer, "The operator's number of rows.") { $0.density.dimension }
        densities.property("exact", .boolean, "Whether the nodes are all eigenvalues, of a dense matrix.") {
            $0.density.isExact
        }
        densities.property("support", .list(of: .number), "The smallest and the largest node.") {
            [$0.density.support.lower, $0.density.support.upper]
        }
        densities.property(
            "outliers",
            .list(
                of: .record([
                    Parameter("value", .number, "The eigenvalue."), Parameter("residual", .number, "Its residual."),
                    Parameter("multiplicity", .number, "How many there are of it."),
                    Parameter("stderr", .number, "The standard error of that."),
                ])),
            "The eigenvalues that stand apart from the bulk, largest first: value, residual, multiplicity and its stderr."
        ) { object in
            object.density.outliers().map { outlier in
                LuaRecord(
                    [
                        "value": .number(outlier.value), "residual": .number(outlier.residual),
                        "multiplicity": .number(outlier.multiplicity.value),
                        "stderr": .number(outlier.multiplicity.standardError),
                    ], called: "an outlier")
            }
        }
        densities.property("width", .number, "The standard deviation a node is drawn with, unless given.") {
            $0.density.defaultWidth
        }
        densities.property("products", .integer, "How many matrix-vector products it took.") { $0.density.products }
        densities.property("seconds", .number, unit: "seconds", "How long it took.") { $0.density.seconds }
        densities.property("finished", .boolean, "False where it was cancelled: from the products until then.") {
            $0.density.isFinished
        }
        densities.method(
            "at", "The density at a place or at several, each node drawn as a Gaussian, and its standard error.",
            parameters: [Parameter("x", .number.or(.list(of: .number)).or(.object("array")), "The place or places.")],
            options: [
                .optional("width", .number(.positive), "The standard deviation of the Gaussian; d.width by default.")
            ],
            results: [
                Parameter("density", .number.or(.object("array")), "The density."),
                Parameter("stderr", .number.or(.object("array")), "Its standard error."),
            ]
        ) { object, call -> LuaResults in
            let (x, width): (LuaValue, Double?) = (try call.value("x"), try call.get("width"))
            if let place = Double.read(x) {
                let (values, errors) = try object.density.density(at: [place], width: width)
                return LuaResults(values: [.number(values.first ?? .nan), .number(errors.first ?? .nan)])
            }
            let places = try ArrayObject.spelled(by: x, "x")
            let (values, errors) = try object.density.density(
                at: (0..<places.count).map { places[flat: $0] }, width: width)
            return LuaResults(try ArrayObject(values), try ArrayObject(errors))
        }
        densities.method(
            "moment", "The mean of the k-th powers of the eigenvalues, (1/p) tr A^k, with its standard error.",
            parameters: [Parameter("k", .integer(.nonNegative), "The power.")],
            results: [Parameter("moment", .object("measurement"), "The estimate.")]
        ) { object, call in
            let k: Int = try call.get("k")
            return MeasurementObject("moment \(k)", [Measurement(step: 0, object.density.moment(k))])
        }
        densities.method(
            "plot", "Draws the density and its outliers into the output folder, or without a file here.",
            parameters: [.figureFile], options: SpectrumFigure.options, results: [.figurePath]
        ) { [unowned self] object, call in
            let file = try figureFile(call)
            return try show(SpectrumFigure(call).drawing(object), of: [], in: file)
        }
        densities.description { object in
            let density = object.density
            let (lower, upper) = density.support
            let how =
                density.isExact
                ? "\(density.dimension) eigenvalues"
                : "\(density.nodes.count) vectors, \(density.products) products, dimension \(density.dimension)"
            return "density of \(object.expression) from \(short(lower)) to \(short(upper)): \(how)"
                + (density.isFinished ? "" : unfinished)
        }
        densities.external { $0.density.nodes.reduce(0) { $0 + $1.count * 24 } }
        return densities
    }
}
