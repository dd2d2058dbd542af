import Experiments
import Foundation
import Testing

/// Where the program's script comes from and its output goes: pipes, closed descriptors, full devices, other programs' locks.
@Suite struct CommandLineStreamTests {
    private struct Folder: ~Copyable {
        let url: URL
        var out: URL { url.appendingPathComponent("runs") }

        init() throws {
            url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func write(_ text: String, to name: String) throws {
            try Data(text.utf8).write(to: url.appendingPathComponent(name))
        }

        /// Runs a line of bash in the folder, with the program as `$EOSS`. Standard output and error go to files.
        func shell(_ line: String) throws -> (status: Int32, output: String, errors: String) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = ["-c", "{ \(line)\n} >output 2>errors"]
            process.currentDirectoryURL = url
            process.environment = ProcessInfo.processInfo.environment.merging(["EOSS": EossProgram.executable.path]) {
                $1
            }
            process.standardInput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            func text(_ name: String) throws -> String {
                String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
            }
            return (process.terminationStatus, try text("output"), try text("errors"))
        }
    }

    private static let training = """
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, activation = "tanh", seed = 1, dtype = "f64" }
        function new(name)
          local run = eoss.run{ name = name, model = net, data = data, loss = "mse", batch_size = 4, seed = 1,
                                optimizer = eoss.optim.sgd{ lr = 0.02 } }
          run:track("loss", { every = 1 })
          return run
        end

        """

    // MARK: - Scripts

    /// A script that comes through a pipe finds its modules in the working directory, and stands in the run file whole.
    @Test(arguments: [
        ("$EOSS run - <s.lua", "stdin"), ("cat s.lua | $EOSS run /dev/stdin", "stdin"),
        ("cat s.lua | $EOSS run -", "stdin"), ("$EOSS run <(cat s.lua)", "/dev/fd/63"),
        ("mkfifo p; cat s.lua >p & $EOSS run p", "p"), ("$EOSS run /dev/fd/3 3<s.lua", "/dev/fd/3"),
    ])
    func aScriptIsReadFromStandardInputAndFromPipes(line: String, name: String) throws {
        let folder = try Folder()
        let script = Self.training + "print((require('module'))); new('a'):train{ steps = 3 }; error('here')"
        try folder.write(script, to: "s.lua")
        try folder.write("return 'found'", to: "module.lua")
        let result = try folder.shell(line)
        #expect(result.status == 1 && result.output == "found\n", "\(result.errors)")
        #expect(result.errors.contains(":9: here"), "\(result.errors)")
        let scripts = try RunFile.open(folder.out.appendingPathComponent("a.eoss")).scripts()
        #expect(scripts.map(\.source) == [Data(script.utf8), Data("return 'found'".utf8)])
        #expect(name == "/dev/fd/63" ? scripts[0].path.hasPrefix("/dev/fd/") : scripts[0].path == name)
    }

    @Test func aScriptThatCannotBeReadIsOneMessage() throws {
        let folder = try Folder()
        for (line, reason) in [
            ("$EOSS run none.lua", "there is no such file"), ("$EOSS run .", "it is a folder"),
            ("$EOSS run /dev/fd/77", "Bad file descriptor"), ("$EOSS run /dev/zero", "it is longer than 64 MiB"),
        ] {
            let result = try folder.shell(line)
            #expect(result.status == 1 && result.errors.hasPrefix("eoss: cannot read the script '"), "\(result.errors)")
            #expect(result.errors.hasSuffix(reason + "\n") && result.errors.split(separator: "\n").count == 1)
        }
    }

    // MARK: - Standard streams

