import Foundation
import Testing

@testable import eoss

/// The program at a terminal: Ctrl-C while it works and while it waits, and what is pasted.
@Suite struct TerminalTests {
    /// A network whose products with the Hessian take tens of milliseconds each, and a long recurrence, whose plan takes seconds.
    private static let script = """
        local data = eoss.data.gaussian_mixture{ n = 2000, d = 300, classes = 10, seed = 1 }
        local net = eoss.nn.mlp{ inputs = 300, hidden = {200, 200}, outputs = 10, activation = "tanh", seed = 1 }
        run = eoss.run{ name = "r", model = net, data = data, loss = "ce",
                        optimizer = eoss.optim.sgd{ lr = 0.05 }, batch_size = 20, seed = 1 }
        local places = 9000
        local series = eoss.data.teacher_student{ n = 4, inputs = places, outputs = 1, seed = 4 }
        local recurrent = eoss.nn.module{ inputs = places, seed = 2,
          params = { w = { shape = {4}, init = 0.5 }, r = { shape = {4, 4}, init = 0.1 } },
          forward = function(x, p)
            local states = eoss.scan(eoss.reshape(x, {places, 1}), p.w:zeros(), function(h, x)
              return eoss.tanh(eoss.dot(p.r, h) + p.w * x)
            end)
            return eoss.sum(states[places])
          end }
        long = eoss.run{ name = "long", model = recurrent, data = series, loss = "half_mse",
                         optimizer = eoss.optim.sgd{ lr = 0.01 }, batch_size = 2, seed = 1 }
        function state() return string.format("%d %.17g %.17g", run.step, run.params:norm(), run.loss) end
        run:train{ to = 5 }
        print("rea" .. "dy")
        """

    private func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private func arguments(_ script: String, in folder: URL) throws -> [String] {
        let file = folder.appendingPathComponent("script.lua")
        try Data(script.utf8).write(to: file)
        return ["run", file.path, "-i", "--quiet", "--out", folder.appendingPathComponent("runs").path]
    }

    /// Types a line of long work, and Ctrl-C into it.
    private func interrupt(_ terminal: Terminal, _ line: String, answer: String) throws {
        try terminal.enter("print('be' .. 'gun') " + line)
        try terminal.expect("begun")
        usleep(700_000)
        try terminal.type("\u{3}")
        try terminal.expect(answer)
    }

    @Test func controlCEndsLongWorkAndTheTrainingGoesOnToTheSameBits() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let terminal = try Terminal(arguments(Self.script, in: folder))
        try terminal.expect("ready")
        try terminal.enter("print('\\n<' .. state() .. '>')")
        let before = try terminal.text(between: "\n<", and: ">")
        // What would take minutes, and what has found something by then.
        try interrupt(terminal, "run:hessian():diagonal{ exact = true } print('never')", answer: "stopped")
        try interrupt(
            terminal, "return run:measure('batch_sharpness', { max_samples = 1e8, rel_error = 0 })",
            answer: "unfinished")
        try interrupt(terminal, "return run:hessian():trace{ samples = 50000 }", answer: "unfinished")
        try interrupt(terminal, "run:plot_spectrum('x.svg', { vectors = 1000, steps = 300 })", answer: "stopped")
        try interrupt(terminal, "while true do run:evaluate() end", answer: "stopped")
        try interrupt(terminal, "while true do pcall(run.gradient, run) end", answer: "stopped")
        try interrupt(terminal, "long:gradient()", answer: "stopped")
        try interrupt(terminal, "while true do end", answer: "stopped")
        try interrupt(terminal, "local s = ('a'):rep(1e7) while true do s:find('b*c') end", answer: "stopped")
        try terminal.enter("print('\\n<' .. state() .. '>')")
        #expect(try terminal.text(between: "\n<", and: ">") == before)
        try terminal.enter("run:train{ to = 12 } print('\\n<' .. state() .. '>')")
        let after = try terminal.text(between: "\n<", and: ">")
        try terminal.expect("> ")
        try terminal.type("\u{4}")
        #expect(try terminal.end() == 0)

