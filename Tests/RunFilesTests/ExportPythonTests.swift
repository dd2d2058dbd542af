import Experiments
import Foundation
import Testing

@testable import RunFiles

/// What Python's own libraries read of what is exported; `PEERS_PYTHON`, or the machine's `python3`.
@Suite struct ExportPythonTests {
    private static func python(_ program: String, in folder: URL) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [ProcessInfo.processInfo.environment["PEERS_PYTHON"] ?? "python3", "-c", program]
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        if program.hasPrefix("import importlib") { process.standardError = FileHandle.nullDevice }
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private static func has(_ modules: String...) -> Bool {
        let program = "import importlib\n" + modules.map { "importlib.import_module('\($0)')\n" }.joined()
        return (try? python(program, in: FileManager.default.temporaryDirectory)) == 0
    }

    /// 20,000 steps, one series at each of them, one with gaps and names of every kind.
    private func sample(_ place: borrowing Workplace) throws -> RunFileReader {
        try place.runFile { file in
            for step in 0..<20_000 {
                try file.record("long", step: step, value: Double(step) / 3)
                if step % 9 == 4 {
                    try file.record("λ \"odd\", name", step: step, value: -Double(step), standardError: 0.5)
                }
            }
            try file.record("none", step: 7, value: .nan)
            try file.record("none", step: 8, value: .infinity)
        }
    }

    @Test(.enabled(if: has("pandas", "pyarrow"), "python3 lacks pandas or pyarrow"))
    func pandasReadsTheTables() throws {
        let place = try Workplace()
        let reader = try sample(place)
        for (name, isLong) in [("wide", false), ("long", true)] {
            for format in [ExportFormat.csv, .parquet] {
                let file = try ExportFile(place.path("\(name).\(format.rawValue)"))
                try Export(reader).write(format, isLong: isLong, to: file)
                try file.finish()
            }
        }
        // Small groups: what does not go into one.
        let file = try ExportFile(place.path("groups.parquet"))
        try ParquetWriter.write(
            StepTable(reader, ExportedName.list(reader.seriesNames(), taken: ["step"])), to: file, groupSize: 100_000)
        try file.finish()
        let lines = try ExportFile(place.path("lines.jsonl"))
        try Export(reader).write(.jsonl, to: lines)
        try lines.finish()
        let status = try Self.python(
            """
            import csv, json, math, pandas as pd, pyarrow.parquet as pq
            wide = pd.read_parquet("wide.parquet")
            assert list(wide.columns) == ["step", "loss", "sharpness", "long", 'λ "odd", name', "none"], wide.columns
            assert wide.shape == (20000, 6) and wide.step.tolist() == list(range(20000)) and str(wide.step.dtype) == "int64"
            assert (wide.long == wide.step / 3).all()
            odd = wide['λ "odd", name'].dropna()
            assert len(odd) == 2222 and (odd == -wide.step[odd.index]).all() and (odd.index % 9 == 4).all()
            assert wide.none[8] == math.inf and math.isnan(wide.none[7])
            table = pq.read_table("wide.parquet")
            # NaN is a value, not the lack of one.
            assert table["none"].null_count == 19998 and table["long"].null_count == 0
            pd.testing.assert_frame_equal(pd.read_csv("wide.csv"), wide)
            assert pq.ParquetFile("groups.parquet").num_row_groups > 1
            pd.testing.assert_frame_equal(pd.read_parquet("groups.parquet"), wide)
            long = pd.read_parquet("long.parquet")
            assert list(long.series.unique()) == ["loss", "sharpness", "long", 'λ "odd", name', "none"]
            assert (long[long.series == 'λ "odd", name'].stderr == 0.5).all() and long.stderr.notna().sum() == 2223
            both = pd.read_csv("long.csv")
            for column in long: assert (both[column].isna() == long[column].isna()).all(), column
            exact = [float(row["value"]) for row in csv.DictReader(open("long.csv", encoding="utf-8"))]
            assert all(a == b or a != a and b != b for a, b in zip(exact, long.value))
            assert len(pd.read_json("lines.jsonl", lines=True)) == len(long)
            lines = [json.loads(line) for line in open("lines.jsonl")]
            values = [float(line["value"]) for line in lines]
            assert all(a == b or a != a and b != b for a, b in zip(values, long.value))
            """, in: place.url)
        #expect(status == 0)
    }

    @Test(.enabled(if: has("numpy", "safetensors.numpy"), "python3 lacks numpy or safetensors"))
    func numpyAndSafetensorsReadTheArrays() throws {
        let place = try Workplace()
        let reader = try sample(place)
        for format in [ExportFormat.npz, .safetensors] {
            let file = try ExportFile(place.path("a.\(format.rawValue)"))
            try Export(reader).write(format, to: file)
            try file.finish()
        }
        let status = try Self.python(
            """
            import numpy as np, safetensors.numpy
            a, b = np.load("a.npz"), safetensors.numpy.load_file("a.safetensors")
            assert set(a.files) == set(b)
            for name in b: assert np.array_equal(a[name], b[name], equal_nan=True), name
            assert (b["long/values"] == b["long/steps"] / 3).all() and len(b["long/steps"]) == 20000
            assert (b['λ "odd", name/stderrs'] == 0.5).all() and "long/stderrs" not in b
            """, in: place.url)
        #expect(status == 0)
    }

    @Test(
        .enabled(
            if: has("tensorboard.backend.event_processing.event_accumulator"), "python3 lacks tensorboard"))
    func tensorBoardReadsTheScalars() throws {
        let place = try Workplace()
        let reader = try sample(place)
        let export = try Export(reader)
        let file = try ExportFile(export.target(.tensorboard, output: place.path("board")))
        try export.write(.tensorboard, to: file)
        try file.finish()
        let status = try Self.python(
            """
            import math, numpy as np
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
            events = EventAccumulator("board", size_guidance={"scalars": 0})
            events.Reload()
            assert set(events.Tags()["scalars"]) == {"loss", "sharpness", "long", 'λ "odd", name', "none"}
            long = events.Scalars("long")
            assert [e.step for e in long] == list(range(20000))
            assert all(e.value == np.float32(e.step / 3) for e in long)
            times = [e.wall_time for e in long]
            assert times == sorted(times) and 0 <= times[-1] - times[0] < 600 and times[0] > 1.7e9
            assert [e.step for e in events.Scalars('λ "odd", name')] == list(range(4, 20000, 9))
            none = events.Scalars("none")
            assert math.isnan(none[0].value) and none[1].value == math.inf
            """, in: place.url)
        #expect(status == 0)
    }
}