    /// The first file to be opened would take the number of a closed stream.
    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
    func closedStandardStreamsDoNoHarm(closed: String) throws {
        let folder = try Folder()
        try folder.write(Self.training + "print('printed'); new('a'):train{ steps = 3 }; print('end')", to: "s.lua")
        let result = try folder.shell("$EOSS run s.lua \(closed)")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == (closed.contains(" >&-") || closed.hasPrefix(">&-") ? "" : "printed\nend\n"))
        let read = try RunFile.open(folder.out.appendingPathComponent("a.eoss"))
        #expect(try read.series("loss").map(\.step) == [0, 1, 2, 3])
    }

    @Test(.enabled(if: access("/dev/full", W_OK) == 0)) func whatCannotBePrintedIsAnError() throws {
        let folder = try Folder()
        try folder.write("print('x')", to: "plain.lua")
        try folder.write("pcall(print, 'x')", to: "caught.lua")
        try folder.write("local p = eoss.params{ a = 1 }", to: "parameters.lua")
        for line in [
            "$EOSS run plain.lua >/dev/full", "$EOSS run caught.lua >/dev/full", "$EOSS --help >/dev/full",
            "$EOSS run parameters.lua --help >/dev/full", "echo '1 + 1' | $EOSS repl >/dev/full",
        ] {
            let result = try folder.shell(line)
            #expect(
                result.status == 1 && result.errors.contains("No space left on device"), "\(line): \(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(line): \(result.errors)")
        }
    }

    /// More lines than a pipe holds, for a reader that takes one.
    @Test func aReaderThatHasGoneEndsTheScript() throws {
        let folder = try Folder()
        try folder.write("for i = 1, 1e5 do print(i) end; error('never here')", to: "s.lua")
        let result = try folder.shell("$EOSS run s.lua | head -n 1; exit ${PIPESTATUS[0]}")
        #expect(result.status == 1 && result.output == "1\n", "\(result.errors)")
        #expect(result.errors.contains("s.lua:1: print cannot write: Broken pipe"), "\(result.errors)")
    }

    // MARK: - Descriptors and locks

    @Test(arguments: [64, 128]) func moreRunsLiveThanFilesMayBeOpen(limit: Int) throws {
        let folder = try Folder()
        let count = limit + 76
        try folder.write(
            Self.training + """
                local runs = {}
                for i = 1, \(count) do
                  runs[i] = new("r" .. i)
                  runs[i]:train{ steps = 1 }
                end
                for _, run in ipairs(runs) do run:train{ steps = 1 } end
                runs[1]:plot("loss.svg", "loss")
                print(#runs)
                """, to: "s.lua")
        let result = try folder.shell("ulimit -n \(limit); $EOSS run s.lua --quiet")
        #expect(result.status == 0 && result.output == "\(count)\n", "\(result.errors.suffix(500))")
        for number in [1, count / 2, count] {
            let read = try RunFile.open(folder.out.appendingPathComponent("r\(number).eoss"))
            #expect(try read.series("loss").map(\.step) == [0, 1, 2] && read.closed != nil)
        }
    }

    /// The end of the program waits for a forgotten `SELECT` of another one, and says so; Ctrl-C ends it all the same.
    @Test func theEndWaitsForALockUntilItIsInterrupted() throws {
        let folder = try Folder()
        try folder.write(
            Self.training + """
                local run = new("a")
                run:train{ steps = 3 }
                print("trained")
                while not io.open("locked") do end
                run:train{ steps = 3 }
                """, to: "s.lua")
        try folder.write(
            """
            import os, sqlite3, time
            connection = sqlite3.connect("runs/a.eoss", isolation_level=None)
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM measurement").fetchall()
            open("locked", "w").close()
            while not os.path.exists("enough"): time.sleep(0.05)
            """, to: "reader.py")
        let result = try folder.shell(
            """
            set -m  # else bash has what runs in the background ignore Ctrl-C
            mkfifo lines
            $EOSS run s.lua --trust --quiet >lines & eoss=$!
            read line <lines
            python3 reader.py & reader=$!
            until grep -q 'waiting for another program' errors; do sleep 0.05; done
            kill -INT $eoss
            wait $eoss; status=$?
            touch enough; wait $reader
            exit $status
            """)
        #expect(result.status == 130, "\(result.errors)")
        #expect(result.errors.contains("runs/a.eoss-spill' and come into the run file when it is next opened"))
        let read = try RunFile.open(folder.out.appendingPathComponent("a.eoss"))
        #expect(try read.series("loss").map(\.step) == [0, 1, 2, 3, 4, 5, 6] && read.closed != nil)
        #expect(!FileManager.default.fileExists(atPath: read.url.path + "-spill"))
    }

    private static let smallRun = """
        local data = eoss.data.chebyshev{ degree = 3, n = 4 }
        local net = eoss.nn.mlp{ inputs = 1, hidden = {2}, outputs = 1 }
        local run = eoss.run{ name = "a", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.1 } }
        run:track("loss")
        run:train{ steps = 3 }
        run:plot("loss.svg")
        """

    /// Names in other bytes than UTF-8 are refused, not taken for others: two figures would be one file.
    @Test func namesAreUTF8OrRefused() throws {
        let folder = try Folder()
        try folder.write(Self.smallRun, to: "a.lua")
        #expect(try folder.shell("$EOSS run a.lua").status == 0)
        for line in [
            #"$EOSS plot runs/a.eoss loss -o $'p\xfe.svg'"#, #"$EOSS run $'a\xff.lua'"#,
            #"$EOSS run a.lua --set s=$'\xff'"#,
            #"$EOSS run a.lua --out $'o\xff'"#,
        ] {
            let end = try folder.shell(line)
            #expect(
                end.status == 2 && end.errors.contains("is not UTF-8, in which eoss reads names"), "\(line): \(end)")
        }
        let end = try folder.shell(#"mkdir $'d\xff' && cd $'d\xff' && $EOSS run ../a.lua"#)
        #expect(
            end.status == 1 && end.errors.contains("the name of the folder 'd") || end.errors.contains("is not UTF-8"),
            "\(end)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted().prefix(2) == [
                "a.lua", "d\u{FFFD}",
            ])
    }

    /// Whatever writes a file leaves run files alone, and keeps to the endings of its format.
    @Test func noOutputTakesTheNameOfAnother() throws {
        let folder = try Folder()
        try folder.write(Self.smallRun, to: "a.lua")
        #expect(try folder.shell("$EOSS run a.lua && cp runs/a.eoss b.eoss && cp runs/a.eoss b").status == 0)
        for (line, expected) in [
            ("$EOSS doc --stubs b.eoss", "names in .eoss are kept for run files"),
            ("$EOSS doc --stubs b", "it is a run file or another SQLite database"),
            ("$EOSS export b.eoss --to csv -o t.npz", "t.npz: what is written is csv, whose name ends in .csv"),
            ("$EOSS export b.eoss --to npz -o a.lua --force", "a.lua: what is written is npz"),
            ("$EOSS export b.eoss --to tensorboard -o b.eoss-journal", "names in .eoss are kept for run files"),
            ("$EOSS export b.eoss --to tensorboard -o a.lua", "there is a file of that name"),
            ("$EOSS report b.eoss -o x.png", "x.png: what is written is a page, whose name ends in .html or .htm"),
            (
                "$EOSS show b.eoss --figure loss.svg -o a.lua",
                "a.lua: 'loss.svg' is written to a name that ends in .svg, too"
            ),
            (
                #"echo 'eoss.open("b.eoss"):save_figure("loss.svg", "y.png")' | $EOSS run - --allow-read ."#,
                "y.png: 'loss.svg' is written to a name that ends in .svg, too"
            ),
        ] {
            let end = try folder.shell(line)
            #expect(end.status != 0 && end.errors.contains(expected), "\(line): \(end)")
        }
        let end = try folder.shell(
            "cmp runs/a.eoss b.eoss && cmp runs/a.eoss b && $EOSS show b.eoss && ls b.eoss-journal")
        #expect(end.status == 2 && end.output.contains("loss"), "\(end)")
        #expect(try folder.shell("cat a.lua").output == Self.smallRun)
    }

    /// Printed by whatever: an error that says so.
    @Test func whatIsPrintedToAFullDeviceIsAnError() throws {
        let folder = try Folder()
        try folder.write("help()", to: "h.lua")
        let end = try folder.shell("$EOSS run h.lua >/dev/full")
        #expect(end.status == 1 && end.errors.contains("cannot write to standard output: No space left"), "\(end)")
    }

    /// Both outputs of a trusted script keep their order, through a pipe, too.
    @Test func printAndWriteKeepTheirOrder() throws {
        let folder = try Folder()
        try folder.write(#"io.write("a ") print("b") io.write("c\n") print("d")"#, to: "o.lua")
        #expect(try folder.shell("$EOSS run --trust o.lua | cat").output == "a b\nc\nd\n")
    }

    /// Files that a script has dropped are no reason to refuse another.
    @Test func filesThatWereDroppedAreClosed() throws {
        let folder = try Folder()
        try folder.write(Self.smallRun, to: "a.lua")
        try folder.write("for i = 1, 400 do local f = eoss.open('runs/a.eoss') end print('done')", to: "open.lua")
        let end = try folder.shell("$EOSS run a.lua && ulimit -n 128 && $EOSS run open.lua")
        #expect(end.status == 0 && end.output.hasSuffix("done\n"), "\(end)")
    }
}
