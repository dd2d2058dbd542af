import Datasets
import Experiments
import Foundation
import Testing

@testable import ScriptAPI

/// What scripts write: in the format that the name asks for, and never over a run file.
@Suite struct OutputScripts {
    /// Everything that writes a file of the script's choice.
    static let writers = [
        "run:save(path)", "net:save(path)", "eoss.arrays.save(path, { a = { 1, 2 } })", "run:plot(path, 'loss')",
        "run:plot_spectrum(path)", "eoss.plot(path, { run }, 'loss')",
    ]

    /// The run's own file, open, and one of an earlier process, under their names, in capitals, through a symbolic link and
    /// through a hard link with the writer's own suffix.
    @Test(arguments: writers) func noWriterReplacesARunFile(writer: String) throws {
        let laboratory = try Laboratory()
        let output = laboratory.output
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
        let earlier = try RunFile.create(name: "earlier", in: output)
        try earlier.addNote("kept")
        try earlier.close()
        let suffix = writer.contains("plot") ? "svg" : "safetensors"
        for name in ["earlier", "small"] {
            let file = output.appendingPathComponent("\(name).eoss").path
            #expect(symlink(file, output.appendingPathComponent("\(name)-symlink.\(suffix)").path) == 0)
        }
        #expect(link(earlier.url.path, output.appendingPathComponent("earlier-link.\(suffix)").path) == 0)
        try laboratory.run(
            smallRun + """
                run:track("loss", { every = 1 }); run:train{ steps = 2 }
                local paths = { "earlier.eoss", "small.eoss", "new.eoss", "small.EOSS", "small.eoss-journal" }
                for _, name in ipairs{ "earlier-symlink", "small-symlink", "earlier-link" } do
                  paths[#paths + 1] = name .. ".\(suffix)"
                end
                for _, path in ipairs(paths) do
                  print(path, pcall(function() \(writer) end))
                end
                run:train{ steps = 2 }
                """)
        #expect(laboratory.printed.count == 8)
        for line in laboratory.printed { #expect(line.contains("\tfalse\t"), "\(line)") }
        #expect(try RunFile.open(earlier.url).notes() == ["kept"])
        let own = try RunFile.open(output.appendingPathComponent("small.eoss"))
        #expect(try own.series("loss").map(\.step) == [0, 1, 2, 3, 4])
    }

    @Test func eachSuffixIsItsFormat() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            smallRun + """
                eoss.arrays.save("one.npy", { a = { { 1, 2 }, { 3, 4 } } })
                eoss.arrays.save("two.NPZ", { a = { 1, 2 }, b = run.params })
                eoss.arrays.save("two.safetensors", { a = { 1, 2 }, b = run.params })
                run:save("point.npz"); net:save("net.npz"); net:load("point.npz")
                for _, bad in ipairs{ "x.mat", "x", "x.npz.txt", "two.npy" } do
                  print(select(2, pcall(eoss.arrays.save, bad, { a = { 1 }, b = { 2 } })))
                end
                print(select(2, pcall(run.save, run, "point.npy")))
                """)
        func start(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: laboratory.output.appendingPathComponent(name)).prefix(6))
        }
        #expect(try start("one.npy") == [0x93] + Array("NUMPY".utf8))
        for name in ["two.NPZ", "point.npz", "net.npz"] { #expect(try start(name).starts(with: Array("PK".utf8))) }
        #expect(try start("two.safetensors")[2...5] == [0, 0, 0, 0])
        let both = try ["two.NPZ", "two.safetensors"].map {
            try ArrayFile.load(laboratory.output.appendingPathComponent($0).path).mapValues(\.values)
        }
        #expect(both[0] == both[1])
        for line in laboratory.printed.prefix(3) {
            #expect(line.contains("ends in .safetensors, .npz or, for one array, .npy"), "\(line)")
        }
        #expect(laboratory.printed[3].contains("a .npy file holds one array without a name, and 2 were given"))
        #expect(laboratory.printed[4].contains("a .npy file holds one array without a name, and 4 were given"))
    }
}
