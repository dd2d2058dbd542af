import Foundation

extension Run {
    /// Goes back to a checkpoint of this run: everything is as it was then, series included, and the actions that were still to come
    /// are to come again. What the file has of later steps is removed: measurements, and checkpoints.
    /// - Throws: `ExperimentError.invalid` where there is no checkpoint of that step, with those there are; `RunFileError` where another
    ///   program has a lock on the file.
    public func rewind(to step: Int) throws {
        try requireNotMeasuring("the step")
        try requirePresent("the state")
        guard actionDepth == 0, trainingDepth == 0, loop == nil else {
            throw ExperimentError.invalid("run:rewind is not for the middle of a training: stop it first")
        }
        try file?.commit()
        let reader = try file.map { try RunFile.open($0.url) }
        let steps = try reader?.checkpointSteps() ?? []
        guard let reader, steps.contains(step) else {
            let known =
                steps.isEmpty ? "it has none" : "it has those of \(steps.map(String.init).joined(separator: ", "))"
            throw ExperimentError.invalid(
                "run '\(name)' has no checkpoint of step \(step) (\(known)); checkpoint = { at = { \(step) } } of eoss.run keeps one"
            )
        }
        let now = self.step
        try resume(
            from: reader.checkpoint(step: step), called: "\(reader.url.lastPathComponent), step \(step)", forced: true)
        replay = nil
        journal.gap = journal.gap ?? "it was rewound"
        for name in seriesNames {
            try recorded[name]?.keepForOthers(in: reader.url)
            recorded[name]?.cut(after: step)
        }
        try file?.cut(after: step)
        note("rewind", "from step \(now)")
        try didCatchUp?(self)
    }
}
