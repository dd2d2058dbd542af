import Experiments
import Foundation
import Testing

/// Runs that go from one person to another: exported, shared, run again, verified.
@Suite struct CommandLineSharingTests {
    /// A script with a module, data of its own and a fork, in a folder that is removed at the end.
    private struct Project: ~Copyable {
        let folder: URL

        init() throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try write("return { lr = 0.02 }", to: "settings.lua")
            try write(
                "eoss.run{ name = 'points', model = eoss.nn.mlp{ inputs = 1, outputs = 1 }, data = eoss.data.chebyshev{ degree = 3, n = 4 },"
                    + " loss = 'mse', optimizer = eoss.optim.sgd{ lr = 0.1 } }\n"
                    + "eoss.arrays.save('points.npz', { x = { { 1 }, { 2 }, { 3 } }, y = { { 1 }, { 0 }, { 2 } } })",
                to: "points.lua")
            let points = try eoss("run", "points.lua", "--out", ".")
            guard points.status == 0 else { throw Failure(text: points.errors) }
            try write(
                """
                local p = eoss.params{ lr = 0.1, steps = 20 }
                local settings = require "settings"
                local points = eoss.arrays.load("points.npz")
                local data = eoss.data.arrays{ inputs = points.x, targets = points.y }
                local net = eoss.nn.mlp{ inputs = 1, hidden = {4}, outputs = 1, activation = "tanh", seed = 1 }
                local run = eoss.run{ name = "edge", model = net, data = data, loss = "mse", batch_size = 2,
                                      optimizer = eoss.optim.sgd{ lr = p.lr } }
                run:track({ "loss", "lambda_max" }, { every = 2 })
                run:train{ to = p.steps / 2 }
                local branch = run:fork{ name = "branch", lr = settings.lr }
                run:train{ to = p.steps }
                branch:train{ to = p.steps }
                print("lr", p.lr)
                """, to: "edge.lua")
            let edge = try eoss("run", "edge.lua", "--set", "lr=0.05")
            guard edge.status == 0 else { throw Failure(text: edge.errors) }
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        struct Failure: Error { let text: String }

        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

        func write(_ text: String, to name: String) throws {
            try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        }

        /// The program, called in the project's folder or in one below it.
        func eoss(_ arguments: String..., below: String = "") throws -> EossProgram.Result {
            try EossProgram.run(arguments, directory: folder.appendingPathComponent(below))
        }

        /// What `eoss share` makes, in a folder where nothing else is.
        func shared(_ options: String...) throws -> (result: EossProgram.Result, folder: String) {
            let name = "friend-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: false)
            let arguments = ["share", "runs/edge.eoss", "-o", "\(name)/out.eoss"] + options
            return (try EossProgram.run(arguments, directory: folder), name)
        }

        func reader(_ name: String) throws -> RunFileReader { try RunFile.open(URL(fileURLWithPath: path(name))) }
    }

