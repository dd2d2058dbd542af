/// All probes, by name.
public enum ProbeCatalogue {
    /// Every probe that `track` and `measure` know.
    public static let all: [ProbeDeclaration] = [
        Metric.declarations,
        UpdateNorm.declarations,
        Edge.declarations,
        LambdaMax.declarations,
        CurvatureEigenvalues.declarations,
        EigenvaluesAbove.declarations,
        PreconditionedEigenvalues.declarations,
        BatchLambdaMax.declarations,
        StepBatchLambdaMax.declarations,
        SecondMomentContraction.declarations,
        NormSharpness.declarations,
        SpectralDensityProbe.declarations,
        GradientProjection.declarations,
        Alignment.declarations,
        EigenvectorAngle.declarations,
        StabilizationProbe.declarations,
        BatchSharpness.declarations,
        StepSharpness.declarations,
        MomentumBatchSharpness.declarations,
        GradientNoiseInteraction.declarations,
        GradientNormMC.declarations,
        GradientNoiseScale.declarations,
        CentralPrediction.declarations,
        FlowSharpness.declarations,
        InteractionSharpness.declarations,
        CriticalSharpness.declarations,
        OneStepLossChange.declarations,
        ProjectedNoise.declarations,
        Temperature.declarations,
        HessianTrace.declarations,
        ParameterDistance.declarations,
        Sketch.declarations,
        GradientCosine.declarations,
        DirectionCoordinate.declarations,
    ].flatMap { $0 }

    public static var names: [String] { all.map(\.name) }

    /// Whether a series of this name is written by a probe of the catalogue, further eigenvalues included.
    static func has(series name: String) -> Bool {
        var base = name
        if let end = name.lastIndex(of: "_"), Int(name[name.index(after: end)...]) != nil {
            base = String(name[..<end])
        }
        return all.contains { $0.name == base || ((try? $0.series([:])) ?? []).contains(base) }
    }

    /// The declaration of a probe.
    /// - Throws: `ExperimentError.unknownProbe`, with the nearest name.
    public static func declaration(of name: String) throws -> ProbeDeclaration {
        guard let declaration = all.first(where: { $0.name == name }) else {
            throw ExperimentError.unknownProbe(name, known: names)
        }
        return declaration
    }

    /// A probe for each name, each with those of the options that it takes.
    /// - Throws: `ExperimentError` for a name that no probe has, an option that none of them takes, and a value that cannot be.
    public static func probes(
        _ names: [String], _ arguments: ProbeArguments = [:], for run: Run
    ) throws -> [any Probe] {
        let declarations = try names.map(declaration)
        for (option, _) in arguments.given where !declarations.contains(where: { $0.takes(option) }) {
            throw ExperimentError.invalid(refusal(of: option, by: names))
        }
        return try declarations.map { declaration in
            try declaration.probe(arguments.only(declaration.options.map(\.name)), for: run)
        }
    }

    /// A probe.
    /// - Throws: as `probes(_:_:for:)`.
    public static func probe(_ name: String, _ arguments: ProbeArguments = [:], for run: Run) throws -> any Probe {
        try declaration(of: name).probe(arguments, for: run)
    }

    private static func refusal(of option: String, by names: [String]) -> String {
        let takers = all.filter { $0.takes(option) }.map(\.name)
        if takers.isEmpty {
            let known = Set(all.flatMap(\.options).map(\.name)).sorted()
            return
                "unknown option '\(ExperimentError.shown(option))' for probes\(ExperimentError.suggestion(option, known))"
        }
        return
            "option '\(option)' belongs to \(takers.joined(separator: ", ")), not to \(names.joined(separator: ", "))"
    }
}

extension ProbeDeclaration {
    func takes(_ option: String) -> Bool { options.contains { $0.name == option } }
}

extension Run {
    /// Measures a probe of the catalogue now, without recording.
    /// - Throws: as `ProbeCatalogue.probes(_:_:for:)`, and what measuring throws.
    public func measure(_ name: String, _ arguments: ProbeArguments = [:]) throws -> [Measurement] {
        try measure(ProbeCatalogue.probe(name, arguments, for: self))
    }
}
