import Compute
import Datasets

extension Run {
    /// The parameters that the checkpoints of the run's file have, in the order of their steps, and those of the present step where it has
    /// none yet: a trajectory that nobody had to keep.
    /// - Throws: `ExperimentError.invalid` where there are fewer than two points.
    public func checkpointedParameters() throws -> [(step: Int, parameters: Vector)] {
        try file?.commit()
        let reader = try file.map { try RunFile.open($0.url) }
        let steps = try reader?.checkpointSteps() ?? []
        let isBehind = steps.last.map { $0 < step } ?? false
        guard let reader, steps.count + (isBehind ? 1 : 0) >= 2 else {
            throw ExperimentError.invalid(
                "run '\(name)' has \(steps.isEmpty ? "no checkpoint" : "one checkpoint, of step \(steps[0])"): a trajectory has two at "
                    + "least; checkpoint = { every = 100, keep = 50 } of eoss.run makes them, and keeps them")
        }
        let points = try steps.map { step in
            let source = "\(reader.url.lastPathComponent), step \(step)"
            let contents = try ArrayFile.contents(of: reader.checkpoint(step: step), name: source)
            let state = try objective.model.state(
                from: contents.arrays.filter { !$0.key.hasPrefix("@") }, source: source)
            return (step: step, parameters: state.parameters)
        }
        return points + (isBehind ? [(step: step, parameters: parameters)] : [])
    }
}