        let plain = try EossProgram.run(script: Self.script + "\nrun:train{ to = 12 } print(state())")
        #expect(plain.output == "ready\n\(after)\n", "\(plain.errors)")
    }

    /// The first Ctrl-C comes while a measurement is made: the prompt comes before it, and it is made again.
    @Test func aTrainingIsPausedInTheMiddleOfAMeasurementAndGoesOn() throws {
        let script =
            Self.script.replacingOccurrences(of: "run:train{ to = 5 }\n", with: "") + """

                run:track("lambda_max", { every = 2, k = 4, tolerance = 1e-4 })
                print("go" .. "ing")
                run:train{ to = 4 }
                print("\\n<" .. state() .. " " .. table.concat(run:series("lambda_max").values:totable(), " ") .. ">")
                """
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let terminal = try Terminal(arguments(script, in: folder))
        try terminal.expect("going")
        usleep(300_000)
        try terminal.type("\u{3}")
        try terminal.expect("paused: run 'r' at step")
        try terminal.enter("print(#run:series('lambda_max'), 'me' .. 'asured')")
        try terminal.expect("measured")
        try terminal.enter("continue = 5 print('assi' .. 'gned')")
        try terminal.expect("assigned")
        try terminal.enter("continue()")
        let after = try terminal.text(between: "\n<", and: ">")
        try terminal.enter("run.step, 'al' .. 'ive'")
        try terminal.expect("4\t\"alive\"")
        try terminal.expect("> ")
        try terminal.type("\u{4}")
        #expect(try terminal.end() == 0)
        let plain = try EossProgram.run(script: script)
        #expect(plain.output.contains("<\(after)>"), "\(plain.output) \(plain.errors)")
    }

    /// What a line may hold that is not to be run: it is thrown away, and the session goes on.
    @Test func atThePromptControlCNeverEndsTheSession() throws {
        let terminal = try Terminal(["repl"])
        try terminal.expect("> ")
        for _ in 0..<5 {
            try terminal.type("error('typed')\u{3}")
            try terminal.expect("^C")
            try terminal.expect("> ")
        }
        try terminal.enter("for i = 1, 2 do")
        try terminal.expect(">> ")
        try terminal.type("\u{3}")
        try terminal.expect("^C")
        try terminal.expect("> ")
        try terminal.enter("print('li' .. 'ves', #'\u{e9}')")
        try terminal.expect("lives\t2")
        // Ctrl-\ ends it at any time; while a line is typed it is the editor that is told.
        try terminal.expect("> ")
        try terminal.type("half a line\u{1C}")
        #expect(try terminal.end() == 0)
    }

    @Test func tabCompletesAndTheLastValueIsThere() throws {
        let terminal = try Terminal(["repl"])
        try terminal.expect("> ")
        // One candidate is inserted; of several what they have in common, then they are listed.
        try terminal.type("eoss.optim.ada\t\t")
        try terminal.expect("adagrad  adam     adamw")
        try terminal.type("mw\t\u{3}")
        try terminal.enter("number_of_things = 20 + 1")
        try terminal.enter("=number_of_t\t * 2")
        try terminal.expect("42")
        try terminal.enter("print('<' .. _ + 1 .. '>', 'é')")
        try terminal.expect("<43>\té")
        try terminal.enter("{ one = { two = { three = 3 } } }")
        try terminal.expect("{one = {two = {…}}}")
        // Before the prompt stands there Ctrl-D is the terminal's own, and may be lost.
        try terminal.expect("> ")
        try terminal.type("\u{4}")
        #expect(try terminal.end() == 0)
    }

    @Test func aBreakpointOpensAPromptOnTheLocals() throws {
        let script = """
            local function inner(count)
              local doubled = 2 * count
              breakpoint()
              return doubled
            end
            print("\\n<" .. inner(21) .. ">")
            """
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        // Without -i: a terminal is enough.
        let terminal = try Terminal(arguments(script, in: folder).filter { $0 != "-i" })
        try terminal.expect("> ")
        try terminal.enter("doub\t, count")
        try terminal.expect("42\t21")
        try terminal.enter("doubled = 5")
        try terminal.enter("continue()")
        try terminal.expect("<5>")
        #expect(try terminal.end() == 0)
        // Where there is none it says so, and the script goes on.
        let plain = try EossProgram.run(arguments(script, in: folder).filter { $0 != "-i" })
        #expect(
            plain.status == 0 && plain.output == "\n<42>\n"
                && plain.errors.contains("breakpoint(): there is no terminal"))
    }

    @Test func controlBackslashEndsWhatRunsAndTheSession() throws {
        let terminal = try Terminal(["repl"])
        try terminal.expect("> ")
        try terminal.enter("print('be' .. 'gun') while true do end")
        try terminal.expect("begun")
        try terminal.type("\u{1C}")
        #expect(try terminal.end() == 130)
    }

    /// A terminal puts ESC[200~ and ESC[201~ around what is pasted once the program has asked for it.
    @Test func aPasteIsTextAndItsTabsAreTabs() throws {
        let terminal = try Terminal(["repl"])
        try terminal.expect("\u{1B}[?2004h")
        try terminal.type("\u{1B}[200~x = 'a\tb'\u{1B}[201~ y, z = #x, 0\r")
        try terminal.expect("\u{1B}[?2004l")
        try terminal.enter("'len' .. 'gth', y, x")
        try terminal.expect("\"length\"\t3\t\"a\\tb\"")
        // Several lines are read one by one; what is behind the last newline is edited.
        try terminal.type("\u{1B}[200~for i = 1, 3 do\r\tz = z + i\rend\r'su' .. 'm', z\u{1B}[201~, 5\r")
        try terminal.expect("\"sum\"\t6\t5")
        try terminal.expect("> ")
        try terminal.type("\u{4}")
        #expect(try terminal.end() == 0)
    }

    @Test func theArrowKeysFindLinesAgain() throws {
        let terminal = try Terminal(["repl"])
        try terminal.expect("> ")
        try terminal.enter("count = 0")
        try terminal.enter("count = count + 1")
        try terminal.enter("'fir' .. 'st', count")
        try terminal.expect("\"first\"\t1")
        try terminal.type("\u{1B}[A\u{1B}[A\r")
        try terminal.enter("'seco' .. 'nd', count")
        try terminal.expect("\"second\"\t2")
        try terminal.expect("> ")
        try terminal.type("\u{4}")
        #expect(try terminal.end() == 0)
    }
}
