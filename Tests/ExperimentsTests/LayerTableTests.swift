import Compute
import Dynamics
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// The table of layers, against diagonal blocks of the Hessian written out in f64.
@Suite struct LayerTables {
    private func samples(_ count: Int) throws -> MonteCarlo {
        try MonteCarlo(relativeError: 0, minSamples: count, maxSamples: count, chunk: 4)
    }

    private let stream = RandomStream(seed: 1, purpose: .vector, index: 9)

    @Test(arguments: Run.LayerGrouping.allCases) func linesAreThoseOfTheDenseBlocks(_ grouping: Run.LayerGrouping)
        throws
    {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 6))
        let table = try run.layers(
            by: grouping, of: run.oracle, at: run.parameters, tolerance: 1e-9, samples: samples(40), stream: stream)
        #expect(
            table.rows.map(\.name)
                == (grouping == .layer
                    ? ["layers.0", "layers.1", "layers.2"]
                    : [0, 1, 2].flatMap { ["layers.\($0).weight", "layers.\($0).bias"] }))
        let whole = try dense(of: CurvatureOperator(of: run.oracle, at: run.parameters))
        let gradient = try run.gradient()
        var first = 0
        for row in table.rows {
            let indices = Array(first..<first + row.count)
            first += row.count
            let block = DenseMatrix(
                rows: row.count, columns: row.count, values: indices.flatMap { j in indices.map { whole[$0, j] } })
            let values = DenseEigen(symmetric: block).values
            let trace = values.reduce(0, +)
            #expect(abs(row.lambdaMax / values[0] - 1) < 1e-8, "\(row.name)")
            if row.count <= 40 {
                #expect(row.trace.standardError == 0 && abs(row.trace.value / trace - 1) < 1e-10, "\(row.name)")
            }
            func norm(_ v: Vector) -> Double { indices.reduce(0) { $0 + v[$1] * v[$1] }.squareRoot() }
            #expect(abs(row.weightNorm - norm(run.parameters)) < 1e-12)
            #expect(abs(row.gradientNorm - norm(gradient)) < 1e-12)
        }
        #expect(first == 83)
        let trace = (0..<83).reduce(0) { $0 + whole[$1, $1] }
        #expect(abs(table.trace.value / trace - 1) < 1e-9)
        let lines = table.description.split(separator: "\n")
        #expect(lines.count == table.rows.count + 2 && Set(lines.map(\.count)).count == 1)
        #expect(lines[1].hasPrefix(table.rows[0].name) && lines[lines.count - 1].hasPrefix("all"))
    }

    /// With fewer vectors than rows a trace has an error, and lies within five of it.
    @Test func tracesComeWithTheirErrors() throws {
        let run = try SmallRun.make()
        let table = try run.layers(of: run.oracle, at: run.parameters, samples: samples(16), stream: stream)
        let whole = try dense(of: CurvatureOperator(of: run.oracle, at: run.parameters))
        let row = table.rows[0]
        #expect(row.count == 24 && row.trace.samples == 16 && row.trace.standardError > 0)
        let trace = (0..<24).reduce(0) { $0 + whole[$1, $1] }
        #expect(abs(row.trace.value - trace) < 5 * row.trace.standardError)
        #expect(table.trace.standardError > 0)
    }

    @Test func aTableIsOfABlockAndChangesNothing() throws {
        let run = try SmallRun.normalised()
        try run.train(TrainingGoal(step: 4))
        // The meter of work counts what is done by hand too.
        func state() throws -> [String: String] {
            try StateRun.summary(of: run, after: -1).filter { $0.key != "meters.work" }
        }
        let before = try state()
        let layout = run.objective.model.layout
        let block = try ParameterBlock(["fc*", "-fc1"], of: layout, called: "net")
        let table = try run.layers(
            block: block, of: run.oracle, at: run.parameters, samples: samples(8), stream: stream)
        #expect(table.rows.map(\.name) == ["fc2.weight"] && table.rows[0].shape == [3, 5])
        #expect(try state() == before)
    }

    @Test func aDivergedRunHasNoTable() throws {
        let run = try SmallRun.make()
        let error = #expect(throws: CurvatureError.self) {
            try run.layers(of: run.oracle, at: 1e200 * run.parameters, samples: samples(8), stream: stream)
        }
        #expect("\(try #require(error))".contains("run:layers"))
    }
}
