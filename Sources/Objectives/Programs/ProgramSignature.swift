import Compute
import Graph
import Networks

/// A tensor of a program, or one for each parameter or buffer of the model: what it stands for, and with that what it is called.
public enum ProgramSlot: Hashable, Sendable {
    /// x, for each parameter: views of a vector, as are all that are given for each parameter.
    case parameters
    /// Rows of samples: `input`, `target`, and `sample weight`, their shares in the mean.
    case input, target, weights
    /// Input, target and weights of a second set of samples.
    case otherSamples
    /// What is fixed in the model, each under its name.
    case fixed
    /// The running values of normalisation layers, each under its name: `bn1.running_mean`.
    case running
    /// `x.tangent`, a direction; of several `x.tangent1`, `x.tangent2`, …
    case tangents(number: Int? = nil)
    /// `x.sum`, what results are added to.
    case sums
    /// `x.state velocity`, a vector of an update's state.
    case state(String)
    /// A scalar of a step in the elements of its update: `step rate`.
    case scalar(String)
    /// A number of an update's state, a scalar in f64.
    case number(String)

    /// A result that is one tensor: `loss`, `quadratic`.
    case value(String)
    /// A result for each parameter: `x.gradient`, `x.product`.
    case results(String)
    /// What parameters, state, a number, or running values become: `x.next`.
    indirect case next(ProgramSlot)
}

/// The inputs and outputs of a program of an objective, in order. Graphs, plans and oracles all go by it.
public struct ProgramSignature: Hashable, Sendable {
    public var inputs: [ProgramSlot]
    public var outputs: [ProgramSlot]

    public init(_ inputs: [ProgramSlot], to outputs: [ProgramSlot]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The input whose memory an output is written over: results of sums, and what becomes of parameters and state.
    func overwritten(by output: ProgramSlot) -> ProgramSlot? {
        switch output {
        case .next(.number): nil
        case .next(let slot): slot
        case .results where inputs.contains(.sums): .sums
        default: nil
        }
    }
}

extension Objective {
    /// The names of a slot's tensors.
    func names(of slot: ProgramSlot) -> [String] {
        func each(_ suffix: String) -> [String] { parameterNames.map { "\($0).\(suffix)" } }
        switch slot {
        case .parameters: return parameterNames
        case .input: return [Model.inputName]
        case .target: return [Model.targetName]
        case .weights: return [Model.weightName]
        case .otherSamples:
            return [Model.inputName, Model.targetName, Model.weightName].map { freeName("other \($0)") }
        case .fixed: return model.fixed.entries.map(\.name)
        case .running: return model.buffers.entries.map(\.name)
        case .tangents(let number): return each("tangent\(number.map(String.init) ?? "")")
        case .sums: return each("sum")
        case .state(let name): return each("\(Model.statePrefix)\(name)")
        case .results(let name): return each(name)
        case .scalar(let name), .number(let name): return ["\(Model.stepPrefix)\(name)"]
        case .value(let name): return [name]
        case .next(let slot): return names(of: slot).map { "\($0).next" }
        }
    }

    /// The types of tensors that are given for each parameter, or are scalars of a step.
    private func types(of slot: ProgramSlot, scalars: ElementType) -> [TensorType] {
        switch slot {
        case .fixed: model.fixed.entries.map { TensorType(model.element, $0.shape) }
        case .running: model.buffers.entries.map { TensorType(model.element, $0.shape) }
        case .scalar: [TensorType(scalars)]
        case .number: [TensorType(.f64)]
        case .input, .target, .weights, .otherSamples, .value:
            preconditionFailure("the types of samples and values are those of their graph")
        default: model.layout.entries.map { TensorType(model.element, $0.shape) }
        }
    }

    /// Declares the inputs of a slot that is given for each parameter or buffer, or is a scalar of a step.
    func declare(_ slot: ProgramSlot, in builder: GraphBuilder, scalars: ElementType? = nil) -> [Value] {
        zip(names(of: slot), types(of: slot, scalars: scalars ?? model.element)).map { builder.input($0, $1) }
    }

    /// A name for an input that no parameter has.
    private func freeName(_ name: String) -> String {
        var candidate = name
        while parameterNames.contains(candidate) || model.buffers.entry(candidate) != nil
            || model.fixed.entry(candidate) != nil
        { candidate += "'" }
        return candidate
    }

    /// The signature of the graph that does some work. Of work that is split at a point: that of the point, whose outputs the split
    /// decides.
    /// - Parameter use: of which statistics; running ones are an input.
    func signature(of work: OracleWork, _ use: StatisticsUse) -> ProgramSignature {
        let fixed: [ProgramSlot] = model.fixed.entries.isEmpty ? [] : [.fixed]
        let samples: [ProgramSlot] = [.parameters, .input, .target, .weights]
        let running: [ProgramSlot] = fixed + (use == .running ? [.running] : [])
        switch work {
        case .samples:
            return ProgramSignature(
                [.parameters, .input, .target] + running, to: [.value("losses"), .value("outputs")])
        case .gradient(let updating, let keepingOutputs):
            let moved: [ProgramSlot] = updating && use == .batch ? [.running] : []
            return ProgramSignature(
                samples + running + moved + [.sums],
                to: [.value("loss")] + (keepingOutputs ? [.value("outputs")] : []) + moved.map(ProgramSlot.next)
                    + [.results("gradient")])
        case .update(let update): return signature(of: update, use)
        case .directional(let order):
            return ProgramSignature(
                samples + running + (1...max(1, order)).map { .tangents(number: $0) } + [.sums],
                to: [.results("product")])
        case .quadratic:
            return ProgramSignature(samples + running + [.tangents()], to: [.value("quadratic")])
        case .linearized, .linearizedQuadratic, .linearizedDirectional:
            return ProgramSignature(samples + running, to: [])
        case .gram(_, let pair):
            return ProgramSignature(samples + (pair ? [.otherSamples] : []) + running, to: [.value("products")])
        case .batches(let quantity, _):
            let (tangents, values): ([ProgramSlot], [String]) =
                switch quantity {
                case .curvature: ([], ["loss", "quadratic", "square"])
                case .momentumCurvature: ([.tangents()], ["loss", "quadratic", "product", "square"])
                case .gradientNorms: ([], ["square"])
                case .slopes(let k): ((1...max(1, k)).map { ProgramSlot.tangents(number: $0) }, ["slopes"])
                }
            return ProgramSignature(samples + running + tangents, to: values.map(ProgramSlot.value))
        }
    }

    /// Output name → the name of the input that it may be written over.
    func donations(_ signature: ProgramSignature) -> [String: String] {
        var result: [String: String] = [:]
        for output in signature.outputs {
            guard let input = signature.overwritten(by: output) else { continue }
            for (output, input) in zip(names(of: output), names(of: input)) { result[output] = input }
        }
        return result
    }
}
