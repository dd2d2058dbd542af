import Compute
import Experiments
import LuaBridge

/// What `run:layers` gives.
final class LayersObject: LuaObject {
    let table: LayerTable
    init(_ table: LayerTable) { self.table = table }
}

extension ScriptHost {
    private static let layerLine = LuaType.record([
        Parameter("name", .string, "The parameters."),
        Parameter("shape", .list(of: .integer).orNil, "Their shape; nil of the line for all."),
        Parameter("count", .integer, "How many they are."),
        Parameter("weight_norm", .number, "Their norm."),
        Parameter("gradient_norm", .number, "That of their gradient."),
        Parameter("trace", .number, "That of their block of the Hessian."),
        Parameter("trace_stderr", .number, "Its standard error."),
        Parameter("lambda_max", .number, "The block's largest eigenvalue."),
        Parameter("residual", .number, "Its residual."),
        Parameter("products", .integer, "Matrix-vector products that it took."),
        Parameter("converged", .boolean, "Whether the solver met its tolerance."),
    ])

    /// `layers`: a table of the parameters of a model.
    func layersClass() -> ObjectClass<LayersObject> {
        let layers = ObjectClass<LayersObject>(
            "layers",
            "A line for each parameter tensor, or layer, by its number or its name: t[1].trace, t['layers.0.weight'].lambda_max; prints as a table. A value."
        )
        layers.property("step", .integer, unit: "steps", "At which step.") { $0.table.step }
        layers.property("names", .list(of: .string), "The names, in the order of the lines.") {
            $0.table.rows.map(\.name)
        }
        let columns: [(String, String, (LayerMeasures) -> Double)] = [
            ("counts", "How many parameters each has.", { Double($0.count) }),
            ("weight_norms", "The norms of the parameters.", { $0.weightNorm }),
            ("gradient_norms", "The norms of the gradient's parts.", { $0.gradientNorm }),
            ("traces", "The traces of the diagonal blocks of the Hessian.", { $0.trace.value }),
            ("trace_stderrs", "Their standard errors; 0 where exact.", { $0.trace.standardError }),
            ("lambda_maxs", "The largest eigenvalues of the diagonal blocks.", { $0.lambdaMax }),
            ("residuals", "Their residuals.", { $0.residual }),
        ]
        for (name, summary, value) in columns {
            layers.property(name, .object("array"), summary) { try ArrayObject($0.table.rows.map(value)) }
        }
        layers.property("trace", .number, "The sum of the traces: that of the Hessian where all parameters are there.")
        {
            $0.table.trace.value
        }
        layers.property("trace_stderr", .number, "Its standard error.") { $0.table.trace.standardError }
        layers.length("The number of its lines.") { $0.table.rows.count }
        layers.elements(Self.layerLine.orNil, "A line, by its number.") { object, i in
            object.table.rows.indices.contains(i - 1) ? object.table.rows[i - 1].record : nil
        }
        layers.entries(
            Self.layerLine, "A line, by the name of its parameters.", names: { $0.table.rows.map(\.name) },
            body: { object, name in object.table.rows.first { $0.name == name }?.record })
        layers.description { $0.table.description }
        return layers
    }

    /// `run:layers`.
    func addLayers(to runs: ObjectClass<Run>) {
        runs.method(
            "layers",
            "For each parameter tensor or layer: count, norms of parameters and gradient, trace and largest eigenvalue of the diagonal block of the Hessian; prints as a table.",
            options: Parameter.here + [
                Parameter(
                    "by", .choice(Run.LayerGrouping.allCases.map(\.rawValue)), default: "parameter",
                    "What a line is of: a tensor, as 'layers.0.weight', or a layer, 'layers.0'."),
                .optional(
                    "block", .names,
                    "Of these parameters only: names, beginnings of names, patterns, as of run:hessian."),
                Parameter("tolerance", .number(.positive), default: 0.01, "The relative accuracy of eigenvalues."),
            ]
                + sampling(
                    relativeError: 0.02, minSamples: 20, maxSamples: 256,
                    "Take exactly so many random vectors for each trace."),
            results: [Parameter("layers", .object("layers"), "The table, with a line for all at its end.")]
        ) { run, call in
            let model = run.objective.model
            let block: ParameterBlock? =
                try call.has("block")
                ? ParameterBlock(call.names("block"), of: model.layout, called: model.name) : nil
            return LayersObject(
                try run.layers(
                    by: call.choice("by"), block: block, of: call.oracle(of: run), at: call.point(of: run),
                    over: call.selection(of: run), tolerance: call.get("tolerance"), samples: call.stopping(),
                    stream: RandomStream(seed: call.seed(), purpose: .vector, index: OperatorStream.layers)))
        }
    }
}

extension LayerMeasures {
    fileprivate var record: LuaValue {
        LuaRecord(
            [
                "name": .string(name), "shape": shape?.luaValue ?? .nil,
                "count": .integer(count), "weight_norm": .number(weightNorm), "gradient_norm": .number(gradientNorm),
                "trace": .number(trace.value), "trace_stderr": .number(trace.standardError),
                "lambda_max": .number(lambdaMax), "residual": .number(residual), "products": .integer(products),
                "converged": .boolean(converged),
            ], called: "a line of the layers"
        ).luaValue
    }
}