    @Test func aSharedFileRunsAndVerifiesWhereNothingElseIs() throws {
        let project = try Project()
        let (shared, friend) = try project.shared("--with-data")
        #expect(
            shared.status == 0 && shared.output.isEmpty && shared.errors.contains("inside: 'points.npz'"), "\(shared)")
        let run = try project.eoss("run", "out.eoss", below: friend)
        #expect(run.status == 0 && run.output == "lr\t0.05\n", "\(run.errors)")
        #expect(
            try project.reader("\(friend)/runs/edge.eoss").series("loss").map(\.value)
                == project.reader("runs/edge.eoss").series("loss").map(\.value))
        let help = try project.eoss("run", "out.eoss", "--help", below: friend)
        #expect(help.output.contains("lr    = 0.05") && help.output.contains("as its run had them"), "\(help)")
        let other = try project.eoss("run", "out.eoss", "--set", "lr=0.2", "--out", "more", below: friend)
        #expect(other.output == "lr\t0.2\n")
        let verified = try project.eoss("verify", "out.eoss", below: friend)
        #expect(verified.status == 0 && verified.output.hasPrefix("edge: verified, same kernels"), "\(verified)")
        #expect(verified.output.contains(/loss +11 +0 +ok/) && verified.output.contains(/lambda_max +11 +0 +ok/))
        // What it makes is gone, and what the script prints is nobody's concern.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: project.path(friend)).sorted() == [
                "more", "out.eoss", "runs",
            ])
        #expect(!verified.output.contains("lr"))
    }

    #if arch(x86_64)
        /// Other kernels of OpenBLAS stand for another machine: their sums have another order.
        @Test func onAnotherMachineErrorBarsDecide() throws {
            let project = try Project()
            let (_, friend) = try project.shared("--with-data")
            let verified = try EossProgram.run(
                ["verify", "out.eoss"], environment: ["EOSS_OPENBLAS_CORETYPE": "Nehalem"],
                directory: project.folder.appendingPathComponent(friend))
            #expect(verified.status == 0, "\(verified)")
            #expect(
                verified.output.hasPrefix("edge: verified, on another machine\n  openblas: OpenBLAS"), "\(verified)")
            #expect(verified.output.contains("values may differ by 4 standard errors"))
        }
    #endif

    @Test func aForkIsVerifiedWithItsRunInOneGo() throws {
        let project = try Project()
        let verified = try project.eoss(
            "verify", "runs/edge.eoss", "runs/branch.eoss", "--allow-read", ".", "--out", "again")
        #expect(verified.status == 0 && verified.output.contains("branch: verified"), "\(verified)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: project.path("again")).sorted() == [
                "branch.eoss", "edge.eoss",
            ])
    }

    @Test func aValueThatWasChangedIsFoundAndTheStatusIsOne() throws {
        let project = try Project()
        let (_, friend) = try project.shared("--with-data")
        let reader = try project.reader("\(friend)/out.eoss")
        let file = try RunFile.reopen(reader.url)
        try file.record("loss", step: 6, value: 12)
        try file.close()
        let verified = try project.eoss("verify", "out.eoss", below: friend)
        #expect(verified.status == 1 && verified.output.hasPrefix("edge: NOT verified"), "\(verified)")
        #expect(verified.output.contains(/loss +11 +1[12](\.\d+)? +6 +1 too far apart/), "\(verified.output)")
    }

    @Test func dataThatAreNotThereAreNamedWithTheirDigestAndTheirPlace() throws {
        let project = try Project()
        let (shared, friend) = try project.shared()
        #expect(shared.errors.contains("the script reads 'points.npz'"), "\(shared.errors)")
        for command in ["run", "verify"] {
            let result = try project.eoss(command, "out.eoss", below: friend)
            #expect(result.status == 1)
            #expect(
                result.errors.contains(/'points.npz' \(\d+ bytes, SHA-256 [0-9a-f]{64}\): put that file below/),
                "\(result)")
        }
        // Others in their place are noticed.
        let script = "\(friend)/other.lua"
        try project.write("eoss.arrays.save('points.npz', { x = { { 1 }, { 2 } }, y = { { 1 }, { 5 } } })", to: script)
        _ = try project.eoss("run", "other.lua", "--out", ".", below: friend)
        let run = try project.eoss("run", "out.eoss", below: friend)
        #expect(run.status == 0 && run.errors.contains("is not the file that the script read"), "\(run.errors)")
        #expect(run.errors.contains("the data 'arrays' are not those of out.eoss: digest"), "\(run.errors)")
        let verified = try project.eoss("verify", "out.eoss", below: friend)
        #expect(
            verified.status == 1 && verified.output.contains("are not those of the file: digest"), "\(verified.output)")
    }

    /// Everybody gets them from where they come from: a shared file says which, and where to put them.
    @Test(.enabled(if: !FileManager.default.fileExists(atPath: "/usr/share/datasets/mnist")))
    func aDataSetOfImagesIsNamedWithItsDigestAndItsPlace() throws {
        let project = try Project()
        try FileManager.default.createDirectory(atPath: project.path("data/mnist"), withIntermediateDirectories: true)
        func idx(_ sizes: [UInt8], _ bytes: [UInt8]) -> Data {
            Data([0, 0, 8, UInt8(sizes.count)] + sizes.flatMap { [0, 0, 0, $0] } + bytes)
        }
        for part in ["train", "t10k"] {
            let images = idx([20, 28, 28], (0..<20 * 784).map { UInt8($0 * 7 % 251) })
            try images.write(to: URL(fileURLWithPath: project.path("data/mnist/\(part)-images-idx3-ubyte")))
            try idx([20], (0..<20).map { $0 % 10 })
                .write(to: URL(fileURLWithPath: project.path("data/mnist/\(part)-labels-idx1-ubyte")))
        }
        try project.write(
            """
            local data = eoss.data.mnist{ n = 10 }
            local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {4}, outputs = data.outputs, activation = "tanh", seed = 1 }
            local run = eoss.run{ name = "images", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.01 } }
            run:track("loss", { every = 1 })
            run:train{ to = 3 }
            """, to: "images.lua")
        let known = ["EOSS_DATA": project.path("data")]
        let made = try EossProgram.run(["run", "images.lua"], environment: known, directory: project.folder)
        #expect(made.status == 0, "\(made.errors)")
        let shared = try project.eoss("share", "runs/images.eoss", "-o", "out.eoss", "--with-data")
        let note = /note: the data are MNIST, digest (?<digest>[0-9a-f]+), and are never inside: .* set EOSS_DATA to/
        let digest = try #require(shared.errors.firstMatch(of: note), "\(shared.errors)").digest
        let without = try project.eoss("run", "out.eoss")
        #expect(without.status == 1 && without.errors.contains("MNIST was not found."), "\(without.errors)")
        #expect(without.errors.contains("set EOSS_DATA to") && without.errors.contains("have the digest \(digest)."))
        let verified = try EossProgram.run(["verify", "out.eoss"], environment: known, directory: project.folder)
        #expect(verified.status == 0, "\(verified)")
    }

    @Test func theScriptAndItsModulesComeOutOfTheFileAndRun() throws {
        let project = try Project()
        let (_, friend) = try project.shared("--with-data")
        // A module that lies there by chance is not the one that ran.
        try project.write("error('not this one')", to: "\(friend)/settings.lua")
        #expect(try project.eoss("run", "out.eoss", below: friend).status == 0)
        let script = try project.eoss("script", "out.eoss", "-o", "unpacked", below: friend)
        #expect(script.status == 0, "\(script.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: project.path("\(friend)/unpacked")).sorted()
        #expect(names == ["edge.lua", "points.npz", "settings.lua"])
        #expect(try project.eoss("run", "unpacked/edge.lua", below: friend).output == "lr\t0.1\n")
        let again = try project.eoss("script", "out.eoss", "-o", "unpacked", below: friend)
        #expect(again.status == 1 && again.errors.contains("--force replaces it"), "\(again.errors)")
    }

    @Test func theScriptOfAStrangerRunsInTheSandbox() throws {
        let project = try Project()
        for (source, message) in [
            ("io.open('/etc/passwd')", "nil value (global 'io')"),
            ("eoss.arrays.load('/etc/passwd')", "is absolute"),
            ("eoss.arrays.load('../x.npz')", "no such file"),
            ("os.execute('true')", "execute"),
            ("\u{1B}Lua\0", "compiled Lua"),
        ] {
            let file = try RunFile.create(name: "stranger", in: URL(fileURLWithPath: project.path("strange")))
            try file.addScript(RunScript(path: "s.lua", source: Data(source.utf8)))
            try file.close()
            let run = try project.eoss("run", file.url.path)
            #expect(run.status == 1 && run.errors.contains(message), "\(source): \(run.errors)")
            #expect(!run.errors.contains("\u{1B}"))
        }
    }

    @Test func exportsGoToStandardOutputOrSayWhereTheyAre() throws {
        let project = try Project()
        let csv = try project.eoss("export", "runs/edge.eoss", "--to", "csv", "--series", "lambda_max,loss")
        #expect(csv.status == 0 && csv.errors.isEmpty && csv.output.hasPrefix("step,lambda_max,loss\n0,"))
        #expect(csv.output.split(separator: "\n").count == 12)
        for format in ["npz", "safetensors", "parquet", "tensorboard"] {
            let result = try project.eoss("export", "runs/edge.eoss", "--to", format)
            #expect(
                result.status == 0 && result.output.isEmpty && result.errors.hasPrefix("written: edge.\(format)"),
                "\(result)")
            let again = try project.eoss("export", "runs/edge.eoss", "--to", format)
            #expect(again.status == 1 && again.errors.contains("--force"), "\(again)")
        }
        let page = try project.eoss("report", "runs/edge.eoss", "runs/branch.eoss", "-o", "page.html")
        #expect(page.status == 0 && FileManager.default.fileExists(atPath: project.path("page.html")), "\(page)")
    }

    @Test func aPageIsMadeWithoutGnuplotAndSaysWhatIsMissing() throws {
        let project = try Project()
        let page = try EossProgram.run(
            ["report", "runs/edge.eoss", "-o", "page.html"], environment: ["PATH": "/nonexistent"],
            directory: project.folder)
        #expect(page.status == 0, "\(page)")
        let text = try String(contentsOfFile: project.path("page.html"), encoding: .utf8)
        #expect(text.contains("Not drawn: gnuplot") && text.contains("<td>loss</td>"))
    }

    /// Whatever a stranger called things: it does not act on the terminal that shows it.
    @Test func whatAStrangersFileSaysHasItsControlCharactersEscaped() throws {
        let project = try Project()
        let evil = "x'); DROP TABLE run; --\u{1B}]0;owned\u{7}\u{1B}[2J\u{9B}31m"
        let folder = URL(fileURLWithPath: project.path("strange"))
        let file = try RunFile.create(name: "evil", in: folder)
        try file.addScript(path: "s.lua", source: "error(eoss.params{ text = '' }.text)")
        try file.setParameters(["text": .string(evil)])
        for step in 0..<3 { try file.record(evil, step: step, value: 1) }
        try file.addEvent(step: 0, kind: evil, message: evil, data: ["name": .string(evil), "digest": .string(evil)])
        try file.addFigure(name: evil, mime: evil, bytes: Data())
        try file.close()
        for arguments in [
            ["export", "strange/evil.eoss", "--to", "csv"], ["export", "strange/evil.eoss", "--to", "csv", "--long"],
            ["export", "strange/evil.eoss", "--to", "jsonl"],
            ["export", "strange/evil.eoss", "--to", "csv", "--series", "y" + evil],
            ["share", "strange/evil.eoss", "-o", "o.eoss"], ["run", "strange/evil.eoss"],
            ["verify", "strange/evil.eoss"],
            ["script", "strange/evil.eoss", "-o", "o"], ["report", "strange/evil.eoss", "-o", "o.html"],
        ] {
            let result = try EossProgram.run(arguments, directory: project.folder)
            let said = (result.output + result.errors).unicodeScalars
            #expect(
                !said.contains { $0 != "\n" && $0.properties.generalCategory == .control }, "\(arguments): \(result)")
            if arguments[0] == "run" { #expect(result.errors.contains("DROP TABLE run; --\\u{1B}]0;owned")) }
        }
        #expect(try project.reader("strange/evil.eoss").series(evil).count == 3)
    }

    @Test(arguments: [
        (["export", "x.eoss", "--to", "xlsx"], "csv"), (["export", "x.eoss"], "--to"),
        (["export", "x.eoss", "--to", "jsonl", "--long"], "--long belongs to csv and parquet"),
        (["export", "x.eoss", "--to", "csv", "--checkpoint", "last"], "--checkpoint belongs to --to safetensors"),
        (["export", "x.eoss", "--to", "safetensors", "--checkpoint", "first"], "should be last or a step"),
        (["share", "x.eoss"], "--output"), (["share", "x.eoss", "-o", "y.eoss", "--checkpoints", "some"], "some"),
        (["share", "x.eoss", "-o", "y.eoss", "--data-limit", "9T"], "at most"), (["script", "x.eoss"], "--output"),
        (["verify", "x.eoss", "--set", "a=1"], "with the parameters that it has"),
        (["verify", "x.eoss", "--tolerance", "2"], "from 0 to 1"), (["report", "x.eoss"], "--output"),
    ])
    func wrongUsageHasStatusTwo(arguments: [String], message: String) throws {
        let result = try EossProgram.run(arguments)
        #expect(result.status == 2 && result.output.isEmpty && result.errors.contains(message), "\(result)")
    }

    @Test func whatIsNoRunFileIsOneMessage() throws {
        let project = try Project()
        try project.write("SQLite format 3\0 but no more", to: "text.eoss")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: project.path("runs/edge.eoss")))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: project.path("half.eoss")))
        // SQLite's user_version, the version of our schema, stands in bytes 60 to 63.
        bytes[63] = 99
        try bytes.write(to: URL(fileURLWithPath: project.path("newer.eoss")))
        #expect(try project.eoss("run", "newer.eoss").errors.contains("was written by a newer eoss"))
        for arguments in [
            ["export", "--to", "csv"], ["share", "-o", "o.eoss"], ["script", "-o", "o"], ["verify"], ["run"],
            ["report", "-o", "o.html"],
        ] {
            for file in ["text.eoss", "half.eoss", "newer.eoss", "none.eoss", "."]
            where !(file == "." && arguments[0] == "run") {
                let all = [arguments[0], file] + arguments.dropFirst()
                let result = try EossProgram.run(all, directory: project.folder)
                #expect(result.status == 1 && result.output.isEmpty, "\(all): \(result)")
                #expect(
                    result.errors.hasPrefix("eoss: ") && result.errors.split(separator: "\n").count == 1, "\(result)")
            }
        }
    }
}
